"""What ends a limit, and what lets it stand still: a person's word, a sleep, an outcome."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.ids import RmId
from bot.domain.lead import Moved, Need
from bot.leads.report import Ratio, report_of
from bot.storage.db import Tx
from bot.storage.lead_list import Wanted
from tests.make import CUSTOMER, MINUTE, NOON, OWNER, local, signal
from tests.rooms.leads.rooms import (
    Room,
    entries,
    opened,
    taken,
    the_lead,
    timers_of,
    told,
    with_superior,
)

HEAD = "shen.mingyuan"
WANG = RmId("wang.haoran")
HOUR = timedelta(hours=1)


class TestWhatEndsThem:
    async def test_a_persons_word_answers_and_only_then_it_is_our_turn_no_more(
        self, tx: Tx
    ) -> None:
        room = Room()
        lead = await taken(tx, room)
        assert await room.desk.spoke(tx, CUSTOMER, OWNER, NOON + 30 * MINUTE) == [lead.id]
        its = await timers_of(tx, lead.id)
        assert (its["first"].state, its["first"].done_at) == ("hit", NOON + 30 * MINUTE)
        assert its["resolve"].state == "paused"
        await room.until(tx, NOON + timedelta(days=30))
        assert await told(tx) == []

    async def test_whoever_answers_what_was_offered_to_him_has_taken_it(self, tx: Tx) -> None:
        room = Room()
        lead = await opened(tx, room)
        await room.desk.spoke(tx, CUSTOMER, OWNER, NOON + MINUTE)
        assert (await timers_of(tx, lead.id))["accept"].state == "hit"
        assert (await the_lead(tx, lead.id)).stage == "taken"

    async def test_each_message_of_the_customer_waits_for_the_next_word_once(self, tx: Tx) -> None:
        room = Room()
        lead = await taken(tx, room)
        await room.desk.spoke(tx, CUSTOMER, OWNER, NOON + 10 * MINUTE)
        asked = NOON + 60 * MINUTE
        assert await room.desk.waits(tx, CUSTOMER, "m1", asked) == 1
        assert await room.desk.waits(tx, CUSTOMER, "m1", asked) == 0
        assert await room.desk.waits(tx, CUSTOMER, "m2", asked + MINUTE) == 0
        its = await timers_of(tx, lead.id)
        assert (its["next"].key, its["next"].due_by) == ("m1", asked + 2 * HOUR)
        assert its["resolve"].state == "active"
        await room.until(tx, asked + 3 * HOUR)
        assert [one["key"] for one in await entries(tx, "sla_missed")] == ["m1"]
        await room.desk.spoke(tx, CUSTOMER, OWNER, asked + 3 * HOUR)
        late = (await timers_of(tx, lead.id))["next"]
        assert (late.state, late.runs) == ("missed", False)
        assert await room.desk.waits(tx, CUSTOMER, "m3", asked + 4 * HOUR) == 1

    async def test_before_the_first_answer_more_words_begin_nothing_new(self, tx: Tx) -> None:
        room = Room()
        lead = await taken(tx, room)
        assert await room.desk.waits(tx, CUSTOMER, "m1", NOON + 5 * MINUTE) == 0
        assert "next" not in await timers_of(tx, lead.id)

    async def test_time_in_which_we_wait_for_the_customer_does_not_count(self, tx: Tx) -> None:
        room = Room()
        lead = await taken(tx, room)
        before = (await timers_of(tx, lead.id))["resolve"].due_by
        await room.desk.spoke(tx, CUSTOMER, OWNER, NOON + HOUR)
        await room.desk.waits(tx, CUSTOMER, "m1", NOON + 4 * HOUR)
        after = (await timers_of(tx, lead.id))["resolve"].due_by
        time = room.desk.timers.time_at("b01")
        assert time.between(before, after) == 3 * HOUR

    async def test_what_sleeps_bothers_nobody_and_goes_on_where_it_stood(self, tx: Tx) -> None:
        room = Room()
        lead = await taken(tx, room)
        until = local("09:00", "2026-10-14")
        await room.desk.later(tx, lead.id, OWNER, until, NOON + 30 * MINUTE)
        assert await tx.next_due(["lead_timers"]) is None
        await room.desk.wake(tx, await the_lead(tx, lead.id), until)
        its = await timers_of(tx, lead.id)
        assert its["first"].due_by == until + 90 * MINUTE
        await room.until(tx, until + 90 * MINUTE)
        assert (await told(tx))[-1] == HEAD

    async def test_whoever_lists_leads_sees_the_limit_that_is_after_the_sleep(self, tx: Tx) -> None:
        room = Room()
        lead = await taken(tx, room)
        until = local("09:00", "2026-10-14")
        asleep = await room.desk.later(tx, lead.id, OWNER, until, NOON + 30 * MINUTE)
        assert isinstance(asleep, Moved)
        due = until + 90 * MINUTE
        assert asleep.lead.respond_by == (await the_lead(tx, lead.id)).respond_by == due
        late = Wanted(overdue=True)
        assert await tx.lead_list.count(late, until - MINUTE) == 0
        await room.desk.wake(tx, asleep.lead, until)
        assert (await the_lead(tx, lead.id)).respond_by == due
        assert await tx.lead_list.count(late, due - MINUTE) == 0
        assert await tx.lead_list.count(late, due + MINUTE) == 1
        assert report_of([await the_lead(tx, lead.id)], due - MINUTE).late == Ratio(0, 0)

    async def test_what_is_taken_up_before_its_time_is_waited_for_again(self, tx: Tx) -> None:
        room = Room()
        lead = await taken(tx, room)
        until = local("09:00", "2026-10-14")
        await room.desk.later(tx, lead.id, OWNER, until, NOON + 30 * MINUTE)
        sooner = NOON + 2 * HOUR
        done = await room.desk.take(tx, lead.id, OWNER, sooner)
        assert isinstance(done, Moved)
        assert done.lead.respond_by == sooner + 90 * MINUTE
        assert (await timers_of(tx, lead.id))["first"].due_by == sooner + 90 * MINUTE
        await room.until(tx, sooner + 90 * MINUTE)
        assert (await told(tx))[-1] == HEAD

    async def test_another_word_does_not_move_the_limit_of_what_sleeps(self, tx: Tx) -> None:
        room = Room()
        lead = await taken(tx, room, Need.WEALTH)
        until = local("09:00", "2026-10-14")
        asleep = await room.desk.later(tx, lead.id, OWNER, until, NOON + 30 * MINUTE)
        assert isinstance(asleep, Moved)
        pressing = signal(Need.WEALTH, at=NOON + HOUR, minutes=10)
        await room.desk.open(tx, pressing, owner=OWNER, group="", now=NOON + HOUR)
        assert (await the_lead(tx, lead.id)).respond_by == asleep.lead.respond_by

    async def test_what_was_missed_and_sleeps_is_silent_until_it_wakes(self, tx: Tx) -> None:
        room = Room(with_superior(OWNER, WANG))
        lead = await taken(tx, room)
        await room.until(tx, NOON + 2 * HOUR)
        until = local("09:00", "2026-10-14")
        await room.desk.later(tx, lead.id, OWNER, until, NOON + 2 * HOUR)
        said = await told(tx)
        await room.until(tx, until - MINUTE)
        assert await told(tx) == said

    async def test_a_closed_lead_ends_them_all(self, tx: Tx) -> None:
        room = Room()
        lead = await opened(tx, room)
        await room.desk.finish(tx, lead.id, "invalid", "repeated", OWNER, NOON + 5 * MINUTE)
        its = await timers_of(tx, lead.id)
        states = {kind: timer.state for kind, timer in its.items()}
        assert states == {"accept": "hit", "first": "void", "resolve": "hit"}
        assert await tx.next_due(["lead_timers"]) is None
        assert (await tx.desks.all())[OWNER].load == 0

    async def test_a_more_pressing_signal_shortens_the_time(self, tx: Tx) -> None:
        room = Room()
        lead = await opened(tx, room, Need.WEALTH)
        assert lead.respond_by == NOON + 4 * HOUR
        sooner = await opened(tx, room, Need.WEALTH, at=NOON + HOUR, minutes=30)
        assert sooner.id == lead.id
        assert sooner.respond_by == NOON + 90 * MINUTE
        assert (await timers_of(tx, lead.id))["first"].due_by == NOON + 90 * MINUTE

    async def test_the_script_says_how_soon(self, tx: Tx) -> None:
        lead = await opened(tx, Room(), minutes=20)
        assert (lead.respond_by, lead.accept_by) == (NOON + 20 * MINUTE, NOON + 10 * MINUTE)
