"""One step as a card: when, by which way at what cost, the words as customers see them, the terms.

A card in a lane has a height of its own, reckoned from its text, so that lines can be drawn to it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from bot.domain.flow import END_OF_RUN, Split
from bot.domain.steps import PRIORITIES, Listen, Overlay, Step
from bot.sop.picture import words

CARD, SMALL = 232, 184  # pixels wide
_PADDING, _LINE, _BUBBLE_LINE, _HEAD, _WAY, _FOOT = 22, 18, 20, 30, 20, 20
_FAMILIES = {
    "红线": "fraud",
    "服务": "service",
    "反诈": "fraud",
    "活动": "event",
    "知识": "knowledge",
    "产品": "product",
}
_STANDING = {number: name for name, number in PRIORITIES.items()}
_FILLED = re.compile(r"\{([^{}\n]+)\}")


@dataclass(frozen=True, slots=True)
class Way:
    """One way on from a card: the row's words, and the step it leads to (none: the end)."""

    said: str
    to: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """A card drawn, its size, and how far down its ways on leave it."""

    html: str
    width: int
    height: int
    ports: tuple[int, ...]


def family(part: Step | Overlay) -> str:
    """Return the name of the colour by what a step is for."""
    if part.kind is None:
        return "steer"
    return _FAMILIES[_STANDING[part.kind.priority]]


def is_small(step: Step) -> bool:
    """Tell whether a step only steers, so that a narrow card will do."""
    return not step.sends


def card(
    part: Step | Overlay, *, on: Iterable[Way] = (), jump: str = "", fixed: bool = False
) -> Card:
    """Draw one step, with its ways on if it stands in a lane.

    Where there is no room for lines, as on a phone, ways say where they lead, and so does a
    ``jump``, the one way on of a card that is not to the next one.
    """
    width = SMALL if isinstance(part, Step) and is_small(part) and fixed else CARD
    pieces = list(_pieces(part, width - _PADDING))
    ways = list(on)
    rows = [(_row(way), 6 + _LINE * _lines(way.said, width - _PADDING - 34)) for way in ways]
    body = sum(height for _, height in pieces)
    below = sum(height for _, height in rows)
    height = _PADDING + body + below + _FOOT + (6 if rows else 0)
    ports: list[int] = []
    down = height - _PADDING // 2 - below
    for _, row in rows:
        ports.append(down + row // 2)
        down += row
    inner = "".join(html for html, _ in pieces)
    foot = f"<footer>{escape(part.id)}</footer>"
    tail = f'<div class="ways">{"".join(html for html, _ in rows)}</div>' if rows else ""
    if jump:
        tail += f'<p class="jump">{_leads_to(jump)}</p>'
    style = f' style="width:{width}px;height:{height}px"' if fixed else ""
    small = " small" if width == SMALL else ""
    html = (
        f'<article class="card {family(part)}{small}" data-step="{escape(part.id)}"{style}>'
        f"{inner}{foot}{tail}</article>"
    )
    return Card(html, width, height, tuple(ports))


def _row(way: Way) -> str:
    sign = '<i class="stop" title="结束"></i>' if way.to is None else '<i class="go"></i>'
    to = "" if way.to is None else f'<em class="to">{_leads_to(way.to)}</em>'
    return f"<p>{escape(way.said)}{to}{sign}</p>"


def _leads_to(step: str) -> str:
    return f"到 {escape(step)}"


def ways_on(step: Step, following: str | None) -> list[Way]:
    """Return where a token goes from a step; the last is where it goes by default."""
    found = [_branch(branch.when, branch.goto or branch.otherwise) for branch in step.branches]
    if not step.branches or all(branch.otherwise is None for branch in step.branches):
        to = step.goto or following
        found.append(_branch("接着" if step.branches else "", to))
    if step.wait is not None and not step.branches:
        found = [Way("等到或到点，接着走", way.to) for way in found]
    return found


def _branch(when: str | None, to: str | None) -> Way:
    target = None if to in (None, END_OF_RUN) else to
    if when is None:
        return Way("否则" if target else "否则，结束", target)
    if not when:
        return Way("" if target else "结束", target)
    return Way(when if target else f"{when}，结束", target)


def _pieces(part: Step | Overlay, width: int) -> Iterator[tuple[str, int]]:
    """Give the card's parts with their heights."""
    hours = words.hours(part.window)
    kind = f'<i class="kind">{part.kind}</i>' if part.kind is not None else ""
    yield (
        f"<header><b>{escape(words.when(part))}</b><span>{hours}</span>{kind}</header>",
        _HEAD,
    )
    by, cost = words.ways(part)
    if by:
        free = " free" if cost == words.NO_QUOTA else ""
        lines = _lines(f"{by} {cost}", width - 12)
        yield (
            f'<p class="way">{escape(by)} <em class="cost{free}">{cost}</em></p>',
            4 + (_WAY + 1) * lines,
        )
    if isinstance(part, Step) and part.split is not None:
        yield _split(part.split, width)
    yield from _bubbles(part, width)
    if isinstance(part, Step):
        yield from _terms(part, width)


def _split(term: Split, width: int) -> tuple[str, int]:
    bars = "".join(f'<i style="flex:{share}"></i>' for share in term.shares.values())
    arms = "，".join(f"{arm} {share}%" for arm, share in term.shares.items())
    said = f"按{term.unit}分流：{term.experiment}"
    html = (
        f'<p class="term">{escape(said)}</p><div class="split">{bars}</div>'
        f'<p class="term">{escape(arms)}</p>'
    )
    return html, _LINE * (_lines(said, width) + _lines(arms, width)) + 4 + 16


def _bubbles(part: Step | Overlay, width: int) -> Iterator[tuple[str, int]]:
    if part.body is not None:
        yield _bubble("", part.body, width)
    if isinstance(part, Step):
        for arm, body in (part.bodies or {}).items():
            yield _bubble(arm, body, width)


def _bubble(arm: str, body: str, width: int) -> tuple[str, int]:
    """Draw the whole text: what hangs on a wall cannot be opened."""
    lines = sum(_lines(line, width - 24, 13) for line in body.strip().split("\n"))
    text = _FILLED.sub(r"<mark>\1</mark>", escape(body.strip()))
    label = f'<b class="arm">{escape(arm)}</b>' if arm else ""
    html = f'{label}<div class="bubble"><div>{text}</div></div>'
    return html, lines * _BUBBLE_LINE + 22 + (20 if arm else 0)


def _terms(step: Step, width: int) -> Iterator[tuple[str, int]]:
    if step.wait is not None:
        said = words.wait(step.wait)
        most = f"最长 {words.span(step.wait.at_most)}"
        yield (
            f'<p class="clock">{_CLOCK}<span>{escape(said)}<b>{most}</b></span></p>',
            12 + _LINE * (_lines(said, width - 46) + 1),
        )
    for name, said in words.notes(step):
        html = f'<p class="term"><b>{name}</b>{escape(said)}</p>'
        yield html, 3 + _LINE * _lines(f"{name}  {said}", width - 6)
    for each in step.listens:
        yield heard(each, width)


def heard(term: Listen, width: int = CARD - _PADDING) -> tuple[str, int]:
    """Draw what is listened for and what follows."""
    what, then = words.listen(term)
    html = f'<p class="heard"><q>{escape(what)}</q><span>{escape(then)}</span></p>'
    return html, 8 + _LINE * (_lines(f"「{what}」", width - 14) + _lines(f"→ {then}", width - 14))


_CLOCK = (
    '<svg class="dial" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="9"/>'
    '<path d="M12 7v5l3.5 2"/></svg>'
)


def _lines(text: str, width: int, size: int = 12) -> int:
    """Reckon on how many lines a text comes out."""
    wide = sum(
        size if unicodedata.east_asian_width(each) in "WFA" else size * 0.58 for each in text
    )
    return max(1, math.ceil(wide * 1.03 / width))
