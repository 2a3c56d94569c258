"""What the weights are worth on questions, and on whole sets, that they were not fitted on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bot.domain.ids import digest
from bot.knowledge.abstain import Abstention, Ranking
from bot.knowledge.calibrate import (
    Judged,
    Material,
    Seen,
    family_of,
    fit_abstention,
    fit_ranking,
    judge,
    with_thresholds,
)
from bot.knowledge.fitting import auroc, interval

_PARTS = 5
_LOOKED_AT = 10


def rates(material: Material) -> dict[str, Any]:
    """Return figures by set: of a fifth of its questions left out, and of the whole set left out.

    A question goes to the same fifth in whichever set it stands. Ways and halves of a set are
    left out with it.
    """
    return {"order": _order_rates(material), "decline": _decline_rates(material)}


def _order_rates(material: Material) -> dict[str, Any]:
    sets = material.order
    by_part = [
        fit_ranking([_others(rows, part) for rows in sets.values()]) for part in range(_PARTS)
    ]
    out = {}
    for name, rows in sets.items():
        strangers = [other for key, other in sets.items() if family_of(key) != family_of(name)]
        out[name] = {
            "fused": _found(rows, _always(Ranking(weights={"fused": 1.0}))),
            "questions_left_out": _found(rows, lambda one: by_part[_part(one)]),
        }
        if strangers:
            out[name]["set_left_out"] = _found(rows, _always(fit_ranking(strangers)))
    return out


def _always(ranking: Ranking) -> Callable[[Seen], Ranking]:
    return lambda _: ranking


def _found(rows: Sequence[Seen], ranking_for: Callable[[Seen], Ranking]) -> dict[str, float]:
    places = [_place(one, ranking_for(one)) for one in rows]
    return {
        "r@1": round(float(np.mean([place == 1 for place in places])), 4),
        "mrr@10": round(float(np.mean([1 / place if place else 0.0 for place in places])), 4),
    }


def _place(one: Seen, ranking: Ranking) -> int | None:
    """Return the place of the first right document, counted from 1; None beyond the tenth."""
    order = np.argsort(-ranking.scores(one.weighed.seen), kind="stable")
    ids = one.weighed.document_ids
    best = list(dict.fromkeys(ids[place] for place in order))[:_LOOKED_AT]
    return next((n for n, key in enumerate(best, 1) if key in one.asked.relevant), None)


def _decline_rates(material: Material) -> dict[str, Any]:
    judged = judge(material, fit_ranking(list(material.order.values())))
    by_part = [_fitted(material, judged, part) for part in range(_PARTS)]
    return {
        name: _declined(rows, by_part) for name, rows in judged.items() if name in _given(material)
    }


def _given(material: Material) -> set[str]:
    """Return the sets that were given with questions that have no answer, not made so."""
    return {name for name in material.yes if "½" not in name}


def _fitted(material: Material, judged: Mapping[str, Sequence[Judged]], part: int) -> Abstention:
    left = {name: [one for one in rows if _part(one) != part] for name, rows in judged.items()}
    fitted = fit_abstention([(rows, material.shares[name]) for name, rows in left.items()])
    return with_thresholds(fitted, [left])


def _declined(rows: Sequence[Judged], by_part: Sequence[Abstention]) -> dict[str, Any]:
    """Return the rates of a set, each question judged by those who did not see it."""
    judges = [by_part[_part(one)] for one in rows]
    logits = np.array([one.logit(row.evidence) for one, row in zip(judges, rows, strict=True)])
    answered, careful = (
        np.array(
            [
                one.says_yes(row.evidence, careful=care)
                for one, row in zip(judges, rows, strict=True)
            ]
        )
        for care in (False, True)
    )
    truth = np.array([bool(row.asked.relevant) for row in rows])
    good, bad = logits[truth], logits[~truth]
    low, high = interval(good, bad)
    return {
        "abstention_auroc": round(auroc(good, bad), 4),
        "abstention_auroc_95": [round(low, 4), round(high, 4)],
        "leak_at_decline_20": round(float((bad >= np.quantile(good, 0.2)).mean()), 4),
        "answered_unanswerable": round(float(answered[~truth].mean()), 4),
        "declined_answerable": round(float((~answered[truth]).mean()), 4),
        "careful_answered_unanswerable": round(float(careful[~truth].mean()), 4),
        "careful_declined_answerable": round(float((~careful[truth]).mean()), 4),
    }


def _others(rows: Sequence[Seen], part: int) -> list[Seen]:
    return [one for one in rows if _part(one) != part]


def _part(one: Seen | Judged) -> int:
    return int(digest(one.asked.text)[:8], 16) % _PARTS
