"""Text → nodes: strict, with every refusal said in one list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as FilePath

import yaml

from bot.errors import ContentError, Problem
from bot.yamlfile import mistakes
from bot.yamlfile.nodes import Entry, Items, Mapping, Node, Path, Scalar, dotted

_FAST_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_DEEPEST = 40


def read_text(path: FilePath, file: str) -> str:
    """Return the text of a UTF-8 file; raises ``ContentError`` in words when it cannot be read."""
    data = b""
    try:
        data = path.read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        mend = "用记事本打开，另存为，编码选 UTF-8"
        problem = Problem(file, 0, "", f"文件不是 UTF-8 编码{_encoding(data)}", mend)
        raise ContentError([problem]) from error
    except OSError as error:
        problem = Problem(file, 0, "", "文件读不出来", "检查文件是否存在、是否有权限")
        raise ContentError([problem]) from error


def _encoding(data: bytes) -> str:
    """Say in what people know it by which encoding a file most likely has."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "，是 Unicode(UTF-16)"
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return "，多半是 ANSI(GBK)"


def read_yaml(text: str, file: str, *, first_line: int = 1) -> Node:
    """Read one YAML document with all scalars kept as text; raises ``ContentError``.

    ``first_line`` is the line of ``file`` on which ``text`` begins (front matter begins later).
    """
    shift = first_line - 1
    text = text.removeprefix("\ufeff")
    try:
        events = list(yaml.parse(text, Loader=_FAST_LOADER))
    except yaml.YAMLError:
        raise ContentError([_complaint(text, file, shift)]) from None
    composer = _Composer(file, shift, text)
    node = composer.document(iter(events))
    if composer.problems or node is None:
        raise ContentError(composer.problems)
    return node


def _complaint(text: str, file: str, shift: int) -> Problem:
    """Parse again with the Python parser, whose complaints and marks are the finer ones."""
    found = Problem(file, 1, "", "这个文件的写法读不懂", "检查缩进、冒号、引号和括号是否成对")
    try:
        for _ in yaml.parse(text, Loader=yaml.BaseLoader):
            pass
    except yaml.reader.ReaderError as error:
        found = mistakes.reader_problem(error, text, file)
    except yaml.MarkedYAMLError as error:
        found = mistakes.syntax_problem(error, text, file)
    return Problem(found.file, found.line + shift, found.key, found.what, found.mend)


class _Composer:
    """Builds nodes from parser events and notes what is refused, instead of stopping at it."""

    def __init__(self, file: str, shift: int, text: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._shift = shift
        self._text = text

    def document(self, events: Iterator[yaml.Event]) -> Node | None:
        """Compose the only document there may be."""
        root: Node | None = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents == 2:
                    self._refuse(event, (), "一个文件只能有一份内容", "删掉「---」，或分成两个文件")
                if event.version or event.tags:
                    self._refuse(event, (), "不用 % 开头的 YAML 指令", "删掉这一行")
            elif isinstance(event, yaml.NodeEvent):
                node = self._node(event, events, ())
                root = root or node
        if root is None or (isinstance(root, Scalar) and not root.text and not root.style):
            self.problems.append(
                Problem(self._file, 0, "", "文件是空的", "写上内容，或删掉这个文件")
            )
        return root

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path) -> Node:
        self._refuse_magic(event, path)
        line = self._line(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, events, path, line)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, events, path, line)
        if isinstance(event, yaml.ScalarEvent):
            style = event.style if event.style in ("'", '"', "|", ">") else ""
            if not style and mistakes.in_curly_quotes(event.value):
                self._refuse(event, path, *mistakes.CURLY_QUOTES)
            if not style and event.value.startswith("\uff5c"):
                self._refuse(event, path, *mistakes.WIDE_BAR)
            elif not style and event.value and _spans_lines(event):
                self._refuse(event, path, "没有加引号的文字换了行", "给整段加引号，或用「|」")
            return Scalar(event.value, line, style)
        return Scalar("", line, '"')

    def _sequence(
        self, start: yaml.SequenceStartEvent, events: Iterator[yaml.Event], path: Path, line: int
    ) -> Items:
        items: list[Node] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            here = (*path, len(items))
            item = self._node(event, events, here)
            if isinstance(item, Scalar) and not item.style:
                if not item.text:
                    self._refuse(event, here, "这一项是空的", "写上内容，或删掉这一行")
                elif start.flow_style and mistakes.WIDE_COMMA_SIGN in item.text:
                    self._refuse(event, here, *mistakes.WIDE_COMMA)
            items.append(item)
        return Items(tuple(items), line)

    def _mapping(
        self, start: yaml.MappingStartEvent, events: Iterator[yaml.Event], path: Path, line: int
    ) -> Mapping:
        entries: dict[str, Entry] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key_line = self._line(event)
            key = self._node(event, events, path)
            name = key.text if isinstance(key, Scalar) else ""
            here = (*path, name)
            value_event = next(events)
            value = self._node(value_event, events, here)
            lone = bool(start.flow_style) and not entries
            self._check_entry(event, key, value, here, flow=bool(start.flow_style), lone=lone)
            if name in entries:
                first = entries[name].line
                self._refuse(event, here, f"「{name}」写了两次(第 {first} 行已有)", "删掉其中一个")
            else:
                entries[name] = Entry(name, key_line, value)
        return Mapping(tuple(entries.values()), line, bool(start.flow_style))

    def _check_entry(
        self, event: yaml.Event, key: Node, value: Node, here: Path, *, flow: bool, lone: bool
    ) -> None:
        name = str(here[-1])
        empty = isinstance(value, Scalar) and not value.text and not value.style
        if not isinstance(key, Scalar):
            self._refuse(event, here[:-1], *mistakes.QUOTE_BRACE)
        elif name == "<<":
            self._refuse(event, here, "不用合并键「<<」", "把内容原样写在这里")
        elif empty and mistakes.WIDE_COLON_SIGN in name:
            self._refuse(event, here, *mistakes.WIDE_COLON)
        elif name.startswith("-"):
            self._refuse(event, here, *mistakes.TIGHT_DASH)
        elif empty and lone and " " not in name:
            self._refuse(event, here, *mistakes.QUOTE_BRACE)
        elif empty:
            self._refuse(event, here, *self._no_value(event, name, flow=flow))
        elif flow and isinstance(value, Scalar) and _has_wide_comma(value):
            rest = value.text.partition(mistakes.WIDE_COMMA_SIGN)[2]
            # Where a colon follows, that is the next key of the braces.
            parts = ":" in rest or mistakes.WIDE_COLON_SIGN in rest
            words = name in mistakes.KEYS_OF_WORDS or not parts
            said = mistakes.WIDE_COMMA_IN_WORDS if words else mistakes.WIDE_COMMA
            self._refuse(event, here, *said)

    def _no_value(self, event: yaml.Event, name: str, *, flow: bool) -> tuple[str, str]:
        first, space, rest = name.partition(" ")
        if flow and space:
            return f"「{name}」少了英文冒号", f"写成「{first}: {rest.strip()}」"
        line = event.start_mark.line if event.start_mark else 0
        _, hash_sign, _ = self._text.splitlines()[line].partition("#")
        mend = "写上值；不需要就删掉这一行"
        if hash_sign and not flow:
            mend = "写上值；以 # 开头的文字要加英文双引号，否则算注释"
        return f"「{name}」后面没有写值", mend

    def _refuse_magic(self, event: yaml.Event, path: Path) -> None:
        if len(path) > _DEEPEST:
            raise ContentError(
                [
                    *self.problems,
                    Problem(self._file, self._line(event), "", "层次太深", "拆成几个文件"),
                ]
            )
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, path, "不用 * 引用", "把内容原样写在这里；以 * 开头的文字要加引号")
        elif getattr(event, "anchor", None):
            self._refuse(event, path, "不用 & 锚点", "删掉它；以 & 开头的文字要加引号")
        elif getattr(event, "tag", None):
            self._refuse(event, path, "不用 ! 类型标记", "删掉它；以 ! 开头的文字要加引号")

    def _line(self, event: yaml.Event) -> int:
        return event.start_mark.line + 1 + self._shift if event.start_mark else 0

    def _note(self, line: int, what: str, mend: str) -> None:
        self.problems.append(Problem(self._file, line, "", what, mend))

    def _refuse(self, event: yaml.Event, path: Path, what: str, mend: str) -> None:
        self.problems.append(Problem(self._file, self._line(event), dotted(path), what, mend))


def _spans_lines(event: yaml.Event) -> bool:
    if event.start_mark is None or event.end_mark is None:
        return False
    return event.end_mark.line > event.start_mark.line


def _has_wide_comma(value: Scalar) -> bool:
    return not value.style and mistakes.WIDE_COMMA_SIGN in value.text
