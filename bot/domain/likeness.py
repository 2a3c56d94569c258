"""What a sentence is like: the wrong ones or the right ones among examples that people judged."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain

_NOT_A_WORD = re.compile(r"[^\w%]|_")
_FIGURE = re.compile(r"\d[\d.]*")
_FOREIGN = re.compile(r"[A-Za-z]{4,}")  # the letters of a word that no example has tell nothing
_LONGEST_PIECE = 3
_SMOOTHING = 0.3
_MOST = 3.0  # no single piece decides
_SHORTEST = 5  # characters of which something can be said


class Likeness:
    """Weighs the pieces of a sentence, up to three characters each, by where examples have them.

    Each piece counts by how much oftener the wrong examples have it than the right ones (naive
    Bayes), so that every verdict can be traced to the examples it comes from.
    """

    def __init__(self, wrong: Sequence[str], right: Sequence[str]) -> None:
        self._in_wrong = Counter(chain.from_iterable(map(_pieces, wrong)))
        self._in_right = Counter(chain.from_iterable(map(_pieces, right)))
        least = 2 * _SMOOTHING
        self._shift = math.log((len(right) + least) / (len(wrong) + least))

    def score(self, sentence: str) -> float:
        """Return how much more a sentence is like the wrong examples; 0 is like neither."""
        pieces = _pieces(sentence)
        if len(_bare(sentence)) < _SHORTEST:
            return 0.0
        return sum(map(self._weight, pieces)) / math.sqrt(len(pieces))

    def telling(self, sentence: str, most: int = 3) -> list[str]:
        """Return the pieces that make a sentence look wrong, the strongest first."""
        pieces = sorted(_pieces(sentence), key=lambda one: (-self._weight(one), one))
        return [one for one in pieces if len(one) > 1 and self._weight(one) > 0][:most]

    def _weight(self, piece: str) -> float:
        """Weigh a piece when it is asked for: most of what examples have never is."""
        wrong, right = self._in_wrong[piece], self._in_right[piece]
        if not wrong and not right:
            return 0.0
        weight = math.log((wrong + _SMOOTHING) / (right + _SMOOTHING)) + self._shift
        return max(-_MOST, min(_MOST, weight))


def _bare(text: str) -> str:
    return _FIGURE.sub("0", _NOT_A_WORD.sub("", _FOREIGN.sub("A", text)))


def _pieces(text: str) -> set[str]:
    bare = _bare(text)
    return {
        bare[at : at + length]
        for length in range(1, _LONGEST_PIECE + 1)
        for at in range(len(bare) - length + 1)
    }
