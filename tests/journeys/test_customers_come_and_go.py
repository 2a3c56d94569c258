"""Customers and groups that come, change and go: what WeCom tells is what the bot knows."""

from __future__ import annotations

from bot.domain.ids import CustomerId, GroupChatId
from bot.domain.people import Customer, GroupChat
from bot.emulator import contact, groups, tags
from tests.journeys.town import Life, edit

CONFIG = """
好友欢迎语:
  - 正文: |
      您好，我是{机构.名称}{网点.名称}的{经理.称呼}。有事随时问小安：{小安链接}
  - 活码: [大堂易拉宝]
    正文: 您好，欢迎从大堂过来，我是{经理.称呼}。
    链接: [{标题: 手机小课堂, 网址: "https://example.com/class"}]

渠道活码:
  - {名称: 大堂易拉宝, 标识: hall-b01, 网点: b01, 打标签: [国债提醒]}
"""
WAY = "hall-b01"


async def configure(life: Life, text: str = CONFIG) -> None:
    """Add to the bank's file and have it read."""
    edit(life.demo.workspace, "sop/_workspace.yaml", "\n隐私:\n", f"{text}\n隐私:\n")
    assert await life.demo.bot.content_worker.reload(), life.demo.bot.content.problems
    await life.settle()


async def known(life: Life, customer: str) -> Customer:
    async with life.demo.bot.database.read() as tx:
        found = await tx.people.customer(CustomerId(customer))
    assert found is not None
    return found


async def group_of(life: Life, chat: str = "") -> GroupChat:
    async with life.demo.bot.database.read() as tx:
        found = await tx.people.group(GroupChatId(chat or life.chat))
    assert found is not None
    return found


async def test_a_new_friend_is_welcomed_in_the_managers_name(life: Life) -> None:
    await configure(life)
    customer = life.world.settle_customer("", "王阿姨")
    contact.befriend(life.world, "li.min", customer)
    await life.settle()
    (welcome,) = life.world.deliveries.select("welcome", customer)
    assert welcome.sender == "li.min"
    assert welcome.text.startswith("您好，我是云杉银行梧桐街支行的李经理。")
    assert life.demo.town.kf_link in welcome.text
    assert (await known(life, customer)).name == "王阿姨"
    assert await life.ledger("welcomed") == 1


async def test_who_comes_by_a_code_has_its_welcome_state_and_tag(life: Life) -> None:
    await configure(life)
    (way,) = life.world.contacts.ways.ways.values()
    assert (way.state, set(way.users)) == (WAY, {"li.min", "wang.haoran", "zhao.xiulan"})
    customer = life.world.settle_customer("", "王阿姨")
    friendship = contact.scans(life.world, way.config_id, customer)
    await life.settle()
    words = [item.text for item in life.world.deliveries.select("welcome", customer)]
    assert words[0].startswith("您好，欢迎从大堂过来")
    assert len(words) == 2
    found = await known(life, customer)
    assert (found.state, found.tags) == (WAY, {"国债提醒"})
    book = life.world.contacts.tags
    assert [one["tag_name"] for one in book.shown(friendship.tags)] == ["国债提醒"]


async def test_without_words_in_the_file_nobody_is_welcomed(life: Life) -> None:
    customer = life.world.settle_customer("", "王阿姨")
    contact.befriend(life.world, "li.min", customer)
    await life.settle()
    assert life.world.deliveries.select("welcome") == []
    assert (await known(life, customer)).managers == ("li.min",)


async def test_a_welcome_nobody_could_word_is_told_and_not_sent(life: Life) -> None:
    await configure(life, CONFIG.replace("{网点.名称}的", "{网点.名称}{活动.名称}的"))
    customer = life.world.settle_customer("", "王阿姨")
    contact.befriend(life.world, "he.jing", customer)  # of head office: no branch, no event
    await life.settle()
    assert life.world.deliveries.select("welcome") == []
    assert await life.ledger("welcome_skipped") == 1


async def test_a_busy_wecom_is_asked_again_within_the_20_seconds(life: Life) -> None:
    await configure(life)
    life.world.faults.plan("externalcontact/send_welcome_msg", "errcode", errcode=41096, times=3)
    customer = life.world.settle_customer("", "王阿姨")
    contact.befriend(life.world, "li.min", customer)
    await life.settle()
    assert life.world.deliveries.select("welcome") == []
    await life.wait(20 / 60)
    (welcome,) = life.world.deliveries.select("welcome", customer)
    issued = next(iter(life.world.contacts.welcomes.codes.values())).issued_at
    assert (welcome.at - issued).total_seconds() < 20


async def test_one_that_is_too_late_is_not_tried_at_all(life: Life) -> None:
    await configure(life)
    customer = life.world.settle_customer("", "王阿姨")
    contact.befriend(life.world, "li.min", customer)
    life.demo.clock.advance(seconds=25)
    await life.settle()
    states = await life.outbox_states()
    assert [state for key, state in states.items() if key.startswith("welcome:")] == ["skipped"]


async def test_an_answer_that_is_lost_is_never_followed_by_a_second_welcome(life: Life) -> None:
    await configure(life)
    life.world.faults.plan("externalcontact/send_welcome_msg", "lost_answer")
    customer = life.world.settle_customer("", "王阿姨")
    contact.befriend(life.world, "li.min", customer)
    await life.settle()
    await life.wait(5)
    assert len(life.world.deliveries.select("welcome", customer)) == 1
    states = await life.outbox_states()
    assert [state for key, state in states.items() if key.startswith("welcome:")] == ["unknown"]


async def test_consent_to_the_archive_may_bring_the_code(life: Life) -> None:
    await configure(life)
    customer = life.world.settle_customer("", "王阿姨")
    life.world.contacts.welcomes.by_console.add("li.min")
    friendship = contact.befriend(life.world, "li.min", customer)
    await life.settle()
    life.world.contacts.welcomes.by_console.clear()
    code = life.world.contacts.welcomes.issue(life.world, "li.min", customer)
    life.world.contacts.tell(life.world, "msg_audit_approved", friendship, {"WelcomeCode": code})
    await life.settle()
    assert len(life.world.deliveries.select("welcome", customer)) == 1
    assert await life.ledger("archive_agreed") == 1


async def test_two_of_one_second_count_as_two_and_one_posted_thrice_as_one(life: Life) -> None:
    await configure(life)
    life.world.callbacks.duplicate_all = True
    both = [life.world.settle_customer("", name) for name in ("王阿姨", "赵叔叔")]
    for customer in both:
        contact.befriend(life.world, "li.min", customer)
    queued = list(life.world.callbacks._queue)
    await life.world.callbacks.flush()  # each twice
    for item in queued:
        await life.world.callbacks._post(item)
    await life.settle()
    assert await life.ledger("customer_added") == 2
    assert len(life.world.deliveries.select("welcome")) == 2
    for customer in both:
        assert (await known(life, customer)).managers == ("li.min",)


async def test_a_customer_who_leaves_one_of_two_managers_keeps_the_other(life: Life) -> None:
    customer = life.world.settle_customer("", "王阿姨")
    contact.befriend(life.world, "li.min", customer)
    life.demo.clock.advance(seconds=5)
    contact.befriend(life.world, "wang.haoran", customer)
    await life.settle()
    assert (await known(life, customer)).managers == ("wang.haoran", "li.min")
    contact.unfriend(life.world, "wang.haoran", customer, by="customer")
    await life.settle()
    assert (await known(life, customer)).managers == ("li.min",)
    contact.unfriend(life.world, "li.min", customer, by="member")
    await life.settle()
    assert (await known(life, customer)).managers == ()
    assert await life.ledger("customer_lost") == 2


async def test_tags_go_both_ways(life: Life) -> None:
    customer = life.visitor
    (friendship,) = life.world.contacts.of_customer(customer)
    (tag,) = tags.add_tags(life.world, "兴趣", ["养生"])
    life.world.contacts.note(life.world, friendship.userid, customer, {"tags": [tag]})
    await life.settle()
    assert (await known(life, customer)).tags == {"养生"}
    life.world.contacts.tags.tags[tag].name = "健康"
    tags.tell(life.world, "update", tag, "tag")
    await life.wait(2)
    assert (await known(life, customer)).tags == {"健康"}
    del life.world.contacts.tags.tags[tag]
    friendship.tags.clear()
    tags.tell(life.world, "delete", tag, "tag")
    await life.wait(2)
    assert (await known(life, customer)).tags == set()


async def test_members_of_a_group_are_compared_by_who_they_are(life: Life) -> None:
    before = (await group_of(life)).customer_ids
    gone = sorted(before)[:2]
    new = [life.world.settle_customer("", name) for name in ("王阿姨", "赵叔叔")]
    groups.leave(life.world, life.chat, gone)
    groups.join(life.world, life.chat, new)  # as many came as went
    await life.settle()
    group = await group_of(life)
    assert group.customer_ids == (before - {*gone}) | {*new}
    assert group.version == life.world.groups.need(life.chat).member_version
    assert await life.ledger("member_left") == 2
    assert await life.ledger("member_joined") == 2


async def test_a_list_of_who_left_needs_no_call_and_a_gap_is_read(life: Life) -> None:
    def calls() -> int:
        return sum(1 for item in reads if item == "externalcontact/groupchat/get")

    reads: list[str] = []
    take = life.world.faults.take
    life.world.faults.take = lambda api, kind: (  # every call of an API asks this once
        reads.append(api) if kind == "slow" else None,
        take(api, kind),
    )[1]
    first, second, third, *_ = sorted((await group_of(life)).customer_ids)
    groups.leave(life.world, life.chat, [first])
    await life.settle()
    assert calls() == 0
    life.world.faults.plan("contact", "lost")
    groups.leave(life.world, life.chat, [second])
    await life.settle()
    assert second in (await group_of(life)).customer_ids
    groups.leave(life.world, life.chat, [third])
    await life.settle()
    assert calls() == 1
    assert (await group_of(life)).customer_ids.isdisjoint({first, second, third})
    assert await life.ledger("member_left") == 3


async def test_an_answer_that_lags_behind_the_change_is_read_once_more(life: Life) -> None:
    group = life.world.groups.need(life.chat)
    fields = {"UpdateDetail": "add_member", "CurMemVer": "f" * 32, "LastMemVer": "e" * 32}
    head = {"Event": "change_external_chat", "ChatId": life.chat, "ChangeType": "update"}
    life.world.ring(life.world.contacts.callback, {**head, **fields})
    await life.settle()
    newcomer = life.world.settle_customer("", "王阿姨")
    life.world.faults.plan("contact", "lost")
    groups.join(life.world, life.chat, [newcomer])  # what WeCom had told, and shows only now
    await life.wait(0.1)
    assert newcomer in (await group_of(life)).customer_ids
    assert (await group_of(life)).version == group.member_version
