"""The auditor counts what reached people, and only what the rules are about."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import FakeClock
from bot.emulator import broadcast, contact, groups
from bot.emulator.violations import AuditPolicy, audit, findings
from bot.emulator.world import World

from .conftest import KF, LI, MANAGER, WANG, Api

EC = "externalcontact"
CLEAN = {"caps": 0, "quiet_hours": 0, "opt_out": 0}
PRODUCT = "稳健理财。理财非存款,产品有风险"


@pytest.fixture
def chat(world: World) -> str:
    world.broadcasts.quota.rules = ()
    return groups.create(world, MANAGER, "群", [LI], quiet=True).chat_id


async def mass_send(api: Api, world: World, chat: str, text: str = "防骗") -> None:
    """Make a task and let the owner send it; the token is renewed for long stories."""
    await api.gettoken()
    body = {"chat_type": "group", "sender": MANAGER, "chat_id_list": [chat]}
    link = {"msgtype": "link", "link": {"title": "目录", "url": "https://bank.example/"}}
    made = await api.post(
        f"{EC}/add_msg_template", {**body, "text": {"content": text}, "attachments": [link]}
    )
    broadcast.confirm(world, made["msgid"], MANAGER)


async def kf_send(api: Api, text: str = "答") -> int:
    await api.gettoken()
    body = {"touser": LI, "open_kfid": KF, "msgtype": "text", "text": {"content": text}}
    return await api.code("kf/send_msg", body)


def at(clock: FakeClock, hour: int, minute: int = 0) -> None:
    """Go on to the next such time of the bank's day."""
    moment = clock.now().replace(minute=minute, second=0)
    moment += timedelta(hours=(hour - 8 - moment.hour) % 24)
    clock.jump(moment)


async def test_one_broadcast_a_day_in_daytime_is_clean(
    api: Api, world: World, chat: str, clock: FakeClock
) -> None:
    for _ in range(5):
        await mass_send(api, world, chat)
        clock.advance(days=1)
    assert audit(world) == CLEAN


async def test_a_second_broadcast_of_the_local_day_breaks_the_cap(
    api: Api, world: World, chat: str, clock: FakeClock
) -> None:
    await mass_send(api, world, chat)
    clock.advance(hours=8)
    await mass_send(api, world, chat)
    other = groups.create(world, MANAGER, "另一群", quiet=True).chat_id
    await mass_send(api, world, other)
    assert audit(world) == {**CLEAN, "caps": 1}
    (found,) = findings(world)
    assert world.deliveries.since(found.seq - 1)[0].to == chat


async def test_the_sixth_broadcast_of_any_seven_days_breaks_the_cap(
    api: Api, world: World, chat: str, clock: FakeClock
) -> None:
    for gap in (1, 1, 1, 1, 3, 1):
        await mass_send(api, world, chat)
        clock.advance(days=gap)
    # Days 1 2 3 4 5 8: five in every seven days. Day 9 still sees 3 4 5 8 9.
    assert audit(world) == CLEAN
    await mass_send(api, world, chat)
    assert audit(world) == CLEAN
    for _ in range(2):
        clock.advance(days=1)
        await mass_send(api, world, chat)
    # Day 10 sees 4 5 8 9 10, day 11 sees 5 8 9 10 11, day 12 sees 8 to 12, day 13 six: 8 to 13.
    assert audit(world) == CLEAN
    for _ in range(2):
        clock.advance(days=1)
        await mass_send(api, world, chat)
    assert audit(world) == {**CLEAN, "caps": 1}


async def test_one_product_broadcast_in_seven_days(
    api: Api, world: World, chat: str, clock: FakeClock
) -> None:
    await mass_send(api, world, chat, PRODUCT)
    clock.advance(days=7)
    await mass_send(api, world, chat, PRODUCT)
    assert audit(world) == CLEAN
    clock.advance(days=6)
    await mass_send(api, world, chat)
    clock.advance(hours=1)
    groups.owner_says(world, chat, PRODUCT)
    assert audit(world) == CLEAN
    clock.advance(days=1)
    await mass_send(api, world, chat, PRODUCT)
    clock.advance(days=6)
    await mass_send(api, world, chat, PRODUCT)
    assert audit(world) == {**CLEAN, "caps": 1}


@pytest.mark.parametrize(
    ("hour", "minute", "count"),
    [
        (8, 29, 1),
        (8, 30, 0),
        (11, 44, 0),
        (11, 45, 1),
        (14, 29, 1),
        (14, 30, 0),
        (19, 29, 0),
        (19, 30, 1),
        (23, 59, 1),
        (0, 0, 1),
    ],
)
async def test_broadcasts_in_quiet_hours(
    api: Api, world: World, chat: str, clock: FakeClock, hour: int, minute: int, count: int
) -> None:
    at(clock, hour, minute)
    await mass_send(api, world, chat)
    assert audit(world) == {**CLEAN, "quiet_hours": count}


async def test_what_people_type_at_night_is_theirs(
    api: Api, world: World, chat: str, clock: FakeClock
) -> None:
    at(clock, 22)
    await api.gettoken()
    contact.befriend(world, MANAGER, LI)
    (code,) = world.contacts.welcomes.codes
    welcome = {"welcome_code": code, "text": {"content": "您好"}}
    assert await api.code(f"{EC}/send_welcome_msg", welcome) == 0
    groups.owner_says(world, chat, "晚上好", sidebar=True)
    contact.says(world, MANAGER, LI, "晚上好", by="member")
    broadcast.owner_broadcasts_himself(world, MANAGER, [chat], "我自己的群发")
    assert len(world.deliveries) == 4
    assert audit(world) == CLEAN


async def test_kf_answers_at_night_are_answers_and_later_messages_are_not(
    api: Api, world: World, clock: FakeClock
) -> None:
    at(clock, 22)
    world.kf.customer_says(KF, LI, "我的卡丢了")
    assert await kf_send(api) == 0
    assert audit(world) == CLEAN
    clock.advance(minutes=61)
    assert await kf_send(api, "顺便看看这个活动") == 0
    assert audit(world) == {**CLEAN, "quiet_hours": 1}
    at(clock, 10)
    assert await kf_send(api, "白天的跟进") == 0
    assert audit(world) == {**CLEAN, "quiet_hours": 1}


async def test_a_sixth_kf_message_would_be_seen(api: Api, world: World, clock: FakeClock) -> None:
    world.kf.customer_says(KF, LI, "你好")
    codes = [await kf_send(api) for _ in range(6)]
    assert codes == [0, 0, 0, 0, 0, 95001]
    world.kf.customer_says(KF, LI, "还有")
    assert await kf_send(api) == 0
    assert audit(world) == CLEAN
    assert audit(world, AuditPolicy(replies_per_message=4)) == {**CLEAN, "caps": 1}


@pytest.mark.parametrize("words", ["退订", "请别发了", "不要再发消息", "td", "我不想收"])
async def test_outreach_one_to_one_after_an_opt_out(
    api: Api, world: World, chat: str, clock: FakeClock, words: str
) -> None:
    for customer in (LI, WANG):
        contact.befriend(world, MANAGER, customer)
    groups.says(world, chat, LI, words)
    world.kf.customer_says(KF, LI, "余额怎么查?")
    assert await kf_send(api) == 0
    clock.advance(minutes=1)
    await mass_send(api, world, chat)
    assert audit(world) == CLEAN
    body = {"sender": MANAGER, "text": {"content": "新活动"}}
    made = await api.post(f"{EC}/add_msg_template", body)
    broadcast.confirm(world, made["msgid"], MANAGER)
    assert audit(world) == {**CLEAN, "opt_out": 1}
    (found,) = findings(world)
    assert world.deliveries.since(found.seq - 1)[0].to == LI


async def test_a_customer_may_come_back_and_words_inside_words_do_not_count(
    api: Api, world: World, chat: str, clock: FakeClock
) -> None:
    contact.befriend(world, MANAGER, LI)
    contact.befriend(world, MANAGER, WANG)
    contact.says(world, MANAGER, LI, "退订", by="customer")
    clock.advance(minutes=1)
    contact.says(world, MANAGER, LI, "恢复。", by="customer")
    contact.says(world, MANAGER, WANG, "ATDX 是什么", by="customer")
    clock.advance(minutes=1)
    made = await api.post(
        f"{EC}/add_msg_template", {"sender": MANAGER, "text": {"content": "新活动"}}
    )
    broadcast.confirm(world, made["msgid"], MANAGER)
    assert audit(world) == CLEAN


async def test_a_late_kf_message_after_an_opt_out_is_outreach(
    api: Api, world: World, clock: FakeClock
) -> None:
    world.kf.customer_says(KF, LI, "TD")
    assert await kf_send(api, "好的,以后不再单独给您发") == 0
    clock.advance(hours=2)
    assert await kf_send(api, "看看新产品") == 0
    assert audit(world) == {**CLEAN, "opt_out": 1}


async def test_the_count_is_asked_for_over_http(
    api: Api, world: World, chat: str, clock: FakeClock
) -> None:
    assert clock.now() == datetime(2026, 10, 12, 1, 0, tzinfo=UTC)
    await mass_send(api, world, chat)
    await mass_send(api, world, chat)
    answer = await api.control("violations")
    assert answer["violations"] == {**CLEAN, "caps": 1}
    assert answer["findings"][0]["why"] == "broadcasts in a day"
