"""What has to be read of subjects before expressions about them can be judged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from bot.domain.expression import Expression
from bot.domain.subject import JOINED


@dataclass(frozen=True, slots=True)
class Needs:
    """What to read besides a subject's own row: ``history`` is of scripts, ``since`` of friends.

    ``names`` may hold events; which of them are is the bank's to say.
    """

    names: frozenset[str] = frozenset()
    history: bool = False
    last_seen: bool = False
    complaint: bool = False
    since: bool = False

    def __or__(self, other: Needs) -> Needs:
        """Return both together."""
        return Needs(
            self.names | other.names,
            self.history or other.history,
            self.last_seen or other.last_seen,
            self.complaint or other.complaint,
            self.since or other.since,
        )

    def events(self, known: frozenset[str]) -> frozenset[str]:
        """Return the events that are asked for, of those that the bank has."""
        return self.names & known


@lru_cache(maxsize=512)
def needs_of(*expressions: Expression | None) -> Needs:
    """Return what these expressions ask for; None is an expression that is not there."""
    names: set[str] = set()
    functions: set[str] = set()
    for expression in expressions:
        if expression is not None:
            names |= expression.names()
            functions |= {function for function, _ in expression.calls()}
            names |= {name for kind, name in expression.calls() if kind in ("次数", "最近")}
    if "入群天数" in names:
        names.add(JOINED)
    return Needs(
        names=frozenset(names),
        history=bool(functions & {"在剧本", "走完剧本"}),
        last_seen="最近互动" in names,
        complaint="投诉处理中" in names,
        since=bool(names & {"好友天数", "最近互动"}),
    )
