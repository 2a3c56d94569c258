"""Messages of groups, and of customers to their managers alone, as the archive has them."""

from __future__ import annotations

import pytest

from bot.channels.archive import ArchiveChannel
from bot.domain.events import GroupMessageReceived, PrivateMessageReceived
from bot.emulator import friends, groups
from bot.emulator.friend_hands import agrees
from bot.emulator.friends import befriend
from bot.errors import Undeliverable
from tests.channels.bank import Bank, told
from tests.make import CUSTOMER, OWNER, reply

NEWS = told("archive", Event="msgaudit_notify")


async def test_customers_and_staff_are_told_apart_and_each_has_a_lane(bank: Bank) -> None:
    groups.says(bank.world, bank.chat, CUSTOMER, "几点开门")
    groups.owner_says(bank.world, bank.chat, "九点")
    groups.says(bank.world, bank.chat, CUSTOMER, "x", msgtype="image")
    received = await bank.archive.receive(NEWS, "")
    events = [arrival.event for arrival in received.arrivals]
    assert all(isinstance(event, GroupMessageReceived) for event in events)
    assert [(e.sender, e.staff, e.form, e.text) for e in events] == [  # type: ignore[union-attr]
        (CUSTOMER, False, "text", "几点开门"),
        (OWNER, True, "text", "九点"),
        (CUSTOMER, False, "image", ""),
    ]
    assert len({arrival.lane for arrival in received.arrivals}) == 2


async def test_a_thousand_pictures_in_a_row_do_not_stop_the_reading(bank: Bank) -> None:
    for _ in range(1000):
        groups.says(bank.world, bank.chat, CUSTOMER, "x", msgtype="image")
    groups.says(bank.world, bank.chat, CUSTOMER, "之后的话")
    cursor, more, words = "", True, []
    while more:
        received = await bank.archive.receive(NEWS, cursor)
        words += [arrival.event.text for arrival in received.arrivals]  # type: ignore[union-attr]
        cursor, more = received.cursor or cursor, received.more
    assert len(words) == 1001
    assert words[-1] == "之后的话"


async def test_of_a_talk_of_two_both_sides_words_are_read_in_one_lane(bank: Bank) -> None:
    befriend(bank.world, OWNER, CUSTOMER, quiet=True)
    friends.says(bank.world, OWNER, CUSTOMER, "在吗", by="member")
    friends.says(bank.world, OWNER, CUSTOMER, "我想来上课", by="customer")
    agrees(bank.world, OWNER, CUSTOMER)  # to the archive itself
    arrivals = (await bank.archive.receive(NEWS, "")).arrivals
    events = [arrival.event for arrival in arrivals]
    assert all(isinstance(event, PrivateMessageReceived) for event in events)
    assert [(e.customer, e.manager, e.staff, e.text) for e in events] == [  # type: ignore[union-attr]
        (CUSTOMER, OWNER, True, "在吗"),
        (CUSTOMER, OWNER, False, "我想来上课"),
    ]
    assert {arrival.lane for arrival in arrivals} == {f"private:{CUSTOMER}"}


async def test_a_bank_without_an_archive_reads_nothing(bank: Bank) -> None:
    assert (await ArchiveChannel(None, bank.clock).receive(NEWS, "")).arrivals == ()


async def test_nothing_is_sent_through_an_archive(bank: Bank) -> None:
    with pytest.raises(Undeliverable, match="read_only"):
        await bank.archive.send("k", reply(), repeated=False)
