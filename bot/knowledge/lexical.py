"""Words in common: BM25 over single characters and pairs of them."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

_NOT_TEXT = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """Return the text in one width and case, without blanks and punctuation."""
    return _NOT_TEXT.sub("", unicodedata.normalize("NFKC", text).lower())


def grams(text: str) -> list[str]:
    """Return every character and every pair of neighbours: on Chinese they beat cut words."""
    bare = plain(text)
    return [*bare, *(bare[start : start + 2] for start in range(len(bare) - 1))]


class Lexical:
    """Texts that are searched by the characters they share with a question."""

    def __init__(self, texts: Sequence[str]) -> None:
        import bm25s

        cut = [grams(text) or [""] for text in texts]
        self._size = len(cut)
        self._index = bm25s.BM25()
        if cut:
            self._index.index(cut, show_progress=False)
        spread = Counter(gram for one in cut for gram in set(one))
        self._weights = {gram: self._weight(count) for gram, count in spread.items()}
        self._unseen = self._weight(0)

    def _weight(self, count: int) -> float:
        return math.log(1 + (self._size - count + 0.5) / (count + 0.5))

    def scores(self, question: str) -> np.ndarray:
        """Return one BM25 score for each text, in their order."""
        known = [gram for gram in grams(question) if gram in self._weights]
        if not known:
            return np.zeros(self._size, dtype=np.float32)
        found: np.ndarray = self._index.get_scores(known)
        return found

    def ceiling(self, question: str) -> float:
        """Return about what a text would score that is nothing but the question."""
        return sum(self._weights.get(gram, self._unseen) for gram in grams(question))

    def coverage(self, question: str, text: str) -> float:
        """Return which share of the question's pairs the text has, rare pairs weighing more."""
        asked = {gram for gram in grams(question) if len(gram) > 1}
        weights = {gram: self._weights.get(gram, self._unseen) for gram in asked}
        total = sum(weights.values())
        there = set(grams(text))
        shared = sum(weight for gram, weight in weights.items() if gram in there)
        return shared / total if total else 0.0
