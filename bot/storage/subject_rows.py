"""Values of customers and groups, made of their rows and of what else was read of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic_core import from_json

from bot.domain.institution import Member
from bot.domain.subject import Event, Registry, SubjectFacts

_TICK = timedelta(microseconds=1)
_NONE: frozenset[str] = frozenset()


class More:
    """What is read besides subjects' own rows, as far as anybody asks for it."""

    def __init__(self) -> None:
        self.since: dict[tuple[str, str], datetime] = {}
        self.last_seen: dict[str, datetime] = {}
        self.complaining: frozenset[str] = frozenset()
        self.happened: Mapping[str, list[Event]] = {}
        self.running: dict[str, frozenset[str]] = {}
        self.done: dict[str, frozenset[str]] = {}

    def saw(self, subject: str, at: datetime | None) -> None:
        """Keep the newest moment at which somebody was seen."""
        if at is not None and at > self.last_seen.get(subject, at - _TICK):
            self.last_seen[subject] = at


@lru_cache(maxsize=4096)
def _set(text: str) -> frozenset[str]:
    return frozenset(json.loads(text))


class _Serving(NamedTuple):
    """Who serves a customer: the one who was added last, unless that one is away."""

    friend: bool
    owner: str
    owner_role: str
    owner_on_duty: bool
    branch: str

    @classmethod
    def of(cls, managers: Sequence[str], staff: Mapping[str, Member]) -> _Serving:
        on_duty = next((one for one in managers if one in staff and staff[one].on_duty), "")
        owner = on_duty or (managers[0] if managers else "")
        member = staff.get(owner)
        role, branch = (member.role, member.branch or "") if member else ("", "")
        return cls(bool(managers), owner, role, bool(on_duty), branch)


def customers_of(
    rows: Iterable[Any],
    registry: Registry,
    staff: Mapping[str, Member],
    more: More,
    now: datetime,
) -> Iterator[SubjectFacts]:
    """Give a value for each row: id, tags, managers, data, as of when, cap, refusal, pause.

    Tags, managers and data come as the text of their columns.
    """
    since, seen, happened = more.since, more.last_seen, more.happened
    running, done, complaining = more.running, more.done, more.complaining
    known: dict[str, _Serving] = {}  # a few managers serve thousands
    for id, tags, managers, data, as_of, weekly_cap, opted_out_at, paused in rows:
        serving = known.get(managers)
        if serving is None:
            serving = known[managers] = _Serving.of(json.loads(managers), staff)
        yield SubjectFacts(  # by their places: names would take three times as long
            id,
            "customer",
            registry,
            _set(tags),
            from_json(data),
            as_of,
            True,
            *serving,
            since.get((id, serving.owner)) if since else None,
            opted_out_at is not None or (paused is not None and now < paused),
            id in complaining,
            seen.get(id),
            0,
            True,
            weekly_cap,
            happened.get(id, ()),
            running.get(id, _NONE),
            done.get(id, _NONE),
        )


def groups_of(
    rows: Iterable[Any], registry: Registry, staff: Mapping[str, Member], more: More
) -> Iterator[SubjectFacts]:
    """Give a value for each row."""
    for row in rows:
        member = staff.get(row.owner)
        yield SubjectFacts(
            id=row.id,
            kind="group",
            registry=registry,
            tags=frozenset(row.tags),
            known=row.owner != "",  # else it was never read
            owner=row.owner,
            owner_role=member.role if member else "",
            owner_on_duty=member is not None and member.on_duty,
            branch=row.branch,
            complaint_open=row.id in more.complaining,
            last_seen=more.last_seen.get(row.id),
            size=sum(not one.get("staff") for one in row.members),
            alive=not row.dismissed,
            weekly_cap=row.weekly_cap,
            happened=more.happened.get(row.id, ()),
            running=more.running.get(row.id, _NONE),
            done=more.done.get(row.id, _NONE),
        )
