"""How far a text has the words of a question: what a rereader of the best candidates counts."""

from __future__ import annotations

import math
from typing import NamedTuple

from bot.knowledge.lexical import Lexical, pairs, plain

# A longer text says nothing more about whether it answers, and takes longer to compare.
_LONGEST = 600
_NEGATIONS = frozenset("不没无未非别")


class Overlap(NamedTuple):
    """What a question and a text have in common, each from 0 to 1 but ``length``.

    ``coverage`` and ``reverse`` are the shares of the question's and of the text's pairs of
    characters that the other has, rare ones weighing more; ``singles`` is coverage by single
    characters; ``lcs_question`` and ``lcs_text`` are the longest common subsequence by either's
    length; ``run`` the longest run of the question that stands in the text; ``missing`` how rare
    the rarest pair is that the text lacks; ``length`` the logarithm of the lengths' ratio.
    """

    coverage: float
    reverse: float
    singles: float
    dice: float
    lcs_question: float
    lcs_text: float
    run: float
    missing: float
    numbers: float
    negation: float
    length: float


class Asked:
    """A question, taken apart once and compared with many texts."""

    def __init__(self, question: str, lexical: Lexical) -> None:
        self.text = plain(question)[:_LONGEST]
        self._lexical = lexical
        self._pairs = pairs(self.text)
        self._singles = set(self.text)
        self._rarity = {gram: lexical.rarity(gram) for gram in self._pairs | self._singles}
        self._places = _places(self.text)
        self._negated = not _NEGATIONS.isdisjoint(self.text)

    def compared(self, text: str) -> Overlap:
        """Return what the question and this text have in common."""
        other, says = self._lexical.read(text, _LONGEST)
        theirs, singles = pairs(other), set(other)
        shared = self._pairs & theirs
        weight = self._weight(shared)
        common = self._common(other)
        rarest = max((self._rarity[gram] for gram in self._pairs), default=0.0)
        lacking = max((self._rarity[gram] for gram in self._pairs - theirs), default=0.0)
        # The answer's own negations come later than the question's.
        start = other[: 3 * len(self.text)]
        return Overlap(
            coverage=_share(weight, self._weight(self._pairs)),
            reverse=_share(weight, says),
            singles=_share(self._weight(self._singles & singles), self._weight(self._singles)),
            dice=_share(2 * len(shared), len(self._pairs) + len(theirs)),
            lcs_question=_share(common, len(self.text)),
            lcs_text=_share(common, len(other)),
            run=_share(self._longest_run(other), len(self.text)),
            missing=_share(lacking, rarest),
            numbers=self._numbers(other),
            negation=float(self._negated == (not _NEGATIONS.isdisjoint(start))),
            length=math.log((len(other) + 1) / (len(self.text) + 1)),
        )

    def _weight(self, grams: set[str]) -> float:
        return sum(self._rarity[gram] for gram in grams)

    def _common(self, other: str) -> int:
        """Return the length of the longest common subsequence, a row of the table at a time.

        The row is the bits of one number (Hyyrö, "Bit-parallel LCS-length computation").
        """
        full = (1 << len(self.text)) - 1
        row = full
        for letter in other:
            there = row & self._places.get(letter, 0)
            row = ((row + there) | (row - there)) & full
        return len(self.text) - row.bit_count()

    def _longest_run(self, other: str) -> int:
        longest = 0
        for start in range(len(self.text)):
            while (
                start + longest < len(self.text) and self.text[start : start + longest + 1] in other
            ):
                longest += 1
        return longest

    def _numbers(self, other: str) -> float:
        """Return which share of the question's numbers and Latin words is there."""
        asked = _marks(self.text)
        return _share(len(asked & _marks(other)), len(asked)) if asked else 1.0


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _places(text: str) -> dict[str, int]:
    places: dict[str, int] = {}
    for number, letter in enumerate(text):
        places[letter] = places.get(letter, 0) | (1 << number)
    return places


def _marks(text: str) -> set[str]:
    """Return the runs of ASCII letters and digits."""
    return set("".join(one if one.isascii() else " " for one in text).split())
