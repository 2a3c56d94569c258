"""How staff are told beside the lead's card: a notice, the group, a question why."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.domain.lead import Need
from bot.leads.desk import LeadDesk
from bot.leads.lead_steps import why_poll
from bot.storage.db import Tx
from bot.storage.tables import outbox
from tests.domain.builders import starter_bank
from tests.make import NOON, OWNER, signal

BANK = starter_bank()
LINK = "https://bank.example/leads"


async def kinds(tx: Tx) -> list[str]:
    rows = await tx.connection.execute(select(outbox.c.bucket).order_by(outbox.c.id))
    return [str(kind) for (kind,) in rows]


@pytest.mark.parametrize(
    ("need", "told"),
    [(Need.RED_FLAG, ["staff_card", "group_webhook"]), (Need.WEALTH, ["staff_card"])],
)
async def test_only_the_gravest_is_told_to_the_group_and_once(
    tx: Tx, need: Need, told: list[str]
) -> None:
    desk = LeadDesk(lambda: BANK, staff_group=True)
    for _ in range(2):
        await desk.open(tx, signal(need=need), owner=OWNER, group="", now=NOON)
    found = [kind for kind in await kinds(tx) if kind != "staff_text"]
    assert found == told


async def test_without_a_group_nothing_is_put_in_for_it(tx: Tx) -> None:
    desk = LeadDesk(lambda: BANK)
    lead = await desk.open(tx, signal(need=Need.RED_FLAG), owner=OWNER, group="", now=NOON)
    assert await kinds(tx) == ["staff_card"]
    poll = why_poll(lead, OWNER, NOON)
    assert poll.press == f"why:{lead.id}:send"
    assert len(poll.questions[0].options) <= 20


async def test_what_only_another_process_can_send_is_left_for_it(tx: Tx) -> None:
    desk = LeadDesk(lambda: BANK, staff_group=True)
    await desk.open(tx, signal(need=Need.RED_FLAG), owner=OWNER, group="", now=NOON)
    here = await tx.outbox.claim(NOON, urgent=True, without=("webhook",))
    assert [one.message.kind for one in here] == ["staff_card"]
    there = await tx.outbox.claim(NOON, urgent=True)
    assert [(one.message.kind, one.attempt) for one in there] == [("group_webhook", 1)]
