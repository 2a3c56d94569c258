"""Whom a command means: a script, a step, a branch, a manager, a group or a customer; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.bank import Bank
from bot.domain.hold import Scope
from bot.domain.script import SopScript
from bot.domain.value import Value

PREFIXES: dict[str, Scope] = {
    "剧本": "script",
    "步骤": "step",
    "网点": "branch",
    "经理": "manager",
    "群": "group",
    "客户": "customer",
}
_WORDS: dict[Scope, str] = {scope: word for word, scope in PREFIXES.items()}


class Target(Value):
    """One thing that a command is about."""

    scope: Scope
    target: str
    name: str = ""

    @property
    def written(self) -> str:
        """Return how a person writes it without any doubt."""
        return f"{_WORDS[self.scope]}:{self.target}"

    @property
    def words(self) -> str:
        """Return it as a person reads it."""
        named = f"「{self.name}」" if self.name and self.name != self.target else ""
        return f"{_WORDS[self.scope]}{named}{self.target}"


@dataclass(frozen=True)
class Known:
    """What there is to be meant; ``groups`` and ``customers`` only as far as the words reach."""

    scripts: Mapping[str, SopScript]
    bank: Bank
    groups: Sequence[tuple[str, str]] = ()
    customers: Collection[str] = field(default_factory=tuple)


def split(text: str) -> tuple[Scope | None, str]:
    """Take the prefix off (网点:b01); None where the words have none."""
    head, colon, rest = text.strip().replace("：", ":").partition(":")
    scope = PREFIXES.get(head.strip())
    return (scope, rest.strip()) if colon and scope is not None else (None, text.strip())


def find(text: str, known: Known) -> list[Target]:
    """Return everything that the words may mean; a prefix leaves only its own kind."""
    scope, words = split(text)
    found = [*_scripts(words, known), *_people(words, known.bank)]
    found += [
        Target(scope="group", target=id, name=name)
        for id, name in known.groups
        if words in (id, name)
    ]
    found += [Target(scope="customer", target=id) for id in known.customers if id == words]
    return [one for one in found if scope in (None, one.scope)]


def _scripts(words: str, known: Known) -> Iterator[Target]:
    for script in known.scripts.values():
        if words in (script.id, script.name):
            yield Target(scope="script", target=script.id, name=script.name)
    script_id, slash, step = words.partition("/")
    of = known.scripts.get(script_id) if slash else None
    if of is not None and of.part(step) is not None:
        yield Target(scope="step", target=words, name=of.name)


def _people(words: str, bank: Bank) -> Iterator[Target]:
    for branch in bank.branches:
        if words in (branch.id, branch.name):
            yield Target(scope="branch", target=branch.id, name=branch.name)
    for member in bank.staff:
        if words in (member.userid, member.name):
            yield Target(scope="manager", target=member.userid, name=member.name)
