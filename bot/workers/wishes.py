"""Wishes to enter a script, what is kept of them, and how what came of them is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from bot.domain.admission import EntryRule, NewRun, answers_as_json
from bot.domain.script import SopScript
from bot.domain.script_parts import Status, Subject
from bot.domain.subject import SubjectKind
from bot.sop.enrol import Admission
from bot.storage.letters import to_json
from bot.workers.files import Snapshot

GOES_ON = "持续"  # the 方式 by which whoever is meant comes in at any time


class Wish(NamedTuple):
    """A subject that is to enter a script, by what: a day of its own, an event, a frozen list.

    ``listing`` puts it on such a list if it may enter, ``listed`` tells that it is there.
    ``asked_at`` is when it was asked first, where data was missing then.
    """

    subject: str
    key: str = ""
    on: date | None = None
    happened_at: datetime | None = None
    listing: bool = False
    listed: bool = False
    asked_at: datetime | None = None

    def kept_of(self, state: str) -> dict[str, str | bool]:
        """Return what has to be kept of it while it waits or is asked again."""
        if self[2:6] == _PLAIN:
            return {}
        listed = self.listed or (self.listing and state == "waiting")
        kept: dict[str, str | bool] = {"listed": True} if listed else {}
        if self.listing and not listed:
            kept["listing"] = True
        if self.on is not None:
            kept["on"] = self.on.isoformat()
        if self.happened_at is not None:
            kept["happened_at"] = self.happened_at.isoformat()
        return kept

    @classmethod
    def kept(cls, subject: str, key: str, verdicts: dict[str, Any], at: datetime | None) -> Wish:
        """Return a wish as it was kept in a decision."""
        on, happened_at = verdicts.get("on"), verdicts.get("happened_at")
        return cls(
            subject,
            key,
            date.fromisoformat(on) if on else None,
            datetime.fromisoformat(happened_at) if happened_at else None,
            bool(verdicts.get("listing")),
            bool(verdicts.get("listed")),
            at,
        )


_PLAIN = (None, None, False, False)


@dataclass(slots=True)
class Asked:
    """What came of asking: decisions by their state, and how many runs began."""

    admissions: list[Admission] = field(default_factory=list)
    runs: dict[str, int] = field(default_factory=dict)

    def count(self, state: str) -> int:
        """Count the decisions of a state."""
        return sum(each.state == state for each in self.admissions)


def kind_of(script: SopScript) -> SubjectKind:
    """Return whom a script is for."""
    return "group" if script.subject is Subject.GROUP else "customer"


def offered(snapshot: Snapshot) -> dict[str, SopScript]:
    """Return every script that somebody may begin, a pilot's newest version before the rest's."""
    found = dict(snapshot.scripts) | {id: one.script for id, one in snapshot.pilots.items()}
    return {id: one for id, one in found.items() if one.status is Status.PUBLISHED}


def is_limited(script: SopScript) -> bool:
    """Tell whether a script lets only so many in (每小时最多, 每天最多, 总数最多)."""
    entry = script.entry
    return (entry.hourly_limit, entry.daily_limit, entry.total_limit) != (None, None, None)


def new_run(one: Admission) -> NewRun:
    """Return the run that begins with an admission, or is held out."""
    facts = one.candidate.facts
    assert one.anchor is not None  # whoever begins has a day 1
    return NewRun(
        facts.id,
        one.key,
        facts.owner,
        facts.branch,
        one.verdict.rotation,
        one.anchor,
        "held_out" if one.state == "held_out" else "running",
        one.reason,
        facts.weekly_cap,
        facts.as_of,
    )


def entry_of(rule: EntryRule, one: Admission, run: int) -> tuple[str, str, str]:
    """Return what the ledger is told of a run that begins or is held out, its facts as JSON."""
    facts, layer = one.candidate.facts, one.verdict.layer
    customers = facts.size if facts.kind == "group" else None
    before = _before_run(rule.script.id, rule.version, one.anchor, customers, layer)
    return one.state, facts.id, f"{before}{run}}}"


@lru_cache(maxsize=256)
def _before_run(
    script: str, version: str, anchor: date | None, customers: int | None, layer: str
) -> str:
    """Return the facts of an entry up to its run's number: those of a crowd differ by that only."""
    about: dict[str, Any] = {"script": script, "version": version, "anchor": str(anchor)}
    if customers is not None:
        about["customers"] = customers
    if layer:
        about["layer"] = layer
    return to_json(about).removesuffix("}") + ',"run":'


def refusal_of(rule: EntryRule, one: Admission) -> tuple[str, str, dict[str, Any]]:
    """Return what the ledger is told of a refusal: the five answers and what it hung on."""
    answers = answers_as_json(one.verdict.answers, one.verdict.layer)
    about = {"script": rule.script.id, "version": rule.version, "reason": one.reason}
    return "entry_refused", one.candidate.facts.id, about | {"answers": answers}
