"""``zhilin work drafts`` says what became of the drafts, as numbers one can count again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.clock import SystemClock
from bot.domain.draft import Asker
from bot.storage.db import Database

ENDS = ("sent", "edited", "dropped", "otherwise", "expired", "waiting")


async def fill(url: str) -> None:
    """Put one draft of each end before one person, of another person one that waits."""
    database = await Database.open(url, durable=False)
    now = SystemClock().now()
    async with database.begin() as tx:
        for number, state in enumerate((*ENDS, "waiting")):
            draft = await tx.drafts.add(
                key=str(number),
                chat="wrA",
                owner="li.min" if number < len(ENDS) else "nobody.known",
                asker=Asker(id="wm1", name="王阿姨"),
                question="几点开门",
                text="九点",
                citations=(),
                now=now,
            )
            assert draft is not None
            if state != "waiting":
                reason = "wrong" if state == "dropped" else ""
                await tx.drafts.settle(draft.id, state, now, reason=reason)  # type: ignore[arg-type]
    await database.close()


@pytest.fixture
async def filled(bank_folder: Path) -> Path:
    await fill(f"sqlite:///{bank_folder / 'data' / 'zhilin.db'}")
    return bank_folder


def test_each_person_has_a_line_and_the_bank_the_sum(filled: Path) -> None:
    told = CliRunner().invoke(cli, ["work", "drafts", "-C", str(filled)])
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert lines[1].split() == ["李敏", *["6"], *["1"] * 6, "2/5（40%）"]
    assert lines[2].split() == ["nobody.known", "1", *["0"] * 5, "1", "—"]
    assert lines[3].split() == ["全行", "7", *["1"] * 5, "2", "2/5（40%）"]
    assert lines[4] == "没用的原因：答得不对 1"
    found = json.loads(
        CliRunner().invoke(cli, ["work", "drafts", "-C", str(filled), "--json"]).output
    )
    assert (found["used"], found["over"], found["adopted"]) == (2, 5, 0.4)
    assert found["owners"]["li.min"]["edited"] == 1
    assert found["dropped_for"] == {"wrong": 1}
