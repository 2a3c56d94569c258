"""Nothing falls between bot and person: an ignored lead goes up twice; a manager is on leave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta

import pytest

from bot.domain.ids import RmId
from bot.leads.away import Absences, Leave
from bot.workers.lead_desk import desk_of
from bot.workspace import Workspace
from tests.journeys.town import Life, edit, live
from tests.make import ZONE, local

NIGHT = local("22:40", "2026-10-03")  # of the National Day's week: nobody works


@pytest.fixture
async def life(workspace: Workspace) -> AsyncIterator[Life]:
    async with live(workspace, groups=1, members=10) as town:
        yield town


def told(life: Life, userid: str) -> list[str]:
    """Return the plain words that a member of staff has, the oldest first."""
    return [item.text for item in life.world.app_messages.inbox(userid) if not item.buttons]


async def heads_of(life: Life, userid: str) -> tuple[str, str]:
    """Return who heads somebody's branch, and who protects customers at head office."""
    bank = life.demo.bot.content.bank
    return bank.head_over(userid), next(one.userid for one in bank.staff if one.role == "消保")


async def test_danger_that_nobody_looks_at_goes_up_twice_even_on_a_holiday_night(
    workspace: Workspace,
) -> None:
    async with live(workspace, NIGHT, groups=1, members=10) as life:
        await life.asks("有人让我把钱转到安全账户")
        (lead,) = await life.leads(life.visitor)
        first = lead.rm
        head, guard = await heads_of(life, first)
        await life.wait(2.5)
        (now,) = await life.leads(life.visitor)
        assert now.rm not in ("", first)  # half of the time is over: a colleague has it, too
        assert life.cards(now.rm, "lead")
        await life.wait(2.6)
        assert any("超过时限" in text for text in told(life, head))
        assert not told(life, guard)
        await life.wait(2.5)
        assert any("超过时限" in text for text in told(life, guard))
        assert await life.ledger("sla_missed") == 1
        assert await life.ledger("lead_escalated") == 2
        await life.wait(24 * 60)
        assert await life.ledger("sla_missed") == 2  # that it was not dealt with in a day, either


async def test_an_ignored_wish_is_offered_to_three_and_goes_up_twice_in_opening_hours(
    workspace: Workspace,
) -> None:
    edit(workspace, "sop/_workspace.yaml", "称呼: 赵经理,", "称呼: 赵经理, 上级: shen.mingyuan,")
    async with live(workspace, groups=1, members=10) as life:
        await life.had("d11-event-invite")
        await life.says(life.chat, life.member(life.chat), "报名")
        owner = life.owner(life.chat)
        head, _ = await heads_of(life, owner)
        await life.wait(46)
        assert await life.ledger("lead_offered_again") == 2
        assert await life.ledger("lead_pooled") == 1
        (lead,) = await life.leads()
        assert (lead.rm, lead.stage) == ("", "new")
        (card,) = life.cards(head, "lead")  # the first step up: it is his to give to somebody
        await life.wait(8 * 60)
        assert any("超过时限" in text for text in told(life, head))  # and the second
        assert await life.ledger("sla_missed") == 1
        await life.press(card, "take")
        (lead,) = await life.leads()
        assert (lead.rm, lead.stage) == (head, "taken")


async def test_what_is_taken_but_never_answered_is_warned_of_and_goes_up(life: Life) -> None:
    await life.had("d11-event-invite")
    await life.says(life.chat, life.member(life.chat), "报名")
    owner = life.owner(life.chat)
    (card,) = life.cards(owner, "lead")
    await life.press(card, "take")
    await life.wait(6 * 60)
    assert any("快到时限" in text for text in told(life, owner))
    head, _ = await heads_of(life, owner)
    assert any("超过时限" in text for text in told(life, head))


async def test_the_bots_own_answer_satisfies_nobody_and_a_persons_word_does(life: Life) -> None:
    """小安 talks on while the manager is waited for; his own word in the talk ends the wait."""
    await life.go_to("09:00")
    await life.asks("有人让我共享屏幕")
    (lead,) = await life.leads(life.visitor)
    assert lead.first_response_at is None
    assert life.answers() or life.world.deliveries.select("kf", life.visitor)
    (card,) = life.cards(lead.rm, "lead")
    await life.press(card, "take")
    life.world.kf.servicer_says(life.demo.town.kf_account, life.visitor, lead.rm, "我是李经理")
    await life.settle()
    (answered,) = await life.leads(life.visitor)
    assert answered.first_response_at is not None
    await life.wait(20)
    assert await life.ledger("sla_missed") == 0


async def test_a_leave_that_was_written_down_hands_on_as_work_begins(life: Life) -> None:
    await life.had("d11-event-invite")
    first = life.member(life.chat)
    owner = life.owner(life.chat)
    await life.says(life.chat, first, "报名")
    (card,) = life.cards(owner, "lead")
    await life.press(card, "take")
    bot = life.demo.bot
    now = life.world.now().astimezone(ZONE)
    begins = datetime.combine(now.date() + timedelta(days=1), time(0), tzinfo=ZONE)
    leave = Leave(userid=RmId(owner), begins=begins, ends=begins + timedelta(days=3))
    absences = Absences(lambda: bot.content.bank, desk_of(bot.content))
    async with bot.database.begin() as tx:
        assert await absences.leave(tx, leave, now) == ()
        due = await tx.next_due(["absences"])
    assert due is not None
    assert due.astimezone(ZONE).time() == time(9, 30)  # of a Saturday: nobody has cards at midnight
    await life.demo.restart()
    await life.go_to("09:29", begins.date().isoformat())
    (lead,) = await life.leads(first)
    assert (lead.rm, lead.stage) == (owner, "taken")
    await life.wait(2)
    (lead,) = await life.leads(first)
    assert (lead.rm in ("", owner), lead.stage) == (False, "new")
    assert life.cards(lead.rm, "lead")
    assert await life.ledger("desk_handed_on") == 1


async def test_a_manager_goes_on_leave_and_everything_finds_its_way(life: Life) -> None:
    await life.had("d11-event-invite")
    first, second = life.member(life.chat), life.member(life.chat, 1)
    owner = life.owner(life.chat)
    await life.says(life.chat, first, "报名")
    (lead,) = await life.leads(first)
    assert lead.rm == owner
    bot = life.demo.bot
    absences = Absences(lambda: bot.content.bank, desk_of(bot.content))
    now = life.world.now()
    async with bot.database.begin() as tx:
        leave = Leave(userid=RmId(owner), begins=now, ends=now + timedelta(days=7))
        (handed,) = await absences.leave(tx, leave, now)
    await life.settle()
    (lead,) = await life.leads(first)
    assert lead.rm == handed.to not in ("", owner)
    (card,) = life.cards(lead.rm, "lead")
    assert life.world.customers[first].nickname in card.text
    await life.says(life.chat, second, "报名")
    (other,) = await life.leads(second)
    assert other.rm not in ("", owner)
    await life.wait(8 * 24 * 60)
    third = life.member(life.chat, 2)
    await life.says(life.chat, third, "我要投诉")
    assert {one.rm for one in await life.leads(third)} == {owner}
