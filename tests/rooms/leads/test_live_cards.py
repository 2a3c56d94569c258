"""A lead's card is changed once, as the lead is moved, and never after its code has run out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from bot.domain.draft import Asker
from bot.domain.ids import RmId
from bot.domain.lead import Lead
from bot.domain.lead_rights import BY_OPS
from bot.domain.messages import StaffCard
from bot.leads.cards import lead_card
from bot.leads.draft_use import use_draft
from bot.leads.live_cards import CODE_LASTS, card_left
from bot.storage.db import Tx
from bot.storage.leads import LeadCard
from bot.storage.tables import outbox
from tests.make import CUSTOMER, MINUTE, NOON, OWNER
from tests.rooms.leads.rooms import Room, opened

ROOM = Room()
COLLEAGUE, HEAD = RmId("wang.haoran"), RmId("shen.mingyuan")


async def updates(tx: Tx) -> list[dict[str, Any]]:
    """Return the changes of cards that are on their way."""
    rows = await tx.connection.execute(select(outbox.c.body).order_by(outbox.c.id))
    return [body for (body,) in rows if body["kind"] == "staff_card_update"]


async def leaves(tx: Tx, card: StaffCard, code: str, *, key: str = "card:", at: datetime) -> None:
    await card_left(tx, ROOM.bank, f"{key}{card.task}", card, code, at)


def card_of(lead: Lead) -> StaffCard:
    return lead_card(lead, None, ROOM.bank, NOON)


async def test_a_card_that_arrives_after_its_lead_was_moved_is_changed_at_once(tx: Tx) -> None:
    lead = await opened(tx, ROOM)
    await ROOM.desk.pass_on(tx, lead.id, COLLEAGUE, BY_OPS, NOON)
    assert await updates(tx) == []
    await leaves(tx, card_of(lead), "c1", at=NOON + MINUTE)
    (update,) = await updates(tx)
    assert (update["to"], update["response_code"]) == (OWNER, "c1")
    assert update["replace"] == "已转给王浩然"
    assert await tx.leads.card(lead.id) is None


async def test_the_newest_card_of_whoever_has_the_lead_is_the_one_that_is_changed(tx: Tx) -> None:
    lead = await opened(tx, ROOM)
    await leaves(tx, card_of(lead), "c1", at=NOON)
    await leaves(tx, card_of(lead), "c2", key="staff:m1:", at=NOON + MINUTE)
    seen_by_head = card_of(lead).model_copy(update={"to": HEAD})
    await leaves(tx, seen_by_head, "c3", key="staff:m2:", at=NOON + 2 * MINUTE)
    assert await tx.leads.card(lead.id) == LeadCard(OWNER, "c2", NOON + MINUTE)
    await ROOM.desk.finish(tx, lead.id, "invalid", "", HEAD, NOON + 3 * MINUTE)
    (update,) = await updates(tx)
    assert (update["to"], update["response_code"]) == (OWNER, "c2")


async def test_a_code_that_has_run_out_is_let_be(tx: Tx) -> None:
    lead = await opened(tx, ROOM)
    await leaves(tx, card_of(lead), "c1", at=NOON)
    await ROOM.desk.pass_on(tx, lead.id, COLLEAGUE, BY_OPS, NOON + CODE_LASTS)
    assert await updates(tx) == []
    assert await tx.leads.card(lead.id) is None


async def test_other_cards_and_cards_without_a_code_are_no_leads(tx: Tx) -> None:
    lead = await opened(tx, ROOM)
    await leaves(tx, card_of(lead), "", at=NOON)
    other = card_of(lead).model_copy(update={"task": "digest-1"})
    await leaves(tx, other, "c1", at=NOON)
    assert await tx.leads.card(lead.id) is None


async def test_a_drafts_card_is_let_be_after_three_days_too(tx: Tx) -> None:
    for number, after in enumerate((timedelta(hours=1), CODE_LASTS)):
        asker = Asker(id=CUSTOMER, name="王阿姨")
        draft = await tx.drafts.add(
            key=str(number),
            chat="wrA",
            owner=OWNER,
            asker=asker,
            question="几点开门",
            text="九点",
            citations=(),
            now=NOON,
        )
        assert draft is not None
        draft = draft.model_copy(update={"code": f"c{number}"})
        assert await use_draft(tx, draft, "sent", OWNER, "sidebar", NOON + after)
    assert [one["response_code"] for one in await updates(tx)] == ["c0"]
