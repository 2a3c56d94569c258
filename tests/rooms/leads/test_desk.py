"""Leads are opened once, given to one person, asked for first where the file says so, watched."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.domain.bank import Bank
from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Lead, Need
from bot.domain.people import Customer
from bot.leads.cards import clip, colleagues, lead_card, lead_task, when
from bot.leads.desk import LeadDesk
from bot.storage.db import Tx
from bot.storage.tables import outbox
from tests.domain.builders import starter_bank
from tests.make import CUSTOMER, MINUTE, NOON, OWNER, ZONE, local, signal

BANK = starter_bank()
DESK = LeadDesk(lambda: BANK)


def with_off_duty(*userids: str) -> Bank:
    """Return the bank on a day when some are away."""
    staff = tuple(
        member.model_copy(update={"on_duty": member.userid not in userids}) for member in BANK.staff
    )
    return BANK.model_copy(update={"staff": staff})


async def sent(tx: Tx, kind: str) -> list[str]:
    """Return whom cards or words of one kind are on their way to."""
    rows = await tx.connection.execute(select(outbox.c.body).order_by(outbox.c.id))
    found = []
    for (body,) in rows:
        if body["kind"] == kind:
            to = body["to"]
            found.append(to if isinstance(to, str) else to[0])
    return found


async def opened(tx: Tx, *, ask_first: bool = False, need: Need = Need.WEALTH) -> Lead:
    return await DESK.open(
        tx, signal(need, ask_first=ask_first), owner=OWNER, group="银龄群", now=NOON
    )


class TestDesk:
    async def test_a_new_lead_sends_one_card_to_one_person(self, tx: Tx) -> None:
        lead = await opened(tx)
        again = await opened(tx)
        assert lead.id == again.id
        assert (lead.rm, lead.stage) == (OWNER, "new")
        assert await sent(tx, "staff_card") == [OWNER]
        assert await tx.ledger.counts() == {"lead_opened": 1, "lead_signal_added": 1}
        assert await tx.next_due(["leads"]) is None
        assert await tx.next_due(["lead_timers"]) == NOON + 15 * MINUTE

    async def test_asked_first_no_card_goes_out_and_nothing_is_watched(self, tx: Tx) -> None:
        lead = await opened(tx, ask_first=True)
        assert lead.stage == "asking"
        assert await sent(tx, "staff_card") == []
        assert await tx.next_due(["lead_timers"]) is None

    async def test_the_time_to_answer_begins_with_the_yes(self, tx: Tx) -> None:
        lead = await opened(tx, ask_first=True)
        later = NOON + timedelta(hours=3)
        await DESK.consent(tx, lead, agreed=True, group="银龄群", now=later)
        known = await tx.leads.get(lead.id)
        assert known is not None
        assert (known.stage, known.respond_by) == ("new", local("10:00", "2026-10-13"))
        assert await sent(tx, "staff_card") == [OWNER]

    async def test_a_no_closes_it_without_a_card(self, tx: Tx) -> None:
        lead = await opened(tx, ask_first=True)
        await DESK.consent(tx, lead, agreed=False, group="银龄群", now=NOON)
        known = await tx.leads.get(lead.id)
        assert known is not None
        assert (known.stage, known.closed_at) == ("refused", NOON)
        assert await sent(tx, "staff_card") == []

    @pytest.mark.parametrize(
        ("managers", "owner", "away", "chosen"),
        [
            (("wang.haoran",), OWNER, (), "wang.haoran"),
            (("wang.haoran",), OWNER, ("wang.haoran",), OWNER),
            ((), OWNER, (), OWNER),
            (("chen.xiaowen",), None, (), "chen.xiaowen"),
            (("wang.haoran",), OWNER, (OWNER, "wang.haoran"), "zhao.xiulan"),
            ((), OWNER, ("li.min", "wang.haoran", "zhao.xiulan"), "shen.mingyuan"),
        ],
    )
    async def test_the_own_manager_then_the_owner_then_the_branch_then_its_head(
        self,
        tx: Tx,
        managers: tuple[RmId, ...],
        owner: RmId | None,
        away: tuple[str, ...],
        chosen: str,
    ) -> None:
        desk = LeadDesk(lambda: with_off_duty(*away))
        customer = Customer(id=CUSTOMER, managers=managers)
        assert await desk.foresee(tx, CUSTOMER, customer, owner, NOON) == chosen

    async def test_where_the_own_manager_has_no_room_the_colleague_with_most_room_is_named(
        self, tx: Tx
    ) -> None:
        customer = Customer(id=CUSTOMER, managers=(RmId("wang.haoran"),))
        await tx.people.put_customer(customer, NOON)
        for userid, weight in (("wang.haoran", 1000), ("chen.xiaowen", 20), ("li.min", 20)):
            assert await tx.desks.reserve(RmId(userid), weight, NOON, capacity=None, per_hour=None)
        found = await DESK.foresee(tx, CUSTOMER, customer, None, NOON)
        said = signal(Need.SERVICE, customer=CUSTOMER)
        lead = await DESK.open(tx, said, owner=None, group="", now=NOON)
        assert found == lead.rm != "wang.haoran"

    async def test_a_visitor_nobody_knows_always_gets_the_same_person(self, tx: Tx) -> None:
        visitor = CustomerId("wmNew")
        found = {await DESK.foresee(tx, visitor, None, None, NOON) for _ in range(5)}
        assert len(found) == 1
        (named,) = found
        said = signal(Need.SERVICE, customer=visitor)
        lead = await DESK.open(tx, said, owner=named, group="", now=NOON)
        assert lead.rm == named  # who was named to the customer is who has it


class TestCard:
    async def test_it_says_who_by_when_and_what_was_said(self, tx: Tx) -> None:
        lead = await opened(tx)
        customer = Customer(id=CUSTOMER, name="李女士")
        card = lead_card(lead, customer, BANK, NOON, group="银龄群", cautions=("未拒收营销",)).card
        assert ("客户", "李女士") in card.rows
        assert ("请在此前回", "今天 16:00") in card.rows
        assert ("来自", "银龄群") in card.rows
        assert ("请注意", "未拒收营销") in card.rows
        assert "想问问理财" in card.body
        assert [button.text for button in card.buttons] == ["接手", "转派", "稍后", "无效"]

    async def test_each_card_of_a_lead_has_a_name_of_its_own(self, tx: Tx) -> None:
        lead = await opened(tx)
        moved = lead.model_copy(update={"rm": RmId("wang.haoran")})
        names = {lead_task(lead, NOON), lead_task(moved, NOON), lead_task(lead, NOON + MINUTE)}
        assert len(names) == 3

    def test_colleagues_are_those_on_duty_of_the_same_branch(self) -> None:
        found = {userid for userid, _ in colleagues(with_off_duty("zhao.xiulan"), OWNER)}
        assert found == {"shen.mingyuan", "wang.haoran"}

    @pytest.mark.parametrize(
        ("moment", "said"),
        [
            (local("14:05"), "今天 14:05"),
            (local("09:30", "2026-10-13"), "明天 09:30"),
            (local("09:30", "2026-10-16"), "周五 09:30"),
            (local("09:30", "2026-11-05"), "11月5日 09:30"),
        ],
    )
    def test_moments_are_said_as_people_do(self, moment, said: str) -> None:
        assert when(moment, NOON, ZONE) == said

    def test_long_words_are_cut_for_a_card(self) -> None:
        assert clip("一" * 60) == "一" * 60
        assert clip("一" * 61) == "一" * 59 + "…"
        assert clip("两 行\n话") == "两 行 话"
