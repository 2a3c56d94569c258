"""A manager leaves or moves: customers, groups and leads find a new owner."""

from __future__ import annotations

from collections import Counter

import pytest

from bot.domain.ids import CustomerId, RmId
from bot.emulator import contact, transfers
from bot.storage.tables import customers
from bot.workers.handing_on import Estate, estate_of, hand_on, problem_with, without_owner
from bot.workers.transfers import TransferWorker
from tests.journeys.town import Life, edit

GIVER, TAKER = RmId("li.min"), RmId("wang.haoran")
ASK = "externalcontact/transfer_customer"
IN_FILE = "{userid: li.min, 姓名: 李敏, 称呼: 李经理, 角色: 客户经理, 网点: b01, 在岗: true}"


async def estate(life: Life) -> Estate:
    (worker,) = [one for one in life.demo.bot.workers if isinstance(one, TransferWorker)]
    return await estate_of(life.demo.bot.database, worker._inheritance, GIVER)  # type: ignore[arg-type]


async def plan(life: Life, words: str = "") -> tuple[int, int, int]:
    """Do what ``zhilin transfer --from --to`` does, and let the bot work on it."""
    has = await estate(life)
    async with life.demo.bot.database.begin() as tx:
        now = life.demo.clock.now()
        new = await hand_on(tx, life.demo.bot.content.bank, has, GIVER, TAKER, now, words=words)
    await life.settle()
    return new


async def states(life: Life, kind: str = "customer") -> Counter[str]:
    async with life.demo.bot.database.read() as tx:
        return Counter(one.state for one in await tx.transfers.listed() if one.kind == kind)


def friends(life: Life, userid: str) -> list[str]:
    return [one.external_userid for one in life.world.contacts.of_member(userid)]


async def managers_of(life: Life, customer: str) -> list[str]:
    async with life.demo.bot.database.read() as tx:
        found = await tx.people.customer(CustomerId(customer))
    assert found is not None
    return list(found.managers)


async def test_everything_goes_over_in_a_day_and_nobody_counts_as_lost(life: Life) -> None:
    mine, groups = friends(life, GIVER), life.world.groups.owned_by(GIVER)
    assert mine
    assert groups
    assert await plan(life, "您好，以后由王经理为您服务。") == (len(mine), len(groups), 0)
    assert await states(life) == {"waiting": len(mine)}
    assert await states(life, "group") == {"done": len(groups)}
    assert {group.owner for group in groups} == {TAKER}
    await life.wait(26 * 60)
    assert await states(life) == {"done": len(mine)}
    assert friends(life, GIVER) == []
    assert set(mine) <= set(friends(life, TAKER))
    for customer in mine:
        assert await managers_of(life, customer) == [TAKER]
    assert await life.ledger("customer_lost") == 0
    assert await life.ledger("customer_handed_on") == len(mine)
    (told,) = {item.text for item in life.world.deliveries.select("single", source="transfer")}
    assert told == "您好，以后由王经理为您服务。"


async def test_asking_again_goes_on_and_asks_nobody_twice(life: Life) -> None:
    mine = friends(life, GIVER)
    life.world.faults.plan(ASK, "errcode", errcode=-1)
    await plan(life)
    assert await states(life) == {"planned": len(mine)}
    assert await plan(life) == (0, 0, 0)
    await life.wait(3)
    assert await states(life) == {"waiting": len(mine)}
    newcomer = life.world.settle_customer("", "王阿姨")
    contact.befriend(life.world, GIVER, newcomer)
    await life.settle()
    assert (await plan(life))[0] == 1
    assert len(life.world.transfers.items) == len(mine) + 1


async def test_a_lost_answer_asks_again_and_finds_it_under_way(life: Life) -> None:
    mine = friends(life, GIVER)
    life.world.faults.plan(ASK, "lost_answer")
    await plan(life)
    await life.wait(3)
    assert await states(life) == {"waiting": len(mine)}
    assert len(life.world.transfers.items) == len(mine)


async def test_who_refuses_stays_and_is_listed(life: Life) -> None:
    mine = friends(life, GIVER)
    await plan(life)
    transfers.refuse(life.world, mine[0], TAKER)
    await life.settle()
    assert await states(life) == {"waiting": len(mine) - 1, "refused": 1}
    await life.wait(26 * 60)
    assert await states(life) == {"done": len(mine) - 1, "refused": 1}
    assert await managers_of(life, mine[0]) == [GIVER]


async def test_a_full_taker_is_told_though_the_callback_is_lost(life: Life) -> None:
    mine = friends(life, GIVER)
    await plan(life)
    life.world.assumed.customers_per_member = 0
    life.world.faults.plan("contact", "lost", times=1000)
    await life.wait(27 * 60)
    assert await states(life) == {"limit": len(mine)}


async def test_one_who_left_the_bank_hands_on_what_only_wecom_still_lists(life: Life) -> None:
    mine, groups = friends(life, GIVER), life.world.groups.owned_by(GIVER)
    transfers.resign(life.world, GIVER)
    async with life.demo.bot.database.begin() as tx:
        await tx.connection.execute(customers.delete())
    has = await estate(life)
    assert (has.resigned, set(has.customers)) == (True, set(mine))
    await plan(life)
    assert await states(life, "group") == {"waiting": len(groups)}
    await life.wait(27 * 60)
    assert await states(life) == {"done": len(mine)}
    assert await states(life, "group") == {"done": len(groups)}
    assert {group.owner for group in groups} == {TAKER}
    assert await life.ledger("customer_lost") == 0


async def test_a_group_whose_owner_turns_out_to_have_left_is_asked_for_in_the_other_way(
    life: Life,
) -> None:
    groups = life.world.groups.owned_by(GIVER)
    for customer in friends(life, GIVER):
        life.world.contacts.drop(GIVER, customer)
    transfers.resign(life.world, GIVER)  # without a customer WeCom lists nothing of him
    assert not (await estate(life)).resigned
    await plan(life)
    await life.wait(3 * 60)
    assert await states(life, "group") == {"done": len(groups)}
    assert {group.owner for group in groups} == {TAKER}


async def test_open_leads_go_over_at_once_with_a_card(life: Life) -> None:
    await life.asks("我要投诉", life.visitor)
    (lead,) = await life.leads(life.visitor)
    assert lead.rm == GIVER
    before = len(life.cards(TAKER, "lead"))
    assert (await plan(life))[2] == 1
    (moved,) = await life.leads(life.visitor)
    assert (moved.rm, moved.stage) == (TAKER, "new")
    assert len(life.cards(TAKER, "lead")) == before + 1


async def test_who_is_not_on_duty_is_named_with_what_he_has(life: Life) -> None:
    bank = life.demo.bot.content.bank
    assert await without_owner(life.demo.bot.database, bank) == {}
    edit(life.demo.workspace, "sop/_workspace.yaml", IN_FILE, IN_FILE.replace("true", "false"))
    assert await life.demo.bot.content_worker.reload()
    bank = life.demo.bot.content.bank
    has = len(friends(life, GIVER)), len(life.world.groups.owned_by(GIVER))
    assert await without_owner(life.demo.bot.database, bank) == {GIVER: has}


@pytest.mark.parametrize(
    ("giver", "taker", "words", "said"),
    [
        ("li.min", "li.min", "", "同一个人"),
        ("li.min", "nobody", "", "员工里没有"),
        ("li.min", "wang.haoran", "好" * 201, "200"),
        ("somebody.gone", "wang.haoran", "", ""),
    ],
)
async def test_what_cannot_be_done_is_said_before(
    life: Life, giver: str, taker: str, words: str, said: str
) -> None:
    problem = problem_with(life.demo.bot.content.bank, giver, taker, words)
    assert said in problem
    assert bool(problem) == bool(said)
