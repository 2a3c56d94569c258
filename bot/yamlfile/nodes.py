"""What a YAML file holds, with the line of every part and every scalar still text."""

from __future__ import annotations

from dataclasses import dataclass

Plain = str | list["Plain"] | dict[str, "Plain"]
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A piece of text; ``style`` is YAML's: empty for plain, else a quote, ``|`` or ``>``."""

    text: str
    line: int
    style: str = ""

    @property
    def text_line(self) -> int:
        """The line on which the text itself begins: block text begins under its key."""
        return self.line + 1 if self.style in ("|", ">") else self.line


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with the line the key stands on."""

    key: str
    line: int
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the file's order; no key stands twice."""

    entries: tuple[Entry, ...]
    line: int
    flow: bool = False

    def entry(self, key: str) -> Entry | None:
        """Return the entry of ``key``, or nothing."""
        return next((entry for entry in self.entries if entry.key == key), None)


Node = Scalar | Items | Mapping


def plain(node: Node) -> Plain:
    """Return the same content as strings, lists and dictionaries."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return {entry.key: plain(entry.value) for entry in node.entries}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path ends in a file: the deepest node it reaches and that part's line."""

    node: Node
    line: int
    reached: Path


def find(root: Node, path: Path) -> Place:
    """Follow ``path`` as far as the file goes; parts that name nothing in it are passed over."""
    node, line, reached = root, root.line, list[str | int]()
    for part in path:
        if isinstance(node, Mapping) and isinstance(part, str):
            entry = node.entry(part)
            if entry is not None:
                node, line = entry.value, entry.line
                reached.append(part)
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            line = node.line
            reached.append(part)
    return Place(node, line, tuple(reached))


def line_of(root: Node, path: Path, *, text_line: int = 0) -> int:
    """Return the line of the key or item at ``path``, or of its nearest parent.

    With ``text_line`` (from 1) the line inside a text written as a block is meant.
    """
    place = find(root, path)
    if text_line and isinstance(place.node, Scalar) and place.node.style in ("|", ">"):
        return place.node.text_line + text_line - 1
    return place.line


def dotted(path: Path) -> str:
    """Write a path for people: ``步骤[3].听到就办[1].动作``, counting from one."""
    words = ""
    for part in path:
        if isinstance(part, int):
            words += f"[{part + 1}]"
        else:
            words += f".{part}" if words else part
    return words
