"""Scenarios S2 to S4: the same news twice, a crash, and many people in one page."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.conformance.stage import Stage
from bot.conformance.verdict import Scenario, Seen

_COPIES = 3
_CRASH_CUSTOMERS = 10
_CRASH_AFTER_S = 0.3
_SLOW_MODEL_S = 7.0
_KEPT = 1000
_TRIES = 5
_IN_OTHER_WORDS = "您好，我想问一下，{}"


def _replies(count: int, ideal: int = 1) -> Seen:
    return Seen(f"{count} 条回复", count == ideal)


async def _same_callback_thrice(stage: Stage) -> Seen:
    customer, before = stage.customer(), stage.posted()
    stage.asks(customer)
    [first, *_] = await stage.doorbells(before)
    for _ in range(_COPIES - 1):
        stage.post_again(first)
    await stage.all_answered([customer])
    await stage.calm()
    return _replies(len(stage.replies(customer)))


async def _slow_model(stage: Stage) -> Seen:
    stage.model.seconds = _SLOW_MODEL_S
    try:
        for _ in range(_TRIES):
            seen = await _asked_slowly(stage)
            if seen.met is not None:
                break
    finally:
        stage.model.seconds = 0.0
    return seen


async def _asked_slowly(stage: Stage) -> Seen:
    """Ask a question in other words than the approved ones, which need no model."""
    customer, before, asked = stage.customer(), stage.posted(), stage.model.asked
    stage.asks(customer, _IN_OTHER_WORDS.format(stage.question()))
    [doorbell, *_] = await stage.doorbells(before)
    await stage.all_answered([customer], _SLOW_MODEL_S * 4)
    await stage.calm()
    count = len(stage.replies(customer))
    if stage.model.asked == asked:
        return Seen(f"未测：大模型没有被问到，{count} 条回复", None)
    met = doorbell.attempts == 1 and count == 1
    return Seen(f"投递 {doorbell.attempts} 次，{count} 条回复", met)


async def _crash(stage: Stage) -> Seen:
    customers, before = stage.customers(_CRASH_CUSTOMERS), stage.posted()
    for number, customer in enumerate(customers, 1):
        stage.asks(customer)
        await stage.doorbells(before, number)
    await asyncio.sleep(_CRASH_AFTER_S)
    await stage.bot.kill()
    await stage.bot.start()
    await stage.all_answered(customers)
    await stage.calm()
    lost = _CRASH_CUSTOMERS - stage.answered(customers)
    twice = sum(len(stage.replies(customer)) > 1 for customer in customers)
    return Seen(f"丢 {lost} 个，重复 {twice} 个", lost == 0 and twice == 0)


async def _three_in_one_page(stage: Stage) -> Seen:
    customers = stage.customers(3)
    for customer in customers:
        stage.asks(customer)
    await stage.all_answered(customers)
    await stage.calm()
    count = len(stage.replies(*customers))
    return Seen(f"{stage.answered(customers)} 人有回复", stage.answered(customers) == 3 == count)


async def _a_person_writes(stage: Stage) -> Seen:
    customer = stage.customer()
    stage.asks(customer)
    await stage.all_answered([customer])
    await stage.calm()
    before = len(stage.replies(customer))
    _give_to_person(stage, customer)
    stage.world.kf.servicer_says(stage.account, customer, stage.servicer, "我是客户经理，我来说。")
    stage.asks(customer)
    await stage.calm()
    return _replies(len(stage.replies(customer)) - before, 0)


def _give_to_person(stage: Stage, customer: str) -> None:
    from bot.emulator.kf_state import State

    conversation = stage.world.kf.conversation(stage.account, customer)
    conversation.stored_state, conversation.servicer = State.HUMAN, stage.servicer


async def _entering_comes_last(stage: Stage) -> Seen:
    customer = stage.customer()
    stage.asks(customer)
    stage.world.kf.enter(stage.account, customer)
    await stage.all_answered([customer])
    await stage.calm()
    return _replies(len(stage.replies(customer)))


async def _told_again_after_restart(stage: Stage) -> Seen:
    customer, before = stage.customer(), stage.posted()
    stage.asks(customer)
    [doorbell, *_] = await stage.doorbells(before)
    await stage.all_answered([customer])
    await stage.calm()
    await stage.bot.kill()
    await stage.bot.start()
    stage.post_again(doorbell)
    await stage.calm()
    return _replies(len(stage.replies(customer)))


async def _many_kept_messages(stage: Stage) -> Seen:
    account, others = stage.new_account(), stage.customers(_KEPT)
    log = stage.world.kf.account(account).log
    day_before = stage.world.now() - timedelta(days=1)
    for number, other in enumerate(others):
        log.append(day_before, _kept_message(account, other, number, day_before.timestamp()))
    customer, mark = stage.customer(), stage.tap.mark()
    stage.asks(customer, account=account)
    await stage.all_answered([customer])
    await stage.calm()
    pulls, old = stage.tap.count("kf/sync_msg", mark), len(stage.replies(*others))
    new = len(stage.replies(customer))
    met = new == 1 and old == 0 and pulls <= 2
    return Seen(f"新问题 {new} 条，旧问题 {old} 条，拉取 {pulls} 次", met)


def _kept_message(account: str, customer: str, number: int, at: float) -> dict[str, object]:
    return {
        "msgid": f"kept{number:028d}",
        "open_kfid": account,
        "external_userid": customer,
        "send_time": int(at),
        "origin": 3,
        "msgtype": "text",
        "text": {"content": f"昨天的第{number}个问题"},
    }


async def _the_same_words_twice(stage: Stage) -> Seen:
    customer, words = stage.customer(), stage.question()
    stage.asks(customer, words)
    await asyncio.sleep(2.0)
    stage.asks(customer, words)
    await stage.until(lambda: len(stage.replies(customer)) == 2, 10.0)
    await stage.calm()
    count = len(stage.replies(customer))
    return Seen(f"{count} 条回复", count in (1, 2) and _last_is_answered(stage, customer))


def _last_is_answered(stage: Stage, customer: str) -> bool:
    """Tell whether a reply came after the customer's last words: none may be taken for a double."""
    lines = stage.world.kf.conversation(stage.account, customer).lines
    asked = max((line.at for line in lines if line.side == "customer"), default=None)
    return asked is not None and any(item.at >= asked for item in stage.replies(customer))


SCENARIOS = (
    Scenario("S2", "同一个回调投递三次", "1 条回复", _same_callback_thrice),
    Scenario("S2b", "大模型要想 7 秒", "投递 1 次，1 条回复", _slow_model, "model"),
    Scenario("S3", "10 人的消息应答后断电再启动", "丢 0 个，重复 0 个", _crash, "restart"),
    Scenario("S4", "三位客户的消息在同一页", "3 人有回复", _three_in_one_page),
    Scenario("S4-人工", "人工说话后客户再问", "0 条回复", _a_person_writes),
    Scenario("S4-进入", "问题之后还有进入会话的事件", "1 条回复", _entering_comes_last),
    Scenario("S4b", "重启后旧的通知又来一次", "1 条回复", _told_again_after_restart, "restart"),
    Scenario(
        "S4c",
        "第一次拉取时有 1000 条旧消息",
        "新问题 1 条，旧问题 0 条，拉取不超过 2 次",
        _many_kept_messages,
    ),
    Scenario("S4d", "同样的话隔两秒说两遍", "2 条回复，或合成 1 条", _the_same_words_twice),
)
