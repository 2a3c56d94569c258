"""升级服务: after a talk with a person the customer may stay in touch; nobody is pressed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.emulator.kf_hands import accepts_upgrade
from bot.workspace import Workspace
from tests.journeys.town import Life, live

STRANGER = 3  # of the visitors: served by nobody yet
DAY = "2026-10-12"


@pytest.fixture
async def life(workspace: Workspace) -> AsyncIterator[Life]:
    """Open a small town in the middle of a morning; the console offers everybody."""
    async with live(workspace, groups=1, members=4) as town:
        town.world.kf.upgrade_members = set(town.world.members)
        town.world.kf.upgrade_groups = {town.chat}
        await town.go_to("10:00")
        yield town


def stranger(life: Life) -> str:
    return life.demo.town.visitors[STRANGER]


def person_of(life: Life, customer: str) -> str:
    return str(life.world.kf.conversation(life.account, customer).servicer)


def invitations(life: Life, customer: str) -> list[str]:
    """Return whom or what a customer was invited to, oldest first."""
    lines = life.world.kf.conversation(life.account, customer).lines
    return [str(line.content["target"]) for line in lines if line.msgtype == "upgrade_service"]


async def talks(life: Life, customer: str, *, rating: str = "") -> str:
    """Let a customer talk with a person to the end; return the person."""
    await life.asks("转人工", customer)
    person = person_of(life, customer)
    await talks_on(life, customer, person)
    if rating:
        life.world.kf.customer_clicks(life.account, customer, rating)
        await life.settle()
    return person


async def talks_on(life: Life, customer: str, person: str) -> None:
    life.world.kf.servicer_says(life.account, customer, person, "办好了，您放心。")
    life.world.kf.servicer_ends(life.account, customer)
    await life.settle()


async def test_a_stranger_is_invited_to_the_person_a_while_after_a_talk_and_once(
    life: Life,
) -> None:
    customer = stranger(life)
    person = await talks(life, customer, rating="rate:1")
    assert invitations(life, customer) == []
    await life.wait(4)
    assert invitations(life, customer) == [person]
    line = life.world.kf.conversation(life.account, customer).lines[-1]
    name = life.demo.bot.content.bank.member(person).address_as
    assert name in line.text
    assert "加不加都行" in line.text
    assert accepts_upgrade(life.world, life.account, customer) == person
    await life.settle()
    async with life.demo.bot.database.read() as tx:
        known = await tx.people.customer(customer)
    assert known is not None
    assert known.managers == (person,)
    await talks(life, customer)
    await life.wait(10)
    assert invitations(life, customer) == [person]


@pytest.mark.parametrize("why", ["rated badly", "a friend already", "said nothing", "refuses"])
async def test_nobody_is_invited_who_would_rather_not(life: Life, why: str) -> None:
    customer = life.visitor if why == "a friend already" else stranger(life)
    if why == "refuses":
        await life.asks("退订", customer)
    if why == "said nothing":
        await life.asks("转人工", customer)
        life.world.kf.servicer_ends(life.account, customer)
        await life.settle()
    else:
        await talks(life, customer, rating="rate:3" if why == "rated badly" else "")
    await life.wait(30)
    assert invitations(life, customer) == []


async def test_nobody_is_invited_in_the_evening_but_the_next_morning(life: Life) -> None:
    customer = stranger(life)
    await life.go_to("17:20")
    await life.asks("转人工", customer)
    person = person_of(life, customer)
    await life.go_to("17:45")
    await life.go_to("19:31")
    assert invitations(life, customer) == []
    life.world.kf.servicer_says(life.account, customer, person, "让您久等了，办好了。")
    life.world.kf.servicer_ends(life.account, customer)
    await life.wait(30)
    assert invitations(life, customer) == []
    await life.go_to("08:31", "2026-10-13")
    assert invitations(life, customer) == [person]


async def test_the_person_invites_into_a_group_by_a_press_and_gives_the_talk_back_after(
    life: Life,
) -> None:
    owner = life.owner(life.chat)
    customer = next(
        one
        for one in life.demo.town.visitors
        if [link.userid for link in life.world.contacts.of_customer(one)] == [owner]
    )
    await life.asks("转人工", customer)
    (card,) = life.cards(owner, "ticket")
    selection = card.content["button_selection"]
    assert [one["id"] for one in selection["option_list"]] == ["friend", life.chat]
    await life.press(card, "invite", {selection["question_key"]: [life.chat]})
    assert invitations(life, customer) == [life.chat]
    assert accepts_upgrade(life.world, life.account, customer) == life.chat
    (again,) = life.cards(owner, "ticket")
    assert "邀请发给客户了" in again.text
    await life.press(again, "back")
    assert life.state(customer) == 4
    await life.wait(30)
    assert invitations(life, customer) == [life.chat]  # it is left at that


async def test_an_invitation_of_which_nobody_knows_whether_it_came_is_not_made_again(
    life: Life,
) -> None:
    customer = stranger(life)
    await life.asks("转人工", customer)
    person = person_of(life, customer)
    (card,) = life.cards(person, "ticket")
    life.world.faults.plan("kf/customer/upgrade_service", "lost_answer")
    await life.press(card, "invite")
    await life.wait(2)
    await talks_on(life, customer, person)
    await life.wait(10)
    assert invitations(life, customer) == [person]


async def test_whom_the_console_does_not_offer_is_told_what_to_do(life: Life) -> None:
    life.world.kf.upgrade_members = set()
    customer = stranger(life)
    await life.asks("转人工", customer)
    person = person_of(life, customer)
    (card,) = life.cards(person, "ticket")
    await life.press(card, "invite")
    assert invitations(life, customer) == []
    inbox = life.world.app_messages.inbox(person)
    assert any("升级服务" in item.text for item in inbox)
    assert "failed" not in set((await life.outbox_states()).values())
