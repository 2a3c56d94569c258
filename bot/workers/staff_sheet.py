"""Answers to staff as they read them: plain Markdown, nothing that a bare text field spoils."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.domain.bank import Bank
from bot.domain.knowledge import Answer
from bot.domain.lead_words import STAGE_WORDS
from bot.domain.people import Customer
from bot.domain.script import SopScript
from bot.domain.steps import Step
from bot.leads.cards import clip, when
from bot.storage.conversations import Turn
from bot.storage.staff_view import GroupStep, OpenLead

_STATES = {
    "planned": "待发",
    "queued": "正在发",
    "waiting": "等您确认",
    "confirmed": "已发",
    "skipped": "不发",
    "failed": "没发成",
}
_BODY_CHARS = 300
_BOLD = re.compile(r"(?<!\*)\*\*(?!\*)")  # more stars hide a number


def fact_sheet(answer: Answer) -> str:
    """Show what is written down, with document, section and version."""
    if not answer.citations:
        return answer.text
    text = answer.text.split("\n依据：")[0]
    sources = [
        f"> 依据：《{one.title}》{one.section}（版本 {one.version}；{one.file}:{one.line}）"
        for one in answer.citations
    ]
    return "\n\n".join([text, "\n".join(sources)])


def customer_sheet(
    customer: Customer, leads: Sequence[OpenLead], turns: Sequence[Turn], bank: Bank, now: datetime
) -> str:
    """Show a customer to who may see them: tags, managers, consent, leads, the last words."""
    managers = "、".join(_name(bank, one) for one in customer.managers) or "没有"
    lines = [
        f"**{customer.name or '客户'}**",
        f"- 客户经理：{managers}",
        f"- 标签：{'、'.join(sorted(customer.tags)) or '没有'}",
    ]
    if customer.refuses_marketing(now):
        lines.append("- 营销：已拒收，只答不推")
    if leads:
        lines.append("- 未办结的线索：")
        lines += [f"  - {_lead(lead, bank, now)}" for lead in leads]
    else:
        lines.append("- 未办结的线索：没有")
    if turns:
        lines.append("\n**最近说的话**（证件号、卡号、手机号已隐去）")
        lines += [f"- {_speaker(turn, bank)}：{clip(turn.text)}" for turn in turns]
    return "\n".join(lines)


def today_sheet(steps: Sequence[GroupStep], scripts: dict[str, SopScript], bank: Bank) -> str:
    """Show what an owner's groups get today."""
    lines = [f"**今天您的群有 {len(steps)} 条**"]
    for step in steps:
        opens, closes = (one.astimezone(bank.zone) for one in (step.opens_at, step.closes_at))
        script = scripts.get(step.script)
        part = script.part(step.step) if script else None
        state = _STATES.get(step.state, step.state)
        kind = f"「{part.kind.value}」" if part is not None and part.kind else ""
        lines.append(f"- {step.group}：{opens:%H:%M}–{closes:%H:%M} {kind}{state}")
        if part is not None and part.body and step.state in ("planned", "queued", "waiting"):
            lines.append(f"  > {clip(part.body, _BODY_CHARS)}")
    return "\n".join(lines)


def scripts_sheet(scripts: Iterable[SopScript]) -> str:
    """List the scripts by name and id."""
    lines = [f"- {one.name}：{one.id}（{one.status.value}）" for one in scripts]
    return "\n".join(["**有这些剧本**，写上编号再问一次：", *lines])


def script_sheet(script: SopScript, day: int | None) -> str:
    """Show a script in short, or all of one of its days."""
    title = (
        f"**剧本「{script.name}」**（{script.id}，第 {script.number} 版，{script.status.value}）"
    )
    if day is None:
        listed = [f"- {_where(step)}：{_kind(step)}" for step in script.steps if step.body]
        return "\n".join([title, f"负责人：{script.owner}", *listed])
    steps = [step for step in script.steps if step.day == day]
    if not steps:
        days = sorted({step.day for step in script.steps if step.day is not None})
        return f"{title}\n第 {day} 天没有安排。有安排的是第 {'、'.join(map(str, days))} 天。"
    lines = [title]
    for step in steps:
        window = f"{step.window[0]:%H:%M}–{step.window[1]:%H:%M}" if step.window else ""
        ways = "、".join(way.value for way in step.send_by)
        lines.append(f"**第 {day} 天 {window} {_kind(step)}**（{ways}）".replace("（）", ""))
        if step.body:
            lines.append("\n".join(f"> {line}" for line in step.body.strip().splitlines()))
    return "\n\n".join(lines)


def plain(text: str) -> str:
    """Take the marks of Markdown away, for a place that shows them as they are."""
    lines = [_BOLD.sub("", line.removeprefix("> ")) for line in text.splitlines()]
    return "\n".join(line for line in lines if line.strip())


def _lead(lead: OpenLead, bank: Bank, now: datetime) -> str:
    limit = f"请在{when(lead.respond_by, now, bank.zone)}前回" if lead.stage == "new" else ""
    parts = [lead.need, STAGE_WORDS[lead.stage], _name(bank, lead.rm), limit]
    return "，".join(part for part in parts if part)


def _speaker(turn: Turn, bank: Bank) -> str:
    return _name(bank, turn.speaker)


def _name(bank: Bank, userid: str) -> str:
    member = bank.member(userid)
    return member.name if member is not None else userid


def _kind(step: Step) -> str:
    return step.kind.value if step.kind else "步骤"


def _where(step: Step) -> str:
    if step.day is not None:
        return f"第 {step.day} 天"
    if step.relative is not None:
        return f"{step.relative.anchor}{step.relative.offset_days:+d} 天"
    return step.id
