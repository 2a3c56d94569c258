"""Limits of leads: offers that nobody takes go on, warnings, those above, and what ends them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Need
from bot.storage.db import Tx
from bot.storage.tables import outbox
from tests.make import MINUTE, NOON, OWNER, local, signal
from tests.rooms.leads.rooms import (
    LINK,
    Room,
    entries,
    opened,
    taken,
    the_lead,
    timers_of,
    told,
    with_superior,
)

HEAD, GUARD = "shen.mingyuan", "he.jing"
WANG = RmId("wang.haoran")
HOUR = timedelta(hours=1)


class TestWarnings:
    async def test_half_of_the_time_four_fifths_and_then_those_above_each_once(
        self, tx: Tx
    ) -> None:
        room = Room()
        await taken(tx, room)
        await room.until(tx, NOON + 7 * HOUR)
        warned = await entries(tx, "lead_warned")
        assert [(one["timer"], one["level"], one["to"]) for one in warned] == [
            ("first", 1, OWNER),
            ("first", 2, OWNER),
        ]
        assert await told(tx) == [OWNER, OWNER, HEAD]
        assert [one["timer"] for one in await entries(tx, "sla_missed")] == ["first"]

    async def test_the_superior_then_the_head(self, tx: Tx) -> None:
        room = Room(with_superior(OWNER, WANG))
        await taken(tx, room)
        await room.until(tx, NOON + 4 * HOUR)
        assert await told(tx) == [OWNER, OWNER, WANG, HEAD]

    async def test_danger_goes_up_to_head_office_in_minutes_at_night(self, tx: Tx) -> None:
        room, night = Room(), local("02:00", "2026-10-03")
        await taken(tx, room, Need.RED_FLAG, at=night)
        await room.until(tx, night + 10 * MINUTE)
        escalated = await entries(tx, "lead_escalated")
        assert [(one["to"], one["level"]) for one in escalated] == [(HEAD, 3), (GUARD, 4)]
        rows = await tx.connection.execute(
            select(outbox.c.urgent, outbox.c.due_at).where(outbox.c.bucket == "staff_text")
        )
        found = rows.all()
        assert all(row.urgent for row in found)
        assert [row.due_at for row in found][-2:] == [night + 5 * MINUTE, night + 7.5 * MINUTE]

    async def test_a_bot_that_was_down_over_all_of_it_tells_those_above_at_once(
        self, tx: Tx
    ) -> None:
        room = Room()
        await taken(tx, room)
        await room.look(tx, NOON + timedelta(days=1))
        assert await told(tx) == [HEAD]
        assert len(await entries(tx, "sla_missed")) == 1
        assert await entries(tx, "lead_warned") == []

    async def test_two_customers_with_the_same_words_are_told_of_in_different_ones(
        self, tx: Tx
    ) -> None:
        room = Room()
        for number, moment in enumerate((NOON, NOON + MINUTE)):
            lead = await opened(tx, room, at=moment, customer=f"wm{number}")
            await room.desk.take(tx, lead.id, OWNER, moment)
        await room.until(tx, NOON + 3 * HOUR)
        rows = await tx.connection.execute(
            select(outbox.c.body).where(outbox.c.bucket == "staff_text")
        )
        texts = [str(body["text"]) for (body,) in rows]
        assert len(texts) == len(set(texts)) == 6  # WeCom folds what is the same for four hours

    async def test_with_a_page_to_open_a_warning_is_a_card_and_the_head_gets_words(
        self, tx: Tx
    ) -> None:
        room = Room(link=LINK)
        await taken(tx, room)
        await room.until(tx, NOON + 2 * HOUR)
        rows = await tx.connection.execute(select(outbox.c.bucket, outbox.c.body))
        kinds = [(row.bucket, row.body.get("url", "")) for row in rows]
        assert [one for one in kinds if one[0] != "staff_card"] == [
            ("staff_notice", LINK),
            ("staff_notice", LINK),
            ("staff_text", ""),
        ]

    async def test_what_lies_in_the_pool_bothers_the_head(self, tx: Tx) -> None:
        room = Room(offers=1)
        await opened(tx, room)
        await room.until(tx, NOON + 2 * HOUR)
        assert await told(tx) == [HEAD, HEAD, HEAD]

    async def test_another_hundred_wait_for_the_next_look(self, tx: Tx) -> None:
        room = Room(capacity=1000, per_hour=1000)
        for number in range(20):
            lead = await opened(tx, room, customer=f"wm{number}")
            await room.desk.take(tx, lead.id, OWNER, NOON)
        due = await tx.timers.due(NOON + HOUR, limit=15)
        assert len(due) == 15
        await room.watch.look(tx, due, NOON + HOUR)
        assert len(await tx.timers.due(NOON + HOUR, limit=15)) == 5


async def test_a_day_that_is_free_now_moves_what_is_to_come(tx: Tx) -> None:
    room = Room()
    lead = await opened(tx, room, Need.WEALTH, at=local("16:30", "2026-10-09"))
    assert lead.respond_by == local("11:30", "2026-10-10")  # a Saturday that is worked
    days = dict(room.tables.workdays) | {local("10:00", "2026-10-10").date(): False}
    room.tables = room.tables.model_copy(update={"workdays": days})
    running = await tx.timers.running(0, limit=100)
    assert await room.desk.timers.reckon(tx, running) == 2  # the offer ends before the evening
    moved = await the_lead(tx, lead.id)
    assert moved.respond_by == local("12:30", "2026-10-10")
    assert await room.desk.timers.reckon(tx, await tx.timers.running(0, limit=100)) == 0


async def test_a_lead_of_before_there_were_limits_gets_them(tx: Tx) -> None:
    room = Room()
    lead = await opened(tx, room)
    await tx.connection.exec_driver_sql("DELETE FROM lead_timers")
    await room.desk.adopt(tx, lead, NOON + HOUR)
    assert set(await timers_of(tx, lead.id)) == {"accept", "first", "resolve"}
    assert (await timers_of(tx, lead.id))["first"].due_by == NOON + 2 * HOUR


async def test_the_same_customer_stays_with_whoever_has_his_other_lead(tx: Tx) -> None:
    room = Room()
    said = signal(Need.WEALTH, customer="wmNew")
    first = await room.desk.open(tx, said, owner=None, group="", now=NOON)
    other = signal(Need.CARD, customer="wmNew", quote="卡丢了", at=NOON + MINUTE)
    second = await room.desk.open(tx, other, owner=None, group="", now=NOON + MINUTE)
    assert first.rm == second.rm != ""
    assert CustomerId("wmNew") == second.customer
