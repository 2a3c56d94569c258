"""Which columns a sheet has: read from the schema of script files, no key is typed twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache

from bot.sop.schema import Json, script_schema

KEY_DOT = "."
STEPS, OVERLAYS, LISTENS, EXITS = "步骤", "日历叠加", "听到就办", "出口"
TABLES = (STEPS, OVERLAYS, LISTENS, EXITS)
_LONG = frozenset({"正文", "正文按分流", "回话", "先问同意", "条件", "排除"})
_YES_NO = [True, False, "是", "否"]


class Kind(Enum):
    """How a cell of a column is written."""

    TEXT = "text"
    CHOICE = "choice"
    YES_NO = "yes_no"
    WORDS = "words"  # a list of words
    ITEMS = "items"  # a list of larger things, one a line
    KEYS = "keys"  # names of the author's own, each with a value
    MODEL = "model"  # spread over columns of its own


_Kind = tuple[Kind, tuple[str, ...], bool]  # the choices, and whether nothing else may stand there


@dataclass(frozen=True, slots=True)
class Column:
    """One key of the file, with the words that explain it; ``path`` leads there."""

    path: tuple[str, ...]
    kind: Kind
    choices: tuple[str, ...]
    closed: bool  # nothing but the choices may stand there
    words: str
    examples: tuple[Json, ...]
    default: str = ""

    @property
    def name(self) -> str:
        """Return the column's head: 互动.期待回复."""
        return KEY_DOT.join(self.path)

    @property
    def long(self) -> bool:
        """Tell whether whole sentences stand there."""
        return self.path[-1] in _LONG

    @property
    def clock(self) -> bool:
        """Tell whether hours stand there, which Excel likes to turn into fractions of a day."""
        return self.path[-1] in ("时间", "静默时段")


@cache
def script_columns() -> tuple[Column, ...]:
    """Return the keys of a script besides those that have a sheet of their own."""
    schema = script_schema()
    return tuple(column for column in _of(schema, schema) if column.path[0] not in TABLES)


@cache
def table_columns(table: str) -> tuple[Column, ...]:
    """Return the columns of a sheet with one row for each part of that key."""
    schema = script_schema()
    items = _mapping(_mapping(_mapping(schema, "properties"), table), "items")
    model = _resolved(items, schema)
    return tuple(column for column in _of(model, schema) if column.path[0] not in TABLES)


def _of(
    model: Mapping[str, Json], schema: Mapping[str, Json], path: tuple[str, ...] = ()
) -> Iterator[Column]:
    for key, told in _mapping(model, "properties").items():
        assert isinstance(told, dict)
        kind, choices, closed = _kind(told, schema)
        here = (*path, key)
        if kind is Kind.MODEL:
            yield from _of(_resolved(told, schema), schema, here)
            continue
        examples = told.get("examples", [])
        yield Column(
            here,
            kind,
            choices,
            closed,
            str(told.get("description", "")),
            tuple(examples) if isinstance(examples, list) else (),
            _default(told.get("default")),
        )


def _default(value: Json) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return "" if value is None else str(value).removesuffix(".0")


def _kind(
    told: Mapping[str, Json], schema: Mapping[str, Json]
) -> tuple[Kind, tuple[str, ...], bool]:
    made = _resolved(told, schema)
    if "properties" in made:
        return Kind.MODEL, (), False
    if made.get("enum") == _YES_NO:
        return Kind.YES_NO, ("是", "否"), True
    if "enum" in made or "const" in made:
        return Kind.CHOICE, _choices(made), True
    if made.get("type") == "array":
        return _list_kind(_resolved(_mapping(made, "items"), schema))
    if made.get("type") == "object":
        return Kind.KEYS, (), False
    forms = made.get("anyOf", [])
    assert isinstance(forms, list)
    mappings = [_resolved(form, schema) for form in forms if isinstance(form, dict)]
    kind = Kind.WORDS if any(form.get("type") == "array" for form in mappings) else Kind.TEXT
    return kind, tuple(word for form in mappings for word in _choices(form)), False


def _list_kind(item: Mapping[str, Json]) -> _Kind:
    plain = "enum" in item or item.get("type") in ("string", ["string", "number"])
    return (Kind.WORDS, _choices(item), False) if plain else (Kind.ITEMS, (), False)


def _choices(made: Mapping[str, Json]) -> tuple[str, ...]:
    if "const" in made:
        return (str(made["const"]),)
    words = made.get("enum", [])
    return tuple(str(word) for word in words) if isinstance(words, list) else ()


def _resolved(told: Mapping[str, Json], schema: Mapping[str, Json]) -> Mapping[str, Json]:
    reference = told.get("$ref")
    if not isinstance(reference, str):
        return told
    return _mapping(_mapping(schema, "$defs"), reference.rpartition("/")[2])


def _mapping(of: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    value = of.get(key, {})
    assert isinstance(value, dict)
    return value
