"""Between the bot and people: who has the word, and what is said when it passes on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.emulator.kf_hands import grant, servicer_recalls, servicer_rejects
from bot.emulator.kf_state import State
from bot.workers.events import EventWorker
from bot.workers.inbox import InboxWorker
from bot.workspace import Workspace
from tests.journeys.test_split_questions import answer_without_sending, says, step
from tests.journeys.town import Life, live

KNOWN = "存单快到期了,怎么办呀"
UNKNOWN = "古钱币能不能拿来鉴定"


@pytest.fixture
async def life(workspace: Workspace) -> AsyncIterator[Life]:
    """Open a small town by day: outside the hours nobody is called before the morning."""
    async with live(workspace, groups=1, members=4) as town:
        await town.go_to("10:00")
        yield town


def talk_of(life: Life):  # type: ignore[no-untyped-def]
    return life.world.kf.conversation(life.account, life.visitor)


def manager(life: Life) -> str:
    return str(life.world.contacts.of_customer(life.visitor)[0].userid)


async def mirror(life: Life) -> tuple[int, str]:
    async with life.demo.bot.database.read() as tx:
        session = await tx.conversations.session(life.visitor, life.account)
    assert session is not None
    return session.state, session.servicer


async def test_who_comes_is_said_by_day_and_when_at_night(life: Life) -> None:
    await life.asks("转人工")
    (by_day,) = life.on_occasion()
    bank = life.demo.bot.content.bank
    name = bank.member(manager(life)).address_as
    assert by_day == f"{name}这就来跟您说，请稍等。急事打 {bank.institution.hotline}。"
    night = life.demo.town.visitors[1]
    await life.go_to("21:00")
    (at_night,) = await life.asks("转人工", night)
    assert "明天 08:30 上班，到时候来跟您说" in at_night
    assert bank.institution.hotline in at_night
    early = life.demo.town.visitors[2]
    await life.go_to("06:00", "2026-10-13")
    (in_the_morning,) = await life.asks("转人工", early)
    assert "今天 08:30 上班，到时候来跟您说" in in_the_morning


async def test_with_nobody_receiving_the_customer_queues_and_the_desk_is_told(life: Life) -> None:
    for userid in list(life.world.kf.account(life.account).servicers):
        life.world.kf.servicer_status(life.account, userid, receiving=False)
    await life.asks("转人工")
    assert (life.state(), await mirror(life)) == (2, (2, ""))
    (queued,) = life.on_occasion()
    assert "稍等" in queued
    own = manager(life)
    head = next(
        branch.head
        for branch in life.demo.bot.content.bank.branches
        if branch.id == life.demo.bot.content.bank.member(own).branch
    )
    for person in (own, head):
        inbox = life.world.app_messages.inbox(person)
        assert any("排队等人" in item.text for item in inbox), person
    life.world.kf.servicer_status(life.account, own, receiving=True)
    life.world.kf.servicer_takes(life.account, life.visitor, own)
    await life.settle()
    assert "这就来" in life.on_occasion()[-1]
    assert await mirror(life) == (3, own)
    assert await life.ledger("kf_noted") > 0  # who began and ceased to receive is kept


async def test_goodbye_asks_how_it_was_and_the_answer_is_kept(life: Life) -> None:
    await life.asks("转人工")
    life.world.kf.servicer_ends(life.account, life.visitor)
    await life.settle()
    assert await mirror(life) == (4, manager(life))
    goodbye = life.on_occasion()[-1]
    assert "满意" in goodbye
    life.new()
    life.world.kf.customer_clicks(life.account, life.visitor, "rate:1")
    await life.settle()
    assert life.answers() == ["收到，谢谢您告诉我们。"]
    life.world.kf.customer_clicks(life.account, life.visitor, "rate:3")
    await life.settle()
    assert "对不起" in life.answers()[0]
    async with life.demo.bot.database.read() as tx:
        rated = await tx.ledger.of_kinds(["session_rated"])
    assert [entry.facts["rating"] for entry in rated] == [1, 3]
    assert "潜在投诉" in [lead.need.value for lead in await life.leads(life.visitor)]


async def test_a_persons_word_takes_back_what_has_not_left(life: Life) -> None:
    await life.asks("转人工")
    life.world.kf.servicer_ends(life.account, life.visitor)
    await life.settle()
    life.new()
    says(life, KNOWN)
    await answer_without_sending(life)
    talk_of(life).stored_state = State.ENDED  # the manager writes again from the client
    life.world.kf.servicer_says(life.account, life.visitor, manager(life), "我来跟您说")
    await life.settle()
    assert life.answers() == []
    assert await mirror(life) == (3, manager(life))
    assert await life.ledger("reply_taken_back") == 1


async def test_a_person_who_speaks_while_it_is_thought_about_is_not_talked_over(
    life: Life,
) -> None:
    says(life, KNOWN)
    await step(life, InboxWorker)
    talk_of(life).assign(manager(life), life.world.now())
    life.world.kf.servicer_says(life.account, life.visitor, manager(life), "我来")
    await life.settle()
    assert life.answers() == []
    assert await life.ledger("left_to_person") == 1


async def test_somebody_in_danger_is_told_of_even_while_a_person_has_the_word(life: Life) -> None:
    await life.asks("转人工")
    assert await life.asks("我被骗了,刚转了三万") == []
    assert [lead.need.value for lead in await life.leads(life.visitor)] == ["找人工", "红线"]


async def test_where_the_console_gives_sessions_to_people_the_bot_learns_it_and_is_silent(
    life: Life,
) -> None:
    life.world.kf.account(life.account).first_state = State.HUMAN
    assert await life.asks(KNOWN) == []
    state, servicer = await mirror(life)
    assert (state, servicer) == (3, talk_of(life).servicer)
    assert "答不上" not in [lead.need.value for lead in await life.leads(life.visitor)]
    life.new()
    await life.wait(60)  # not tried again, however long
    assert life.answers() == []


async def test_an_answer_that_does_not_arrive_goes_to_a_person(life: Life) -> None:
    fails = [(0, "没送到"), (4, "48 小时"), (5, "已结束"), (6, "五条"), (10, "拒收")]
    question = "取五万块钱要提前预约吗"
    for customer, (fail_type, why) in zip(life.demo.town.visitors, fails, strict=False):
        life.world.faults.plan("kf/send_msg", "send_fail", fail_type=fail_type)
        await life.asks(question, customer)
        (lead,) = await life.leads(customer)
        assert (lead.need.value, lead.evidence[0].quote) == ("答不上", question)
        assert why in life.cards(lead.rm, "lead")[-1].text
        # A person can help where the bot cannot, but not who is out of reach.
        assert life.state(customer) == (3 if fail_type == 0 else 0)
    states = [state for key, state in (await life.outbox_states()).items() if ":answer:" in key]
    assert states == ["failed"] * len(fails)


async def test_a_failed_hand_over_notice_calls_nobody_twice(life: Life) -> None:
    life.world.faults.plan("kf/send_msg", "send_fail", fail_type=10)
    await life.asks("转人工")
    assert [lead.need.value for lead in await life.leads(life.visitor)] == ["找人工"]


async def test_a_rejected_customer_gets_no_messages(life: Life) -> None:
    life.new()
    says(life, KNOWN)
    await answer_without_sending(life)
    servicer_rejects(life.world, life.account, life.visitor, manager(life), rejecting=True)
    await step(life, InboxWorker, EventWorker)
    await life.settle()
    assert life.answers() == []
    assert await life.ledger("customer_rejected") == 1
    servicer_rejects(life.world, life.account, life.visitor, manager(life), rejecting=False)
    await life.settle()
    assert len(await life.asks("取五万块钱要提前预约吗")) == 1


async def test_what_else_happens_is_written_down(life: Life) -> None:
    await life.asks("转人工")
    said = life.world.kf.servicer_says(life.account, life.visitor, manager(life), "打错字了")
    servicer_recalls(life.world, life.account, life.visitor, said)
    grant(life.world, life.account, managed=False)
    await life.world.callbacks.flush()
    grant(life.world, life.account, managed=True)
    await life.settle()
    async with life.demo.bot.database.read() as tx:
        noted = [entry.facts["what"] for entry in await tx.ledger.of_kinds(["kf_noted"])]
    assert sorted(noted) == ["account_granted", "account_withdrawn", "servicer_recall_msg"]
