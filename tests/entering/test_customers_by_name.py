"""``zhilin customers show`` by the name that WeCom shows, which is all that ops have at hand."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.domain.ids import CustomerId
from bot.domain.people import Customer
from bot.storage.db import Database
from tests.entering.test_bank_data import folder as folder
from tests.entering.test_bank_data import zhilin
from tests.planner.conftest import START

NAMES = {"wmA001": "知足常乐", "wmA002": "常青树", "wmA003": "50%的树"}


@pytest.fixture
def known(folder: Path) -> Path:
    async def meet() -> None:
        database = await Database.open(f"sqlite:///{folder}/bank.db")
        async with database.begin() as tx:
            for id, name in NAMES.items():
                await tx.people.put_customer(Customer(id=CustomerId(id), name=name), START)
        await database.close()

    asyncio.run(meet())
    return folder


@pytest.mark.parametrize(("words", "found"), [("知足", "wmA001"), ("%", "wmA003")])
def test_a_part_of_the_name_will_do(known: Path, words: str, found: str) -> None:
    shown = zhilin(known, "customers", "show", words)
    assert shown.exit_code == 0
    assert f"客户 {found}" in shown.output


def test_namesakes_are_listed_to_choose_from(known: Path) -> None:
    several = zhilin(known, "customers", "show", "常")
    assert several.exit_code == 1
    for word in ("不止一位", "wmA001", "知足常乐", "wmA002", "常青树"):
        assert word in several.output
    assert "wmA003" not in several.output


def test_a_name_that_nobody_has_is_said(known: Path) -> None:
    nobody = zhilin(known, "customers", "show", "王阿姨")
    assert nobody.exit_code == 1
    assert "没有客户「王阿姨」" in nobody.output
