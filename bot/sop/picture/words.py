"""What the picture says of a step, in as few words as will do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta

from bot.domain.actions import VERBS, Action, PlainAction
from bot.domain.flow import Repeat, Wait
from bot.domain.script_parts import write_missed
from bot.domain.step_terms import Ending, Guard, Relative
from bot.domain.steps import Listen, Overlay, SendBy, Step

NO_QUOTA = "不占额度"
_COST = {
    SendBy.BROADCAST: "占群发 1 条",
    SendBy.MOMENTS: "占朋友圈 1 条",
    SendBy.KF: "48 小时内 5 条",
}
_MINUTES_AN_HOUR = 60


def when(part: Step | Overlay) -> str:
    """Say on which day a step is due: 第 3 天, 活动日前 1 天, 再过 2 天."""
    if isinstance(part, Overlay):
        return part.on
    if part.day is not None:
        return f"第 {part.day} 天"
    if part.relative is not None:
        return relative(part.relative)
    if part.days_later is not None:
        return f"再过 {part.days_later} 天" if part.days_later else "当天"
    return "等待" if part.wait is not None and not part.sends else "到这一步就做"


def relative(place: Relative) -> str:
    """Say where a step stands by its anchor's day."""
    if not place.offset_days:
        return f"{place.anchor}当天"
    side = "前" if place.offset_days < 0 else "后"
    return f"{place.anchor}{side} {abs(place.offset_days)} 天"


def hours(window: tuple[time, time] | None) -> str:
    """Write a window of hours."""
    return f"{window[0]:%H:%M}–{window[1]:%H:%M}" if window else ""


def ways(part: Step | Overlay) -> tuple[str, str]:
    """Return the ways of sending in their order, and what the first of them takes."""
    by = part.send_by if isinstance(part.send_by, tuple) else (part.send_by,)
    if not by:
        return "", ""
    return "，不行就".join(by), _COST.get(by[0], NO_QUOTA)


def span(length: timedelta) -> str:
    """Write a length of time."""
    in_hours = int(length.total_seconds() // 3600)
    return f"{in_hours} 小时" if in_hours % 24 or in_hours < 48 else f"{in_hours // 24} 天"


def wait(term: Wait) -> str:
    """Say what is waited for."""
    times = f" {term.at_least} 次" if term.at_least > 1 else ""
    since = "" if term.since == "进入后" else f"（{term.since}算起）"
    return f"等 {'、'.join(term.any_of)}{times}{since}"


def repeat(term: Repeat) -> str:
    """Say how often a step comes again."""
    until = f"，到 {term.until} 为止" if term.until else ""
    return f"一共 {term.times} 遍，每隔 {term.every_days} 天{until}"


def notes(step: Step) -> Iterator[tuple[str, str]]:
    """Give the terms of a step, each with the word it goes under."""
    if step.guard is not None:
        yield "前提", "；".join(guard(step.guard))
    if step.product is not None:
        yield "产品", step.product
    if step.repeat is not None:
        yield "重复", repeat(step.repeat)
    if step.tags_only:
        yield "只给", "、".join(step.tags_only)
    if step.attachments:
        yield "附件", "、".join(each.kind for each in step.attachments)
    if step.interaction is not None:
        yield "盼回", f"{'、'.join(step.interaction.expects)}（{step.interaction.metric}）"
    yield from _limits(step)
    if step.actions:
        yield "然后", "；".join(action(each) for each in step.actions)
    if step.after is not None:
        yield "走完", "；".join(_ending(step.after))


def _limits(step: Step) -> Iterator[tuple[str, str]]:
    """Say what becomes of a step that cannot go as planned."""
    for name, said in (("节假日", step.on_holiday), ("没额度", step.when_full)):
        if said is not None:
            yield name, said
    if step.missed is not None:
        yield "错过", write_missed(step.missed)
    if step.unconfirmed is not None:
        most = span(step.unconfirmed.at_most)
        yield "没点发送", f"提醒 {step.unconfirmed.reminders} 次，{most}后{step.unconfirmed.then}"
    if step.valid_until is not None:
        yield "有效到", f"活动开始前 {step.valid_until.hours_before_event} 小时"
    if step.workdays is not None:
        yield "时限", f"{step.workdays} 个工作日"


def _ending(term: Ending) -> Iterator[str]:
    if term.follow_up is not None:
        yield f"转入 {term.follow_up}"
    for tag in (*term.group_tags, *term.customer_tags):
        yield f"打标签 {tag}"


def guard(term: Guard) -> Iterator[str]:
    """Say what must hold."""
    if term.group_has_lead is not None:
        yield f"群里有{term.group_has_lead}线索"
    if term.days_before_bond is not None:
        yield f"储蓄国债发行前 {term.days_before_bond} 天内"
    if term.no_complaint_this_week:
        yield "7 天内没有投诉"
    if term.products_this_week_below is not None:
        yield f"7 天内讲产品少于 {term.products_this_week_below} 次"
    if term.where is not None:
        yield term.where


def listen(term: Listen) -> tuple[str, str]:
    """Return what is heard, and what follows."""
    heard = [str(term.intent)] if term.intent is not None else []
    heard += ["、".join(term.keywords)] if term.keywords else []
    told = [action(each) for each in term.actions]
    if term.ask_first is not None:
        told.insert(0, "先问同意")
    return "、".join(heard), "；".join(told)


def action(term: Action) -> str:
    """Say what is done."""
    if isinstance(term, PlainAction):
        return str(term)
    plain = term.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    verb = next(key for key in VERBS if type(term) is VERBS[key])
    minutes = plain.get("时限分钟")
    aside = [within(int(minutes))] if minutes else []
    if plain.get("先问同意"):
        aside.append("先问同意")
    if term.if_mentioned:
        aside.append(f"提到 {'、'.join(term.if_mentioned)} 时")
    return f"{verb} {plain[verb]}" + (f"（{'，'.join(aside)}）" if aside else "")


def within(minutes: int) -> str:
    """Write a limit in minutes."""
    if minutes % _MINUTES_AN_HOUR:
        return f"{minutes} 分钟内"
    return f"{minutes // _MINUTES_AN_HOUR} 小时内"
