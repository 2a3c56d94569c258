"""A customer's yes or no on the phone is written down in the sidebar, by whoever may."""

from __future__ import annotations

import pytest

from bot.domain.assigning_rules import AssigningRules
from bot.domain.draft import Asker
from bot.domain.ids import RmId
from bot.domain.lead import Evidence, Lead, Need, Signal
from bot.leads.draft_use import ask_key
from bot.workers.lead_desk import desk_beside
from tests.console.conftest import MANAGER, MINE, OTHER, House


@pytest.fixture
async def asked(house: House) -> Lead:
    """Have a manager who was given a question for his customer."""
    now = house.clock.now()
    said = Evidence(quote="到期日 10月20日", at=now, source="到期日")
    signal = Signal(customer=MINE, need=Need.MATURITY, evidence=said, origin="date", ask_first=True)
    desk = desk_beside(lambda: house.files().bank, lambda: house.files().tables, AssigningRules())
    async with house.database.begin() as tx:
        lead = await desk.open(tx, signal, owner=RmId(MANAGER), group="", now=now)
        made = await tx.drafts.add(
            key=ask_key(lead.id),
            chat=MINE,
            owner=MANAGER,
            asker=Asker(id=MINE, name="王阿姨"),
            question="到期续存",
            text="要不要我跟您说说？",
            citations=(),
            now=now,
        )
    assert made is not None
    assert lead.stage == "asking"
    return lead


async def draft_state(house: House, lead: Lead) -> str:
    async with house.database.read() as tx:
        draft = await tx.drafts.of_key(ask_key(lead.id))
    assert draft is not None
    return draft.state


async def test_a_yes_on_the_phone_makes_it_a_lead_to_take(house: House, asked: Lead) -> None:
    async with house.browser(MANAGER) as page:
        (shown,) = (await page.customer(MINE))["leads"]
        assert [one["label"] for one in shown["acts"]] == ["客户答应了", "客户说不用"]
        status, told = await page.post(f"api/leads/{asked.id}", {"act": "agreed"})
        assert (status, told["words"]) == (200, "已记下：客户答应了")
        assert told["lead"]["stage"] == "new"
        assert "take" in [one["act"] for one in told["lead"]["acts"]]
        status, again = await page.post(f"api/leads/{asked.id}", {"act": "agreed"})
        assert (status, again["words"]) == (200, "客户早就答应了")
        assert (await page.post(f"api/leads/{asked.id}", {"act": "declined"}))[0] == 409
    async with house.database.read() as tx:
        (entry,) = await tx.ledger.facts_of("lead_consented", MINE, asked.opened_at)
    assert entry["by"] == MANAGER
    assert await draft_state(house, asked) == "otherwise", "nobody is asked what he answered"


async def test_a_no_on_the_phone_closes_it_and_is_not_asked_again(
    house: House, asked: Lead
) -> None:
    async with house.browser(MANAGER) as page:
        for _ in range(2):
            status, told = await page.post(f"api/leads/{asked.id}", {"act": "declined"})
            assert status == 200, told
            assert (told["lead"]["stage"], told["lead"]["acts"]) == ("refused", [])
        assert (await page.post(f"api/leads/{asked.id}", {"act": "agreed"}))[0] == 409
    assert await draft_state(house, asked) == "otherwise"
    async with house.database.read() as tx:
        weary = await tx.lead_signals.weariness(MINE, Need.MATURITY, asked.opened_at)
    assert weary.said_no


async def test_a_strangers_word_does_not_count(house: House, asked: Lead) -> None:
    async with house.browser(OTHER) as page:
        for act in ("agreed", "declined"):
            status, told = await page.post(f"api/leads/{asked.id}", {"act": act})
            assert (status, told["code"]) == (403, "not_yours")
    assert await draft_state(house, asked) == "waiting"
