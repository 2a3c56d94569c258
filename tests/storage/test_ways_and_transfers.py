"""Codes that were made and customers on their way to another manager, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.ids import CustomerId, RmId
from bot.domain.ways import WantedWay
from bot.storage.db import Database, Tx
from tests.make import CUSTOMER, NOON, OWNER

OTHER = RmId("wang.haoran")
DAY = timedelta(days=1)


def way(name: str = "大堂", kind: str = "contact", **more: object) -> WantedWay:
    fields = {"kind": kind, "name": name, "state": "hall", "targets": ("a",), "remark": name}
    return WantedWay.model_validate(fields | more)


class TestWays:
    async def test_a_code_is_planned_once_and_again_where_it_changes(
        self, database: Database
    ) -> None:
        async with database.begin() as tx:
            assert await tx.ways.want([way()], NOON) == 1
            assert await tx.ways.want([way()], NOON) == 0
            (made,) = await tx.ways.claim(NOON)
            await tx.ways.finish(made, NOON, due_at=None, status="ready", config_id="c1")
            assert await tx.ways.want([way(targets=("a", "b"))], NOON) == 1
            (changed,) = await tx.ways.claim(NOON)
            assert (changed.config_id, changed.wanted.targets) == ("c1", ("a", "b"))
            assert await tx.ways.want([], NOON) == 1
            assert [one.status for one in await tx.ways.all()] == ["orphan"]
            assert await tx.ways.claim(NOON + DAY) == []

    async def test_a_change_while_it_is_made_is_not_lost(self, database: Database) -> None:
        async with database.begin() as tx:
            await tx.ways.want([way()], NOON)
            (made,) = await tx.ways.claim(NOON)
            await tx.ways.want([way(remark="新")], NOON)
            assert not await tx.ways.finish(made, NOON, due_at=None, status="ready")
            (again,) = await tx.ways.claim(NOON)
            assert again.wanted.remark == "新"

    async def test_only_what_stands_still_is_made_again_by_hand(self, database: Database) -> None:
        async with database.begin() as tx:
            await tx.ways.want([way()], NOON)
            (made,) = await tx.ways.claim(NOON)
            assert await tx.ways.retry("大堂", NOON) == 0
            await tx.ways.finish(made, NOON, due_at=None, status="unknown")
            assert await tx.ways.retry("大堂", NOON) == 1
            assert [one.status for one in await tx.ways.claim(NOON)] == ["planned"]


class TestTransfers:
    async def test_planning_again_goes_on_and_repeats_only_what_failed(
        self, database: Database
    ) -> None:
        async def plan(tx: Tx, *customers: str) -> int:
            return await tx.transfers.plan(
                "customer", customers, OWNER, OTHER, NOON, resigned=False
            )

        async with database.begin() as tx:
            assert await plan(tx, "wm1", "wm2") == 2
            assert await plan(tx, "wm1", "wm2", "wm3") == 1
            one, two, three = await tx.transfers.claim(NOON)
            await tx.transfers.finish(one, NOON, "done")
            await tx.transfers.finish(two, NOON, "refused")
            await tx.transfers.finish(three, NOON, "failed", reason="wecom_40096")
            assert await plan(tx, "wm1", "wm2", "wm3") == 1
            states = [item.state for item in await tx.transfers.listed(OWNER, OTHER)]
            assert states == ["done", "refused", "planned"]

    @pytest.mark.parametrize("manager", [OWNER, OTHER])
    async def test_an_event_of_either_side_ends_it(self, database: Database, manager: RmId) -> None:
        async with database.begin() as tx:
            await tx.transfers.plan("customer", [CUSTOMER], OWNER, OTHER, NOON, resigned=False)
            assert await tx.transfers.is_handed_on(CUSTOMER, OWNER)
            assert not await tx.transfers.is_handed_on(CUSTOMER, OTHER)
            assert await tx.transfers.end(CUSTOMER, manager, "refused", "r", NOON) == 1
            assert await tx.transfers.end(CUSTOMER, manager, "done", "", NOON) == 0
            assert not await tx.transfers.is_handed_on(CustomerId(CUSTOMER), OWNER)
