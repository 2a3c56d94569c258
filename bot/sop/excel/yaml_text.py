"""A script as the text of its file, in the manner of the files that people write."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from bot.domain.script import SopScript
from bot.sop.excel.columns import STEPS

Doc = str | list["Doc"] | dict[str, "Doc"]
"""What a file says, every value as the text that stands in it."""

_WIDTH = 96
_MOST_KEYS_IN_LINE = 3
_ALONE = frozenset(
    {STEPS, "日历叠加", "审批", "适用", "护栏", "退出", "听到就办", "出口", "看效果"}
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_CLOCK = re.compile(r"\d?\d:\d\d(?:-\d?\d:\d\d)?")
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|\r|\t")
_OPENS_ODD = re.compile(r"[-?:,\[\]{}#&*!|>'\"%@`~<=\s\u201c\u201d\u2018\u2019\uff5c]")
_IN_FLOW = re.compile(r"[,\[\]{}:\uff0c#]")
_ONE_A_LINE = frozenset({"分支", "附件", "听到就办"})
_END = "\n"
_SAID = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def document(script: SopScript) -> dict[str, Doc]:
    """Return what the script's file says: no key that it leaves out, in the order of the house."""
    told = script.model_dump(mode="json", by_alias=True, exclude_unset=True)
    made = _plain(told)
    assert isinstance(made, dict)
    steps = made[STEPS]
    assert isinstance(steps, list)
    for step in steps:
        assert isinstance(step, dict)
        ways = step.get("发送方式")
        if isinstance(ways, list) and len(ways) == 1:
            step["发送方式"] = ways[0]
    return made


def _plain(value: Any) -> Doc:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def write_script(doc: dict[str, Doc]) -> str:
    """Write a whole file."""
    lines: list[str] = []
    for key, value in doc.items():
        block = list(_entry(key, value, 0))
        if lines and key in _ALONE and len(block) > 1:
            lines.append("")
        lines += _spaced(block) if key == STEPS else block
        if key in _ALONE and len(block) > 1:
            lines.append("")
    text = "\n".join(lines).rstrip("\n") + "\n"
    return re.sub(r"\n{3,}", "\n\n", text) if "\n\n\n" in text and not _has_blank(doc) else text


def _has_blank(value: Doc) -> bool:
    """Tell whether a text has empty lines of its own, which are not layout."""
    if isinstance(value, str):
        return "\n\n" in value
    inner = value.values() if isinstance(value, dict) else value
    return any(_has_blank(one) for one in inner)


def _spaced(block: Sequence[str]) -> Iterator[str]:
    """Put an empty line between steps."""
    for number, line in enumerate(block):
        if number > 1 and line.startswith("  - "):
            yield ""
        yield line


def write_mapping(doc: dict[str, Doc]) -> str:
    """Write keys and values, one a line; long text stands under its key."""
    return "\n".join(line for key, value in doc.items() for line in _entry(key, value, 0))


def in_line(value: Doc) -> str:
    """Write a value on one line: {键: 值} or [甲, 乙]."""
    if isinstance(value, str):
        return scalar(value, flow=True)
    if isinstance(value, list):
        return f"[{', '.join(_item(one) for one in value)}]"
    inner = (f"{scalar(key, flow=True)}: {in_line(one)}" for key, one in value.items())
    return f"{{{', '.join(inner)}}}"


def _item(value: Doc) -> str:
    if isinstance(value, str) and (_NUMBER.fullmatch(value) or value.lower() in _SAID):
        return f'"{value}"'
    return in_line(value)


def _entry(key: str, value: Doc, indent: int) -> Iterator[str]:
    pad = " " * indent
    head = f"{pad}{scalar(key)}:"
    if isinstance(value, str):
        yield from _text(head, value, indent)
    elif _fits(head, value):
        yield f"{head} {in_line(value)}"
    elif isinstance(value, dict):
        yield head
        for inner, one in value.items():
            yield from _entry(inner, one, indent + 2)
    else:
        yield head
        for one in value:
            yield from _list_item(one, indent + 2)


def _list_item(value: Doc, indent: int) -> Iterator[str]:
    pad = " " * indent
    line = f"{pad}- {_item(value)}"
    if not isinstance(value, dict) or (_width(line) <= _WIDTH and not _large(value)):
        yield line
        return
    lines = [line for key, one in value.items() for line in _entry(key, one, indent + 2)]
    yield f"{pad}- {lines[0].lstrip()}"
    yield from lines[1:]


def _large(value: Doc) -> bool:
    """Tell whether a list's item has more to say than a line shows: a step, an overlay."""
    return isinstance(value, dict) and ("编号" in value or _deep(value))


def _deep(value: dict[str, Doc]) -> bool:
    return any(isinstance(one, str) and "\n" in one for one in value.values())


def _fits(head: str, value: Doc) -> bool:
    if not value:
        return True
    if isinstance(value, dict):
        small = len(value) <= _MOST_KEYS_IN_LINE and not _deep(value)
        return small and _width(f"{head} {in_line(value)}") <= _WIDTH
    assert isinstance(value, list)
    large = any(_large(one) or (isinstance(one, dict) and _nested(one)) for one in value)
    alone = head[0] != " " or head.strip(" :") in _ONE_A_LINE
    if alone and any(isinstance(one, dict) for one in value):
        return False
    return not large and _width(f"{head} {in_line(value)}") <= _WIDTH


def _nested(value: dict[str, Doc]) -> bool:
    return len(value) > 1 and any(not isinstance(one, str) for one in value.values())


def _text(head: str, value: str, indent: int) -> Iterator[str]:
    odd = _ODD.search(value) or not value.strip() or value[0] in " \n" or value.endswith("\n\n")
    if _END not in value or odd:
        yield f"{head} {scalar(value)}"
        return
    yield f"{head} |{'' if value.endswith(_END) else '-'}"
    for line in value.removesuffix(_END).split(_END):
        yield f"{' ' * (indent + 2)}{line}" if line else ""


def scalar(text: str, *, flow: bool = False) -> str:
    """Write one value, in quotes where it would otherwise be read as something else."""
    if _is_plain(text, flow=flow):
        return text
    if '"' in text and "'" not in text and "\n" not in text and not _ODD.search(text):
        return f"'{text}'"
    return quoted(text)


def quoted(text: str) -> str:
    """Write text in double quotes, with everything that cannot be seen as an escape."""
    return _ODD.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _is_plain(text: str, *, flow: bool) -> bool:
    if _NUMBER.fullmatch(text):
        return True
    if not text or text != text.strip() or "\n" in text or _ODD.search(text):
        return False
    if _OPENS_ODD.match(text) or _CLOCK.fullmatch(text) or text.startswith("..."):
        return False
    if ": " in text or text.endswith(":") or " #" in text:
        return False
    return not (flow and _IN_FLOW.search(text))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
