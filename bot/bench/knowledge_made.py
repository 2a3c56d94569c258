"""Questions and answers made of common characters, with vectors that nobody's model made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Literal

import numpy as np

from bot.ai.cache import VectorCache
from bot.domain.knowledge import Approval, Audience, Document, DocumentKind, Section, passages_of
from bot.hanzi import simplified

# A question and its answer are two passages; with two more wordings a document has four.
_WORDINGS = 3
_A_DOCUMENT = _WORDINGS + 1
_ALPHABET = 3000
_FIRST = 0x4E00
_AT_ONCE = 2000

Kind = Literal["shown", "hidden", "over"]


def made_documents(passages: int) -> Iterator[Document]:
    """Yield documents of about so many passages; each has its own topic, for its own reader."""
    chance = np.random.default_rng(7)
    for number in range(passages // _A_DOCUMENT):
        words = _words(chance, 12 * _WORDINGS + 90)
        questions = tuple(words[start * 12 : start * 12 + 12] for start in range(_WORDINGS))
        yield Document(
            id=f"made-{number}",
            title="压力测试",
            kind=DocumentKind.QA,
            file="knowledge/made.qa.yaml",
            line=number,
            audience=Audience.GROUP,
            valid_from=date(2000, 1, 1),
            valid_to=date(2100, 1, 1),
            approval=Approval(content_id="-", approver="-", approved_on=date(2000, 1, 1)),
            questions=questions,
            sections=(Section(title=questions[0], text=words[12 * _WORDINGS :]),),
        )


def hide(documents: Sequence[Document], every: int) -> list[Document]:
    """Let customers see one in so many only; half of the rest is for staff, half is over."""
    staff = {"audience": Audience.STAFF}
    over = {"valid_to": date(2000, 1, 2)}
    return [
        document
        if number % every == 0
        else document.model_copy(update=staff if number % 2 else over)
        for number, document in enumerate(documents)
    ]


def make_vectors(
    cache: VectorCache,
    models: Sequence[tuple[str, int]],
    documents: Sequence[Document],
    like: Sequence[Document],
) -> None:
    """Put a vector for each passage where those are looked for that were made before.

    They lie about the middle of those of ``like``, which a model made and the cache has: one
    model's vectors are all alike, and what is found among them must stand out as it would.
    """
    texts = list(dict.fromkeys(_read_as(documents)))
    known = _read_as(like)
    for name, dimensions in models:
        chance = np.random.default_rng(dimensions)
        middle = np.mean(list(cache.get(name, known).values()), axis=0)
        aside = np.sqrt(max(0.0, 1.0 - float(middle @ middle)) / dimensions)
        for start in range(0, len(texts), _AT_ONCE):
            part = texts[start : start + _AT_ONCE]
            vectors = middle + aside * chance.normal(size=(len(part), dimensions))
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            cache.put(name, dict(zip(part, vectors.astype(np.float32), strict=True)))


def _words(chance: np.random.Generator, length: int) -> str:
    """Return characters as often as they come in a language: the n-th one time in n."""
    ranks = np.exp(chance.random(length) * np.log(_ALPHABET)).astype(int) - 1
    return "".join(chr(_FIRST + rank) for rank in ranks)


def _read_as(documents: Sequence[Document]) -> list[str]:
    """Return the passages as models are given them."""
    return [simplified(one.text) for document in documents for one in passages_of(document)]
