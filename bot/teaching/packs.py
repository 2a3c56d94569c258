"""What a step makes people ask: its questions, and how many of those it reached it confused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.teaching import Asked, Reason
from bot.teaching.cleaning import same_words

FEWEST = 20
"""Below so many deliveries a share is chance, and is not judged."""
BOUND = 0.1
_TOP = 5
Gap = Mapping[int, str]
"""By a proposal's number: the 编号 that answers it by now, "" where nothing does."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question after a step: how often, the entry that answers it, or the open proposal."""

    text: str
    count: int
    answer: str = ""
    proposal: int | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """A step with what was asked within a day after it."""

    script: str
    step: str
    delivered: int
    asked: int
    top: tuple[Ask, ...]

    @property
    def rate(self) -> float | None:
        """Return questions by deliveries; None where there are too few to tell."""
        return self.asked / self.delivered if self.delivered >= FEWEST else None

    def confusing(self, bound: float = BOUND) -> bool:
        """Tell whether the step should be written anew."""
        return self.rate is not None and self.rate > bound


def packs_of(
    asked: Sequence[Asked], delivered: Mapping[tuple[str, str], int], answers: Gap
) -> list[Pack]:
    """Return the steps that reached anybody, the most confusing first; too few to tell last."""
    after: dict[tuple[str, str], list[Asked]] = {place: [] for place in delivered}
    for one in asked:
        if one.reason is not Reason.OUTSIDE:
            after.setdefault((one.script, one.step), []).append(one)
    packs = [
        Pack(script, step, delivered.get((script, step), 0), len(those), _top(those, answers))
        for (script, step), those in after.items()
    ]
    return sorted(packs, key=_order)


def _order(pack: Pack) -> tuple[float, int, str]:
    return (1.0 if pack.rate is None else -pack.rate, -pack.asked, pack.step)


def _top(asked: Sequence[Asked], answers: Gap) -> tuple[Ask, ...]:
    """Return what is asked most: questions of one proposal are one."""
    by_meaning: dict[str, list[Asked]] = {}
    for one in asked:
        meaning = f"#{one.proposal}" if one.proposal else same_words(one.text)
        by_meaning.setdefault(meaning, []).append(one)
    most = sorted(by_meaning.values(), key=lambda those: -len(those))[:_TOP]
    found = []
    for those in most:
        text = Counter(one.text for one in those).most_common(1)[0][0]
        proposal = those[0].proposal
        answer = answers.get(proposal, "") if proposal else _answer(those)
        found.append(Ask(text, len(those), answer, None if answer else proposal))
    return tuple(found)


def _answer(asked: Sequence[Asked]) -> str:
    """Return what was found for questions that are known by now."""
    return next((one.found for one in asked if one.state == "known" and one.found), "")
