"""A plan's steps as the text of a draft script, with everything said that was not taken over."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bot.domain.compliance import Rules, screen
from bot.domain.steps import SendBy, StepKind
from bot.sop.excel.yaml_text import Doc, write_script
from bot.sop.outline.reading import Outline, Part

For = Literal["客户群", "客户"]
_TIME = "09:30-10:30"
_SILENT = (("00:00", "08:30"), ("11:45", "14:30"), ("19:30", "24:00"))
_KNOWS_NOT = StepKind.KNOWLEDGE
_SENTENCE = re.compile(r"[^。！？!?\n]*[。！？!?]?|\n")
_ONE_LINE = 60
_BRACES = re.compile(r"[{｛]([^{}｛｝]{0,20})[}｝]")
_CALLED = re.compile(r"(?:XX|xx|××|某某|\*\*|__)(?:经理|老师|先生|女士)?")


class Remark(NamedTuple):
    """Something that a person has to look at: where in the source, and what."""

    where: str
    what: str


class Face(NamedTuple):
    """What a draft is called and whom it is for."""

    id: str
    name: str
    owner: str
    persona: str
    subject: For


@dataclass(frozen=True, slots=True)
class Drafted:
    """The text of the file, its steps by id with where they came from, and what to look at."""

    text: str
    steps: dict[str, Part]
    remarks: tuple[Remark, ...]


def draft_script(
    outline: Outline, face: Face, rules: Rules, without: Collection[str] = ()
) -> Drafted:
    """Write a draft; the steps ``without`` stand in it as comments alone."""
    remarks = [Remark(line.where, f"没有归进哪一步：{_clip(line.text)}") for line in outline.left]
    steps: list[Doc] = []
    kept: dict[str, Part] = {}
    notes: list[str] = []
    for part, name in zip(outline.parts, _ids(outline.parts), strict=True):
        step = _step(part, name, face, rules, remarks)
        if step is None or name in without:
            notes += [f"没有放进来({part.where})：{_clip(part.title or part.body)}"]
            notes += [f"    {line}" for line in part.body.splitlines()]
            continue
        kept[name] = part
        steps.append(step)
    notes += [f"{one.where}：{one.what}" for one in remarks]
    head = "".join(f"# {line}".rstrip() + "\n" for line in _head(face, notes))
    doc: dict[str, Doc] = {**_frame(face), "步骤": steps}
    return Drafted(head + write_script(doc), kept, tuple(remarks))


def _head(face: Face, notes: Sequence[str]) -> list[str]:
    lines = [f"{face.name}：由文档转成的草稿，逐条看过、改好，再把 状态 改成 待审。"]
    return [*lines, *(["要看的：", *notes] if notes else [])]


def _frame(face: Face) -> dict[str, Doc]:
    in_groups = face.subject == "客户群"
    rails: dict[str, Doc] = {"静默时段": ["11:45-14:30", "19:30-08:30"]}
    rails |= {"每群每天企业群发": "1", "每群每周企业群发": "5"} if in_groups else {"每客每天": "1"}
    tell = "通知群主" if in_groups else "通知客户经理"
    return {
        "格式": "sop/1",
        "编号": face.id,
        "名称": face.name,
        "版本": "1",
        "状态": "草稿",
        "负责人": face.owner,
        "人设": face.persona,
        "对象": face.subject,
        "进入": {"方式": "手工"},
        "重复进入": "不允许",
        "起点": "进入日",
        "休息日": "顺延",
        "错过时间窗": "当日补到18:00",
        "护栏": rails,
        "退出": {
            "关键词": ["退订", "别发了", "不要再发", "TD", "不想收"],
            "动作": ["记录拒收", "停止营销类步骤", tell],
            "回话": "好的，以后不再主动给您发活动和产品消息，您问的事照常答复。",
        },
    }


def _ids(parts: Sequence[Part]) -> list[str]:
    """Name the steps by their days: d03, and d03-2 for the second one of that day."""
    seen: dict[int, int] = {}
    names = []
    for part in parts:
        seen[part.day] = seen.get(part.day, 0) + 1
        number = seen[part.day]
        names.append(f"d{part.day:02d}" + (f"-{number}" if number > 1 else ""))
    return names


def _step(part: Part, name: str, face: Face, rules: Rules, remarks: list[Remark]) -> Doc | None:
    """Return a step as its file has it; None where there is nothing to say."""
    body = _sound(part, face, rules, remarks)
    if not body:
        called = f"「{_clip(part.title)}」" if part.title else ""
        remarks.append(Remark(part.where, f"第{part.day}天{called}没有正文"))
        return None
    kind = part.kind
    if kind is None:
        remarks.append(Remark(part.where, f"{name} 没说是哪一类，先写成「{_KNOWS_NOT}」"))
    if not part.time:
        remarks.append(Remark(part.where, f"{name} 没说几点，先写成 {_TIME}"))
    elif _quiet(part.time):
        remarks.append(Remark(part.where, f"{name} 原文 {part.time} 不发消息，先写成 {_TIME}"))
    if part.weekly:
        remarks.append(Remark(part.where, f"{name} 原文是每周都做，这里只写了头一回"))
    step: dict[str, Doc] = {
        "编号": name,
        "第几天": str(part.day),
        "时间": _TIME if not part.time or _quiet(part.time) else part.time,
        "类型": (kind or _KNOWS_NOT).value,
        "发送方式": _way(part, name, face, remarks),
        "正文": f"{body}\n",
    }
    return step


def _quiet(window: str) -> bool:
    """Tell whether a span lies wholly in hours in which nothing is sent."""
    opens, _, closes = window.partition("-")
    return any(begin <= opens and closes <= end for begin, end in _SILENT)


def _way(part: Part, name: str, face: Face, remarks: list[Remark]) -> str:
    in_groups = face.subject == "客户群"
    usual = SendBy.BROADCAST if in_groups else SendBy.NUDGE_MANAGER
    fits = (
        {SendBy.BROADCAST, SendBy.NUDGE_OWNER, SendBy.MOMENTS}
        if in_groups
        else {SendBy.BROADCAST, SendBy.NUDGE_MANAGER, SendBy.MOMENTS, SendBy.KF}
    )
    if "-" in name and usual is SendBy.BROADCAST and part.way in (None, SendBy.BROADCAST):
        remarks.append(Remark(part.where, f"{name} 同一天已有一条群发，改成提醒群主自己发"))
        return SendBy.NUDGE_OWNER.value
    if part.way is None or part.way in fits:
        return (part.way or usual).value
    remarks.append(
        Remark(part.where, f"{name} 原文写「{part.way}」，对{face.subject}先写成「{usual}」")
    )
    return usual.value


def _sound(part: Part, face: Face, rules: Rules, remarks: list[Remark]) -> str:
    """Return the words without sentences that may not be said; each is told with its place."""
    plane = "group" if face.subject == "客户群" else "kf"
    kept = []
    for line in part.body.splitlines():
        said = ""
        for sentence in _SENTENCE.findall(line):
            hits = [
                hit for hit in screen(sentence, rules, approved=True, plane=plane) if hit.blocks
            ]
            if not hits:
                said += sentence
                continue
            why = "、".join(f"{hit.name}「{hit.matched}」" for hit in hits)
            remarks.append(Remark(part.where, f"去掉了不能说的一句：{_clip(sentence)}({why})"))
        if said.strip():
            kept.append(_plain(said.strip(), part, remarks))
    return "\n".join(kept)


def _plain(text: str, part: Part, remarks: list[Remark]) -> str:
    """Return a line whose braces are no variables by accident."""
    if found := _BRACES.search(text):
        remarks.append(Remark(part.where, f"「{found[0]}」像是要填的空，请换成变量或写实"))
        text = _BRACES.sub(r"〔\1〕", text)
    if found := _CALLED.search(text):
        remarks.append(Remark(part.where, f"「{found[0]}」像是要填的空，请换成变量或写实"))
    return text


def _clip(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _ONE_LINE else f"{line[: _ONE_LINE - 1]}…"
