"""What people send themselves is read back: found, counted once, gone on with where it stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import pytest

from bot.clock import FakeClock
from bot.domain.hand_sends import LOOK_BACK, Listed
from bot.domain.polling import Answer, Status
from bot.domain.quota import PERSONAL
from bot.errors import Retryable
from bot.storage.db import Database
from bot.workers.content import Content
from bot.workers.readback import ReadbackWorker, begin_reading_back
from tests.make import CHAT, MINUTE, NOON, OWNER

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass
class Lists:
    """WeCom's lists of mass messages, and the members' parts of each."""

    messages: list[Listed] = field(default_factory=list)
    parts: dict[str, dict[str, bool]] = field(default_factory=dict)
    spans: list[tuple[datetime, datetime]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    failing: bool = False

    async def listed(
        self, chat_type: Literal["group", "single"], start: datetime, end: datetime
    ) -> Sequence[Listed]:
        if self.failing:
            raise Retryable("wecom_-1")
        if chat_type == "single":
            return []
        self.spans.append((start, end))
        return [one for one in self.messages if start <= one.made_at <= end]

    async def owners(self, msgid: str) -> Mapping[str, bool]:
        return self.parts[msgid]

    async def all(self, msgid: str, owner: str) -> Mapping[str, Answer]:
        self.asked.append((msgid, owner))
        return {
            f"{CHAT}-{owner}": Answer(Status.SENT, NOON - HOUR),
            f"{CHAT}-{owner}-full": Answer(Status.FULL),
        }


@pytest.fixture
def lists() -> Lists:
    return Lists()


@pytest.fixture
async def reader(
    database: Database, content: Content, clock: FakeClock, lists: Lists
) -> ReadbackWorker:
    await begin_reading_back(database, clock.now())
    return ReadbackWorker(database, lists, lists, content, clock)


async def read_all(
    reader: ReadbackWorker, database: Database, clock: FakeClock, until: timedelta
) -> None:
    """Read whatever falls due within a time."""
    end = clock.now() + until
    while True:
        while await reader.step():
            pass
        async with database.read() as tx:
            due = await tx.next_due(["readbacks"])
        if due is None or due > end:
            break
        clock.advance(seconds=(due - clock.now()).total_seconds())
    clock.advance(seconds=(end - clock.now()).total_seconds())


def sends(lists: Lists, msgid: str, *owners: str, personal: bool = True, done: bool = True) -> None:
    lists.messages.append(Listed(msgid, NOON - 2 * HOUR, personal))
    lists.parts[msgid] = dict.fromkeys(owners, done)


async def places(database: Database) -> list[str]:
    async with database.read() as tx:
        chats = [f"{CHAT}-{OWNER}", *(f"{CHAT}-rm{number:02}" for number in range(25))]
        chats += [f"{chat}-full" for chat in chats]
        found = await tx.quota.slots_of(chats, NOON - DAY, NOON + DAY)
    assert all(slot.source == PERSONAL for slots in found.values() for slot in slots)
    return sorted(chat for chat, slots in found.items() if slots)


async def test_a_month_is_read_day_by_day_and_then_every_half_hour(
    reader: ReadbackWorker, lists: Lists, clock: FakeClock, database: Database
) -> None:
    await read_all(reader, database, clock, MINUTE)
    assert lists.spans[0][0] == NOON - LOOK_BACK
    assert all(end - start <= DAY for start, end in lists.spans)
    overlaps = zip(lists.spans, lists.spans[1:], strict=False)
    assert all(before[1] > after[0] for before, after in overlaps)
    assert lists.spans[-1][1] == NOON
    async with database.read() as tx:
        assert await tx.next_due(["readbacks"]) == NOON + 30 * MINUTE


async def test_what_an_owner_sent_is_counted_once_and_what_wecom_kept_back_is_not(
    reader: ReadbackWorker, lists: Lists, clock: FakeClock, database: Database
) -> None:
    sends(lists, "m1", OWNER)
    await read_all(reader, database, clock, HOUR)
    assert await places(database) == [f"{CHAT}-{OWNER}"]
    assert lists.asked == [("m1", OWNER)]  # though the list was read again and again


async def test_the_bots_own_messages_are_left_out_even_where_their_answer_came_late(
    reader: ReadbackWorker, lists: Lists, clock: FakeClock, database: Database
) -> None:
    sends(lists, "ours", OWNER, personal=False)
    lists.messages = [lists.messages[0]._replace(made_at=NOON - MINUTE)]
    sends(lists, "theirs", "rm01", personal=False)  # another program's, or the console's
    await read_all(reader, database, clock, MINUTE)
    async with database.begin() as tx:
        await tx.runs.add_task(
            {
                "msgid": "ours",
                "run_step": 1,
                "owner": OWNER,
                "chat": CHAT,
                "created_at": NOON,
                "closes_at": NOON + HOUR,
                "due_at": NOON + HOUR,
            }
        )
    await read_all(reader, database, clock, HOUR)
    assert await places(database) == [f"{CHAT}-rm01"]


async def test_a_message_of_many_owners_is_gone_on_with_where_it_stood(
    reader: ReadbackWorker,
    lists: Lists,
    clock: FakeClock,
    database: Database,
    content: Content,
) -> None:
    owners = [f"rm{number:02}" for number in range(25)]
    sends(lists, "m1", *owners)
    while len(lists.asked) < 10:
        await reader.step()
    another = ReadbackWorker(database, lists, lists, content, clock)  # the first one is gone
    await read_all(another, database, clock, 10 * MINUTE)
    assert sorted(lists.asked) == [("m1", owner) for owner in owners]
    assert await places(database) == [f"{CHAT}-{owner}" for owner in owners]


async def test_who_sends_later_is_counted_then(
    reader: ReadbackWorker, lists: Lists, clock: FakeClock, database: Database
) -> None:
    sends(lists, "m1", OWNER, done=False)
    await read_all(reader, database, clock, HOUR)
    assert await places(database) == []
    lists.parts["m1"] = {OWNER: True}
    await read_all(reader, database, clock, 7 * HOUR)
    assert await places(database) == [f"{CHAT}-{OWNER}"]


async def test_lists_that_cannot_be_read_are_read_later_from_where_they_stood(
    reader: ReadbackWorker, lists: Lists, clock: FakeClock, database: Database
) -> None:
    lists.failing = True
    await read_all(reader, database, clock, MINUTE)
    assert lists.spans == []
    lists.failing = False
    sends(lists, "m1", OWNER)
    await read_all(reader, database, clock, 10 * MINUTE)
    assert lists.spans[0][0] == NOON - LOOK_BACK + 5 * MINUTE
    assert await places(database) == [f"{CHAT}-{OWNER}"]
