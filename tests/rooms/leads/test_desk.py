"""Leads are opened once, given to one person, asked for first where the file says so, watched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.domain.bank import Bank
from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Lead, Need
from bot.domain.people import Customer
from bot.leads.cards import clip, colleagues, lead_card, lead_task, when
from bot.leads.desk import LeadDesk
from bot.leads.watch import LeadWatch, next_look
from bot.storage.db import Database, Tx
from bot.storage.migrate import upgrade
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


@pytest.fixture
async def tx(tmp_path: Path) -> AsyncIterator[Tx]:
    database = await Database.open(f"sqlite:///{tmp_path / 'zhilin.db'}", durable=False)
    await upgrade(database)
    async with database.begin() as opened:
        yield opened
    await database.close()


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
        assert await tx.next_due(["leads"]) == NOON + timedelta(minutes=240 * 0.8)

    async def test_asked_first_no_card_goes_out_and_nothing_is_watched(self, tx: Tx) -> None:
        lead = await opened(tx, ask_first=True)
        assert lead.stage == "asking"
        assert await sent(tx, "staff_card") == []
        assert await tx.next_due(["leads"]) is None

    async def test_the_time_to_answer_begins_with_the_yes(self, tx: Tx) -> None:
        lead = await opened(tx, ask_first=True)
        later = NOON + timedelta(hours=3)
        await DESK.consent(tx, lead, agreed=True, group="银龄群", now=later)
        known = await tx.leads.get(lead.id)
        assert known is not None
        assert (known.stage, known.respond_by) == ("new", later + timedelta(hours=4))
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
        ],
    )
    def test_the_own_manager_then_the_owner(
        self, managers: tuple[RmId, ...], owner: RmId, away: tuple[str, ...], chosen: str
    ) -> None:
        desk = LeadDesk(lambda: with_off_duty(*away))
        customer = Customer(id=CUSTOMER, managers=managers)
        assert desk.responsible(CUSTOMER, customer, owner) == chosen

    def test_with_both_away_somebody_of_the_branch_has_it(self) -> None:
        desk = LeadDesk(lambda: with_off_duty(OWNER, "wang.haoran"))
        customer = Customer(id=CUSTOMER, managers=(RmId("wang.haoran"),))
        assert desk.responsible(CUSTOMER, customer, OWNER) == "zhao.xiulan"

    def test_with_everybody_away_a_head_has_it(self) -> None:
        desk = LeadDesk(lambda: with_off_duty(*(member.userid for member in BANK.staff)))
        heads = {branch.head for branch in BANK.branches}
        assert desk.responsible(CUSTOMER, None, OWNER) in heads

    def test_a_visitor_nobody_knows_always_gets_the_same_person(self) -> None:
        found = {DESK.responsible(CustomerId("wmNew"), None, None) for _ in range(5)}
        assert len(found) == 1


class TestWatch:
    async def test_it_warns_then_tells_the_head_once(self, tx: Tx) -> None:
        await opened(tx, need=Need.SERVICE)
        watch = LeadWatch(BANK)
        for minutes in (95, 96, 110, 120, 121, 600):
            for lead in await tx.leads.claim(NOON + minutes * MINUTE):
                await watch.look(tx, lead, NOON + minutes * MINUTE)
        assert await sent(tx, "staff_text") == [OWNER, "shen.mingyuan"]
        assert await tx.ledger.count("lead_warned") == 1
        assert await tx.ledger.count("lead_escalated") == 1

    async def test_two_customers_with_the_same_words_are_told_of_in_different_ones(
        self, tx: Tx
    ) -> None:
        desk, watch = LeadDesk(lambda: BANK), LeadWatch(BANK)
        for number, moment in enumerate((NOON, NOON + MINUTE)):
            who = signal(Need.SERVICE, customer=f"wm{number}", quote="转人工", at=moment)
            await desk.open(tx, who, owner=OWNER, group="", now=moment)
            again = who.model_copy(
                update={"evidence": who.evidence.model_copy(update={"at": moment + 2 * MINUTE})}
            )
            await desk.open(tx, again, owner=OWNER, group="", now=moment + 2 * MINUTE)
        for lead in await tx.leads.claim(NOON + 600 * MINUTE):
            await watch.look(tx, lead, NOON + 600 * MINUTE)
        bodies = (
            await tx.connection.execute(
                select(outbox.c.body).where(outbox.c.bucket == "staff_text")
            )
        ).scalars()
        texts = [str(body["text"]) for body in bodies]
        assert len(texts) == len(set(texts)) == 4  # WeCom folds what is the same for four hours

    async def test_a_lead_that_was_taken_bothers_nobody(self, tx: Tx) -> None:
        lead = await opened(tx)
        await tx.leads.change(lead.id, stage="taken")
        for one in await tx.leads.claim(NOON + timedelta(days=1)):
            await LeadWatch(BANK).look(tx, one, NOON + timedelta(days=1))
        assert await sent(tx, "staff_text") == []
        assert await tx.next_due(["leads"]) is None

    async def test_a_bot_that_was_down_over_both_tells_the_head_at_once(self, tx: Tx) -> None:
        await opened(tx)
        late = NOON + timedelta(days=1)
        (lead,) = await tx.leads.claim(late)
        await LeadWatch(BANK).look(tx, lead, late)
        assert await sent(tx, "staff_text") == ["shen.mingyuan"]
        assert await tx.next_due(["leads"]) is None

    def test_it_looks_at_four_fifths_at_the_end_and_then_no_more(self) -> None:
        end = NOON + 100 * MINUTE
        assert next_look(NOON, end, 0) == NOON + 80 * MINUTE
        assert next_look(NOON, end, 1) == end
        assert next_look(NOON, end, 2) is None


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
        assert [button.text for button in card.buttons] == ["接手", "转派", "无效"]

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
