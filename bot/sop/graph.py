"""A script's steps as the way a token goes: where each leads, what can be reached, how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from bot.domain.flow import END_OF_RUN
from bot.domain.script import SopScript
from bot.domain.steps import Step

_DAY_SECONDS = 86400


@dataclass(frozen=True)
class Graph:
    """The steps by id, and where a token goes from each; the end of the run is not a step."""

    steps: Mapping[str, Step]
    ways: Mapping[str, tuple[str, ...]]
    first: str

    @classmethod
    def of(cls, script: SopScript) -> Graph:
        """Read the ways of a script; targets that are no step are left out."""
        steps = {step.id: step for step in script.steps}
        after = dict(zip(steps, [*list(steps)[1:], END_OF_RUN], strict=True))
        ways = {
            id: tuple(dict.fromkeys(to for to in _targets(step, after[id]) if to in steps))
            for id, step in steps.items()
        }
        return cls(steps, ways, script.steps[0].id)

    def reached(self, *, without: str = "") -> frozenset[str]:
        """Return the steps that a token may come to; ``without`` one step that it never passes."""
        found: set[str] = set()
        open_ends = [self.first]
        while open_ends:
            id = open_ends.pop()
            if id in found or id == without:
                continue
            found.add(id)
            open_ends.extend(self.ways[id])
        return frozenset(found)

    def before(self, id: str) -> frozenset[str]:
        """Return the steps that a token may have passed when it comes to this one."""
        found: set[str] = set()
        open_ends = list(self._from.get(id, ()))
        while open_ends:
            one = open_ends.pop()
            if one not in found:
                found.add(one)
                open_ends.extend(self._from.get(one, ()))
        return frozenset(found)

    @cached_property
    def _from(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for id, targets in self.ways.items():
            for target in targets:
                found.setdefault(target, []).append(id)
        return {id: tuple(sources) for id, sources in found.items()}

    def cycle(self) -> tuple[str, ...]:
        """Return the steps of a circle, if there is one; empty if there is none."""
        state: dict[str, int] = {}
        for start in self.steps:
            trail = self._walk(start, state)
            if trail:
                return trail
        return ()

    def _walk(self, start: str, state: dict[str, int]) -> tuple[str, ...]:
        if state.get(start):
            return ()
        stack: list[tuple[str, Iterator[str]]] = [(start, iter(self.ways[start]))]
        state[start] = 1
        while stack:
            id, targets = stack[-1]
            target = next(targets, None)
            if target is None:
                state[id] = 2
                stack.pop()
            elif state.get(target) == 1:
                trail = [one for one, _ in stack]
                return (*trail[trail.index(target) :], target)
            elif not state.get(target):
                state[target] = 1
                stack.append((target, iter(self.ways[target])))
        return ()

    def longest(self) -> tuple[float, str]:
        """Return the most days that a run may last, and the step it is at by then.

        The steps must have no circle.
        """
        arrives: dict[str, float] = {self.first: 0.0}
        most, at = 0.0, self.first
        for id in self._in_order():
            if id not in arrives:
                continue
            leaves = _leaves(self.steps[id], arrives[id])
            if leaves > most:
                most, at = leaves, id
            for target in self.ways[id]:
                arrives[target] = max(arrives.get(target, 0.0), leaves)
        return most, at

    def _in_order(self) -> list[str]:
        waiting = {id: len(self._from.get(id, ())) for id in self.steps}
        ready = [id for id, count in waiting.items() if not count]
        order: list[str] = []
        while ready:
            id = ready.pop()
            order.append(id)
            for target in self.ways[id]:
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
        return order


def _targets(step: Step, following: str) -> Iterator[str]:
    if step.branches:
        for branch in step.branches:
            yield branch.goto or branch.otherwise or END_OF_RUN
        if all(branch.otherwise is None for branch in step.branches):
            yield step.goto or following
        return
    yield step.goto or following


def _leaves(step: Step, arrives: float) -> float:
    """Return the day of the run, from 0, on which a token leaves a step at the latest."""
    day = arrives
    if step.day is not None:
        day = max(day, step.day - 1)
    elif step.days_later is not None:
        day += step.days_later
    if step.repeat is not None:
        day += (step.repeat.times - 1) * step.repeat.every_days
    if step.wait is not None:
        day += step.wait.at_most.total_seconds() / _DAY_SECONDS
    return day
