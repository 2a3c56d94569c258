"""The places among a subject's messages that planned steps take; pure."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.quota import Kind, classes_of, classes_of_step
from bot.domain.runs import NewStep, Run, SubjectKind, slot_key
from bot.domain.script import SopScript
from bot.domain.steps import Overlay, SendBy, Step
from bot.sop.fire import way_of
from bot.sop.thought import Reserved


def kinds_of(part: Step | Overlay, way: SendBy, subject_kind: SubjectKind) -> tuple[Kind, ...]:
    """Return of which classes a part takes a place when it goes out this way."""
    if isinstance(part, Step):
        return classes_of_step(part, way, subject_kind)
    return classes_of(way, subject_kind, marketing=part.kind.marketing, product=False)


def places_of(run: Run, script: SopScript, steps: Iterable[NewStep]) -> list[Reserved]:
    """Return the places that the planned steps of a run take on their days."""
    found = []
    for step in steps:
        part = None if step.skip else script.part(step.step)
        if part is None:
            continue
        way = SendBy(step.way) if step.way else way_of(part)
        kinds = kinds_of(part, way, run.subject_kind)
        if kinds:
            key = slot_key(run.id, step.step, step.round)
            day, priority = step.planned_on, script.priority_of(part)
            found.append(Reserved(run.subject, key, kinds, day, priority))
    return found
