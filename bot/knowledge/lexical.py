"""Words in common: BM25 over single characters and pairs of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache

import numpy as np

from bot.hanzi import simplified
from bot.knowledge.postings import Postings

# About ten megabytes: what customers' questions come near to again and again.
_READ_LATELY = 20_000
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
        self.read = lru_cache(maxsize=_READ_LATELY)(self._read)
        """Return a text plain, as far as it is compared, and what its pairs say together."""

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

    def _read(self, text: str, longest: int) -> tuple[str, float]:
        bare = plain(text)[:longest]
        return bare, self.rarity_of_pairs(pairs(bare))


def pairs(text: str) -> set[str]:
    """Return every pair of neighbours in a plain text."""
    return {text[start : start + 2] for start in range(len(text) - 1)}
