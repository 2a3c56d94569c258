"""A script with a token as lanes: cards by how far they are from the start, lines between them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.script import SopScript
from bot.domain.steps import Step
from bot.sop.picture.card import Card, Way, card, ways_on

WALL = 1530  # pixels across an A3 sheet
_SQUEEZE = 1.16  # so much too wide is made smaller rather than cut
_Row = tuple[int, int]  # a band and a lane in it
_GAP, _TRACK, _GUTTER, _ENTRY, _EDGE = 34, 12, 20, 26, 4


@dataclass(frozen=True, slots=True)
class _Line:
    """One way from a card to another, by which of the card's ports it leaves."""

    source: str
    port: int
    target: str
    branch: bool


@dataclass
class _Plan:
    """Where every card stands: its column and lane, then its pixels.

    Columns that do not fit beside each other go on below in another band. A gap is the room
    before a column, or behind a band's last one; a gutter the room over a lane of a band.
    """

    cards: Mapping[str, Card]
    lines: list[_Line]
    column: dict[str, int]
    lane: dict[str, int]
    band: dict[int, int]  # by column
    left: dict[int, int] = field(default_factory=dict)
    top: dict[_Row, int] = field(default_factory=dict)
    gaps: dict[int, list[_Line]] = field(default_factory=lambda: defaultdict(list))
    gutters: dict[_Row, list[_Line]] = field(default_factory=lambda: defaultdict(list))
    width: int = 0
    height: int = 0

    def row(self, id: str) -> _Row:
        """Return the band and the lane of a card."""
        return self.band[self.column[id]], self.lane[id]

    def leaves(self, line: _Line) -> int:
        """Return the gap in which a line leaves its card."""
        column = self.column[line.source]
        band = self.band[column]
        return column + 1 if self.band.get(column + 1, band) == band else -1 - band

    def route(self, line: _Line) -> tuple[list[int], list[_Row]]:
        """Return the gaps in which a line goes up or down, and the gutters between them."""
        leaves, comes = self.leaves(line), self.column[line.target]
        source, target = self.row(line.source), self.row(line.target)
        if leaves == comes:
            return [leaves], []
        if source[0] == target[0]:
            return [leaves, comes], [max(source, target)]
        first = (source[0] + 1, 0) if target > source else (source[0], 0)
        if first == target:
            return [leaves, comes], [first]
        margin = min(column for column, band in self.band.items() if band == target[0])
        return [leaves, margin, comes], [first, target]

    def x(self, gap: int, line: _Line) -> int:
        """Return where in a gap a line goes up or down."""
        return self.left[gap] - _TRACK * (len(self.gaps[gap]) - self.gaps[gap].index(line)) - 10

    def y(self, gutter: _Row, line: _Line) -> int:
        """Return where in a gutter a line runs along."""
        return self.top[gutter] - 12 - _TRACK * self.gutters[gutter].index(line)


def lanes(script: SopScript) -> tuple[str, int, int]:
    """Draw the lanes; returns them with their width and height in pixels."""
    plan = _plan(script)
    _measure(plan)
    placed = "".join(
        f'<div class="at" style="left:{plan.left[plan.column[id]]}px;'
        f'top:{plan.top[plan.row(id)]}px">{each.html}</div>'
        for id, each in plan.cards.items()
    )
    paths = "".join(_path(plan, line) for line in plan.lines)
    drawn = (
        f'<svg class="lines" width="{plan.width}" height="{plan.height}" aria-hidden="true">'
        f"<defs>{_tip('next')}{_tip('branch')}</defs>{paths}</svg>"
    )
    return f"{drawn}{placed}", plan.width, plan.height


def _tip(kind: str) -> str:
    return (
        f'<marker id="tip-{kind}" class="{kind}" viewBox="0 0 8 8" refX="7" refY="4" '
        'markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>'
    )


def _plan(script: SopScript) -> _Plan:
    ids = [step.id for step in script.steps]
    following = dict(zip(ids, [*ids[1:], None], strict=True))
    on = {step.id: _known(step, following[step.id], ids) for step in script.steps}
    cards = {
        step.id: card(
            step, on=_shown(on[step.id]), jump=_jump(on[step.id], following[step.id]), fixed=True
        )
        for step in script.steps
    }
    lines = [
        _Line(id, port if _shown(ways) else -1, way.to, len(ways) > 1)
        for id, ways in on.items()
        for port, way in enumerate(ways)
        if way.to is not None
    ]
    column = _columns(ids, lines)
    return _Plan(cards, lines, column, _lanes(ids, on, column), _bands(cards, column))


def _bands(cards: Mapping[str, Card], column: Mapping[str, int]) -> dict[int, int]:
    """Cut the columns into bands that fit a sheet, all about as wide."""
    last = max(column.values())
    widths = [
        max(card.width for id, card in cards.items() if column[id] == number) + _GAP + _TRACK
        for number in range(last + 1)
    ]
    bands = math.ceil(sum(widths) / (WALL * _SQUEEZE))
    share = math.ceil(len(widths) / bands)
    return {number: number // share for number in range(last + 1)}


def _known(step: Step, following: str | None, ids: list[str]) -> list[Way]:
    ways = ways_on(step, following)
    return [way if way.to in ids else Way(way.said or "结束", None) for way in ways]


def _shown(ways: list[Way]) -> list[Way]:
    """Leave out the row of a card that has one way on: its line says it."""
    return [] if len(ways) == 1 and ways[0].to is not None else ways


def _jump(ways: list[Way], following: str | None) -> str:
    """Return where the one way on of a card leads, unless to the next card."""
    to = ways[0].to if not _shown(ways) else None
    return to if to is not None and to != following else ""


def _columns(ids: list[str], lines: list[_Line]) -> dict[str, int]:
    """Put every step behind all that lead to it; ways back do not count."""
    at = {id: number for number, id in enumerate(ids)}
    column = dict.fromkeys(ids, 0)
    for id in ids:
        for line in lines:
            if line.source == id and at[line.target] > at[id]:
                column[line.target] = max(column[line.target], column[id] + 1)
    return column


def _lanes(
    ids: list[str], on: Mapping[str, list[Way]], column: Mapping[str, int]
) -> dict[str, int]:
    """Keep the way that is taken by default in one lane, and give branches lanes of their own."""
    lane: dict[str, int] = {}
    taken: set[tuple[int, int]] = set()
    for id in ids:
        before = [source for source in lane if _default(on[source]) == id]
        wanted = lane[before[0]] if before else (1 if lane else 0)
        while (column[id], wanted) in taken:
            wanted += 1
        lane[id] = wanted
        taken.add((column[id], wanted))
    return lane


def _default(ways: list[Way]) -> str | None:
    return next((way.to for way in reversed(ways) if way.to is not None), None)


def _measure(plan: _Plan) -> None:
    for line in plan.lines:
        gaps, gutters = plan.route(line)
        for gap in dict.fromkeys(gaps):
            plan.gaps[gap].append(line)
        for gutter in gutters:
            plan.gutters[gutter].append(line)
    for band in range(max(plan.band.values()) + 1):
        at = _EDGE
        columns = [column for column, its in plan.band.items() if its == band]
        for column in columns:
            tracks = len(plan.gaps[column])
            first = column == columns[0]
            at += _TRACK * tracks + (10 if first and tracks else 0 if first else _GAP - _TRACK)
            plan.left[column] = at
            at += max(plan.cards[id].width for id, its in plan.column.items() if its == column)
        behind = len(plan.gaps[-1 - band])
        at += _GAP + _TRACK * behind if behind else _EDGE
        plan.left[-1 - band] = at
        plan.width = max(plan.width, at)
    _stack(plan)


def _stack(plan: _Plan) -> None:
    """Put each lane as high as the cards above it, and the lines over it, leave room for."""
    bottom: dict[int, int] = defaultdict(int)
    floor = 0
    for row in sorted({plan.row(id) for id in plan.cards} | set(plan.gutters)):
        if row[1] == 0:
            floor = max(bottom.values(), default=0)
        across = _across(plan, row)
        above = max([floor, *(bottom[column] for column in across)])
        plan.top[row] = above + _GUTTER + _TRACK * len(plan.gutters[row])
        if row[1] == 0:
            floor = plan.top[row] - _GUTTER  # no lane of the band may reach into this gutter
        for id in plan.cards:
            if plan.row(id) == row:
                bottom[plan.column[id]] = plan.top[row] + plan.cards[id].height
    plan.height = max(bottom.values()) + _EDGE


def _across(plan: _Plan, row: _Row) -> list[int]:
    """Return the columns that a lane and the lines over it lie under."""
    band = [column for column, its in plan.band.items() if its == row[0]]
    taken = {plan.column[id] for id in plan.cards if plan.row(id) == row}
    for line in plan.gutters[row]:
        ends = sorted((plan.column[line.source], plan.column[line.target]))
        taken |= set(range(ends[0], ends[1] + 1))
    return [column for column in band if min(taken) <= column <= max(taken)] if taken else band


def _path(plan: _Plan, line: _Line) -> str:
    source, target = plan.cards[line.source], line.target
    right = plan.left[plan.column[line.source]] + source.width
    top = plan.top[plan.row(line.source)]
    port = _ENTRY if line.port < 0 or line.port >= len(source.ports) else source.ports[line.port]
    end_x, end_y = plan.left[plan.column[target]], plan.top[plan.row(target)] + _ENTRY
    gaps, gutters = plan.route(line)
    bends = f"H{plan.x(gaps[0], line)}"
    for gutter, gap in zip(gutters, gaps[1:], strict=True):
        bends += f"V{plan.y(gutter, line)}H{plan.x(gap, line)}"
    kind = "branch" if line.branch else "next"
    return (
        f'<path class="{kind}" d="M{right} {top + port}{bends}V{end_y}H{end_x - 1}" '
        f'marker-end="url(#tip-{kind})"/>'
    )
