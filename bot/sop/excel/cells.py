"""The language of a cell: words as they are, lists with 、 between, the rest as in the files."""

from __future__ import annotations

import re

from bot.errors import ContentError
from bot.sop.excel.columns import Kind
from bot.sop.excel.yaml_text import Doc, in_line, quoted, write_mapping
from bot.yamlfile import Items, Mapping, Node, Scalar, read_yaml
from bot.yamlfile.nodes import Entry

EMPTY = "{}"  # in the first column of several that belong together: there, but with nothing in it
LONGEST = 32767  # characters in a cell, by Excel
_BETWEEN = re.compile(r"[、，,;；\n]")
_OPENS = ("[", "{", '"', "'", "［", "【", "｛")
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\t]")
_YES = {"true": "是", "false": "否"}
_NO_SUCH = {"是": "true", "否": "false"}
Said = tuple[str, str]


class Unreadable(Exception):
    """A cell cannot be read; carries what is wrong and its mend."""

    def __init__(self, what: str, mend: str) -> None:
        self.said: Said = (what, mend)
        super().__init__(what)


def write_cell(value: Doc, kind: Kind) -> str:
    """Write a value as it stands in a cell."""
    if kind is Kind.WORDS:
        return _write_words(value if isinstance(value, list) else [value])
    if kind is Kind.ITEMS:
        assert isinstance(value, list)
        return "\n".join(_write_item(one) for one in value) or "[]"
    if kind is Kind.KEYS:
        assert isinstance(value, dict)
        return write_mapping(value) or EMPTY
    assert isinstance(value, str)
    return _YES[value] if kind is Kind.YES_NO else _write_text(value)


def _write_item(value: Doc) -> str:
    return value if isinstance(value, str) else in_line(value)


def _write_words(words: list[Doc]) -> str:
    simple = words and all(isinstance(word, str) and _is_simple(word) for word in words)
    if simple:
        return "、".join(str(word) for word in words)
    return in_line(words)


def _is_simple(word: str) -> bool:
    return bool(word) and not (
        word != word.strip()
        or word.startswith(_OPENS)
        or _BETWEEN.search(word)
        or _ODD.search(word)
    )


def _write_text(text: str) -> str:
    """Leave out the line end after the last of several lines: every text in the files has it."""
    lines = text.removesuffix("\n")
    several = "\n" in lines
    usual = several == text.endswith("\n") or not several
    bare = text.removesuffix("\n")
    if _ODD.search(text) or not usual or bare != bare.strip() or _is_quoted(text) or bare == EMPTY:
        return quoted(text)
    return lines if several else text


def _is_quoted(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] == '"'


def read_cell(text: str, kind: Kind, place: int) -> Node:
    """Read what stands in a cell; ``place`` becomes the line of all of it.

    Raises ``Unreadable``.
    """
    if kind is Kind.WORDS:
        return _read_words(text, place)
    if kind is Kind.ITEMS:
        return _read_items(text, place)
    if kind is Kind.KEYS:
        return _moved(_yaml(f"{text}\n"), place)
    if kind is Kind.YES_NO:
        word = text.strip()
        return Scalar(_NO_SUCH.get(word, word), place)
    return Scalar(_read_text(text), place)


def _read_text(text: str) -> str:
    if _is_quoted(text.strip()):
        try:
            node = _yaml(text.strip())
        except Unreadable:
            return text
        if isinstance(node, Scalar):
            return node.text
    lines = text.rstrip()
    if "\n" in lines.strip():
        return lines.lstrip("\n") + "\n"
    return lines.strip() + ("\n" if text.endswith("\n") else "")


def _read_words(text: str, place: int) -> Node:
    bare = text.strip()
    if bare.startswith(("[", "［", "【")):
        return _moved(_flow_list(bare), place)
    if bare.startswith(('"', "'")):
        return _moved(_flow_list(f"[{bare}]"), place)
    words = (word.strip() for word in _BETWEEN.split(bare))
    return Items(tuple(Scalar(word, place) for word in words if word), place)


def _flow_list(text: str) -> Node:
    if text[0] in "［【":
        raise Unreadable("用了中文的括号", "改成英文的 [ ]，或去掉括号，用顿号隔开")
    return _yaml(text)


def _read_items(text: str, place: int) -> Node:
    bare = text.strip()
    if bare.startswith("["):
        return _moved(_yaml(bare), place)
    items: list[Node] = []
    open_lines: list[str] = []
    lines = [line.strip().removeprefix("- ").strip() for line in bare.split("\n")]
    for number, line in enumerate(lines):
        if not line:
            continue
        open_lines.append(line)
        try:
            items.append(_moved(_one(" ".join(open_lines)), place))
            open_lines = []
        except Unreadable:
            if number == len(lines) - 1:
                raise
    return Items(tuple(items), place)


def _one(line: str) -> Node:
    if line[0] in "｛{" or ":" in line:
        return _yaml(line)
    return Scalar(line, 0)


def _yaml(text: str) -> Node:
    try:
        return read_yaml(text, "")
    except ContentError as error:
        first = error.problems[0]
        raise Unreadable(first.what, first.mend) from None


def _moved(node: Node, place: int) -> Node:
    """Put a value and all that is in it to one place."""
    if isinstance(node, Scalar):
        return Scalar(node.text, place, node.style)
    if isinstance(node, Items):
        return Items(tuple(_moved(item, place) for item in node.items), place)
    entries = (Entry(each.key, place, _moved(each.value, place)) for each in node.entries)
    return Mapping(tuple(entries), place, node.flow)
