"""A talk is given to the pool, taken back from a person, and led on to a manager or a group."""

from __future__ import annotations

import pytest

from bot.domain.ids import GroupChatId, RmId
from bot.domain.messages import KfHandover, KfInvite, KfRelease
from bot.domain.session_moves import NOT_IN_RANGE
from bot.emulator.kf_state import Conversation, State
from bot.errors import SessionMoved, Undeliverable
from tests.channels.bank import Bank
from tests.make import ACCOUNT, CHAT, CUSTOMER, OWNER

RELEASE = KfRelease(account=ACCOUNT, customer=CUSTOMER, ticket=1, how="idle")


def talk(bank: Bank) -> Conversation:
    return bank.world.kf.conversation(ACCOUNT, CUSTOMER)


def invitation(chat: str = "") -> KfInvite:
    return KfInvite(
        account=ACCOUNT,
        customer=CUSTOMER,
        ticket=1,
        to=RmId(OWNER),
        chat=GroupChatId(chat),
        words="以后直接找我",
    )


async def test_one_who_did_not_come_before_is_passed_over_for_the_pool(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "转人工")
    move = KfHandover(account=ACCOUNT, customer=CUSTOMER, to=RmId(OWNER), pool=True)
    receipt = await bank.kf.send("k", move, repeated=False)
    assert (talk(bank).stored_state, receipt.ref) == (State.POOL, "")
    assert receipt.response_code


@pytest.mark.parametrize("state", [State.HUMAN, State.POOL])
async def test_what_a_person_has_or_waits_for_one_is_ended_with_a_code_for_a_word(
    bank: Bank, state: State
) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "转人工")
    talk(bank).assign(OWNER if state is State.HUMAN else "", bank.world.now())
    receipt = await bank.kf.send("k", RELEASE, repeated=False)
    assert talk(bank).stored_state is State.ENDED
    assert bank.world.kf.codes[receipt.response_code].kind == "ended"


async def test_what_is_over_already_is_as_it_should_be(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "转人工")
    talk(bank).assign(OWNER, bank.world.now())
    bank.world.kf.servicer_ends(ACCOUNT, CUSTOMER)
    receipt = await bank.kf.send("k", RELEASE, repeated=True)
    assert receipt.response_code == ""


async def test_after_a_lost_answer_the_next_session_is_not_ended_in_its_place(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "转人工")
    talk(bank).assign(OWNER, bank.world.now())
    await bank.kf.send("k", RELEASE, repeated=False)
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "还在吗")  # this session is the bot's
    with pytest.raises(SessionMoved) as moved:
        await bank.kf.send("k", RELEASE, repeated=True)
    assert moved.value.state == State.NEW
    assert talk(bank).stored_state is State.NEW


@pytest.mark.parametrize(("chat", "target"), [("", OWNER), (CHAT, CHAT)])
async def test_a_customer_is_invited_to_a_manager_or_into_a_group(
    bank: Bank, chat: str, target: str
) -> None:
    bank.world.kf.upgrade_members, bank.world.kf.upgrade_groups = {OWNER}, {CHAT}
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "您好")
    receipt = await bank.kf.send("k", invitation(chat), repeated=False)
    line = talk(bank).lines[-1]
    assert receipt.ref == target
    assert (line.msgtype, line.content["target"]) == ("upgrade_service", target)
    assert line.text == "以后直接找我"


@pytest.mark.parametrize("chat", ["", CHAT])
async def test_what_the_console_does_not_offer_is_skipped_and_not_tried(
    bank: Bank, chat: str
) -> None:
    bank.world.kf.upgrade_members = {"somebody.else"}
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "您好")
    receipt = await bank.kf.send("k", invitation(chat), repeated=False)
    assert receipt.skipped == NOT_IN_RANGE
    assert talk(bank).lines[-1].msgtype == "text"


async def test_a_member_of_no_department_that_is_offered_is_refused_for_good(bank: Bank) -> None:
    bank.world.kf.upgrade_departments = {7}  # who is in it is WeCom's to know
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "您好")
    with pytest.raises(Undeliverable) as refused:
        await bank.kf.send("k", invitation(), repeated=False)
    assert refused.value.reason == NOT_IN_RANGE


async def test_who_has_not_asked_anything_for_two_days_is_not_invited(bank: Bank) -> None:
    bank.world.kf.upgrade_members = {OWNER}
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "您好")
    bank.clock.advance(hours=49)
    with pytest.raises(Undeliverable) as refused:
        await bank.kf.send("k", invitation(), repeated=False)
    assert refused.value.reason == "wecom_95031"


async def test_what_wecom_will_not_end_tells_where_it_is(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "您好")
    talk(bank).assign(OWNER, bank.world.now())
    bank.world.kf.transitions = frozenset()  # WeCom refuses the move
    with pytest.raises(SessionMoved) as moved:
        await bank.kf.send("k", RELEASE, repeated=False)
    assert (moved.value.state, moved.value.servicer) == (State.HUMAN, OWNER)
