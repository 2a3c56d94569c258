"""Which arm of an experiment a unit belongs to: by hash, and for ever once it was exposed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bot.domain.audience import bucket, hash32
from bot.domain.flow import Split
from bot.domain.runs import Run
from bot.domain.script import SopScript
from bot.domain.steps import Step

_POSITIVE = 0x7FFFFFFF


class Exposure(NamedTuple):
    """A unit that is shown an arm's words; the first one binds it (sop_semantics S2)."""

    experiment: str
    unit: str
    arm: str
    epoch: int


def unit_of(split: Split, run: Run) -> str:
    """Return which unit of an experiment a run belongs to (S5)."""
    match split.unit:
        case "客户经理":
            return run.owner
        case "网点":
            return run.branch
        case "客户" | "客户群":
            return run.subject


def arm_of(split: Split, unit: str, exposed: Mapping[tuple[str, str], str]) -> str:
    """Return a unit's arm: the one it was exposed to, else the one its hash falls on (S1–S3).

    An arm that the file has no more cannot be kept: such a unit is placed by its hash. The arms
    lie side by side in the order of their names: a stored version has them in another than the
    file.
    """
    known = exposed.get((split.experiment, unit))
    if known in split.shares:
        return known
    place, reached = bucket(split.experiment, unit) * 100, 0
    arms = sorted(split.shares.items())
    for arm, share in arms:
        reached += share
        if place < reached:
            return arm
    return arms[-1][0]


def epoch_of(split: Split) -> int:
    """Return by which number the shares are known: other shares begin another epoch (S3)."""
    shares = ",".join(f"{arm}={share}" for arm, share in sorted(split.shares.items()))
    return hash32(shares) & _POSITIVE


def split_for(script: SopScript, step: Step) -> Split | None:
    """Return the experiment whose arms a step has words for: the last one before it that fits."""
    if not step.bodies:
        return None
    found = None
    for each in script.steps:
        if each.split is not None and step.bodies.keys() <= each.split.shares.keys():
            found = each.split
        if each.id == step.id:
            break
    return found
