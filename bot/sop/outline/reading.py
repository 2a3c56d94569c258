"""Lines of a plan to steps: a line that names a day begins one, the rest is its text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.steps import SendBy, StepKind
from bot.sop.outline.marks import kind_of, time_in, way_of, when_in


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the source; ``where`` says where it stands, for people."""

    text: str
    where: str
    heading: bool = False


@dataclass(slots=True)
class Part:
    """A step as it was read."""

    day: int
    where: str
    time: str = ""
    title: str = ""
    kind: StepKind | None = None
    way: SendBy | None = None
    lines: list[str] = field(default_factory=list)
    weekly: bool = False

    @property
    def body(self) -> str:
        """Return the words that are to be sent."""
        return "\n".join(filter(None, self.lines)).strip()


@dataclass(slots=True)
class Outline:
    """What a plan says; ``left`` are the lines that belong to no step."""

    name: str = ""
    owner: str = ""
    parts: list[Part] = field(default_factory=list)
    left: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Label:
    """What a model says of a line: that a step begins here, on which day, and what it is for."""

    day: int
    time: str = ""
    kind: str = ""


_FIELDS: Mapping[str, str] = {
    **dict.fromkeys(("天", "天数", "日期", "第几天", "时间节点", "节点", "阶段", "日程"), "day"),
    **dict.fromkeys(("时间", "时点", "发送时间", "几点", "时刻", "推送时间"), "time"),
    **dict.fromkeys(("类型", "分类", "类别", "目的", "性质"), "kind"),
    **dict.fromkeys(("主题", "标题", "动作", "事项", "任务", "步骤名称"), "title"),
    **dict.fromkeys(("方式", "渠道", "触达方式", "发送方式", "形式", "执行方式"), "way"),
    **dict.fromkeys(
        ("内容", "话术", "正文", "文案", "发送内容", "参考话术", "消息", "话术内容"), "body"
    ),
    **dict.fromkeys(("备注", "说明", "注意", "责任人", "负责人", "执行人"), "note"),
}
_NAMES = "|".join(sorted(map(re.escape, _FIELDS), key=len, reverse=True))
_FIELD = re.compile(rf"(?:^|[；;|｜\t]\s*)(?P<name>{_NAMES})\s*[：:]\s*")
_OWNER = re.compile(r"^(?:负责人|责任人|制定人|编写人)\s*[：:]\s*(\S{2,20})")
_BULLET = re.compile(r"^[\s·•●◆■○*\-–—]+(?=\S)|^#+\s*|^>\s*")
_EMPHASIS = re.compile(r"\*\*|__|`")
_RULE = re.compile(r"^[\s|:\-—=_*]+$")
_LONGEST_TITLE = 24


def read_outline(lines: Iterable[Line], labels: Mapping[int, Label] | None = None) -> Outline:
    """Return the steps of a plan, in its order; ``labels`` add what a model saw in other lines."""
    outline = Outline()
    header: list[str] = []
    for number, line in enumerate(lines):
        text = _tidy(line.text)
        if not text or _RULE.fullmatch(line.text):
            continue
        label = (labels or {}).get(number)
        cells = _cells(text)
        if not cells and "|" in line.text.strip()[1:]:
            header, row = _table_row(line.text, header)
            if row is None:
                continue
            cells = row
        if cells:
            _from_cells(outline, cells, line)
        else:
            _from_text(outline, text, line, label)
    outline.parts.sort(key=lambda part: part.day)
    return outline


def _from_text(outline: Outline, text: str, line: Line, label: Label | None) -> None:
    when = when_in(text)
    if when is not None and when.day is not None:
        part = Part(when.day, line.where, when.time, weekly=when.weekly)
        outline.parts.append(part)
        _open(part, when.rest, heading=line.heading)
    elif label is not None:
        part = Part(label.day, line.where, time_in(label.time)[0], kind=kind_of(label.kind))
        outline.parts.append(part)
        _open(part, text, heading=line.heading)
    elif owner := _OWNER.match(text):
        outline.owner = outline.owner or owner[1]
    elif not outline.parts:
        if not outline.name and len(text) <= _LONGEST_TITLE:
            outline.name = text
        else:
            outline.left.append(line)
    elif line.heading:
        outline.left.append(line)
    else:
        _add(outline.parts[-1], text)


def _open(part: Part, rest: str, *, heading: bool) -> None:
    """Begin a step with what stands behind its day: a title, or the words themselves."""
    title, colon, body = rest.partition("：")
    if not colon:
        title, colon, body = rest.partition(":")
    short = len(title) <= _LONGEST_TITLE
    if (heading or not rest.endswith(("。", "！", "？", "~"))) and short and not body.strip():
        part.title = title.strip()
    elif colon and short:
        part.title = title.strip()
        part.lines.append(body.strip())
    elif rest:
        part.lines.append(rest)
    part.kind = part.kind or kind_of(part.title)
    part.way = part.way or way_of(part.title)


def _add(part: Part, text: str) -> None:
    """Add a line to a step: what it is called, when and how it is sent, or its words."""
    found = _FIELD.match(text)
    if found is None:
        if not part.time and not part.lines and len(text) <= _LONGEST_TITLE:
            told, rest = time_in(text)
            if told and not rest.strip(" ：:，,"):
                part.time = told
                return
        part.lines.append(text)
        return
    _set(part, _FIELDS[found["name"]], text[found.end() :].strip())


def _set(part: Part, name: str, value: str) -> None:
    if name == "time":
        part.time = time_in(value)[0] or part.time
    elif name == "kind":
        part.kind = kind_of(value) or part.kind
    elif name == "way":
        part.way = way_of(value) or part.way
    elif name == "title":
        part.title = part.title or value
        part.kind = part.kind or kind_of(value)
    elif name == "body":
        part.lines.append(value)


def _from_cells(outline: Outline, cells: Mapping[str, str], line: Line) -> None:
    """Read a row of a table; one without a day goes on with the step before it."""
    when = when_in(cells.get("day", ""))
    bare = re.fullmatch(r"\s*(\d{1,3})\s*", cells.get("day", ""))
    day = when.day if when is not None else int(bare[1]) if bare else None
    if day is None and not outline.parts:
        outline.left.append(line)
        return
    if day is None:
        part = outline.parts[-1]
    else:
        part = Part(max(1, day), line.where, when.time if when else "")
        part.weekly = bool(when and when.weekly)
        outline.parts.append(part)
        if when and when.rest:
            part.title = when.rest
    for name in ("time", "kind", "way", "title", "body"):
        if value := cells.get(name, "").strip():
            _set(part, name, value)


def _cells(text: str) -> dict[str, str]:
    """Return a row that reads 列名：值；列名：值; empty for any other line."""
    found = list(_FIELD.finditer(text))
    if not found or found[0].start() != 0 or (len(found) == 1 and not _only_a_day(found[0], text)):
        return {}
    ends = [*(match.start() for match in found[1:]), len(text)]
    cells: dict[str, str] = {}
    for match, end in zip(found, ends, strict=True):
        cells.setdefault(_FIELDS[match["name"]], text[match.end() : end].strip())
    return cells if "day" in cells or "body" in cells else {}


def _only_a_day(field: re.Match[str], text: str) -> bool:
    """Tell whether a row has nothing but its day, its other cells being empty."""
    when = when_in(text[field.end() :]) if _FIELDS[field["name"]] == "day" else None
    return when is not None and when.day is not None


def _table_row(text: str, header: Sequence[str]) -> tuple[list[str], dict[str, str] | None]:
    """Read a row of a Markdown table; the first one names its columns."""
    values = [_tidy(cell) for cell in text.strip().strip("|").split("|")]
    if not header:
        return values, None
    cells: dict[str, str] = {}
    for name, value in zip(header, values, strict=False):
        known = _FIELDS.get(name.strip())
        if known is not None and value:
            cells.setdefault(known, value)
    return list(header), cells


def _tidy(text: str) -> str:
    return _EMPHASIS.sub("", _BULLET.sub("", text.strip())).strip()
