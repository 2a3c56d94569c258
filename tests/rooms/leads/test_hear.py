"""What is noticed becomes a lead once it is worth it, is asked about first, and never pressed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.ids import RmId
from bot.domain.lead import Lead, Need, Signal
from bot.domain.lead_model import LeadModel
from bot.domain.lead_score import LeadRules
from bot.domain.people import Customer
from bot.domain.registry import CustomerField
from bot.domain.subject import Occurrence
from bot.leads.desk import LeadDesk
from bot.leads.opening import ASKED_FOR
from bot.storage.db import Tx
from bot.storage.people import People
from tests.make import CUSTOMER, MINUTE, NOON, OWNER, signal
from tests.rooms.leads.rooms import Room, entries, told

DAY = timedelta(days=1)
CURIOUS, INTERESTED = 10.0, 22.0


def noticed(
    points: float = CURIOUS, need: Need = Need.WEALTH, *, at: datetime = NOON, **more: Any
) -> Signal:
    return signal(need, at=at, explicit=False, ask_first=True, points=points, chat="", **more)


async def hear(tx: Tx, said: Signal, *, desk: LeadDesk | None = None, **more: Any) -> Lead | None:
    desk = desk or Room().desk
    return await desk.hear(tx, said, owner=OWNER, group="", now=said.evidence.at, **more)


@pytest.fixture
async def friend(tx: Tx) -> People:
    """Know the customer as a friend of a manager's."""
    await tx.people.put_customer(Customer(id=CUSTOMER, managers=(OWNER,)), NOON)
    return tx.people


@pytest.mark.usefixtures("friend")
class TestThreshold:
    async def test_a_question_in_passing_is_kept_and_opens_nothing(self, tx: Tx) -> None:
        assert await hear(tx, noticed()) is None
        assert await tx.leads.all() == []
        (kept,) = await tx.lead_signals.of(CUSTOMER, Need.WEALTH, "", NOON - DAY)
        assert (kept.points, kept.explicit) == (CURIOUS, False)

    async def test_who_comes_back_to_it_is_asked_and_nobody_told_yet(self, tx: Tx) -> None:
        await hear(tx, noticed())
        lead = await hear(tx, noticed(at=NOON + MINUTE, product="国债"))
        assert lead is not None
        assert (lead.stage, lead.asked, lead.product) == ("asking", True, "国债")
        assert await told(tx, ["staff_card"]) == []
        assert {one.code for one in lead.reasons} >= {"need", "evidence", "friend"}
        assert lead.score >= 40

    async def test_what_was_noticed_long_ago_does_not_count(self, tx: Tx) -> None:
        await hear(tx, noticed())
        assert await hear(tx, noticed(at=NOON + 30 * DAY)) is None

    async def test_the_same_words_told_twice_are_one(self, tx: Tx) -> None:
        for _ in range(5):
            assert await hear(tx, noticed()) is None

    async def test_what_is_noticed_of_an_open_lead_joins_it(self, tx: Tx) -> None:
        lead = await hear(tx, noticed(INTERESTED))
        again = await hear(tx, noticed(at=NOON + MINUTE, quote="利率多少"))
        assert lead is not None
        assert again is not None
        assert (again.id, again.stage) == (lead.id, "asking")
        assert [one.quote for one in again.evidence] == ["想问问理财", "利率多少"]
        assert again.score > lead.score

    async def test_a_bank_sets_its_own_threshold(self, tx: Tx) -> None:
        bank = Room().bank
        eager = LeadDesk(lambda: bank, scoring=LeadRules(threshold=20))
        assert await hear(tx, noticed(), desk=eager) is not None

    async def test_what_the_bank_knows_of_a_value_counts(self, tx: Tx) -> None:
        field = CustomerField.model_validate({"名称": "月日均资产", "类型": "数"})
        bank = Room().bank.model_copy(update={"customer_fields": (field,)})
        rules = LeadRules(value_field="月日均资产", value_bands=(50_000, 200_000, 1_000_000))
        desk = LeadDesk(lambda: bank, scoring=rules)
        await tx.facts.put([(CUSTOMER, {"月日均资产": 2_000_000})], NOON)
        lead = await hear(tx, noticed(), desk=desk)
        assert lead is not None
        assert "value" in {one.code for one in lead.reasons}


@pytest.mark.usefixtures("friend")
class TestBypass:
    @pytest.mark.parametrize("need", [Need.RED_FLAG, Need.COMPLAINT])
    async def test_what_is_grave_needs_no_score_and_no_yes(self, tx: Tx, need: Need) -> None:
        never = LeadDesk(lambda: Room().bank, scoring=LeadRules(threshold=100))
        lead = await hear(tx, signal(need, explicit=False), desk=never)
        assert lead is not None
        assert lead.stage == "new"

    async def test_a_wish_opens_a_lead_with_a_card_at_once(self, tx: Tx) -> None:
        never = LeadDesk(lambda: Room().bank, scoring=LeadRules(threshold=100))
        lead = await hear(tx, signal(Need.LOAN, points=40), desk=never)
        assert lead is not None
        assert lead.stage == "new"
        assert await told(tx, ["staff_card"]) == [OWNER]

    async def test_who_was_asked_and_then_wishes_it_has_said_yes(self, tx: Tx) -> None:
        asked = await hear(tx, noticed(INTERESTED))
        wished = await hear(tx, signal(Need.WEALTH, at=NOON + MINUTE))
        assert asked is not None
        assert wished is not None
        lead = await tx.leads.get(asked.id)
        assert lead is not None
        assert (wished.id, lead.stage) == (asked.id, "new")


@pytest.mark.usefixtures("friend")
class TestUnwelcome:
    async def test_who_refuses_marketing_is_not_asked(self, tx: Tx) -> None:
        await tx.people.opt_out(CUSTOMER, NOON)
        assert await hear(tx, noticed(60)) is None

    async def test_who_takes_the_refusal_back_is(self, tx: Tx) -> None:
        await tx.people.opt_out(CUSTOMER, NOON)
        await hear(tx, noticed(60))
        await tx.people.opt_out(CUSTOMER, None)
        assert await hear(tx, noticed(60, at=NOON + MINUTE)) is not None

    async def test_whose_systems_say_no_consent_is_not_asked(self, tx: Tx) -> None:
        await tx.facts.put([(CUSTOMER, {"营销同意": False})], NOON)
        assert await hear(tx, noticed(60)) is None

    async def test_who_complains_is_left_in_peace(self, tx: Tx) -> None:
        await hear(tx, signal(Need.COMPLAINT))
        assert await hear(tx, noticed(60)) is None

    async def test_who_lost_somebody_is_left_in_peace(self, tx: Tx) -> None:
        lost = Occurrence("o1", CUSTOMER, "亲人离世", NOON - 20 * DAY)
        await tx.occurrences.add([lost], NOON)
        assert await hear(tx, noticed(60)) is None
        assert await hear(tx, noticed(60, at=NOON + 11 * DAY)) is not None

    async def test_whom_nobody_can_ask_in_private_is_not_told_of(self, tx: Tx) -> None:
        assert await hear(tx, noticed(60), can_ask=False) is None
        assert await hear(tx, noticed(60, at=NOON + MINUTE)) is not None

    async def test_a_wish_of_who_refuses_marketing_is_served(self, tx: Tx) -> None:
        await tx.people.opt_out(CUSTOMER, NOON)
        assert await hear(tx, signal(Need.WEALTH)) is not None


@pytest.mark.usefixtures("friend")
class TestFatigue:
    async def test_who_said_no_is_not_asked_again_for_a_month(self, tx: Tx) -> None:
        desk = Room().desk
        lead = await hear(tx, noticed(INTERESTED))
        assert lead is not None
        await desk.consent(tx, lead, agreed=False, group="", now=NOON)
        assert await hear(tx, noticed(INTERESTED, at=NOON + 5 * DAY)) is None
        assert await hear(tx, noticed(INTERESTED, at=NOON + 31 * DAY)) is not None

    async def test_who_never_answers_is_let_go_after_a_week(self, tx: Tx) -> None:
        desk = Room().desk
        lead = await hear(tx, noticed(INTERESTED))
        assert lead is not None
        assert await tx.next_due(["leads"]) == NOON + ASKED_FOR
        (due,) = await tx.leads.claim(NOON + ASKED_FOR)
        await desk.give_up(tx, due, NOON + ASKED_FOR)
        known = await tx.leads.get(lead.id)
        assert known is not None
        assert (known.stage, known.outcome_reason) == ("closed", "no_answer")
        assert await tx.next_due(["leads"]) is None
        assert len(await entries(tx, "lead_unanswered")) == 1

    async def test_a_manager_may_say_that_the_customer_agreed(self, tx: Tx) -> None:
        desk = Room().desk
        lead = await hear(tx, noticed(INTERESTED))
        assert lead is not None
        stranger = await desk.agreed(tx, lead.id, RmId("gu.qinghe"), NOON)
        assert "不归您管" in stranger.words
        await desk.agreed(tx, lead.id, OWNER, NOON + MINUTE)
        known = await tx.leads.get(lead.id)
        assert known is not None
        assert known.stage == "new"
        assert (await desk.agreed(tx, lead.id, OWNER, NOON + MINUTE)).words == "客户早就答应了"


async def test_who_is_nobodys_friend_needs_more(tx: Tx) -> None:
    assert await hear(tx, noticed(INTERESTED)) is None


@pytest.mark.usefixtures("friend")
async def test_where_a_model_was_learnt_it_scores_the_needs_that_it_knows(tx: Tx) -> None:
    learnt = LeadModel(
        needs=(Need.WEALTH,),
        weights={"evidence": 1.0},
        means={"evidence": 0.0},
        scales={"evidence": 1.0},
        intercept=0.0,
        odds=(0.0, 5.0),
        chances=(0.01, 0.9),
        usual=0.3,
    )
    await tx.lead_models.put(learnt.model_dump(mode="json"), {}, 600, NOON, in_use=True)
    lead = await hear(tx, noticed())
    assert lead is not None
    assert {one.code for one in lead.reasons} == {"usual", "evidence"}
    assert await hear(tx, noticed(CURIOUS, Need.LOAN)) is None  # that is still by the rules
    assert await tx.lead_models.retire()
    assert await hear(tx, noticed(CURIOUS, Need.CARD)) is None
