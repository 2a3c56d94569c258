"""Whose hands a lead's card is in, and who answers for what nobody has, alike on both databases."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.ids import RmId
from bot.domain.lead import Need
from bot.domain.workload import Workload
from bot.storage.db import Database, Tx
from bot.storage.leads import LeadCard, Opening
from tests.make import NOON, OWNER, signal

HEAD, NOBODY = RmId("shen.mingyuan"), RmId("")
DAY = timedelta(days=1)


async def opened(tx: Tx, number: int, rm: RmId = NOBODY, branch: str = "b01") -> int:
    said = signal(Need.WEALTH, customer=f"wm{number}", at=NOON)
    lead, _ = await tx.leads.open(said, Opening(rm, "new", branch=branch), NOON)
    return lead.id


async def test_a_card_is_kept_until_its_code_was_used(database: Database) -> None:
    async with database.begin() as tx:
        lead = await opened(tx, 1, OWNER)
        assert await tx.leads.card(lead) is None
        await tx.leads.card_given(lead, LeadCard(OWNER, "code", NOON))
    async with database.begin() as tx:
        assert await tx.leads.card(lead) == LeadCard(OWNER, "code", NOON)
        await tx.leads.card_given(lead, None)
        assert await tx.leads.card(lead) is None


async def test_what_nobody_has_is_counted_for_the_head_and_listed_by_branch(
    database: Database,
) -> None:
    heads = {"b01": HEAD}
    async with database.begin() as tx:
        mine = [await opened(tx, 1), await opened(tx, 2), await opened(tx, 3, OWNER)]
        await opened(tx, 4, branch="b02")
        loads = await tx.workloads.of(
            [OWNER, HEAD], NOON, NOON + DAY, head_of=lambda branch: heads.get(branch, "")
        )
        listed = await tx.workloads.open_leads([OWNER], limit=10, pools=["b01"])
        alone = await tx.workloads.open_leads([NOBODY], limit=10)
    assert loads == {OWNER: Workload(new=1), HEAD: Workload(pooled=2)}
    assert [one.id for one in listed] == mine
    assert alone == []
