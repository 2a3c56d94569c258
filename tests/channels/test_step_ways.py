"""A script's ways over HTTP: mass messages to customers, moments, 微信客服, every attachment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.contents import Content, File, Image, Link, MiniProgram, Text, Video
from bot.domain.ids import CustomerId
from bot.domain.mass_messages import CustomerBroadcast, Moment, MomentCancel
from bot.domain.messages import CustomerWelcome, GroupWelcome, KfTouch
from bot.emulator import broadcast, contact, moment_hands
from bot.emulator import tags as tag_book
from bot.errors import Retryable, Undeliverable
from tests.channels.bank import OTHER, Bank
from tests.make import ACCOUNT, CUSTOMER, OWNER

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
MP4 = b"\0\0\0\x18ftypmp42" + b"\0" * 64
EVERY: tuple[Content, ...] = (
    Text(text="您好"),
    Image(file="a.png"),
    Link(title="活动", url="https://a.example/1", cover="a.png"),
    MiniProgram(title="预约", app_id="wx1", page="p/1", cover="a.png"),
    File(file="a.pdf"),
    Video(file="a.mp4"),
)
KINDS = ["text", "image", "link", "miniprogram", "file", "video"]


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    for name, data in (("a.png", PNG), ("a.pdf", b"%PDF-1.7 ..."), ("a.mp4", MP4)):
        (tmp_path / name).write_bytes(data)


def to_customers(*contents: Content, people: Sequence[str] = (CUSTOMER,)) -> CustomerBroadcast:
    ids = tuple(CustomerId(one) for one in people)
    return CustomerBroadcast(manager=OWNER, customers=ids, contents=contents or (EVERY[0],))


async def test_a_task_for_customers_names_them_and_reaches_them_one_to_one(bank: Bank) -> None:
    contact.befriend(bank.world, OWNER, "wmZhao", quiet=True)
    message = to_customers(*EVERY, people=(CUSTOMER, "wmGone"))
    receipt = await bank.contact.send("k", message, repeated=False)
    assert receipt.failed == ("wmGone",)
    broadcast.confirm(bank.world, receipt.ref, OWNER)
    got = bank.world.deliveries.select("single", CUSTOMER)
    assert [item.meta["msgtype"] for item in got] == KINDS
    assert bank.world.deliveries.select("single", "wmZhao") == []  # WeCom was not asked for all
    link = next(item.meta["link"] for item in got if item.meta["msgtype"] == "link")
    assert bank.world.media.picture(link["picurl"]) == PNG


async def test_a_welcome_takes_every_attachment_too(bank: Bank) -> None:
    code = bank.world.contacts.welcomes.issue(bank.world, OWNER, CUSTOMER)
    hello = CustomerWelcome(manager=OWNER, customer=CUSTOMER, code=code, contents=EVERY)
    await bank.contact.send("k", hello, repeated=False)
    got = bank.world.deliveries.select("welcome", CUSTOMER)
    assert [item.meta["msgtype"] for item in got] == KINDS


async def test_material_for_groups_takes_one_attachment(bank: Bank) -> None:
    made = await bank.contact.send(
        "k", GroupWelcome(text="欢迎", attached=EVERY[2]), repeated=False
    )
    body = bank.world.groups.templates.items[made.ref].body
    assert [part.msgtype for part in body.parts()] == ["text", "link"]


def moment(*contents: Content, tags: tuple[str, ...] = ()) -> Moment:
    return Moment(manager=OWNER, tags=tags, contents=contents or (EVERY[0],))


async def test_a_moment_is_one_managers_and_seen_by_friends_with_the_tag_only(bank: Bank) -> None:
    contact.befriend(bank.world, OWNER, "wmZhao", quiet=True)
    (tag,) = tag_book.add_tags(bank.world, "知邻", ["国债"])
    bank.world.contacts.need(OWNER, CUSTOMER).tags.append(tag)
    pictures = (EVERY[0], EVERY[1], EVERY[1])
    receipt = await bank.contact.send("k", moment(*pictures, tags=("国债",)), repeated=False)
    job = bank.world.moments.jobs[receipt.ref]
    bank.clock.advance(minutes=1)
    bank.world.later.run_due()
    assert bank.world.moments.need(job.moment_id).members == [OWNER]
    assert moment_hands.publish(bank.world, job.moment_id, OWNER) == [CUSTOMER]


@pytest.mark.parametrize("content", [EVERY[2], EVERY[5]])
async def test_a_moment_shows_a_link_or_a_video_from_a_shelf_of_its_own(
    bank: Bank, content: Content
) -> None:
    await bank.contact.prepare(moment(EVERY[0], content))
    receipt = await bank.contact.send("k", moment(EVERY[0], content), repeated=False)
    assert receipt.ref in bank.world.moments.jobs


async def test_a_moment_for_a_tag_that_nobody_has_is_not_shown_to_everybody(bank: Bank) -> None:
    with pytest.raises(Undeliverable, match="unknown_tag"):
        await bank.contact.send("k", moment(tags=("没有的",)), repeated=False)
    assert bank.world.moments.jobs == {}
    with pytest.raises(Undeliverable, match="moment_cannot_show_file"):
        await bank.contact.send("k", moment(EVERY[4]), repeated=False)


async def test_a_moment_is_taken_back_and_that_can_be_repeated(bank: Bank) -> None:
    receipt = await bank.contact.send("k", moment(), repeated=False)
    bank.clock.advance(minutes=1)
    bank.world.later.run_due()
    ref = bank.world.moments.jobs[receipt.ref].moment_id
    for repeated in (False, True):
        await bank.contact.send("c", MomentCancel(moment=ref), repeated=repeated)
    assert moment_hands.publish(bank.world, ref, OWNER) == []


def touch(*contents: Content) -> KfTouch:
    return KfTouch(account=ACCOUNT, customer=CUSTOMER, contents=contents or (EVERY[0],))


def heard(bank: Bank) -> list[str]:
    return [item.meta["msgtype"] for item in bank.world.deliveries.select("kf", CUSTOMER)]


async def test_kf_says_words_and_attachments_each_as_a_message(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "在吗")
    message = touch(EVERY[0], *EVERY[2:])
    await bank.kf.prepare(message)
    receipt = await bank.kf.send("k", message, repeated=False)
    assert receipt.said == 5
    assert heard(bank) == ["text", "link", "miniprogram", "file", "video"]


async def test_a_link_without_a_cover_is_said_in_words(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "在吗")
    await bank.kf.send("k", touch(Link(title="活动", url="https://a.example")), repeated=False)
    (said,) = bank.world.deliveries.select("kf", CUSTOMER)
    assert said.text == "活动\nhttps://a.example"


async def test_what_kf_said_half_is_gone_on_with_and_nothing_is_said_twice(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "在吗")
    message = touch(EVERY[0], EVERY[1])
    await bank.kf.prepare(message)
    await bank.kf.send("other", touch(Text(text="先")), repeated=False)
    bank.world.faults.plan("kf/send_msg", "lost_answer")
    with pytest.raises(Retryable) as lost:
        await bank.kf.send("k", message, repeated=False)
    assert lost.value.may_have_arrived
    receipt = await bank.kf.send("k", message, repeated=True)
    assert (receipt.said, heard(bank)) == (2, ["text", "text", "image"])


async def test_words_that_came_through_before_the_five_were_used_up_count_as_said(
    bank: Bank,
) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "在吗")
    for number in range(4):
        await bank.kf.send(f"r{number}", touch(Text(text=str(number))), repeated=False)
    receipt = await bank.kf.send("k", touch(EVERY[0], EVERY[1]), repeated=False)
    assert receipt.said == 1
    with pytest.raises(Undeliverable):
        await bank.kf.send("l", touch(), repeated=False)


async def test_a_file_is_uploaded_anew_once_wecom_has_forgotten_it(bank: Bank) -> None:
    message = to_customers(EVERY[4])
    await bank.contact.send("k", message, repeated=False)
    bank.clock.advance(hours=48)
    await bank.contact.send("k2", message, repeated=False)
    assert len(bank.world.media._files) == 1
    bank.clock.jump(bank.clock.now() + timedelta(days=1))
    await bank.contact.send("k3", message, repeated=False)
    assert len(bank.world.media._files) == 2


async def test_a_file_that_is_gone_or_too_large_is_told_in_a_word(
    bank: Bank, tmp_path: Path
) -> None:
    with pytest.raises(Undeliverable, match="file_missing"):
        await bank.contact.prepare(to_customers(File(file="gone.pdf")))
    (tmp_path / "a.mp4").write_bytes(b"\0" * (10 * 1024 * 1024 + 1))
    with pytest.raises(Undeliverable, match="file_size_refused"):
        await bank.contact.prepare(to_customers(EVERY[5]))
    assert bank.world.broadcasts.items == {}


async def test_who_posted_and_what_was_made_is_asked_of_wecom(bank: Bank) -> None:
    receipt = await bank.contact.send("k", moment(), repeated=False)
    assert await bank.moments.made(receipt.ref) in (
        "",
        bank.world.moments.jobs[receipt.ref].moment_id,
    )
    bank.clock.advance(minutes=1)
    ref = await bank.moments.made(receipt.ref)
    assert not await bank.moments.posted(ref, OWNER)
    moment_hands.publish(bank.world, ref, OWNER)
    assert await bank.moments.posted(ref, OWNER)
    with pytest.raises(Undeliverable, match="manager_left_out"):
        await bank.moments.posted(ref, OTHER)
