"""What is wrong with the hours of a script: windows in which nothing leaves, or only in part."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import time

from bot.domain.calendar import in_quiet, quiet_all_day, quiet_minutes
from bot.domain.fields import write_window
from bot.domain.rails import NIGHT, DayType, GuardRails
from bot.domain.script import SopScript
from bot.domain.script_parts import OnHoliday
from bot.domain.steps import Overlay, Step
from bot.sop.context import Found, LintContext, Path
from bot.sop.library import SourceFile

_Span = tuple[time, time]


def lint_hours(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Give windows that the script's hours close on every day, and note those cut in part."""
    rails = script.rails
    if quiet_all_day(rails.quiet or ()):
        yield source.problem(("护栏", "静默时段"), "全天都是静默时段", "留出可以发送的时段")
        return
    for path, part in _parts(script):
        window, kinds = part.window, _day_types(part)
        if window is None:
            continue
        left = {kind: _open(window, rails.closed(kind)) for kind in kinds}
        if not any(left.values()):
            what, mend = _why_never(window, rails)
            yield source.problem((*path, "时间"), what, mend)
            continue
        cut = [kind for kind in kinds if left[kind] and left[kind] != [window]]
        if cut:
            on = "" if len(cut) == len(kinds) else f"{cut[0]}"
            told = "、".join(write_window(each) for each in left[cut[0]])
            what = f"这段时间有一部分不发消息，{on}只有 {told} 能发"
            mend = f'写成 时间: "{write_window(left[cut[0]][0])}"，或改 护栏 里的时段'
            yield source.note((*path, "时间"), what, mend)


def _why_never(window: _Span, rails: GuardRails) -> tuple[str, str]:
    """Say which of a script's hours close a window on every day, with the mend."""
    if _is_quiet(window, rails.quiet or ()):
        return "这段时间全在静默时段里，永远发不出去", "改时间，或改静默时段"
    if rails.quiet is None and not rails.allowed:
        closes, opens = NIGHT[0]
        what = f"这段时间全在夜里({write_window(NIGHT[0])})，永远发不出去：没写静默时段时夜里不发"
        return what, f"改到 {opens:%H:%M} 到 {closes:%H:%M} 之间，或在 护栏 写上自己的「静默时段」"
    return "这段时间全在「只在」的时段外，永远发不出去", "改时间，或改 护栏 的「只在」"


def _is_quiet(window: _Span, quiet: tuple[_Span, ...]) -> bool:
    return quiet_minutes(window, quiet) == _minute(window[1]) - _minute(window[0])


def _open(window: _Span, closed: tuple[_Span, ...]) -> list[_Span]:
    """Return what closed hours leave of a window."""
    found: list[_Span] = []
    edges = {edge for each in closed for edge in each if window[0] < edge < window[1]}
    marks = sorted({*window, *edges})
    for begins, ends in itertools.pairwise(marks):
        if in_quiet(begins, closed):
            continue
        if found and found[-1][1] == begins:
            found[-1] = (found[-1][0], ends)
        else:
            found.append((begins, ends))
    return found


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


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
