"""Scenarios S5 to S8, and what else goes wrong on WeCom's side: slow, busy, forgetful."""

from __future__ import annotations

import asyncio
import statistics

from bot.conformance.stage import Stage
from bot.conformance.verdict import Scenario, Seen

_SLOW_S = 6.0
_SLOW_SEND_S = 2.0
_CROWD = 30
_ACK_MS = 50.0
_ABOUT_PEOPLE = ("user/get", "externalcontact/get", "kf/customer/batchget")


async def _acks(stage: Stage, customers: list[str]) -> list[float]:
    """Let customers write one after another; return how long each callback took, in ms."""
    taken = []
    for customer in customers:
        before = stage.posted()
        stage.asks(customer)
        [doorbell, *_] = await stage.doorbells(before)
        taken.append(doorbell.elapsed_ms if doorbell.accepted else float("inf"))
    return taken


async def _slow_people(stage: Stage) -> Seen:
    customers = stage.customers(5)
    for api in _ABOUT_PEOPLE:
        stage.world.faults.plan(api, "slow", times=len(customers), seconds=_SLOW_S)
    taken = await _acks(stage, customers)
    await stage.all_answered(customers, _SLOW_S * 6)
    stage.world.faults.clear()
    await stage.calm()
    middle = statistics.median(taken)
    answered = stage.answered(customers)
    return Seen(f"应答 {middle:.0f} 毫秒，{answered} 人有回复", middle <= _ACK_MS and answered == 5)


async def _slow_send(stage: Stage) -> Seen:
    slow, others = stage.customers(5), stage.customers(10)
    stage.world.faults.plan("kf/send_msg", "slow", times=len(slow), seconds=_SLOW_SEND_S)
    await _acks(stage, slow)
    taken = await _acks(stage, others)
    await stage.all_answered([*slow, *others])
    stage.world.faults.clear()
    await stage.calm()
    middle, longest = statistics.median(taken), max(taken)
    words = f"应答中位 {middle:.0f} 毫秒，最长 {longest:.0f} 毫秒"
    return Seen(words, middle <= _ACK_MS and longest <= 5 * _ACK_MS)


async def _cold_token(stage: Stage) -> Seen:
    customers = stage.customers(_CROWD)
    stage.world.tokens.withdraw_all()
    mark = stage.tap.mark()
    for customer in customers:
        stage.asks(customer)
    await stage.all_answered(customers, 60.0)
    await stage.calm()
    asked, answered = stage.tap.count("gettoken", mark), stage.answered(customers)
    return Seen(f"取 {asked} 次，{answered} 人有回复", asked == 1 and answered == _CROWD)


async def _five_in_a_breath(stage: Stage) -> Seen:
    customer = stage.customer()
    for _ in range(5):
        stage.asks(customer)
        await asyncio.sleep(0.1)
    await stage.all_answered([customer])
    await stage.calm()
    count = len(stage.replies(customer))
    return Seen(f"{count} 条回复", count in (1, 5))


async def _lost_answer(stage: Stage) -> Seen:
    customer = stage.customer()
    stage.world.faults.plan("kf/send_msg", "lost_answer")
    return await _one_reply(stage, customer)


async def _busy_twice(stage: Stage) -> Seen:
    customer = stage.customer()
    stage.world.faults.plan("kf/send_msg", "errcode", times=2, errcode=-1)
    return await _one_reply(stage, customer)


async def _busy_pull(stage: Stage) -> Seen:
    customer = stage.customer()
    stage.world.faults.plan("kf/sync_msg", "errcode", times=2, errcode=-1)
    return await _one_reply(stage, customer)


async def _empty_pages(stage: Stage) -> Seen:
    customer = stage.customer()
    stage.world.faults.plan("kf/sync_msg", "empty_page", times=3)
    return await _one_reply(stage, customer)


async def _token_expires(stage: Stage) -> Seen:
    customer = stage.customer()
    stage.world.faults.plan("kf/send_msg", "token_expiry")
    return await _one_reply(stage, customer)


async def _one_reply(stage: Stage, customer: str) -> Seen:
    stage.asks(customer)
    await stage.all_answered([customer])
    await stage.calm()
    stage.world.faults.clear()
    count = len(stage.replies(customer))
    return Seen(f"{count} 条回复", count == 1)


async def _recalled(stage: Stage) -> Seen:
    customer = stage.customer()
    msgid = stage.asks(customer)
    stage.world.kf.customer_recalls(stage.account, customer, msgid)
    await stage.calm()
    count = len(stage.replies(customer))
    return Seen(f"{count} 条回复", count == 0)


SCENARIOS = (
    Scenario("S5", "查客户资料要 6 秒", "应答 50 毫秒内", _slow_people),
    Scenario("S6", "发消息要 2 秒，别的客户来信", "应答 50 毫秒内", _slow_send),
    Scenario("S7", f"令牌失效后 {_CROWD} 人同时来信", "取 1 次令牌", _cold_token),
    Scenario("S8", "一位客户半秒里发五条", "合成 1 条，或按序 5 条", _five_in_a_breath),
    Scenario("T1", "发出了，应答在路上丢了", "1 条回复", _lost_answer),
    Scenario("T2", "发消息遇到两次系统繁忙", "1 条回复", _busy_twice),
    Scenario("T3", "拉消息遇到两次系统繁忙", "1 条回复", _busy_pull),
    Scenario("T4", "三张空页，后面还有", "1 条回复", _empty_pages),
    Scenario("T5", "发消息时令牌过期", "1 条回复", _token_expires),
    Scenario("T6", "客户发了又撤回", "0 条回复", _recalled),
)
