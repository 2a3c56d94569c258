"""Fit the abstention's weights on questions that have an answer and questions that have none.

A set is a folder's ``NAME.corpus.jsonl`` and ``NAME.queries.jsonl`` with lines ``{"id","text"}``
and ``{"id","text","relevant":[id, …]}``; an empty list means that the right act is to decline.
The texts stay where they are: only the weights are written.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from bot.domain.knowledge import Approval, Audience, Document, DocumentKind, Section
from bot.knowledge.abstain import Abstention, Evidence
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.search import KnowledgeSearch
from bot.ports import Embedder, VectorStore

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_RIDGE = 1.0
_ASKED = re.compile(r"^(.{4,60}?[?？])\s*(.+)$")

DECLINED = 0.03
_FAR, _NEAR = "abstain", "abstain_near"

# These keep their meaning whatever model made the vectors.
SCALE_FREE = ("lexical", "lexical_lead", "agreement", "coverage")


Query = tuple[str, frozenset[str]]


@dataclass(frozen=True)
class Example:
    """A question's evidence, and whether the first document found answers it."""

    evidence: Evidence
    answerable: bool
    found: bool


def read_documents(path: Path, *, as_qa: bool) -> list[Document]:
    """Read a corpus; ``as_qa`` takes each line of a question and its answer apart, as Q&As are."""
    documents = []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        questions = _questions(row["text"]) if as_qa else ()
        documents.append(
            Document(
                id=str(row["id"]),
                title="",
                kind=DocumentKind.QA if questions else DocumentKind.NOTICE,
                file=path.name,
                line=0,
                audience=Audience.GROUP,
                valid_from=date(2000, 1, 1),
                valid_to=date(2100, 1, 1),
                approval=Approval(content_id="-", approver="-", approved_on=date(2000, 1, 1)),
                questions=questions,
                sections=(Section(title="", text=row["text"]),),
            )
        )
    return documents


def _questions(text: str) -> tuple[str, ...]:
    found = [match[1] for line in text.splitlines() if (match := _ASKED.match(line))]
    return tuple(dict.fromkeys(found))


def read_queries(path: Path) -> list[Query]:
    """Read a set's questions."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [(row["text"], frozenset(str(one) for one in row["relevant"])) for row in rows]


async def examples(
    embedder: Embedder,
    store: VectorStore,
    documents: Sequence[Document],
    queries: Sequence[Query],
) -> list[Example]:
    """Ask every question of a set and note what was found."""
    index = KnowledgeIndex(embedder, store)
    await index.publish(documents)
    search = KnowledgeSearch(index, UTC)
    out = []
    for text, relevant in queries:
        found, evidence = await search.weigh(text, "staff", _NOW)
        if evidence is not None:
            out.append(Example(evidence, bool(relevant), found[0].document.id in relevant))
    return out


def fit(data: Sequence[Example], names: Iterable[str] = Evidence._fields) -> Abstention:
    """Fit a ridge logistic by Newton's steps; the threshold is one half until it is chosen."""
    columns = tuple(names)
    values, truth = _matrix(data, columns), np.array([one.answerable for one in data], dtype=float)
    mean, spread = values.mean(axis=0), values.std(axis=0)
    spread[spread < 1e-9] = 1.0
    scaled = np.hstack([(values - mean) / spread, np.ones((len(data), 1))])
    # Both answers weigh the same, however many there are of each.
    share = np.where(truth == 1, 0.5 / truth.sum(), 0.5 / (1 - truth).sum()) * len(data)
    ridge = np.diag([_RIDGE] * len(columns) + [1e-6])
    weights = np.zeros(len(columns) + 1)
    for _ in range(50):
        guess = 1 / (1 + np.exp(-scaled @ weights))
        slope = scaled.T @ (share * (guess - truth)) + ridge @ weights
        bend = (scaled * (share * guess * (1 - guess))[:, None]).T @ scaled + ridge
        weights -= np.linalg.solve(bend, slope)
    plain = weights[:-1] / spread
    return Abstention(
        bias=round(float(weights[-1] - plain @ mean), 4),
        weights={name: round(float(w), 4) for name, w in zip(columns, plain, strict=True)},
        threshold=0.5,
    )


def read_sets(folder: Path) -> dict[str, tuple[list[Document], list[Query]]]:
    """Read the far set (everyday questions) and the near one, each as passages and as Q&As."""
    return {
        f"{name}/{'qa' if as_qa else 'plain'}": (
            read_documents(folder / f"{corpus}.corpus.jsonl", as_qa=as_qa),
            read_queries(folder / f"{name}.queries.jsonl"),
        )
        for as_qa in (False, True)
        for name, corpus in ((_FAR, "bankfaq"), (_NEAR, "abstain_near"))
    }


async def calibrate(
    folder: Path, embedders: Sequence[Embedder], new_store: Callable[[int], VectorStore]
) -> tuple[dict[str, Abstention], dict[str, dict[str, dict[str, float]]]]:
    """Fit each embedder's weights, and under "*" those for any other; with rates by set.

    The rates are cross-validated, so they hold for questions that were not fitted on.
    """
    sets = await asyncio.to_thread(read_sets, folder)
    fitted: dict[str, Abstention] = {}
    rates: dict[str, dict[str, dict[str, float]]] = {}
    everything: list[Example] = []
    every_far: list[Example] = []
    for embedder in embedders:
        data = {
            name: await examples(embedder, new_store(embedder.dimensions), documents, queries)
            for name, (documents, queries) in sets.items()
        }
        far = [one for name, part in data.items() if name.startswith(_FAR + "/") for one in part]
        both = [one for part in data.values() for one in part]
        fitted[embedder.name] = choose_threshold(fit(both), far)
        threshold = fitted[embedder.name].threshold
        rates[embedder.name] = cross_validated(data, Evidence._fields, threshold)
        everything += both
        every_far += far
    fitted["*"] = choose_threshold(fit(everything, SCALE_FREE), every_far)
    return fitted, rates


def write_weights(fitted: Mapping[str, Abstention]) -> str:
    """Return ``weights.json`` as it ships: numbers only, no text of the questions."""
    made = "bot.knowledge.calibrate: questions with an answer, near misses and everyday talk"
    models = {name: one.model_dump() for name, one in fitted.items()}
    return json.dumps({"made": made, "models": models}, indent=1) + "\n"


def choose_threshold(abstention: Abstention, data: Sequence[Example]) -> Abstention:
    """Put the threshold where three of a hundred answerable questions of a set are declined."""
    scores = [abstention.probability(one.evidence) for one in data if one.answerable]
    threshold = round(float(np.quantile(scores, DECLINED)), 2)
    return abstention.model_copy(update={"threshold": threshold})


def _matrix(data: Sequence[Example], columns: Sequence[str]) -> np.ndarray:
    return np.array([[one.evidence._asdict()[name] for name in columns] for one in data])


def cross_validated(
    sets: Mapping[str, Sequence[Example]], names: Iterable[str], threshold: float, parts: int = 5
) -> dict[str, dict[str, float]]:
    """Fit on four fifths of every set and report on the fifth that was left out, set by set."""
    columns = tuple(names)
    left_out: dict[str, list[tuple[Example, float]]] = {name: [] for name in sets}
    for part in range(parts):
        train = [one for data in sets.values() for n, one in enumerate(data) if n % parts != part]
        fitted = fit(train, columns)
        for name, data in sets.items():
            left_out[name] += [
                (one, fitted.probability(one.evidence))
                for n, one in enumerate(data)
                if n % parts == part
            ]
    return {name: _rates(pairs, threshold) for name, pairs in left_out.items()}


def _rates(pairs: Sequence[tuple[Example, float]], threshold: float) -> dict[str, float]:
    good = np.array([score for one, score in pairs if one.answerable])
    bad = np.array([score for one, score in pairs if not one.answerable])
    wins = (good[:, None] > bad[None, :]).mean() + 0.5 * (good[:, None] == bad[None, :]).mean()
    return {
        "abstention_auroc": round(float(wins), 3),
        "leak_at_decline_20": round(float((bad >= np.quantile(good, 0.2)).mean()), 3),
        "answered_unanswerable": round(float((bad >= threshold).mean()), 3),
        "declined_answerable": round(float((good < threshold).mean()), 3),
    }
