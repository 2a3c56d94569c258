"""Words in common: BM25 over single characters and pairs of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

import numpy as np

from bot.hanzi import simplified
from bot.knowledge.postings import Postings

_NOT_TEXT = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """Return the text simplified, in one width and case, without blanks and punctuation."""
    return _NOT_TEXT.sub("", unicodedata.normalize("NFKC", simplified(text)).lower())


def grams(text: str) -> list[str]:
    """Return every character and every pair of neighbours: on Chinese they beat cut words."""
    bare = plain(text)
    return [*bare, *(bare[start : start + 2] for start in range(len(bare) - 1))]


class Lexical:
    """Texts that are searched by the characters they share with a question."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._postings = Postings([plain(text) for text in texts])

    def scores(self, question: str) -> np.ndarray:
        """Return one BM25 score for each text, in their order."""
        return self._postings.scores(grams(question))

    def ceiling(self, question: str) -> float:
        """Return about what a text would score that is nothing but the question."""
        return sum(self.rarity(gram) for gram in grams(question))

    def rarity(self, gram: str) -> float:
        """Return how much a character or a pair says: the fewer texts have it, the more."""
        return self._postings.rarity(gram)

    def rarity_of_pairs(self, pairs: Collection[str]) -> float:
        """Return what these pairs say together, much faster than one by one."""
        return self._postings.rarity_of_pairs(pairs)
