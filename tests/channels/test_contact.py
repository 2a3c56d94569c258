"""Welcomes, mass-send tasks, tags."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.ids import GroupChatId
from bot.domain.messages import (
    Broadcast,
    BroadcastCancel,
    BroadcastReminder,
    CustomerWelcome,
    Image,
    Link,
    TagChange,
    Text,
)
from bot.emulator import broadcast, contact, groups
from bot.emulator import tags as tag_book
from bot.errors import Retryable, Undeliverable
from tests.channels.bank import OTHER, Bank, told
from tests.make import CUSTOMER, OWNER

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


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


async def test_a_picture_whose_upload_nobody_answers_leaves_no_task_in_doubt(
    bank: Bank, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    bank.world.faults.plan("media/upload", "lost_answer")
    message = task(bank, Text(text="图"), Image(file="a.png"))
    with pytest.raises(Retryable) as lost:
        await bank.contact.prepare(message)
    assert not lost.value.may_have_arrived
    await bank.contact.prepare(message)
    await bank.contact.prepare(task(bank))
    bank.world.faults.plan("media/upload", "errcode", errcode=45001)  # is not asked any more
    assert (await bank.contact.send("k", message, repeated=False)).ref


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


async def test_tags_are_taken_off_and_one_there_is_none_of_is_not_made(bank: Bank) -> None:
    await bank.contact.send(
        "k", TagChange(manager=OWNER, customer=CUSTOMER, add=("国债", "存款")), repeated=False
    )
    change = TagChange(manager=OWNER, customer=CUSTOMER, remove=("国债", "没有的"))
    for repeated in (False, True):
        await bank.contact.send("k2", change, repeated=repeated)
    assert (await bank.directory.customer(CUSTOMER)).tags == {"存款"}
    assert {tag.name for tag in bank.world.contacts.tags.tags.values()} == {"国债", "存款"}


async def test_a_tag_that_somebody_deleted_and_made_anew_is_looked_up_again(bank: Bank) -> None:
    change = TagChange(manager=OWNER, customer=CUSTOMER, add=("国债",))
    await bank.contact.send("k", change, repeated=False)
    book = bank.world.contacts.tags
    (old,) = book.tags
    del book.tags[old]
    (new,) = tag_book.add_tags(bank.world, "知邻", ["国债"])
    await bank.contact.send("k2", change, repeated=False)
    friendship = bank.world.contacts.need(OWNER, CUSTOMER)
    assert new in friendship.tags


async def test_two_processes_that_make_one_tag_at_once_use_the_same(bank: Bank) -> None:
    change = TagChange(manager=OWNER, customer=CUSTOMER, add=("国债",))
    tag_book.add_tags(bank.world, "知邻", ["别的"])
    await bank.contact._tags.known(["国债"])  # looked: there is none yet
    (theirs,) = tag_book.add_tags(bank.world, "知邻", ["国债"])  # the other was quicker: 40071
    await bank.contact.send("k", change, repeated=False)
    assert bank.world.contacts.need(OWNER, CUSTOMER).tags == [theirs]


async def test_a_changed_tag_is_forgotten_and_read_anew(bank: Bank) -> None:
    (tag,) = tag_book.add_tags(bank.world, "知邻", ["国债"])
    change = TagChange(manager=OWNER, customer=CUSTOMER, add=("国债",))
    await bank.contact.send("k", change, repeated=False)
    bank.world.contacts.tags.tags[tag].name = "储蓄国债"
    await bank.contact.receive(
        told("contact", Event="change_external_tag", ChangeType="update", Id=tag, TagType="tag"), ""
    )
    await bank.contact.send("k2", change, repeated=False)
    names = (await bank.directory.customer(CUSTOMER)).tags
    assert names == {"储蓄国债", "国债"}


def welcome(code: str) -> CustomerWelcome:
    parts = (
        Text(text="您好"),
        Image(file="a.png"),
        Link(title="活动", url="https://example.com/a"),
    )
    return CustomerWelcome(manager=OWNER, customer=CUSTOMER, code=code, contents=parts)


@pytest.fixture
def code(bank: Bank, tmp_path: Path) -> str:
    """Give a code that is good for 20 s, and the picture that goes with the welcome."""
    (tmp_path / "a.png").write_bytes(PNG)
    return bank.world.contacts.welcomes.issue(bank.world, OWNER, CUSTOMER)


async def test_a_welcome_comes_with_words_picture_and_link(bank: Bank, code: str) -> None:
    receipt = await bank.contact.send("k", welcome(code), repeated=False)
    assert receipt.skipped == ""
    parts = [item.meta["msgtype"] for item in bank.world.deliveries.select("welcome", CUSTOMER)]
    assert parts == ["text", "image", "link"]


async def test_a_welcome_that_comes_too_late_or_twice_is_skipped_with_the_reason(
    bank: Bank, code: str
) -> None:
    await bank.contact.send("k", welcome(code), repeated=False)
    again = await bank.contact.send("k", welcome(code), repeated=False)
    assert again.skipped == "already_welcomed"
    late = bank.world.contacts.welcomes.issue(bank.world, OTHER, CUSTOMER)
    bank.clock.advance(seconds=21)
    assert (await bank.contact.send("k", welcome(late), repeated=False)).skipped == (
        "welcome_too_late"
    )
    bank.world.faults.plan("externalcontact/send_welcome_msg", "errcode", errcode=41053)
    assert (await bank.contact.send("k", welcome(late), repeated=False)).skipped == (
        "no_archive_consent"
    )


@pytest.mark.parametrize("errcode", [41096, -1])
async def test_a_welcome_that_cannot_leave_now_is_tried_again_in_two_seconds(
    bank: Bank, code: str, errcode: int
) -> None:
    bank.world.faults.plan("externalcontact/send_welcome_msg", "errcode", errcode=errcode)
    with pytest.raises(Retryable) as found:
        await bank.contact.send("k", welcome(code), repeated=False)
    assert (found.value.after, found.value.may_have_arrived) == (2.0, False)
    assert (await bank.contact.send("k", welcome(code), repeated=False)).skipped == ""


async def test_words_once_written_leave_no_room_for_a_welcome(bank: Bank, code: str) -> None:
    contact.says(bank.world, OWNER, CUSTOMER, "您好", by="customer")
    assert (await bank.contact.send("k", welcome(code), repeated=False)).skipped == (
        "already_welcomed"
    )
