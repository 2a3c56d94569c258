"""What an expression is made of, and its value: true, false, or unknown (None).

Unknown data stays unknown through every comparison and function; 且, 或 and 非 go by Kleene's
logic (sop_semantics §2.3), and only 未知 and 已知 turn it into an answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from bot.domain.expression_tokens import is_name
from bot.domain.expression_values import Known, Lookup, compare, number, truth


class Node(Protocol):
    """A part of an expression."""

    def value(self, lookup: Lookup) -> Known | None:
        """Return its value, None for unknown."""

    def parts(self) -> tuple[Node, ...]:
        """Return the parts that it is made of."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, text, grade or date."""

    known: Known

    def value(self, lookup: Lookup) -> Known | None:
        """Return itself."""
        return self.known

    def parts(self) -> tuple[Node, ...]:
        """Return nothing."""
        return ()

    def __str__(self) -> str:
        """Write it so that it is read back the same."""
        if isinstance(self.known, str):
            return f'"{self.known}"' if "」" in self.known else f"「{self.known}」"
        return str(self.known)


@dataclass(frozen=True, slots=True)
class Name:
    """A datum, an event, or something that is known of every subject."""

    name: str

    def value(self, lookup: Lookup) -> Known | None:
        """Ask for it."""
        return lookup.value(self.name)

    def parts(self) -> tuple[Node, ...]:
        """Return nothing."""
        return ()

    def __str__(self) -> str:
        """Write the name."""
        return self.name


@dataclass(frozen=True, slots=True)
class Call:
    """A function of a name, or of a value (``of``); ``days`` only for 次数."""

    function: str
    name: str = ""
    of: Node | None = None
    days: float = 0

    def value(self, lookup: Lookup) -> Known | None:
        """Work it out."""
        if self.of is not None:
            moment = self.of.value(lookup)
            if not isinstance(moment, date):
                return None
            days = lookup.days_from(moment)
            return days if self.function == "天数自" else -days
        if self.function == "次数":
            return lookup.times(self.name, self.days)
        if self.function == "最近":
            return lookup.last(self.name)
        return lookup.has(self.function, self.name)

    def parts(self) -> tuple[Node, ...]:
        """Return the value that it is of, if it is of one."""
        return () if self.of is None else (self.of,)

    def __str__(self) -> str:
        """Write it as the files do."""
        days = f", {number(self.days)}" if self.function == "次数" else ""
        name = self.name if is_name(self.name) else str(Constant(self.name))
        return f"{self.function}({name if self.of is None else self.of}{days})"


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values and what is asked of them."""

    sign: str
    left: Node
    right: Node

    def value(self, lookup: Lookup) -> Known | None:
        """Compare them; what is of two kinds cannot be, and is unknown."""
        return compare(self.sign, self.left.value(lookup), self.right.value(lookup))

    def parts(self) -> tuple[Node, ...]:
        """Return both."""
        return (self.left, self.right)

    def __str__(self) -> str:
        """Write it as the files do."""
        return f"{tight(self.left)} {self.sign} {tight(self.right)}"


@dataclass(frozen=True, slots=True)
class Among:
    """Whether a value is one of a list (在)."""

    left: Node
    choices: tuple[Constant, ...]

    def value(self, lookup: Lookup) -> Known | None:
        """Return true for the first that it equals."""
        left = self.left.value(lookup)
        found = [compare("=", left, choice.known) for choice in self.choices]
        return True if True in found else None if None in found else False

    def parts(self) -> tuple[Node, ...]:
        """Return what is looked for."""
        return (self.left,)

    def __str__(self) -> str:
        """Write it as the files do."""
        return f"{tight(self.left)} 在 ({'、'.join(str(choice) for choice in self.choices)})"


@dataclass(frozen=True, slots=True)
class Between:
    """Whether a value lies from one to another, both included (介于)."""

    left: Node
    low: Node
    high: Node

    def value(self, lookup: Lookup) -> Known | None:
        """Compare with both ends."""
        left = self.left.value(lookup)
        above = compare(">=", left, self.low.value(lookup))
        below = compare("<=", left, self.high.value(lookup))
        return False if above is False or below is False else None if above is None else below

    def parts(self) -> tuple[Node, ...]:
        """Return all three."""
        return (self.left, self.low, self.high)

    def __str__(self) -> str:
        """Write it as the files do."""
        return f"{tight(self.left)} 介于 {tight(self.low)} 到 {tight(self.high)}"


@dataclass(frozen=True, slots=True)
class IsKnown:
    """Whether a value is known (已知), or is not (未知)."""

    left: Node
    known: bool

    def value(self, lookup: Lookup) -> Known | None:
        """Answer for certain."""
        return (self.left.value(lookup) is not None) is self.known

    def parts(self) -> tuple[Node, ...]:
        """Return what is asked for."""
        return (self.left,)

    def __str__(self) -> str:
        """Write it as the files do."""
        return f"{tight(self.left)} {'已知' if self.known else '未知'}"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite (非); that of unknown is unknown."""

    of: Node

    def value(self, lookup: Lookup) -> Known | None:
        """Turn the truth round."""
        true = truth(self.of.value(lookup))
        return None if true is None else not true

    def parts(self) -> tuple[Node, ...]:
        """Return what is turned round."""
        return (self.of,)

    def __str__(self) -> str:
        """Write it with brackets, so that nobody has to know what binds closer."""
        return f"非({self.of})"


@dataclass(frozen=True, slots=True)
class And:
    """Everything of it (且)."""

    of: tuple[Node, ...]

    def value(self, lookup: Lookup) -> Known | None:
        """Return false for the first that is, unknown where one is, else true."""
        answer: bool | None = True
        for part in self.of:
            value = part.value(lookup)
            if value is False:
                return False
            if value is not True:
                answer = None
        return answer

    def parts(self) -> tuple[Node, ...]:
        """Return what is joined."""
        return self.of

    def __str__(self) -> str:
        """Write it as the files do."""
        return " 且 ".join(
            f"({each})" if isinstance(each, And | Or) else str(each) for each in self.of
        )


@dataclass(frozen=True, slots=True)
class Or:
    """Anything of it (或)."""

    of: tuple[Node, ...]

    def value(self, lookup: Lookup) -> Known | None:
        """Return true for the first that is, unknown where one is, else false."""
        answer: bool | None = False
        for part in self.of:
            value = part.value(lookup)
            if value is True:
                return True
            if value is not False:
                answer = None
        return answer

    def parts(self) -> tuple[Node, ...]:
        """Return what is joined."""
        return self.of

    def __str__(self) -> str:
        """Write it as the files do."""
        return " 或 ".join(f"({each})" if isinstance(each, Or) else str(each) for each in self.of)


_LOOSE = (Compare, Among, Between, IsKnown, Not, And, Or)


def tight(node: Node) -> str:
    """Write a part of a comparison, in brackets where it is more than one thing."""
    return f"({node})" if isinstance(node, _LOOSE) else str(node)


def every_part(node: Node) -> Iterator[Node]:
    """Give a node and all that it is made of."""
    yield node
    for part in node.parts():
        yield from every_part(part)
