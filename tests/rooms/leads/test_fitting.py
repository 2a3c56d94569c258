"""A model is learnt from 500 outcomes on, measured on what it did not see, and may be refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bot.domain.lead import Need
from bot.domain.lead_score import FEATURES
from bot.leads.fitting import ECE_MOST, ENOUGH, calibration_error, fit, fitted, use_rules
from bot.storage.db import Database
from bot.storage.lead_models import Outcome
from bot.storage.leads import Opening
from tests.make import NOON, OWNER, signal


def outcomes(count: int, seed: int, *, pull: float = 1.0) -> Iterator[Outcome]:
    """Make up leads of which evidence and a friend help, and many leads harm, by ``pull``."""
    made = np.random.default_rng(seed)
    for number in range(count):
        figures = {name: float(made.normal()) for name in FEATURES}
        figures["evidence"] = float(made.gamma(2, 12))
        figures["friend"] = float(made.random() < 0.7)
        figures["leads_lately"] = float(made.integers(0, 4))
        odds = -1.2 + pull * (
            0.04 * (figures["evidence"] - 24)
            + 0.8 * (figures["friend"] - 0.7)
            - 0.4 * (figures["leads_lately"] - 1.5)
        )
        won = made.random() < 1 / (1 + np.exp(-odds))
        stage = "won" if won else "lost" if made.random() < 0.7 else "invalid"
        yield Outcome(number, Need.WEALTH.value, stage, "", NOON, figures)


def test_too_few_outcomes_teach_nothing() -> None:
    done = fitted(list(outcomes(ENOUGH - 1, 1)))
    assert done.model is None
    assert f"满 {ENOUGH} 条" in done.problem


def test_what_somebody_had_seen_to_is_no_outcome() -> None:
    rows = [one._replace(stage="invalid", reason="done") for one in outcomes(ENOUGH, 1)]
    assert fitted(rows).outcomes == 0


def test_where_all_end_alike_there_is_nothing_to_tell_apart() -> None:
    rows = [one._replace(stage="lost") for one in outcomes(ENOUGH, 1)]
    assert "成交" in fitted(rows).problem


def test_of_enough_outcomes_it_learns_who_buys_and_is_honest_about_its_chances() -> None:
    done = fitted(list(outcomes(1500, 3)))
    assert done.problem == ""
    assert done.model is not None
    assert done.brier is not None
    assert done.brier_usual is not None
    assert done.ece is not None
    assert done.brier < done.brier_usual
    assert done.ece < ECE_MOST
    fresh = list(outcomes(4000, 4))
    chances = np.array([done.model.chance(one.features) for one in fresh])
    truths = np.array([one.stage == "won" for one in fresh], dtype=np.float64)
    assert np.mean((chances - truths) ** 2) < np.mean((truths.mean() - truths) ** 2)
    assert calibration_error(chances, truths, bins=10) < ECE_MOST


def test_no_figure_pulls_the_wrong_way_even_where_outcomes_say_so() -> None:
    done = fitted(list(outcomes(1000, 5, pull=-1.0)))
    assert done.model is not None
    for name, (_, sign) in FEATURES.items():
        assert done.model.weights[name] * sign >= 0
    assert list(done.model.chances) == sorted(done.model.chances)
    assert list(done.model.odds) == sorted(done.model.odds)


def test_where_nothing_can_be_learnt_the_rules_go_on() -> None:
    done = fitted(list(outcomes(800, 6, pull=0.0)))
    assert done.problem != ""
    assert "仍用规则打分" in done.problem


def test_chances_that_come_true_have_no_error_and_boasts_have_all_of_it() -> None:
    truths = np.array([1.0, 0.0] * 50)
    assert calibration_error(np.full(100, 0.5), truths) == pytest.approx(0.0)
    assert calibration_error(np.full(100, 1.0), truths) == pytest.approx(0.5)


@pytest.fixture
async def database(migrated_sqlite: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    file = shutil.copyfile(migrated_sqlite, tmp_path / "zhilin.db")
    opened = await Database.open(f"sqlite:///{file}", durable=False)
    yield opened
    await opened.close()


async def test_a_fit_is_kept_is_used_and_can_be_taken_back(database: Database) -> None:
    async with database.begin() as tx:
        for one in outcomes(900, 3):
            said = signal(Need.WEALTH, customer=f"wm{one.lead}")
            lead, _ = await tx.leads.open(said, Opening(OWNER, features=one.features), NOON)
            await tx.leads.change(lead.id, stage=one.stage, closed_at=NOON)
    dry = await fit(database, NOON, dry=True)
    async with database.read() as tx:
        assert await tx.lead_models.in_use() is None
        assert await tx.ledger.count("lead_model_fitted") == 0
    done = await fit(database, NOON)
    assert (done.outcomes, done.problem, dry.brier) == (900, "", done.brier)
    async with database.read() as tx:
        kept = await tx.lead_models.in_use()
        assert kept is not None
        assert (kept.outcomes, kept.figures["brier"]) == (900, done.brier)
        assert await tx.ledger.count("lead_model_fitted") == 1
    assert await use_rules(database, NOON)
    assert not await use_rules(database, NOON)
    async with database.read() as tx:
        assert await tx.lead_models.in_use() is None
