"""Fit the weights by which trouble, and what is not hers, is heard.

``python -m tests.rooms.answering.hear_fit`` learns from the phrases in ``said`` and from the
starter's questions. What it writes has no text: only weights by the hash of what is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bot.answering.hearing import (
    NOTHING,
    OUTSIDE,
    TROUBLE,
    WEIGHTS,
    Ear,
    places_in,
    written,
)
from bot.answering.outside import outside
from bot.answering.red_flags import bare, red_flag_by_rule
from bot.knowledge.reader import read_files
from bot.workspace import starter_root
from tests.rooms.answering.phrases import phrases

_PENALTY = 20.0


def of_trouble() -> Iterator[tuple[str, str]]:
    """Give messages with the trouble they tell of; what a rule hears is no example of none."""
    for kind, texts in phrases("red_flags").items():
        yield from ((text, kind) for text in texts)
    harmless = [*_all("no_red_flags"), *_all("not_declined"), *_all("declined"), *_approved()]
    yield from ((text, NOTHING) for text in harmless if red_flag_by_rule(text) is None)


def of_what_is_outside() -> Iterator[tuple[str, str]]:
    """Give messages with the kind of question they are."""
    for name in ("declined", "declined_otherwise"):
        for kind, texts in phrases(name).items():
            yield from ((text, kind) for text in texts)
    for text in (*_all("no_red_flags"), *_all("not_declined"), *_approved()):
        yield text, str(outside(text) or NOTHING)


def _all(name: str) -> Iterator[str]:
    for texts in phrases(name).values():
        yield from texts


def _approved() -> Iterator[str]:
    knowledge, _ = read_files(starter_root() / "knowledge")
    for document in knowledge.documents:
        yield from document.questions


def fit(examples: Iterator[tuple[str, str]]) -> Ear:
    """Return what was learnt."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    told = [(bare(text).replace("\n", ""), kind) for text, kind in examples]
    looked_at = [places_in(text) for text, _ in told]
    rows = np.repeat(np.arange(len(told)), [len(places) for places in looked_at])
    values = np.concatenate([np.full(len(one), len(one) ** -0.5) for one in looked_at])
    matrix = csr_matrix((values, (rows, np.concatenate(looked_at))), shape=(len(told), WEIGHTS))
    model = LogisticRegression(C=_PENALTY, max_iter=3000, class_weight="balanced")
    model.fit(matrix, [kind for _, kind in told])
    return Ear(tuple(map(str, model.classes_)), model.coef_, model.intercept_)


if __name__ == "__main__":
    written(fit(of_trouble()), TROUBLE)
    written(fit(of_what_is_outside()), OUTSIDE)
