"""BM25 over characters and pairs of them, in a few flat arrays.

A library that keeps every pair as a Python string took 3.2 GB and half a minute to build for
100,000 passages; this takes .9 GB and three seconds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np

_K1, _B = 1.5, 0.75
# A character has 21 bits; a term is a pair of them, or nothing and one. A place has the rest.
_CHARACTER, _PLACE = 21, 22
_NOWHERE = slice(0, 0)


class Postings:
    """In which texts each character and each pair of neighbours stands, and what that is worth.

    Texts are given plain, by their places; there may be four million of them.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        terms, self._places, often = _counted(texts)
        firsts = np.flatnonzero(np.diff(terms, prepend=np.uint64(0)))
        self._terms = terms[firsts]
        self._starts = np.append(firsts, len(terms))
        lengths = np.array([max(2 * len(text) - 1, 1) for text in texts], dtype=np.float32)
        mean = float(lengths.mean()) if len(texts) else 1.0
        rarity = self._rarities(np.diff(self._starts))
        room = (_K1 * (1 - _B + _B * lengths / mean)).astype(np.float32)
        self._worth = often / (often + room[self._places])
        self._worth *= np.repeat(rarity, np.diff(self._starts))

    def _rarities(self, counts: np.ndarray) -> np.ndarray:
        rarities: np.ndarray = np.log1p((self._size - counts + 0.5) / (counts + 0.5))
        return rarities.astype(np.float32)

    def scores(self, grams: Iterable[str]) -> np.ndarray:
        """Return one BM25 score for each text, in their order."""
        scores = np.zeros(self._size, dtype=np.float32)
        for gram, times in Counter(grams).items():
            found = self._found(gram)
            scores[self._places[found]] += self._worth[found] * times
        return scores

    def rarity(self, gram: str) -> float:
        """Return how much a character or a pair says: the fewer texts have it, the more."""
        found = self._found(gram)
        count = found.stop - found.start
        return math.log1p((self._size - count + 0.5) / (count + 0.5))

    def rarity_of_pairs(self, pairs: Collection[str]) -> float:
        """Return what these pairs say together."""
        letters = np.frombuffer("".join(pairs).encode("utf-32-le"), dtype=np.uint32)
        two = letters.astype(np.uint64).reshape(-1, 2)
        terms = two[:, 0] << np.uint64(_CHARACTER) | two[:, 1]
        places = np.searchsorted(self._terms, terms)
        there = places < len(self._terms)
        there[there] = self._terms[places[there]] == terms[there]
        counts = np.zeros(len(terms))
        counts[there] = self._starts[places[there] + 1] - self._starts[places[there]]
        return float(np.log1p((self._size - counts + 0.5) / (counts + 0.5)).sum())

    def _found(self, gram: str) -> slice:
        term = _term(gram)
        place = int(np.searchsorted(self._terms, term))
        if place == len(self._terms) or self._terms[place] != term:
            return _NOWHERE
        return slice(int(self._starts[place]), int(self._starts[place + 1]))


def _term(gram: str) -> np.uint64:
    number = 0
    for character in gram:
        number = number << _CHARACTER | ord(character)
    return np.uint64(number)


def _counted(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each term of each text, in the order of terms: its text, and how often it is there."""
    letters = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    places = np.repeat(np.arange(len(texts), dtype=np.uint64), [len(text) for text in texts])
    together = places[1:] == places[:-1]
    keys = np.concatenate(
        [
            letters << np.uint64(_PLACE) | places,
            ((letters[:-1] << np.uint64(_CHARACTER) | letters[1:]) << np.uint64(_PLACE))[together]
            | places[:-1][together],
        ]
    )
    del letters, places, together
    keys.sort()
    firsts = np.flatnonzero(np.diff(keys, prepend=np.uint64(0)))
    often = np.diff(np.append(firsts, len(keys))).astype(np.float32)
    keys = keys[firsts]
    return (
        keys >> np.uint64(_PLACE),
        (keys & np.uint64((1 << _PLACE) - 1)).astype(np.int32),
        often,
    )
