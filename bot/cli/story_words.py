"""One subject's way through a script, told in words: each decision with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from bot.cli.sim_words import cautions
from bot.cli.sop_words import MOVED, STATES, clock_day, in_words, short_day
from bot.sop.simulation.calendar import Day, calendar_of

if TYPE_CHECKING:
    from bot.domain.bank import Bank
    from bot.sop.simulation import Note, Outcome

_ANSWERS = {
    "audience": "符合适用",
    "exclusion": "该排除",
    "consent": "有营销同意",
    "contactable": "联系得上",
    "holdout": "抽到留白",
}
_LAYERS = {"global": "全行", "program": "互斥组", "script": "本剧本"}
_WORDS = {
    "entered": "进入剧本，第 1 天是 {anchor}",
    "held_out": "抽到留白({among})，一条也不发，用来比效果",
    "entry_refused": "没有进入：{why}；{answers}",
    "arrived": "走到 {step}",
    "arm": "分流「{experiment}」：按 {unit} 分到「{arm}」",
    "step_placed": "{step} 排在 {on}，{way}{again}",
    "not_planned": "{step} 排不进日历：{why}",
    "replanned": "错过了，后面的从 {on} 起一起顺延",
    "step_put_off": "{step} 往后挪到 {on}：{why}",
    "task_created": "{step} 到点，请 {who} 点发送",
    "task_lapsed": "{step} {who} 到这时还没点，收回这次的任务；这一步还有时间，{later} 再请一次",
    "task_created_anew": "{step} 上一次没点，再请 {who} 点发送",
    "card_sent": "{step} 到点，给 {who} 一张卡片",
    "step_confirmed": "{step} {who} 点了，送到",
    "step_skipped": "{step} 不发：{why}{again}",
    "wait_ended": "{step} 的等待结束：{ended}",
    "branch_taken": "{step} 走向 {to}：{because}",
    "acted": "{step} 的动作做了",
    "happened": "发生：{event}",
    "said": "说「{text}」：{listening}",
    "slowed_down": "要求少发：每周最多 {per_week} 条",
    "marketing_stopped": "以后不发营销类",
    "product_stopped": "以后不发产品类",
    "exited": "退出：{why}",
    "run_done": "走完了",
}
_NOT_TOLD = frozenset({"message_skipped", "step_queued"})  # what follows says it


def lines_of_story(outcome: Outcome, bank: Bank, problems: Sequence[str] = ()) -> Iterator[str]:
    """Give the lines of what happened, day by day; what is wrong with the file goes first."""
    case = outcome.case
    script = case.script
    about = f"{script.id}，版本 {script.number}，{case.stands}"
    yield f"单个预演 {script.name}({about})，第 {case.only} 个"
    yield from cautions(str(case.stands), problems)
    for player in outcome.entered.players:
        yield f"  {player.face.name}，由 {_name(bank, player.face.owner)} 服务"
        yield from _known(player.facts.facts)
    calendar = calendar_of(case, outcome.entered.players)
    moved = {day.step: day for day in calendar.days if day.nominal}
    texts, shown = _texts(outcome), date.min
    for note in outcome.diary.notes:
        if note.kind in _NOT_TOLD:
            continue
        local = note.at.astimezone(case.bank.zone)
        if local.date() != shown:
            shown = local.date()
            yield ""
            yield clock_day(shown)
        step = str(note.facts.get("step", ""))
        asked = note.kind in ("task_created", "card_sent")
        moved_day = moved.pop(step, None) if asked else None
        yield f"  {local:%H:%M}  {_told(note, bank)}{_why_now(moved_day)}"
        yield from _body(texts.pop((step, 1), "")) if asked else ()
    yield ""
    for player in outcome.entered.players:
        state, reason = player.run.state, player.run.reason
        yield f"最后：{STATES.get(state, state)}{f'，{in_words(reason)}' if reason else ''}"


def _why_now(day: Day | None) -> str:
    """Say why a step comes on another day than the file's own."""
    if day is None or day.nominal is None:
        return ""
    why = "、".join(MOVED.get(reason, reason) for reason in day.moved)
    return f"(原定 {short_day(day.nominal)}，{why})"


def _texts(outcome: Outcome) -> dict[tuple[str, int], str]:
    return {
        (row.step, row.round): row.text
        for player in outcome.entered.players
        for row in (*player.ended, *player.steps.values())
    }


def json_of_story(outcome: Outcome) -> dict[str, Any]:
    """Return what happened for machines."""
    return {
        "only": outcome.case.only,
        "log": [
            {"at": note.at.isoformat(), "kind": note.kind, "subject": note.subject, **note.facts}
            for note in outcome.diary.notes
        ],
        "runs": [
            {
                "subject": player.run.subject,
                "state": player.run.state,
                "reason": player.run.reason,
                "facts": dict(player.facts.facts),
                "steps": [
                    {
                        "step": row.step,
                        "round": row.round,
                        "on": str(row.planned_on),
                        "way": row.way,
                        "variant": row.variant,
                        "state": row.state,
                        "reason": row.reason,
                        "text": row.text,
                    }
                    for row in (*player.ended, *player.steps.values())
                ],
            }
            for player in outcome.entered.players
        ],
    }


def _known(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts:
        told = "，".join(f"{name} {_value(value)}" for name, value in sorted(facts.items()))
        yield f"  资料：{told}"


def _value(value: object) -> str:
    return "是" if value is True else "否" if value is False else str(value)


def _body(text: str) -> Iterator[str]:
    yield from (f"         │ {line}" for line in text.splitlines())


def _name(bank: Bank, userid: str) -> str:
    member = bank.member(userid)
    return member.name if member is not None else userid or "(没有人)"


def _told(note: Note, bank: Bank) -> str:
    """Say one thing that happened; the words of a kind are filled with its facts."""
    facts = {"reply": "", "reason": "", "layer": "", **note.facts}
    kind = f"{note.kind}_anew" if facts.get("anew") else note.kind
    by = str(facts.get("by", ""))
    words = {
        **facts,
        "who": _name(bank, str(facts.get("owner") or by)),
        "why": in_words(str(facts["reason"])),
        "answers": _answers(note.facts),
        "among": _LAYERS.get(str(facts["layer"]), ""),
        "again": _round(note.facts),
        "ended": "等到时限，没有等到" if by == "timeout" else f"等到了「{by}」",
        "because": "；".join(f"{text} = {value}" for text, value in note.facts.get("why", ()))
        or "别的条件都不成立",
        "listening": _listening(note.facts),
        "later": _later(facts.get("again_at"), note.at, bank),
    }
    return _WORDS.get(kind, kind).format_map(words)


def _later(again_at: object, now: datetime, bank: Bank) -> str:
    """Say at which hour, and on which day unless it is the same."""
    if again_at is None:
        return ""
    moment = datetime.fromisoformat(str(again_at)).astimezone(bank.zone)
    day = "" if moment.date() == now.astimezone(bank.zone).date() else f"{short_day(moment)} "
    return f"{day}{moment:%H:%M}"


def _listening(facts: Mapping[str, Any]) -> str:
    heard = str(facts.get("heard", ""))
    if not heard:
        return "没有步骤在听"
    reply = f"；回话「{facts['reply']}」" if facts.get("reply") else ""
    return ("算作拒收" if heard == "refusal" else f"{heard} 听到了") + reply


def _answers(facts: Mapping[str, Any]) -> str:
    told = []
    for key, words in _ANSWERS.items():
        answer = facts.get(key)
        told.append(f"{words} {'未知' if answer is None else '是' if answer else '否'}")
    return "，".join(told)


def _round(facts: Mapping[str, Any]) -> str:
    number = int(facts.get("round", 1))
    return f"(第 {number} 次)" if number > 1 else ""
