"""A script laid out over every start it may have: what does not fit, what comes too close."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, time, timedelta

from bot.domain.bank import BankEvent
from bot.domain.calendar import quiet_all_day
from bot.domain.enrolment import WEEK, PlanFacts, Planned, plan
from bot.domain.script import SopScript
from bot.domain.script_parts import Subject
from bot.domain.step_terms import EVENT_DAY
from bot.domain.steps import Step, StepKind
from bot.sop.context import Found, LintContext, Path
from bot.sop.graph import Graph
from bot.sop.library import SourceFile

ANTI_FRAUD_EVERY = 7  # C14: days between two anti-fraud messages in groups of older people
SENIOR_TAG = "银龄群"
_STARTS = 7  # every weekday
_AFTER = 28  # an event is looked at up to so many days after the run's last own day
_ONE_DAY = timedelta(days=1)

Places = Mapping[str, Path]
Plans = Mapping[tuple[date, tuple[BankEvent, ...]], tuple[Planned, ...]]


def lint_horizon(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Give every problem that shows once steps, overlays and events stand on days."""
    if script.subject is not Subject.GROUP or quiet_all_day(script.rails.quiet or ()):
        return
    places: dict[str, Path] = {s.id: ("步骤", n) for n, s in enumerate(script.steps)}
    places |= {o.id: ("日历叠加", n) for n, o in enumerate(script.overlays)}
    yield from _same_day(script, places, source)
    yield from _same_week(script, places, source)
    if script.flows:
        return
    plans = _plans(script, context)
    yield from _no_room(plans, places, source)
    yield from _products_too_close(script, plans, places, source)
    yield from _events_without_room(script, context, places, source)
    yield from _overlays_that_meet(script, context, source)
    yield from _too_long(script, plans, source)
    yield from _rest_days(script, plans, source)
    if SENIOR_TAG in script.audience.tags_any:
        yield from _anti_fraud(script, plans, places, source)


def _same_day(script: SopScript, places: Places, source: SourceFile) -> Found:
    """Give broadcasts that the file itself puts on one day, on one way through the script."""
    most = script.rails.broadcasts_a_day
    graph = Graph.of(script) if script.flows else None
    days: dict[int, list[Step]] = {}
    for step in script.steps:
        if step.day is None or not step.broadcast:
            continue
        there = days.setdefault(step.day, [])
        if graph is not None:
            passed = graph.before(step.id)
            there = [one for one in there if one.id in passed]
        if len(there) + 1 > most:
            path = (*places[step.id], "第几天")
            what = f"第 {step.day} 天的企业群发超过每天 {most} 条"
            yield source.problem(path, what, "换一天，或换一种发送方式")
        days[step.day].append(step)


def _same_week(script: SopScript, places: Places, source: SourceFile) -> Found:
    """Give what the file's own days put too much of into seven days, whatever day it begins on.

    Steps with a 前提 may be left out, and those of a token may lie on other ways: they are passed.
    """
    if script.flows:
        return
    sure = [step for step in script.steps if step.day is not None and step.guard is None]
    for most, kind, steps in (
        (script.rails.broadcasts_a_week, "企业群发", [one for one in sure if one.broadcast]),
        (script.rails.products_a_week, "产品内容", [one for one in sure if one.product]),
    ):
        days = sorted((step.day or 0, number) for number, step in enumerate(steps))
        for place in range(most, len(days)):
            day, number = days[place]
            if day - days[place - most][0] < WEEK.days:
                what = f"第 {days[place - most][0]} 到 {day} 天有 {most + 1} 条{kind}"
                mend = f"每周最多 {most} 条：换一天，或换一种发送方式"
                yield source.problem((*places[steps[number].id], "第几天"), what, mend)
                break


def _plans(script: SopScript, context: LintContext) -> Plans:
    """Plan the script from each day of a week, for each calendar of events that branches have."""
    calendars: dict[tuple[tuple[date, time], ...], tuple[BankEvent, ...]] = {}
    for branch in context.bank.branches:
        events = tuple(event for event in context.bank.events if event.branch == branch.id)
        calendars.setdefault(tuple((event.on, event.window[0]) for event in events), events)
    if not any(step.relative is not None for step in script.steps):
        calendars = dict(list(calendars.items())[:1])
    return {
        (anchor, events): plan(
            script, anchor, PlanFacts(events=events), context.tables, context.bank.zone
        )
        for events in calendars.values()
        for anchor in _starts(context.today)
    }


def _starts(today: date) -> list[date]:
    return [today + ahead * _ONE_DAY for ahead in range(_STARTS)]


def _no_room(
    plans: Plans,
    places: Places,
    source: SourceFile,
) -> Found:
    told: set[str] = set()
    for (anchor, _), planned in plans.items():
        for each in planned:
            full = each.skip in ("daily_cap", "weekly_cap", "monthly_cap", "overlay")
            if full and each.step_id not in told:
                told.add(each.step_id)
                what = f"步骤 {each.step_id} 在额度内排不下(例如从 {anchor} 起算)"
                yield source.problem(places[each.step_id], what, "换一天，或换一种发送方式")


def _products_too_close(
    script: SopScript,
    plans: Plans,
    places: Places,
    source: SourceFile,
) -> Found:
    selling = {step.id for step in script.steps if step.product is not None}
    most = script.rails.products_a_week
    for (anchor, _), planned in plans.items():
        days = [each for each in planned if each.step_id in selling and each.skip is None]
        for each in days:
            near = [one for one in days if timedelta(0) <= each.on - one.on < WEEK]
            if len(near) > most:
                what = f"7 天内的产品内容超过 {most} 次(例如从 {anchor} 起算)"
                yield source.problem(places[each.step_id], what, "把产品步骤隔开一周以上")
                return


def _events_without_room(
    script: SopScript, context: LintContext, places: Places, source: SourceFile
) -> Found:
    """Note a step that an event's day would squeeze out, wherever that day may come to lie."""
    steps = [
        step
        for step in script.steps
        if step.broadcast and step.relative is not None and step.relative.anchor == EVENT_DAY
    ]
    if not steps:
        return
    squeezed: dict[str, date] = {}
    quiet = script.model_copy(
        update={"steps": tuple(step for step in script.steps if step not in steps)}
    )
    for anchor in _starts(context.today) if quiet.steps else []:
        planned = plan(quiet, anchor, PlanFacts(), context.tables, context.bank.zone)
        taken = [each.on for each in planned if each.quota and each.skip is None]
        last = max((each.on for each in planned), default=anchor)
        for ahead in range((last - anchor).days + _AFTER):
            for step in steps:
                offset = step.relative.offset_days if step.relative else 0
                day = anchor + (ahead + offset) * _ONE_DAY
                if step.id not in squeezed and _is_full(day, taken, script):
                    squeezed[step.id] = anchor + ahead * _ONE_DAY
    for id, event in squeezed.items():
        what = f"活动要是落在 {event} 这样的日子，步骤 {id} 那天已经没有额度，会跳过"
        mend = "改成 提醒群主侧边栏一键发，不占额度"
        yield source.note((*places[id], "发送方式"), what, mend)


def _is_full(day: date, taken: Sequence[date], script: SopScript) -> bool:
    if taken.count(day) >= script.rails.broadcasts_a_day:
        return True
    for back in range(7):
        first = day - back * _ONE_DAY
        if sum(first <= each < first + WEEK for each in taken) >= script.rails.broadcasts_a_week:
            return True
    return False


def _overlays_that_meet(script: SopScript, context: LintContext, source: SourceFile) -> Found:
    """Give two overlays that come to lie on one day in the years that the calendar knows."""
    if not context.tables.workdays:
        return
    first, last = min(context.tables.workdays), max(context.tables.workdays)
    taken: dict[date, str] = {}
    for number, overlay in enumerate(script.overlays):
        for day in context.tables.days_named(overlay.on, max(first, context.today), last):
            other = taken.setdefault(day, overlay.id)
            if other != overlay.id:
                what = f"{day} 这天和「{other}」撞在一起，只发得出一条"
                path: Path = ("日历叠加", number, "日期")
                yield source.problem(path, what, "删掉一条，或把两条并成一条")
                break


def _too_long(
    script: SopScript,
    plans: Plans,
    source: SourceFile,
) -> Found:
    for (anchor, _), planned in plans.items():
        last = max((each.on for each in planned if each.skip is None), default=anchor)
        days = (last - anchor).days + 1
        if days > script.max_days:
            what = f"从 {anchor} 起算要走 {days} 天，超过最长天数 {script.max_days}"
            path: Path = ("最长天数",) if source.has(("最长天数",)) else ("步骤",)
            yield source.problem(path, what, "减少步骤，或改大最长天数(最多 365)")
            return


def _rest_days(script: SopScript, plans: Plans, source: SourceFile) -> Found:
    """Note the weekday from which most of a script would fall on rest days and be left out."""
    worst = max(plans, key=lambda key: _lost(plans[key]), default=None)
    if worst is None or _lost(plans[worst]) * 2 <= len(script.steps):
        return
    weekday = "一二三四五六日"[worst[0].weekday()]
    what = f"从周{weekday}起算，{_lost(plans[worst])} 个步骤碰上休息日会跳过，剩下不到一半"
    yield source.note(("休息日",), what, "改成 顺延，或不要在那天开始")


def _lost(planned: Sequence[Planned]) -> int:
    return sum(each.skip == "rest_day" and each.kind == "step" for each in planned)


def _anti_fraud(script: SopScript, plans: Plans, places: Places, source: SourceFile) -> Found:
    """Note where older people's groups hear nothing against fraud for longer than C14 wants.

    The weekday of the start is the one that suits the script best.
    """
    guarding = {part.id for part in script.parts if part.kind is StepKind.ANTI_FRAUD}
    silences = [_silences(anchor, planned, guarding) for (anchor, _), planned in plans.items()]
    best = min(silences, key=lambda each: [days for days, _ in each], default=[])
    for days, after in best:
        what = f"银龄群有 {days} 天没有反诈内容，建议每 {ANTI_FRAUD_EVERY} 天一条"
        path = places[after] if after else ("步骤",)
        yield source.note(path, what, "在这之后加一条反诈提醒")


def _silences(
    anchor: date, planned: Sequence[Planned], guarding: Collection[str]
) -> list[tuple[int, str]]:
    """Return each stretch of days that is too long, with the step after which it begins."""
    sent = [each for each in planned if each.skip is None]
    last = max((each.on for each in sent), default=anchor)
    days = sorted((each.on, each.step_id) for each in sent if each.step_id in guarding)
    found: list[tuple[int, str]] = []
    after, since = "", anchor
    for day, id in [*days, (last, "")]:
        if (day - since).days > ANTI_FRAUD_EVERY:
            found.append(((day - since).days, after))
        after, since = id or after, day
    return found
