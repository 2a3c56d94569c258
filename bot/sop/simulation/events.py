"""Which events a script cares for: what it waits for, branches by, and ends by."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.bank import Bank
from bot.domain.expression import ExpressionError, parse
from bot.domain.script import SopScript

_ALWAYS = ("客户回复", "客户拒收", "投诉")  # whatever a script says


def events_of(script: SopScript, bank: Bank) -> tuple[str, ...]:
    """Return the events that may happen after a message of this script, in a fixed order."""
    return tuple(dict.fromkeys((*_ALWAYS, *sorted(asked_events(script, bank)))))


def asked_events(script: SopScript, bank: Bank) -> frozenset[str]:
    """Return the events whose happening changes how a run of this script goes on."""
    return frozenset(name for name in _names(script) if name in bank.event_names)


def _names(script: SopScript) -> Iterator[str]:
    for step in script.steps:
        for text in step.wait.any_of if step.wait else ():
            yield from _in(text)
        for branch in step.branches:
            yield from _in(branch.when or "")
        if step.guard is not None and step.guard.where is not None:
            yield from _in(step.guard.where)
    yield from (str(out.event) for out in script.exits)


def _in(text: str) -> Iterator[str]:
    if not text:
        return
    try:
        parsed = parse(text)
    except ExpressionError:
        return  # the check says so
    yield from sorted(parsed.names() | {name for _, name in parsed.calls()})
