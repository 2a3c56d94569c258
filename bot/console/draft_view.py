"""Drafts, turns and steps as the sidebar shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.console.room import Json, Room, Sight
from bot.domain.draft import DROPPED_FOR, Draft
from bot.domain.runs import Run
from bot.domain.script import SopScript
from bot.domain.steps import Step
from bot.storage.conversations import Turn
from bot.storage.db import Tx
from bot.storage.workbench import PlannedStep

DROP_REASONS: list[Json] = [{"code": code, "label": words} for code, words in DROPPED_FOR.items()]
_DRAFT_STATES = {
    "waiting": "等您发",
    "sent": "已发出",
    "edited": "改过发出",
    "dropped": "没有用",
    "otherwise": "已另外回复",
    "expired": "过时了",
}
_STEP_STATES = {
    "planned": "待发",
    "queued": "正在发",
    "waiting": "等您确认",
    "confirmed": "已发",
    "skipped": "不发",
    "failed": "没发成",
}
CUSTOMER, PROGRAM = "客户", "小安"


def draft_json(draft: Draft, sight: Sight) -> Json:
    """Return a draft for the page."""
    return {
        "id": draft.id,
        "question": sight.masked(draft.question),
        "asker": draft.names,
        "text": draft.text,
        "sources": list(draft.citations),
        "at": sight.at(draft.at),
        "state": draft.state,
        "state_words": _DRAFT_STATES[draft.state],
    }


def turn_json(turn: Turn, sight: Sight, name: str) -> Json:
    """Return what was said one to one, with who said it."""
    if turn.speaker == CUSTOMER:
        who, side = name, "customer"
    elif turn.speaker == PROGRAM:
        who, side = PROGRAM, "bot"
    else:
        who, side = str(sight.person(turn.speaker)["name"]), "staff"
    return {"who": who, "side": side, "text": sight.masked(turn.text), "at": sight.at(turn.at)}


async def step_json(tx: Tx, room: Room, sight: Sight, step: PlannedStep, *, owner: str) -> Json:
    """Return a step of a script with its words and where it stands."""
    script = await room.script_of(tx, step.script, step.version)
    part = script.part(step.step) if script is not None else None
    opens, closes = (one.astimezone(sight.bank.zone) for one in (step.opens_at, step.closes_at))
    body = step.text or (part.body if part is not None else "") or ""
    return {
        "script": script.name if script is not None else step.script,
        "name": step_name(script, step.step),
        "kind": part.kind.value if part is not None and part.kind else "",
        "window": f"{opens:%H:%M}–{closes:%H:%M}",
        "state": step.state,
        "state_words": _STEP_STATES.get(step.state, step.state),
        "text": body.strip(),
        "mine": owner == sight.me.userid,
    }


def step_name(script: SopScript | None, id: str) -> str:
    """Name a step as people do: 第 5 天 知识; by its kind where it stands on no day."""
    part = script.part(id) if script is not None else None
    if part is None:
        return "步骤"
    kind = part.kind.value if part.kind else "步骤"
    if isinstance(part, Step) and part.day is not None:
        return f"第 {part.day} 天 {kind}"
    return kind


def position_of(script: SopScript | None, run: Run, today: date) -> str:
    """Say how far a run is: by its days where the whole script goes by days, else by its step."""
    day, days = (today - run.anchor).days + 1, _days_of(script)
    if day < 1:
        return "明天开始" if day == 0 else f"{run.anchor.month}月{run.anchor.day}日开始"
    if days:
        return f"第 {min(day, days)} 天 / 共 {days} 天"
    return f"走到「{step_name(script, run.node)}」" if run.node else f"第 {day} 天"


def _days_of(script: SopScript | None) -> int:
    """Return the last day that a script has something for, 0 where other steps follow on it."""
    steps: Sequence[Step] = script.steps if script is not None else ()
    if any(step.days_later is not None for step in steps):
        return 0
    return max((step.day for step in steps if step.day is not None), default=0)
