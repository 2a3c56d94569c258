"""Customers and groups that change, mass-send tasks, tags."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.events import CustomerChanged, GroupChanged
from bot.domain.ids import GroupChatId
from bot.domain.messages import (
    Broadcast,
    BroadcastCancel,
    BroadcastReminder,
    Image,
    Link,
    TagChange,
    Text,
)
from bot.emulator import broadcast, groups
from bot.errors import Undeliverable
from tests.channels.bank import Bank, told
from tests.make import CUSTOMER, OWNER

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ("add_external_contact", "added"),
        ("add_half_external_contact", "added"),
        ("edit_external_contact", "edited"),
        ("del_external_contact", "lost"),
        ("del_follow_user", "lost"),
    ],
)
async def test_a_customer_who_comes_and_goes(bank: Bank, change: str, read: str) -> None:
    notice = told(
        "contact",
        Event="change_external_contact",
        ChangeType=change,
        UserID=OWNER,
        ExternalUserID=CUSTOMER,
        State="way-1",
        WelcomeCode="code",
    )
    (arrival,) = (await bank.contact.receive(notice, "")).arrivals
    event = arrival.event
    assert isinstance(event, CustomerChanged)
    assert (event.change, event.customer, event.manager) == (read, CUSTOMER, OWNER)
    assert (event.state, event.welcome_code) == ("way-1", "code")


@pytest.mark.parametrize(
    ("change", "read"), [("create", "created"), ("update", "updated"), ("dismiss", "dismissed")]
)
async def test_a_group_that_changes(bank: Bank, change: str, read: str) -> None:
    notice = told("contact", Event="change_external_chat", ChangeType=change, ChatId="wrA")
    (arrival,) = (await bank.contact.receive(notice, "")).arrivals
    assert isinstance(arrival.event, GroupChanged)
    assert (arrival.event.change, arrival.event.chat) == (read, "wrA")


async def test_what_we_do_not_know_changes_nothing(bank: Bank) -> None:
    for fields in (
        {"Event": "change_external_contact", "ChangeType": "of_next_year"},
        {"Event": "change_external_tag", "ChangeType": "create"},
        {},
    ):
        assert (await bank.contact.receive(told("contact", **fields), "")).arrivals == ()


def task(bank: Bank, *contents: Text | Image | Link) -> Broadcast:
    return Broadcast(
        owner=OWNER, chats=(GroupChatId(bank.chat),), contents=contents or (Text(text="您好"),)
    )


async def test_a_task_waits_for_its_owner_with_words_picture_and_link(
    bank: Bank, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    link = Link(title="活动", url="https://example.com/a")
    message = task(bank, Text(text="看图"), Image(file="a.png"), link)
    receipt = await bank.contact.send("k", message, repeated=False)
    assert (len(bank.world.deliveries), receipt.failed) == (0, ())
    broadcast.confirm(bank.world, receipt.ref, OWNER)
    parts = [item.meta["msgtype"] for item in bank.world.deliveries.select("group", bank.chat)]
    assert parts == ["text", "image", "link"]


async def test_a_picture_is_uploaded_once_and_a_lost_one_is_told(
    bank: Bank, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    for _ in range(2):
        await bank.contact.send(
            "k", task(bank, Text(text="图"), Image(file="a.png")), repeated=False
        )
    assert len(bank.world.media._files) == 1
    with pytest.raises(Undeliverable, match="picture_missing"):
        await bank.contact.send("k", task(bank, Image(file="gone.png")), repeated=False)


async def test_a_group_that_is_not_the_owners_is_named_as_failed_or_refused(bank: Bank) -> None:
    chat = groups.create(bank.world, "wang.haoran", "别人的群", [CUSTOMER]).chat_id
    message = task(bank).model_copy(update={"chats": (GroupChatId(chat),)})
    with pytest.raises(Undeliverable):
        await bank.contact.send("k", message, repeated=False)


async def test_a_task_is_reminded_of_and_taken_back_and_that_can_be_repeated(bank: Bank) -> None:
    made = await bank.contact.send("k", task(bank), repeated=False)
    await bank.contact.send("r", BroadcastReminder(task=made.ref), repeated=False)
    kinds = [notice.kind for notice in bank.world.broadcasts.notices[OWNER]]
    assert kinds.count("reminder") == 1
    for repeated in (False, True):
        await bank.contact.send("c", BroadcastCancel(task=made.ref), repeated=repeated)
    assert broadcast.confirm(bank.world, made.ref, OWNER) == {}


async def test_a_tag_is_made_where_there_is_none_and_put_on_once(bank: Bank) -> None:
    change = TagChange(manager=OWNER, customer=CUSTOMER, add=("国债提醒",))
    for repeated in (False, True):
        await bank.contact.send("k", change, repeated=repeated)
    customer = await bank.directory.customer(CUSTOMER)
    assert customer.tags == {"国债提醒"}
