"""Fit the weights on sets of questions: the order of candidates, and when to decline.

The texts stay where they are: only numbers are written. Sets whose questions all have an answer
teach the order. Those, with half of the answers taken out by lot, and the sets that have
questions without an answer, teach when to decline.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

import numpy as np

from bot.domain.knowledge import Document, DocumentKind, Viewer
from bot.knowledge.abstain import Abstention, Ranking, Weights
from bot.knowledge.candidates import READ_AGAIN
from bot.knowledge.evidence import Evidence, evidence
from bot.knowledge.fitting import Lists, fit_order, fit_yes, named
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.questions import AT, Asked, QuestionSet
from bot.knowledge.search import KnowledgeSearch, Weighed

NewIndex = Callable[[], KnowledgeIndex]
# The everyday questions decide from which probability on it answers; the near misses do not.
FAR, NEAR = "abstain", "abstain_near"
# Of the far set so many of the answerable may be declined, and others answered; the threshold
# stands in the middle between.
_DECLINED, _ANSWERED = 0.025, 0.005
# Who is careful declines so many of the answerable of the near set.
_DECLINED_NEAR = 0.1

_ORDER = [
    *("fused", "z_dense", "z_lexical", "gap_dense", "gap_lexical", "crowding"),
    *("fits", "coverage", "reverse", "dice", "lcs_question", "lcs_text", "length"),
]
_ORDER_SECOND = ["z_second", "gap_second"]
_YES = [
    *("dense", "dense_lead", "dense_rise", "lexical", "lexical_lead", "agreement"),
    *("rank", "rank_lead", "rank_share", "doubt"),
    *("coverage", "missing", "coverage_anywhere", "missing_anywhere"),
    *("singles", "lcs_question", "run", "dice", "reverse"),
]
_YES_SECOND = ["second", "second_lead", "second_rise"]
# These mean something else with every model that makes the vectors.
_SCALED = {"gap_dense", "dense", "dense_lead", "dense_rise"}
_FUSED = 2.0
_ORDER_RIDGE = 0.05
_YES_RIDGE = 2e-3
_ROUNDS_OF = 1000
# What is rarer than this is taken for an accident, and not for what the weights know.
_RARELY_LESS = 1e-3
_LOOK = Weights(
    ranking=Ranking(weights={"fused": 1.0}),
    abstention=Abstention(bias=0.0, weights={}, threshold=0.5, careful=0.5),
)


@dataclass(frozen=True)
class Seen:
    """A question of a set, what its search knew, and which candidates answer it."""

    asked: Asked
    weighed: Weighed
    right: np.ndarray


@dataclass(frozen=True)
class Judged:
    """A question's evidence, and whether it has an answer."""

    asked: Asked
    evidence: Evidence


@dataclass(frozen=True)
class Material:
    """All that was seen of some models: sets that teach the order, and sets that teach declining.

    ``shares`` tells how much each of the latter counts.
    """

    order: Mapping[str, Sequence[Seen]]
    yes: Mapping[str, Sequence[Seen]]
    shares: Mapping[str, float]


async def gather_material(
    sets: Mapping[str, QuestionSet], new_index: NewIndex, tell: Callable[[str], None]
) -> Material:
    """Ask every question of every set, and of its halves, and keep what was seen."""
    order: dict[str, Sequence[Seen]] = {}
    yes: dict[str, Sequence[Seen]] = {}
    shares: dict[str, float] = {}
    for name, one in sets.items():
        tell(name)
        ways = _ways(name, one)
        declines = any(not asked.relevant for asked in one.asked)
        for way, made in ways.items():
            if declines:
                yes[way] = await _seen(made, new_index())
                shares[way] = 1.0 / len(ways)
                continue
            order[way] = await _seen(made, new_index())
            rounds = max(1, round(_ROUNDS_OF / len(made.asked)))
            for number in range(rounds):
                half = f"{way} ½{number + 1}"
                yes[half] = await _seen(_halved(made, number), new_index())
                shares[half] = 0.5 / len(ways) / rounds
    return Material(order, yes, shares)


def _ways(name: str, one: QuestionSet) -> dict[str, QuestionSet]:
    """Return a set as it is, and where it has Q&As, with these as plain text, too."""
    flat = tuple(map(_flat, one.documents))
    if flat == one.documents:
        return {name: one}
    return {name: one, f"{name} -": one._replace(documents=flat)}


def _flat(document: Document) -> Document:
    if document.kind is not DocumentKind.QA:
        return document
    return document.model_copy(update={"kind": DocumentKind.NOTICE, "questions": ()})


def _halved(one: QuestionSet, number: int) -> QuestionSet:
    """Take out half of the documents that answer, so that their questions have no answer."""
    answers = sorted({key for asked in one.asked for key in asked.relevant})
    chance = np.random.default_rng(number)
    gone = frozenset(chance.choice(answers, len(answers) // 2, replace=False).tolist())
    return QuestionSet(
        tuple(document for document in one.documents if document.id not in gone),
        tuple(Asked(asked.text, asked.relevant - gone) for asked in one.asked),
    )


async def _seen(one: QuestionSet, index: KnowledgeIndex) -> list[Seen]:
    await index.publish(one.documents)
    search = KnowledgeSearch(index, UTC)
    out = []
    for asked in one.asked:
        weighed = await search.weigh(asked.text, Viewer("staff"), AT, _LOOK)
        if weighed is not None:
            right = np.array([key in asked.relevant for key in weighed.document_ids])
            out.append(Seen(asked, weighed, right))
    return out


def fit_all(material: Mapping[str, Material]) -> dict[str, Weights]:
    """Fit each set of models, and those for any other model, alone or with the same second one."""
    fitted = {models: fit([one]) for models, one in material.items()}
    for star in ("*", "*+use-m3"):
        alike = [one for models, one in material.items() if ("+" in models) == ("+" in star)]
        if alike:
            fitted[star] = fit(alike, scaled=False)
    return fitted


def fit(material: Sequence[Material], *, scaled: bool = True) -> Weights:
    """Fit both on all the material together; without ``scaled``, by what every model shares."""
    ranking = fit_ranking([rows for one in material for rows in one.order.values()], scaled=scaled)
    judged = [judge(one, ranking) for one in material]
    parts = [
        (judged[number][name], one.shares[name])
        for number, one in enumerate(material)
        for name in one.yes
    ]
    abstention = fit_abstention(parts, scaled=scaled)
    return Weights(ranking=ranking, abstention=with_thresholds(abstention, judged))


def family_of(name: str) -> str:
    """Return the set's own name, in whichever way it was read, and whichever half it is."""
    return name.split(" ")[0]


def fit_ranking(sets: Sequence[Sequence[Seen]], *, scaled: bool = True) -> Ranking:
    """Fit the order on sets of questions, each weighing the same."""
    names = _names(_ORDER, _ORDER_SECOND, sets[0][0].weighed.seen, scaled=scaled)
    prior = np.array([_FUSED if name == "fused" else 0.0 for name in names])
    weights = fit_order([_lists(rows, names) for rows in sets], prior, _ORDER_RIDGE)
    return Ranking(weights=dict(named(names, weights)))


def fit_abstention(
    parts: Sequence[tuple[Sequence[Judged], float]], *, scaled: bool = True
) -> Abstention:
    """Fit when to answer on sets with their shares; both kinds weigh the same in each set."""
    names = _names(_YES, _YES_SECOND, parts[0][0][0].evidence, scaled=scaled)
    values = np.array([[one.evidence[name] for name in names] for rows, _ in parts for one in rows])
    least, most = np.quantile(values, (_RARELY_LESS, 1 - _RARELY_LESS), axis=0)
    values = np.clip(values, least, most)
    truth = [np.array([bool(one.asked.relevant) for one in rows], dtype=float) for rows, _ in parts]
    shares = [_evened(kind, share) for kind, (_, share) in zip(truth, parts, strict=True)]
    share = np.concatenate(shares)
    weights, bias = fit_yes(values, np.concatenate(truth), share / share.sum(), _YES_RIDGE)
    return Abstention(
        bias=float(f"{bias:.5g}"),
        weights=dict(named(names, weights)),
        bounds=dict(zip(names, zip(_short(least), _short(most), strict=True), strict=True)),
        threshold=0.5,
        careful=0.5,
    )


def _short(values: np.ndarray) -> list[float]:
    return [float(f"{one:.5g}") for one in values]


def with_thresholds(
    abstention: Abstention, judged: Sequence[Mapping[str, Sequence[Judged]]]
) -> Abstention:
    """Set from which probability on it answers: by the far set, and for the careful by the near.

    Where a set is not there, the threshold stays.
    """
    good, bad = _logits(abstention, judged, FAR)
    changed: dict[str, float] = {}
    if len(good) and len(bad):
        middle = np.quantile(good, _DECLINED) + np.quantile(bad, 1 - _ANSWERED)
        changed["threshold"] = _probability(float(middle) / 2)
    good, _ = _logits(abstention, judged, NEAR)
    if len(good):
        near = _probability(float(np.quantile(good, _DECLINED_NEAR)))
        changed["careful"] = max(near, changed.get("threshold", abstention.threshold))
    return abstention.model_copy(update=changed)


def _logits(
    abstention: Abstention, judged: Sequence[Mapping[str, Sequence[Judged]]], name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits of a set's answerable questions and of the others, as it is read."""
    rows = [one for part in judged for one in part.get(name, ())]
    logits = np.array([abstention.logit(one.evidence) for one in rows])
    truth = np.array([bool(one.asked.relevant) for one in rows], dtype=bool)
    return logits[truth], logits[~truth]


def _probability(logit: float) -> float:
    return round(1 / (1 + math.exp(-logit)), 4)


def judge(material: Material, ranking: Ranking) -> dict[str, list[Judged]]:
    """Return every question's evidence when candidates stand in this order."""
    return {name: [_judged(one, ranking) for one in rows] for name, rows in material.yes.items()}


def _judged(one: Seen, ranking: Ranking) -> Judged:
    weighed = one.weighed
    scores = ranking.scores(weighed.seen)
    first = int(np.argmax(scores))
    found = evidence(one.asked.text, weighed.shelf, weighed.candidates, weighed.seen, scores, first)
    return Judged(one.asked, found)


def _names(
    names: Sequence[str], second: Sequence[str], there: Mapping[str, object], *, scaled: bool
) -> list[str]:
    wanted = [*names, *(name for name in second if name in there)]
    return [name for name in wanted if scaled or name not in _SCALED]


def _evened(truth: np.ndarray, share: float) -> np.ndarray:
    """Share a set's weight between its two kinds, however many there are of each."""
    yes, no = truth.sum(), (1 - truth).sum()
    if not yes or not no:
        return np.full(len(truth), share / len(truth))
    weights: np.ndarray = np.where(truth == 1, 0.5 * share / yes, 0.5 * share / no)
    return weights


def _lists(rows: Sequence[Seen], names: Sequence[str]) -> Lists:
    values = np.zeros((len(rows), READ_AGAIN, len(names)))
    right, there = (np.zeros((len(rows), READ_AGAIN), dtype=bool) for _ in range(2))
    for number, row in enumerate(rows):
        count = len(row.right)
        values[number, :count] = np.stack([row.weighed.seen[name] for name in names], axis=-1)
        right[number, :count] = row.right
        there[number, :count] = True
    return Lists(values, right, there)


def written(fitted: Mapping[str, Weights]) -> str:
    """Return ``weights.json`` as it ships: numbers only, no text of the questions."""
    made = "zhilin knowledge fit: questions with an answer, near misses and everyday talk"
    models = {name: fitted[name].model_dump() for name in sorted(fitted)}
    return json.dumps({"made": made, "models": models}, indent=1) + "\n"
