"""The days of a planned script as a ribbon: one square a day, coloured by what is sent on it."""

from __future__ import annotations

from html import escape

from bot.domain.script import SopScript
from bot.domain.steps import SendBy, Step
from bot.sop.picture import words
from bot.sop.picture.card import family

_ACROSS, _WIDEST, _TALL, _NAMES = 1540, 74, 54, 24
_FEW_DAYS = 31  # up to which every day has its number


def ribbon(script: SopScript) -> str:
    """Draw the ribbon, and name the steps whose day another date decides."""
    by_day: dict[int, list[Step]] = {}
    for step in script.steps:
        if step.day is not None:
            by_day.setdefault(step.day, []).append(step)
    drawn = _squares(by_day) if by_day else ""
    return f'<div class="days">{drawn}{_elsewhere(script)}</div>'


def _squares(by_day: dict[int, list[Step]]) -> str:
    days = max(by_day)
    wide = min(_WIDEST, _ACROSS / days)
    drawn = "".join(
        _day(number, wide, by_day.get(number, []), days) for number in range(1, days + 1)
    )
    note = "实心的占当天的群发额度，空心的不占。"
    return (
        f'<svg class="ribbon" viewBox="0 0 {wide * days:.0f} {_TALL + _NAMES}" '
        f'width="{wide * days:.0f}" role="img" aria-label="每一天发什么">{drawn}</svg>'
        f'<p class="kinds">{note}</p>'
    )


def _day(number: int, wide: float, steps: list[Step], days: int) -> str:
    left = (number - 1) * wide
    box = (
        f'<rect class="day" x="{left + 1:.1f}" y="1" width="{wide - 2:.1f}" height="{_TALL - 2}"/>'
    )
    tall = (_TALL - 8) / max(len(steps), 1)
    pips = "".join(
        f'<rect class="pip {family(step)}{"" if _takes(step) else " free"}" x="{left + 4:.1f}" '
        f'y="{4 + at * tall:.1f}" width="{max(wide - 8, 2):.1f}" height="{tall - 1:.1f}" rx="3">'
        f"<title>{escape(_title(step))}</title></rect>"
        for at, step in enumerate(steps)
    )
    named = days <= _FEW_DAYS or bool(steps) or number == 1
    name = f'<text x="{left + wide / 2:.1f}" y="{_TALL + 17}">{number}</text>' if named else ""
    return box + pips + name


def _takes(step: Step) -> bool:
    return bool(step.send_by) and step.send_by[0] is SendBy.BROADCAST


def _title(step: Step) -> str:
    return "，".join(filter(None, (words.when(step), str(step.kind or ""), words.ways(step)[0])))


def _elsewhere(script: SopScript) -> str:
    found = [step for step in script.steps if step.relative is not None]
    chips = "".join(
        f'<span class="{family(step)}"><i></i>{escape(words.when(step))}</span>' for step in found
    )
    return f'<p class="kinds">跟着别的日子走：{chips}</p>' if chips else ""
