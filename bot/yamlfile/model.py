"""Nodes → models: each pydantic error becomes file, line, key, what is wrong and its mend."""

from __future__ import annotations

import difflib
import re
import types
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Context
from typing import Annotated, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.errors import ContentError, Problem
from bot.yamlfile.mistakes import QUOTE_BRACE, TIGHT_COLON, WIDE_COLON, WIDE_COLON_SIGN
from bot.yamlfile.nodes import Items, Mapping, Node, Path, Scalar, dotted, find, plain
from bot.yamlfile.reader import read_yaml

M = TypeVar("M", bound=BaseModel)
Said = tuple[str, str]

_QUOTED = re.compile(r"'([^']*)'")
_BETWEEN = re.compile(r"[、，,;；/]")
_SHORT = 40


def load(
    text: str, file: str, model: type[M], *, first_line: int = 1
) -> tuple[M | None, list[Problem]]:
    """Read text into a model, or give every problem found; never raises for bad content."""
    try:
        return to_model(read_yaml(text, file, first_line=first_line), model, file), []
    except ContentError as error:
        return None, list(error.problems)


def to_model(node: Node, model: type[M], file: str) -> M:
    """Validate a node against a model by its Chinese keys; raises ``ContentError``."""
    try:
        return model.model_validate(plain(node), by_alias=True, by_name=False)
    except ValidationError as error:
        raise ContentError(problems_of(error, node, model, file)) from None


def problems_of(
    error: ValidationError, node: Node, model: type[BaseModel], file: str
) -> list[Problem]:
    """Give one problem for each validation error, on the line where people have to look."""
    errors = error.errors(include_url=False)
    told = [details for details in errors if not _echo(details, errors)]
    return sorted({_problem(details, node, model, file) for details in told})


def _echo(details: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """Tell whether an error only follows from another one: a list too short for its bad items."""
    path = details["loc"]
    return details["type"] == "too_short" and any(
        len(other["loc"]) > len(path) and other["loc"][: len(path)] == path for other in errors
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known words are meant, or list them where none is near."""
    words = list(dict.fromkeys(known))
    near = difflib.get_close_matches(word, words, n=3, cutoff=0.4)
    near = near or [other for other in words if set(other) & set(word)][:3]
    if near:
        return "是不是想写：" + "、".join(near)
    return "可以写的有：" + "、".join(words[:20]) if words else "删掉它"


def _problem(details: ErrorDetails, node: Node, model: type[BaseModel], file: str) -> Problem:
    path: Path = details["loc"]
    place = find(node, path)
    shown = place.reached
    what, mend = _say(details, place.node)
    if details["type"] == "missing" and isinstance(path[-1], str):
        shown = (*shown, path[-1])
    if details["type"] == "extra_forbidden":
        key = str(path[-1])
        what = f"不认识的键「{key}」"
        mend = nearest(key, _known_keys(model, path[:-1]))
    return Problem(file, place.line, dotted(shown), what, mend)


def _say(details: ErrorDetails, at: Node) -> Said:
    kind, context = details["type"], details.get("ctx", {})
    if "mend" in context:
        return str(context.get("what", details["msg"])), str(context["mend"])
    if kind == "missing":
        return f"缺少「{details['loc'][-1]}」", f"补上一行「{details['loc'][-1]}: …」"
    structural = _say_structure(kind, at)
    if structural is not None:
        return structural
    if kind in _SAYINGS:
        return _SAYINGS[kind](context, _shown(at))
    return f"{_shown(at)}写法不对", str(details["msg"])


def _say_structure(kind: str, at: Node) -> Said | None:
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        if isinstance(at, Scalar) and WIDE_COLON_SIGN in at.text:
            return WIDE_COLON
        if isinstance(at, Scalar) and ":" in at.text:
            return TIGHT_COLON
        return "这里要写成「键: 值」的形式", "换行缩进后一行写一个「键: 值」，或写成 {键: 值}"
    if kind in ("tuple_type", "list_type", "set_type", "frozen_set_type"):
        return "这里要写成列表", f"写成 {_as_list(at)}，或换行后每行一个「- 」"
    if isinstance(at, Mapping | Items) and kind not in ("too_short", "too_long"):
        if isinstance(at, Mapping) and at.flow and kind == "string_type":
            return QUOTE_BRACE
        return "这里要写一个值，不是列表也不是「键: 值」", "改成一个词、一段文字或一个数"
    return None


def _shown(at: Node) -> str:
    if not isinstance(at, Scalar):
        return "这里的"
    text = at.text if len(at.text) <= 20 else at.text[:19] + "…"
    return f"「{text}」"


def _as_list(at: Node) -> str:
    if not isinstance(at, Scalar) or len(at.text) > _SHORT:
        return "[甲, 乙]"
    parts = [part.strip(" []［］【】\"'") for part in _BETWEEN.split(at.text)]
    return f"[{', '.join(filter(None, parts)) or '甲, 乙'}]"


def _choices(context: Context[str, object], shown: str) -> Said:
    words = _QUOTED.findall(str(context.get("expected", "")))
    mend = "只能写：" + "、".join(words)
    written = shown.strip("「」")
    if _BETWEEN.search(written) and shown.startswith("「"):
        return f"不能写{shown}", f"{mend}；要写几个，就写成 [甲, 乙]"
    near = difflib.get_close_matches(written, words, n=1, cutoff=0.5)
    return f"不能写{shown}", f"是不是想写：{near[0]}。{mend}" if near else mend


def _number(_: Context[str, object], shown: str) -> Said:
    narrow = unicodedata.normalize("NFKC", shown)
    digits = re.search(r"\d+(?:\.\d+)?", narrow)
    if digits is not None and "." in digits[0] and narrow == f"「{digits[0]}」":
        return f"{shown}不是整数", "写一个没有小数的数"
    return f"{shown}不是数", f"写成阿拉伯数字，例如 {digits[0] if digits else 5}"


def _date(_: Context[str, object], shown: str) -> Said:
    return f"{shown}不是日期", "写成 2026-09-01 的样子"


def _yes_no(_: Context[str, object], shown: str) -> Said:
    return f"{shown}不是「是」或「否」", "写 true 或 false"


_SAYINGS: dict[str, Callable[[Context[str, object], str], Said]] = {
    "literal_error": _choices,
    "enum": _choices,
    "int_parsing": _number,
    "int_type": _number,
    "int_from_float": lambda _, shown: (f"{shown}不是整数", "写一个没有小数的数"),
    "float_parsing": _number,
    "float_type": _number,
    "finite_number": _number,
    "date_parsing": _date,
    "date_from_datetime_parsing": _date,
    "date_from_datetime_inexact": _date,
    "date_type": _date,
    "bool_parsing": _yes_no,
    "bool_type": _yes_no,
    "string_too_short": lambda _, shown: ("不能是空的", "写上内容"),
    "string_too_long": lambda c, shown: (f"太长，最多 {c.get('max_length')} 个字", "写短一些"),
    "string_pattern_mismatch": lambda c, shown: (
        f"{shown}的写法不对",
        f"要符合 {c.get('pattern')}",
    ),
    "too_short": lambda c, shown: (f"至少要有 {c.get('min_length')} 项", "补上内容"),
    "too_long": lambda c, shown: (f"最多 {c.get('max_length')} 项", "删掉多的"),
    "greater_than_equal": lambda c, shown: (f"{shown}太小", f"不能小于 {c.get('ge')}"),
    "greater_than": lambda c, shown: (f"{shown}太小", f"要大于 {c.get('gt')}"),
    "less_than_equal": lambda c, shown: (f"{shown}太大", f"不能大于 {c.get('le')}"),
    "less_than": lambda c, shown: (f"{shown}太大", f"要小于 {c.get('lt')}"),
}


def _known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """List the keys allowed at ``path``, over all models that may stand there."""
    here: list[type[BaseModel]] = [model]
    for part in path:
        if isinstance(part, int):
            continue
        if part.startswith("<"):
            here = [each for each in here if part[1:-1] in _keys(each)] or here
            continue
        below = [
            inner
            for outer in here
            for name, field in outer.model_fields.items()
            if part == (field.alias or name)
            for inner in _models_in(field.annotation)
        ]
        here = below or here
    return [key for each in here for key in _keys(each)]


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType, Annotated, tuple, list, dict):
        for inner in get_args(annotation):
            yield from _models_in(inner)
