"""What people let stand still: paused runs wait, drained scripts let nobody new in; pure.

A step that was drained or terminated is passed over: runs go on behind it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Literal, get_args

from bot.domain.value import Value

Verb = Literal["pause", "drain", "skip"]  # skip: of a step that was terminated
Scope = Literal["script", "step", "branch", "manager", "group", "customer"]
LOOK_AGAIN_WHILE_PAUSED = timedelta(hours=1)  # whoever lets it go on wakes what waits
PAUSED, DRAINED, NOT_APPROVED = "paused", "drained", "not_approved"
TERMINATED = "terminated"
PASSED_OVER = frozenset({DRAINED, TERMINATED})  # why a step was, with all that belongs to it


class Standstill(Value):
    """One hold in force: who is held, by whom, why, since when.

    A step's target is ``script/step``.
    """

    id: int
    verb: Verb
    scope: Scope
    target: str
    by: str
    why: str = ""
    since: datetime


class Holds:
    """All that stands still at one moment; false where nothing does."""

    def __init__(
        self,
        rows: Iterable[Standstill] = (),
        unapproved: Collection[tuple[str, str]] = (),
    ) -> None:
        self._held: dict[Verb, set[tuple[Scope, str]]] = {verb: set() for verb in get_args(Verb)}
        for row in rows:
            self._held[row.verb].add((row.scope, row.target))
        self._unapproved = frozenset(unapproved)

    def __bool__(self) -> bool:
        """Tell whether anything stands still."""
        return bool(self._unapproved) or any(self._held.values())

    def pausing(
        self,
        script: str,
        version: str,
        step: str = "",
        branch: str = "",
        manager: str = "",
        subject: str = "",
    ) -> str:
        """Return why a step has to wait now; empty where nothing holds it."""
        if (script, version) in self._unapproved:
            return NOT_APPROVED
        paused = self._held["pause"]
        if not paused:
            return ""
        if step and ("step", f"{script}/{step}") in paused:
            return PAUSED
        found = not paused.isdisjoint(_around(script, branch, manager, subject))
        return PAUSED if found else ""

    def passing_over(self, script: str, step: str) -> str:
        """Return why runs pass over a step that has not gone out to them; empty where none do."""
        target: tuple[Scope, str] = ("step", f"{script}/{step}")
        if target in self._held["skip"]:
            return TERMINATED
        return DRAINED if target in self._held["drain"] else ""

    def draining(
        self, script: str, version: str = "", branch: str = "", manager: str = "", subject: str = ""
    ) -> str:
        """Return why nobody may begin a script now: held back, paused or drained; else empty."""
        if waits := self.pausing(script, version, "", branch, manager, subject):
            return waits
        drained = self._held["drain"]
        found = drained and not drained.isdisjoint(_around(script, branch, manager, subject))
        return DRAINED if found else ""


def _around(script: str, branch: str, manager: str, subject: str) -> list[tuple[Scope, str]]:
    return [
        ("script", script),
        ("branch", branch),
        ("manager", manager),
        ("group", subject),
        ("customer", subject),
    ]
