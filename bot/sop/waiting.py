"""Whether what a run waits for has happened: by the events' own moments (sop_semantics 2.7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from bot.domain.flow import Wait
from bot.domain.subject import Event


class Heard(NamedTuple):
    """What ended a wait, and when that happened."""

    kind: str
    at: datetime


def heard(
    wait: Wait,
    happened: Iterable[Event],
    armed_at: datetime,
    entered_at: datetime | None,
    deadline: datetime,
) -> Heard | None:
    """Return the event with which a wait's count was full; None while it is not.

    Events count by when they happened, up to the deadline, each key once; of two at the same
    moment the one goes first that the file names first.
    """
    since = armed_at if wait.already == "要新的" or wait.since == "本步后" else entered_at
    if wait.since == "任何时候" and wait.already == "跳过":
        since = None
    order = {kind: number for number, kind in enumerate(wait.any_of)}
    counted: dict[str, Event] = {}
    for event in happened:
        if event.kind in order and event.at <= deadline and (since is None or event.at > since):
            counted.setdefault(event.key or f"{event.kind}@{event.at}", event)
    if len(counted) < wait.at_least:
        return None
    in_order = sorted(counted.values(), key=lambda event: (event.at, order[event.kind], event.key))
    last = in_order[wait.at_least - 1]
    return Heard(last.kind, last.at)
