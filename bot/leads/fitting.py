"""Learns from the outcomes of leads: a logistic model whose chances are held against what came.

No figure may pull the wrong way (more evidence never makes a lead worth less), and a model is used
only where it says more than the usual share does and is honest about its chances, both measured on
leads that it was not fitted to.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.domain.lead import SELLING, Need
from bot.domain.lead_model import LeadModel
from bot.domain.lead_score import FEATURES
from bot.domain.lead_words import SAYS_NOTHING
from bot.domain.value import Value
from bot.storage.db import Database
from bot.storage.lead_models import Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Figures = NDArray[np.float64]

ENOUGH = 500
"""Outcomes, below which the rules score."""
ECE_MOST = 0.05
NEEDS: tuple[Need, ...] = tuple(sorted(SELLING - {Need.EVENT}))
_STAGES = ("won", "lost", "invalid")
_FOLDS = 5
_RIDGE = 1.0  # in the loss of all outcomes together: as much as one of them
_BINS = 5
_LEAST_OF_EACH = 25


class Fitted(Value):
    """What a fit came to: ``problem`` is "" where the model scores from now on.

    ``brier`` and ``ece`` are of leads held out, ``brier_usual`` of who always says the usual share.
    """

    outcomes: int
    won: int
    problem: str = ""
    brier: float | None = None
    brier_usual: float | None = None
    ece: float | None = None
    model: LeadModel | None = None


async def fit(database: Database, now: datetime, *, dry: bool = False) -> Fitted:
    """Fit to every outcome there is and keep what came of it; ``dry`` changes nothing.

    A fit that is no good leaves whatever scored before.
    """
    async with database.read() as tx:
        rows = await tx.lead_models.outcomes([need.value for need in NEEDS], _STAGES)
    done = fitted(rows)
    if dry or done.model is None:
        return done
    figures = {"brier": done.brier, "brier_usual": done.brier_usual, "ece": done.ece}
    async with database.begin() as tx:
        await tx.lead_models.put(
            done.model.model_dump(mode="json"),
            {name: value for name, value in figures.items() if value is not None},
            done.outcomes,
            now,
            in_use=not done.problem,
            note=done.problem,
        )
        told = {"outcomes": done.outcomes, "in_use": not done.problem, **figures}
        await tx.ledger.add("lead_model_fitted", "", now, **told)
    return done


async def use_rules(database: Database, now: datetime) -> bool:
    """Let the rules score again; tell whether a model did."""
    async with database.begin() as tx:
        was_in_use = await tx.lead_models.retire()
        if was_in_use:
            await tx.ledger.add("lead_model_retired", "", now)
    return was_in_use


def fitted(outcomes: Sequence[Outcome]) -> Fitted:
    """Fit a model to outcomes and measure it; pure."""
    rows = [one for one in outcomes if one.reason not in SAYS_NOTHING]
    won = sum(one.stage == "won" for one in rows)
    count = len(rows)
    if count < ENOUGH:
        return Fitted(
            outcomes=count, won=won, problem=f"只有 {count} 条结果，满 {ENOUGH} 条才学得准"
        )
    if min(won, count - won) < _LEAST_OF_EACH:
        few = "成交" if won < count - won else "没成"
        return Fitted(
            outcomes=count, won=won, problem=f"「{few}」的不到 {_LEAST_OF_EACH} 条，还学不出差别"
        )
    figures = np.array([[one.features.get(name, 0.0) for name in FEATURES] for one in rows])
    truths = np.array([one.stage == "won" for one in rows], dtype=np.float64)
    guesses = _held_out(figures, truths)
    brier = float(np.mean((guesses - truths) ** 2))
    usual = float(np.mean((truths.mean() - truths) ** 2))
    ece = calibration_error(guesses, truths)
    return Fitted(
        outcomes=count,
        won=won,
        problem=_problem(brier, usual, ece),
        brier=round(brier, 4),
        brier_usual=round(usual, 4),
        ece=round(ece, 4),
        model=_model(figures, truths),
    )


def calibration_error(guesses: Figures, truths: Figures, bins: int = _BINS) -> float:
    """Return how far chances are from what came, over groups of as many leads each (ECE)."""
    order = np.argsort(guesses, kind="stable")
    groups = np.array_split(order, bins)
    gaps = [
        len(group) * abs(guesses[group].mean() - truths[group].mean())
        for group in groups
        if len(group)
    ]
    return float(sum(gaps) / len(guesses))


def _problem(brier: float, usual: float, ece: float) -> str:
    if brier >= usual:
        return "学出来的不比「都按平均算」准，仍用规则打分"
    if ece >= ECE_MOST:
        return f"学出来的把握跟实际差得多（ECE {ece:.3f}，要小于 {ECE_MOST}），仍用规则打分"
    return ""


def _held_out(figures: Figures, truths: Figures) -> Figures:
    """Return for each lead the chance by a model that saw neither it nor its fold."""
    guesses = np.zeros(len(truths))
    folds = np.arange(len(truths)) % _FOLDS  # in the order of time: each fold has every season
    for fold in range(_FOLDS):
        held = folds == fold
        model = _model(figures[~held], truths[~held])
        guesses[held] = [
            model.chance(dict(zip(FEATURES, row, strict=True))) for row in figures[held]
        ]
    return guesses


def _model(figures: Figures, truths: Figures) -> LeadModel:
    """Fit the weights, then the steps from log-odds to chances on log-odds of held-out leads."""
    from sklearn.isotonic import IsotonicRegression

    scales = figures.std(axis=0)
    scales[scales == 0] = 1.0
    scaled = figures / scales
    odds = np.zeros(len(truths))
    folds = np.arange(len(truths)) % _FOLDS
    for fold in range(_FOLDS):
        held = folds == fold
        weights = _weights(scaled[~held], truths[~held])
        odds[held] = scaled[held] @ weights[1:] + weights[0]
    steps = IsotonicRegression(y_min=0.001, y_max=0.999, out_of_bounds="clip").fit(odds, truths)
    weights = _weights(scaled, truths)
    names = tuple(FEATURES)
    return LeadModel(
        needs=NEEDS,
        weights=_named(names, weights[1:]),
        means=_named(names, figures.mean(axis=0)),
        scales=_named(names, scales),
        intercept=float(weights[0]),
        odds=_growing(steps.X_thresholds_),
        chances=tuple(map(float, steps.y_thresholds_)),
        usual=float(np.clip(truths.mean(), 0.001, 0.999)),
    )


def _weights(scaled: Figures, truths: Figures) -> Figures:
    """Return the intercept and the weights of least loss, each held to the side it may pull to."""
    from scipy.optimize import minimize

    rows = np.column_stack([np.ones(len(truths)), scaled])
    sides = [(None, None)] + [_side(sign) for _, sign in FEATURES.values()]
    away = np.array([0.0] + [_RIDGE] * scaled.shape[1])

    def loss(weights: Figures) -> tuple[float, Figures]:
        odds = rows @ weights
        chances = 1 / (1 + np.exp(-np.clip(odds, -60, 60)))
        value = np.sum(np.logaddexp(0, odds) - truths * odds) + np.sum(away * weights**2) / 2
        return float(value), rows.T @ (chances - truths) + away * weights

    found: Any = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", bounds=sides)
    return np.asarray(found.x, dtype=np.float64)


def _side(sign: int) -> tuple[float | None, float | None]:
    return (0.0, None) if sign > 0 else (None, 0.0) if sign < 0 else (None, None)


def _named(names: Sequence[str], values: Figures) -> dict[str, float]:
    return {name: round(float(value), 6) for name, value in zip(names, values, strict=True)}


def _growing(odds: Figures) -> tuple[float, ...]:
    return tuple(map(float, odds))
