"""What a simulation writes down: the run log, and every call that WeCom would have to answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple


class Note(NamedTuple):
    """What happened to whom; the words are the ledger's."""

    at: datetime
    kind: str
    subject: str
    facts: dict[str, Any]


@dataclass(slots=True)
class Diary:
    """The log of a simulation and its counts."""

    notes: list[Note] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    calls_by_hour: Counter[str] = field(default_factory=Counter)
    calls_by_day: Counter[str] = field(default_factory=Counter)
    work: dict[str, Counter[str]] = field(default_factory=dict)
    heard: Counter[str] = field(default_factory=Counter)

    def note(self, at: datetime, kind: str, subject: str, **facts: Any) -> None:
        """Write down what happened."""
        self.notes.append(Note(at, kind, subject, facts))

    def call(self, kind: str, at: datetime, count: int = 1) -> None:
        """Count calls to WeCom; ``at`` is in the bank's zone."""
        if count <= 0:
            return
        self.calls[kind] += count
        self.calls_by_day[f"{at:%Y-%m-%d}"] += count
        self.calls_by_hour[f"{at:%Y-%m-%d %H}"] += count

    def task(self, manager: str, at: datetime) -> None:
        """Count a press that a manager is asked for; ``at`` is in the bank's zone."""
        self.work.setdefault(manager, Counter())[f"{at:%Y-%m-%d}"] += 1
