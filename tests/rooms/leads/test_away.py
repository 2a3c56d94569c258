"""Somebody is away: shown first, then done; what comes meanwhile goes to the deputy."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.ids import RmId
from bot.domain.lead import Need, Refused
from bot.leads.away import Absences, problem_with
from bot.storage.db import Tx
from tests.domain.builders import starter_bank
from tests.make import MINUTE, NOON, OWNER, signal
from tests.rooms.leads.rooms import Room, entries, opened, the_lead, timers_of, told

WANG, ZHAO = RmId("wang.haoran"), RmId("zhao.xiulan")
CHEN = RmId("chen.xiaowen")
WEEK = NOON + timedelta(days=7)
LATER = NOON + 5 * MINUTE


def absences(room: Room) -> Absences:
    return Absences(lambda: room.bank, room.desk, lambda: room.rules)


async def test_the_preview_says_what_is_done_and_changes_nothing(tx: Tx) -> None:
    room = Room(capacity=4)
    numbers = [(await opened(tx, room, customer=f"wm{n}")).id for n in range(4)]
    plan = await absences(room).plan(tx, OWNER, None, LATER)
    assert [(await the_lead(tx, number)).rm for number in numbers] == [OWNER] * 4
    assert {one.to for one in plan} == {WANG, ZHAO}
    assert sorted([one.to for one in plan]).count(WANG) == 2  # the work is shared
    done = await absences(room).leave(tx, OWNER, WEEK, None, LATER)
    assert done == plan
    assert [(await the_lead(tx, one.lead.id)).rm for one in done] == [one.to for one in plan]
    loads = {userid: desk.load for userid, desk in (await tx.desks.all()).items()}
    assert loads == {OWNER: 0, WANG: 2, ZHAO: 2}


async def test_the_deputy_gets_all_that_he_has_room_for_the_pressing_first(tx: Tx) -> None:
    room = Room(capacity=2)
    plain = [await opened(tx, room, customer=f"wm{n}") for n in range(2)]
    grave = await opened(tx, room, Need.COMPLAINT, customer="wmGrave")
    plan = await absences(room).plan(tx, OWNER, CHEN, LATER)
    first = plan[0]
    assert (first.lead.id, first.to, first.why) == (grave.id, CHEN, "deputy")
    assert {one.lead.id for one in plan[1:]} == {lead.id for lead in plain}
    assert all(one.to in (WANG, ZHAO) for one in plan[1:])


async def test_who_takes_over_has_a_card_and_the_time_to_accept_and_danger_goes_on_counting(
    tx: Tx,
) -> None:
    room = Room()
    lead = await opened(tx, room)
    await room.desk.take(tx, lead.id, OWNER, NOON)
    await absences(room).leave(tx, OWNER, WEEK, WANG, LATER)
    now = await the_lead(tx, lead.id)
    assert (now.rm, now.stage, now.accept_by) == (WANG, "new", LATER + 15 * MINUTE)
    assert (await timers_of(tx, lead.id))["first"].due_by == lead.respond_by
    assert await told(tx, ["staff_card"]) == [OWNER, WANG]


async def test_where_nobody_has_room_the_head_gets_the_card(tx: Tx) -> None:
    room = Room(capacity=1)
    lead = await opened(tx, room)
    for number, owner in enumerate((WANG, ZHAO)):
        said = signal(Need.SERVICE, customer=f"wmFull{number}")
        await room.desk.open(tx, said, owner=owner, group="", now=NOON)
    (one,) = await absences(room).leave(tx, OWNER, WEEK, None, LATER)
    assert (one.to, one.why) == ("", "pool")
    assert (await the_lead(tx, lead.id)).rm == ""
    assert (await told(tx, ["staff_card"]))[-1] == "shen.mingyuan"


async def test_what_comes_while_he_is_away_goes_to_the_deputy_and_then_to_him_again(
    tx: Tx,
) -> None:
    room = Room()
    await absences(room).leave(tx, OWNER, WEEK, WANG, NOON)
    first = await opened(tx, room, customer="wmA", at=LATER)
    assert first.rm == WANG
    refused = await room.desk.pass_on(tx, first.id, OWNER, WANG, LATER)
    assert isinstance(refused, Refused)
    assert "请假" in refused.words
    back = await opened(tx, room, customer="wmB", at=WEEK)
    assert back.rm == OWNER
    await absences(room).leave(tx, OWNER, WEEK + timedelta(days=7), None, WEEK)
    assert await absences(room).come_back(tx, OWNER, WEEK + MINUTE)
    assert not await absences(room).come_back(tx, OWNER, WEEK + 2 * MINUTE)
    third = await opened(tx, room, customer="wmC", at=WEEK + 3 * MINUTE)
    assert third.rm == OWNER
    assert [one["deputy"] for one in await entries(tx, "staff_away")] == [WANG, ""]


async def test_who_is_asked_first_stays_silent_for_the_colleague(tx: Tx) -> None:
    room = Room()
    said = signal(Need.WEALTH, ask_first=True)
    lead = await room.desk.open(tx, said, owner=OWNER, group="", now=NOON)
    await absences(room).leave(tx, OWNER, WEEK, WANG, LATER)
    assert ((await the_lead(tx, lead.id)).rm, await told(tx, ["staff_card"])) == (WANG, [])


@pytest.mark.parametrize(
    ("userid", "deputy", "days", "said"),
    [
        ("li.min", "", 7, ""),
        ("li.min", "wang.haoran", 7, ""),
        ("nobody", "", 7, "nobody"),
        ("li.min", "nobody", 7, "nobody"),
        ("li.min", "li.min", 7, "同一个人"),
        ("li.min", "", -1, "已经过了"),
    ],
)
def test_what_cannot_be_is_said_with_its_mend(
    userid: str, deputy: str, days: int, said: str
) -> None:
    words = problem_with(starter_bank(), userid, deputy, NOON + timedelta(days=days), NOON)
    assert (said in words) if said else not words
