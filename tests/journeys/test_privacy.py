"""A customer asks to see what is kept about him, and to have it erased, beside a bot that runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.storage.tables import events, turns
from tests.journeys.test_people_commands import shell as shell
from tests.journeys.town import Life

QUESTION = "大额存单到期了怎么办"


async def kept(life: Life, customer: str) -> dict[str, list[dict[str, Any]]]:
    async with life.demo.bot.database.read() as tx:
        return await tx.erasing.rows(customer)


async def test_what_is_kept_is_handed_over_and_that_is_recorded(
    life: Life, shell: Any, tmp_path: Path
) -> None:
    who = life.visitor
    await life.asks(QUESTION)
    file = tmp_path / "资料.txt"
    done = await shell("customers", "export", who, "--out", str(file), "--by", "li.min")
    assert (done.exit_code, file.stat().st_mode & 0o077) == (0, 0)
    assert "【说过的话】" in file.read_text(encoding="utf-8")
    assert QUESTION in file.read_text(encoding="utf-8")
    plain = json.loads((await shell("customers", "export", who, "--json")).output)
    assert QUESTION in [row["text"] for row in plain["kept"]["turns"]]
    shown = [row for row in plain["kept"]["ledger"] if row["kind"] == "customer_exported"]
    assert [row["facts"]["by"] for row in shown] == ["li.min"]


async def test_erasing_asks_first_and_then_leaves_the_bare_rest(life: Life, shell: Any) -> None:
    who = life.visitor
    await life.asks(QUESTION)
    asked = await shell("customers", "erase", who, "--by", "li.min")
    assert "说过的话" in asked.output
    assert "没有动" in asked.output
    assert "turns" in await kept(life, who)
    done = await shell("customers", "erase", who, "--by", "li.min", "--yes")
    assert (done.exit_code, "删好了" in done.output) == (0, True)
    rest = await kept(life, who)
    assert not {"turns", "outbox", "drafts", "asks", "follows", "lead_signals"} & rest.keys()
    assert QUESTION not in str(rest)
    (bare,) = rest["customers"]
    assert (bare["name"], bare["opted_out_at"] is None) == ("", False)
    assert [row["kind"] for row in rest["ledger"]][-1] == "customer_erased"
    life.new()
    assert await life.settle() >= 0
    assert life.answers() == []  # nothing is said twice
    assert len(await life.asks(QUESTION)) == 1


async def test_erasing_while_an_answer_is_thought_of_neither_fails_nor_sends_twice(
    life: Life,
) -> None:
    who, database = life.visitor, life.demo.bot.database
    life.new()
    life.world.kf.customer_sends(life.account, who, "text", {"content": QUESTION})
    working = asyncio.create_task(life.settle())
    async with asyncio.timeout(10):
        while True:
            async with database.read() as tx:
                his = select(events.c.id).where(events.c.lane == f"kf:{who}")
                if (await tx.connection.execute(his)).first() is not None:
                    break
            await asyncio.sleep(0)
    async with database.begin() as tx:
        await tx.erasing.erase(who, life.world.now())
    await working
    await life.settle()
    assert len(life.answers()) <= 1
    async with database.read() as tx:
        said = select(turns.c.id).where(turns.c.subject == who)
        assert (await tx.connection.execute(said)).all() == []
    assert len(await life.asks(QUESTION)) == 1


async def test_who_is_in_danger_or_complains_is_not_erased(life: Life, shell: Any) -> None:
    await life.asks("我被骗了，钱已经转走了")
    refused = await shell("customers", "erase", life.visitor, "--by", "li.min", "--yes")
    assert refused.exit_code == 1
    assert "红线" in str(refused.exception)
    assert "turns" in await kept(life, life.visitor)


@pytest.mark.parametrize("command", [["export"], ["erase", "--by", "li.min", "--yes"]])
async def test_an_unknown_id_is_said(shell: Any, command: list[str]) -> None:
    done = await shell("customers", *command, "wmNobody")
    assert done.exit_code == 1
    assert "没有客户" in str(done.exception)
