"""How a script is doing (看效果), counted from the ledger of its runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.domain.script import SopScript
from bot.domain.value import Value
from bot.storage.ledger import Entry

MEASURED_KINDS = ("entered", "member_left", "complaint", "opted_out", "interaction")
_ONE_DAY = timedelta(days=1)


class Counts(Value):
    """What happened with the groups or customers that ran a script.

    ``answered_after`` holds, for each subject that answered, the days from its entry until then.
    """

    customers: int = 0
    entered: int = 0
    left: int = 0
    complaints: int = 0
    refusals: int = 0
    speakers: int = 0
    answered_after: tuple[float, ...] = ()

    def answered_within(self, days: float) -> float:
        """Return the share of the subjects that answered within so many days."""
        return _share(sum(after <= days for after in self.answered_after), self.entered)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


_METRICS: dict[str, Callable[[Counts], float]] = {
    "三周留群率": lambda counts: 1 - _share(counts.left, counts.customers),
    "留群率": lambda counts: 1 - _share(counts.left, counts.customers),
    "退群率": lambda counts: _share(counts.left, counts.customers),
    "拒收率": lambda counts: _share(counts.refusals, counts.customers),
    "投诉数": lambda counts: float(counts.complaints),
    "开口率": lambda counts: _share(counts.speakers, counts.customers),
    "7天有效互动率": lambda counts: counts.answered_within(7),
    "30天有效互动率": lambda counts: counts.answered_within(30),
}
KNOWN_METRICS = frozenset(_METRICS)


def count(entries: Iterable[Entry], script: str) -> Counts:
    """Count a script's subjects: who was there, who left, complained, refused or answered."""
    ours: dict[str, int] = {}
    entered: dict[str, datetime] = {}
    answered: dict[str, float] = {}
    left = complaints = 0
    refusals: set[str] = set()
    speakers: set[str] = set()
    for entry in entries:
        facts = entry.facts
        if entry.kind == "entered" and facts.get("script") == script:
            ours[entry.subject] = int(facts.get("customers", 1))
            entered[entry.subject] = entry.at
        elif entry.kind == "opted_out" and (facts.get("chat") in ours or entry.subject in ours):
            refusals.add(entry.subject)
        elif entry.subject not in ours:
            continue
        elif entry.kind == "member_left":
            left += 1
        elif entry.kind == "complaint":
            complaints += 1
        elif entry.kind == "interaction":
            speakers.add(str(facts.get("by") or entry.subject))
            answered.setdefault(entry.subject, (entry.at - entered[entry.subject]) / _ONE_DAY)
    return Counts(
        customers=sum(ours.values()),
        entered=len(ours),
        left=left,
        complaints=complaints,
        refusals=len(refusals),
        speakers=len(speakers),
        answered_after=tuple(answered.values()),
    )


def measure(script: SopScript, entries: Sequence[Entry]) -> dict[str, Any]:
    """Return the main metric, each guard with its bound, and the replies steps hoped for."""
    if script.measures is None:
        return {}
    counts = count(entries, script.id)
    guards = {}
    for name, bound in script.measures.guards.items():
        value = _METRICS[name](counts)
        kept = value < bound.value if bound.below else value == bound.value
        limit = f"小于{bound.value:g}" if bound.below else f"{bound.value:g}"
        guards[name] = {"value": value, "bound": limit, "kept": kept}
    hoped: dict[str, int] = {}
    for entry in entries:
        metric = entry.facts.get("metric") if entry.kind == "interaction" else None
        if metric:
            hoped[metric] = hoped.get(metric, 0) + 1
    return {
        "main": {"name": script.measures.main, "value": _METRICS[script.measures.main](counts)},
        "guards": guards,
        "replies": dict(sorted(hoped.items())),
    }
