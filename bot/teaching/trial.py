"""Whether knowledge with a new entry is as good as without it: what was tried, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

LEAST_ANSWERED = 0.9
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Tried:
    """How many of some questions came out right, and those that did not."""

    total: int
    wrong: tuple[str, ...] = ()

    @property
    def right(self) -> int:
        """Count those that came out right."""
        return self.total - len(self.wrong)

    @property
    def share(self) -> float:
        """Return the share that came out right; 1 where nothing was tried."""
        return self.right / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What a new entry does: to its own questions, to those of others, to what has no answer.

    ``golden`` are wordings of other entries, right where each still finds its own; ``lost`` those
    of them that found it before. ``own`` are all that was asked, each as often as it was asked;
    ``held_out`` those in words that the entry does not have. ``negatives`` have to stay without
    an answer of the new entry's.
    """

    golden: Tried
    lost: tuple[str, ...]
    own: Tried
    held_out: Tried
    negatives: Tried

    @property
    def passed(self) -> bool:
        """Tell whether the entry may be published."""
        return not self.objections()

    def objections(self) -> list[str]:
        """Say why it may not be published, each with what to do; empty where it may."""
        found = []
        if self.lost:
            found.append(f"{len(self.lost)} 句原来答得对的，会找错地方：{_some(self.lost)}")
        for name, tried in (("客户问过的", self.own), ("没写进「问」的说法", self.held_out)):
            if tried.share < LEAST_ANSWERED:
                found.append(
                    f"{name}只答上 {tried.right}/{tried.total}(要 {LEAST_ANSWERED:.0%})，"
                    f"答不上：{_some(tried.wrong)}"
                )
        if self.negatives.wrong:
            wrong = self.negatives.wrong
            found.append(f"{len(wrong)} 句不该答的会被它答了：{_some(wrong)}")
        return found

    def figures(self) -> Mapping[str, Tried]:
        """Return what was tried, by its name."""
        return {
            "别的问答照旧找得到": self.golden,
            "客户问过的答得上": self.own,
            "没写进「问」的说法答得上": self.held_out,
            "不该答的没有答": self.negatives,
        }


def tried(outcomes: Iterable[tuple[str, bool]]) -> Tried:
    """Count questions with whether each came out right."""
    every = list(outcomes)
    return Tried(len(every), tuple(text for text, right in every if not right))


def _some(texts: Sequence[str]) -> str:
    shown = "、".join(f"「{one}」" for one in texts[:_SHOWN])
    return shown + ("……" if len(texts) > _SHOWN else "")
