"""A lead is offered to one after the other until somebody takes it."""

from __future__ import annotations

from bot.domain.ids import RmId
from bot.domain.lead import Moved, Need
from bot.storage.db import Tx
from tests.domain.builders import starter_bank
from tests.make import MINUTE, NOON, OWNER, local
from tests.rooms.leads.rooms import (
    Room,
    entries,
    opened,
    taken,
    the_lead,
    timers_of,
    told,
)

HEAD = "shen.mingyuan"
WANG, ZHAO = RmId("wang.haoran"), RmId("zhao.xiulan")


class TestOffers:
    async def test_who_does_not_take_it_in_time_is_passed_over_three_times_then_the_head(
        self, tx: Tx
    ) -> None:
        room = Room()
        lead = await opened(tx, room)
        assert (lead.rm, lead.offers, lead.accept_by) == (OWNER, 1, NOON + 15 * MINUTE)
        await room.until(tx, NOON + 45 * MINUTE)
        cards = await told(tx, ["staff_card"])
        assert cards[0] == OWNER
        assert set(cards[1:3]) == {WANG, ZHAO}
        assert cards[3:] == [HEAD]
        now = await the_lead(tx, lead.id)
        assert (now.rm, now.branch, now.stage, now.offers) == ("", "b01", "new", 3)
        assert len(await entries(tx, "lead_offered_again")) == 2
        assert [one["from"] for one in await entries(tx, "lead_pooled")] == [cards[2]]
        assert {desk.load for desk in (await tx.desks.all()).values()} == {0}

    async def test_in_the_pool_anybody_of_the_branch_may_take_it(self, tx: Tx) -> None:
        room = Room(offers=1)
        lead = await opened(tx, room)
        await room.until(tx, NOON + 15 * MINUTE)
        done = await room.desk.take(tx, lead.id, ZHAO, NOON + 20 * MINUTE)
        assert isinstance(done, Moved)
        assert (done.lead.rm, done.lead.stage) == (ZHAO, "taken")
        assert (await tx.desks.all())[ZHAO].load == 1

    async def test_an_offer_waits_for_the_morning_and_danger_does_not(self, tx: Tx) -> None:
        room, night = Room(), local("21:00")
        plain = await opened(tx, room, Need.SERVICE, at=night)
        assert plain.accept_by == local("08:45", "2026-10-13")
        red = await opened(tx, room, Need.RED_FLAG, at=night)
        assert red.accept_by == night + 2.5 * MINUTE

    async def test_who_takes_it_ends_the_offer(self, tx: Tx) -> None:
        room = Room()
        lead = await taken(tx, room)
        assert (await timers_of(tx, lead.id))["accept"].state == "hit"
        await room.until(tx, NOON + 55 * MINUTE)
        assert (await the_lead(tx, lead.id)).rm == OWNER
        assert await told(tx, ["staff_card"]) == [OWNER]

    async def test_who_is_given_it_by_a_colleague_has_the_full_time(self, tx: Tx) -> None:
        room = Room()
        lead = await opened(tx, room)
        await room.desk.pass_on(tx, lead.id, ZHAO, OWNER, NOON + 14 * MINUTE)
        assert (await the_lead(tx, lead.id)).accept_by == NOON + 29 * MINUTE
        await room.until(tx, NOON + 28 * MINUTE)
        assert (await the_lead(tx, lead.id)).rm == ZHAO

    async def test_with_nobody_to_have_it_the_head_is_told_at_once(self, tx: Tx) -> None:
        staff = [one.model_copy(update={"on_duty": False}) for one in starter_bank().staff]
        room = Room(starter_bank().model_copy(update={"staff": tuple(staff)}))
        lead = await opened(tx, room)
        assert (lead.rm, lead.branch, lead.accept_by) == ("", "b01", None)
        assert await told(tx, ["staff_card"]) == [HEAD]
