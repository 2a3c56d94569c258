"""Somebody is away: shown first, then done; what comes meanwhile goes to the deputy."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.domain.ids import RmId
from bot.domain.lead import Need, Refused
from bot.leads.away import Absences, HandedOn, Leave, problem_with
from bot.storage.db import Tx
from tests.domain.builders import starter_bank
from tests.make import MINUTE, NOON, OWNER, local, signal
from tests.rooms.leads.rooms import Room, entries, opened, the_lead, timers_of, told

WANG, ZHAO = RmId("wang.haoran"), RmId("zhao.xiulan")
CHEN = RmId("chen.xiaowen")
WEEK = NOON + timedelta(days=7)
LATER = NOON + 5 * MINUTE
FIRST_DAY, AFTER_IT = local("00:00", "2026-10-14"), local("00:00", "2026-10-17")


def absences(room: Room) -> Absences:
    return Absences(lambda: room.bank, room.desk, lambda: room.rules)


async def leaves(
    tx: Tx,
    room: Room,
    until: datetime,
    deputy: RmId | None,
    now: datetime,
    *,
    begins: datetime | None = None,
) -> tuple[HandedOn, ...]:
    leave = Leave(userid=OWNER, begins=begins or now, ends=until, deputy=deputy)
    return await absences(room).leave(tx, leave, now)


async def test_the_preview_says_what_is_done_and_changes_nothing(tx: Tx) -> None:
    room = Room(capacity=4)
    numbers = [(await opened(tx, room, customer=f"wm{n}")).id for n in range(4)]
    plan = await absences(room).plan(tx, OWNER, None, LATER)
    assert [(await the_lead(tx, number)).rm for number in numbers] == [OWNER] * 4
    assert {one.to for one in plan} == {WANG, ZHAO}
    assert sorted([one.to for one in plan]).count(WANG) == 2  # the work is shared
    done = await leaves(tx, room, WEEK, None, LATER)
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
    await leaves(tx, room, WEEK, WANG, LATER)
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
    (one,) = await leaves(tx, room, WEEK, None, LATER)
    assert (one.to, one.why) == ("", "pool")
    assert (await the_lead(tx, lead.id)).rm == ""
    assert (await told(tx, ["staff_card"]))[-1] == "shen.mingyuan"


async def test_what_comes_while_he_is_away_goes_to_the_deputy_and_then_to_him_again(
    tx: Tx,
) -> None:
    room = Room()
    await leaves(tx, room, WEEK, WANG, NOON)
    first = await opened(tx, room, customer="wmA", at=LATER)
    assert first.rm == WANG
    refused = await room.desk.pass_on(tx, first.id, OWNER, WANG, LATER)
    assert isinstance(refused, Refused)
    assert "请假" in refused.words
    back = await opened(tx, room, customer="wmB", at=WEEK)
    assert back.rm == OWNER
    await leaves(tx, room, WEEK + timedelta(days=7), None, WEEK)
    assert await absences(room).come_back(tx, OWNER, WEEK + MINUTE)
    assert not await absences(room).come_back(tx, OWNER, WEEK + 2 * MINUTE)
    third = await opened(tx, room, customer="wmC", at=WEEK + 3 * MINUTE)
    assert third.rm == OWNER
    assert [one["deputy"] for one in await entries(tx, "staff_away")] == [WANG, ""]


async def test_who_is_asked_first_stays_silent_for_the_colleague(tx: Tx) -> None:
    room = Room()
    said = signal(Need.WEALTH, ask_first=True)
    lead = await room.desk.open(tx, said, owner=OWNER, group="", now=NOON)
    await leaves(tx, room, WEEK, WANG, LATER)
    assert ((await the_lead(tx, lead.id)).rm, await told(tx, ["staff_card"])) == (WANG, [])


async def test_a_leave_to_come_leaves_everything_until_work_begins_on_its_first_day(
    tx: Tx,
) -> None:
    room = Room()
    lead = await opened(tx, room)
    assert await leaves(tx, room, AFTER_IT, WANG, NOON, begins=FIRST_DAY) == ()
    assert ((await the_lead(tx, lead.id)).rm, await told(tx, ["staff_card"])) == (OWNER, [OWNER])
    before = await opened(tx, room, customer="wmBefore", at=FIRST_DAY - MINUTE)
    night = await opened(tx, room, customer="wmNight", at=FIRST_DAY + MINUTE)
    assert (before.rm, night.rm) == (OWNER, WANG)
    assert await tx.next_due(["absences"]) == local("08:30", "2026-10-14")


async def test_who_hands_on_takes_each_leave_once_and_a_crash_leaves_it_to_the_next(tx: Tx) -> None:
    room, lease = Room(), timedelta(minutes=2)
    await leaves(tx, room, AFTER_IT, WANG, NOON, begins=FIRST_DAY)
    at_work = local("08:30", "2026-10-14")
    assert await tx.desks.begun(at_work - MINUTE, lease=lease) == []
    (taken,) = await tx.desks.begun(at_work, lease=lease)
    assert (taken.userid, taken.deputy) == (OWNER, WANG)
    assert await tx.desks.begun(at_work, lease=lease) == []
    (again,) = await tx.desks.begun(at_work + 2 * MINUTE, lease=lease)
    await tx.desks.handed_on(again.id)
    assert await tx.next_due(["absences"]) is None


async def test_a_leave_that_is_taken_back_hands_nothing_on(tx: Tx) -> None:
    room = Room()
    await leaves(tx, room, AFTER_IT, WANG, NOON, begins=FIRST_DAY)
    assert await absences(room).come_back(tx, OWNER, LATER)
    assert await tx.next_due(["absences"]) is None
    assert await tx.desks.absences(LATER) == []
    assert not await absences(room).come_back(tx, OWNER, LATER)


async def test_a_leave_of_another_time_stays_and_one_of_the_same_time_is_replaced(tx: Tx) -> None:
    room = Room()
    december = FIRST_DAY + timedelta(days=60)
    await leaves(tx, room, december + timedelta(days=3), None, NOON, begins=december)
    await leaves(tx, room, AFTER_IT, WANG, NOON, begins=FIRST_DAY)
    longer = AFTER_IT + timedelta(days=2)
    await leaves(tx, room, longer, ZHAO, NOON, begins=FIRST_DAY)
    assert [
        (begins, ends, deputy) for _, begins, ends, deputy in await tx.desks.absences(NOON)
    ] == [
        (FIRST_DAY, longer, ZHAO),
        (december, december + timedelta(days=3), ""),
    ]


async def test_a_deputy_who_is_away_himself_is_told_of(tx: Tx) -> None:
    room = Room()
    own = Leave(userid=WANG, begins=FIRST_DAY, ends=AFTER_IT)
    await absences(room).leave(tx, own, NOON)
    leave = Leave(userid=OWNER, begins=NOON, ends=AFTER_IT, deputy=WANG)
    words = await absences(room).clash(tx, leave, NOON)
    assert words == "王浩然已经登记到10月17日才回来，不能代班，请换一位代班的同事。"
    sooner = leave.model_copy(update={"ends": FIRST_DAY})
    assert await absences(room).clash(tx, sooner, NOON) == ""


async def test_a_part_of_a_leave_is_not_written_down_anew_and_a_shorter_one_is(tx: Tx) -> None:
    room = Room()
    await leaves(tx, room, AFTER_IT, None, NOON)
    part = Leave(userid=OWNER, begins=FIRST_DAY, ends=FIRST_DAY + timedelta(days=1))
    words = await absences(room).clash(tx, part, LATER)
    assert words == "李敏已经登记到10月17日才回来。要改日子，请先用 --back 取消，再登记一次。"
    assert await absences(room).clash(tx, part.model_copy(update={"begins": LATER}), LATER) == ""
    await leaves(tx, room, FIRST_DAY, None, LATER)
    assert [row[2] for row in await tx.desks.absences(LATER)] == [FIRST_DAY]


@pytest.mark.parametrize(
    ("userid", "deputy", "days", "said"),
    [
        ("li.min", "", 7, ""),
        ("li.min", "wang.haoran", 7, ""),
        ("nobody", "", 7, "nobody"),
        ("li.min", "nobody", 7, "nobody"),
        ("li.min", "li.min", 7, "同一个人"),
        ("li.min", "he.jing", 7, "消保"),
        ("li.min", "", -1, "已经过了"),
    ],
)
def test_what_cannot_be_is_said_with_its_mend(
    userid: str, deputy: str, days: int, said: str
) -> None:
    ends, stand_in = NOON + timedelta(days=days), RmId(deputy) if deputy else None
    leave = Leave(userid=RmId(userid), begins=NOON, ends=ends, deputy=stand_in)
    words = problem_with(starter_bank(), leave, NOON)
    assert (said in words) if said else not words


def test_a_leave_that_ends_before_it_begins_is_refused() -> None:
    leave = Leave(userid=OWNER, begins=AFTER_IT, ends=FIRST_DAY)
    assert "--from" in problem_with(starter_bank(), leave, NOON)
