"""What is wrong with a script's rails: above the platform's, or hours in which nothing leaves."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.calendar import quiet_all_day, quiet_minutes
from bot.domain.rails import DayType
from bot.domain.script import SopScript
from bot.domain.script_parts import OnHoliday, Subject
from bot.domain.steps import Overlay, Step
from bot.sop.context import Found, LintContext, Path
from bot.sop.library import SourceFile


def lint_rails(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Give every problem of 护栏 and of the windows that it leaves no room for."""
    yield from _against_the_platform(script, source, context)
    yield from _hours(script, source)


def _against_the_platform(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    rails, platform = script.rails, context.bank.platform
    if script.subject is not Subject.GROUP:
        return
    for key, asked, most, per in (
        ("每群每天企业群发", rails.broadcasts_a_day, platform.a_day, "每天"),
        ("每群每周企业群发", rails.broadcasts_a_week, platform.a_week, "每周"),
        ("每群每月企业群发", rails.broadcasts_a_month or 0, platform.of_month(31), "每月"),
    ):
        if asked > most and source.has(("护栏", key)):
            what = f"超过平台上限({per} {most} 条)"
            yield source.problem(("护栏", key), what, f"改成 {most}")


def _hours(script: SopScript, source: SourceFile) -> Found:
    """Give windows in which nothing can ever leave: quiet hours, and all outside 只在."""
    if quiet_all_day(script.rails.quiet):
        yield source.problem(("护栏", "静默时段"), "全天都是静默时段", "留出可以发送的时段")
        return
    for path, part in _parts(script):
        window = part.window
        if window is None:
            continue
        minutes = (window[1].hour - window[0].hour) * 60 + window[1].minute - window[0].minute
        if quiet_minutes(window, script.rails.quiet) == minutes:
            what = "这段时间全在静默时段里，永远发不出去"
            yield source.problem((*path, "时间"), what, "改时间，或改静默时段")
            continue
        closed = [
            kind
            for kind in _day_types(part)
            if quiet_minutes(window, script.rails.closed(kind)) == minutes
        ]
        if len(closed) == len(_day_types(part)):
            what = "这段时间全在「只在」的时段外，永远发不出去"
            yield source.problem((*path, "时间"), what, "改时间，或改 护栏 的「只在」")


def _parts(script: SopScript) -> Iterator[tuple[Path, Step | Overlay]]:
    for number, step in enumerate(script.steps):
        yield ("步骤", number), step
    for number, overlay in enumerate(script.overlays):
        yield ("日历叠加", number), overlay


def _day_types(part: Step | Overlay) -> tuple[DayType, ...]:
    """Return the types of day on which a part may go out."""
    rule = part.on_holiday if isinstance(part, Step) else None
    if rule is OnHoliday.ONLY:
        return (DayType.HOLIDAY, DayType.EVE)
    if rule in (OnHoliday.NEXT_WORKDAY, OnHoliday.PREVIOUS_WORKDAY):
        return (DayType.WORKDAY, DayType.REST)
    return tuple(DayType)
