"""What a group asked and nobody has answered stands before its owner until somebody sees to it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.domain.assigning_rules import AssigningRules
from bot.domain.ids import BranchId, CustomerId, GroupChatId, RmId
from bot.domain.lead import Evidence, Need, Signal
from bot.domain.people import GroupChat, GroupMember
from bot.workers.lead_desk import desk_beside
from tests.console.conftest import MANAGER, OTHER, House
from tests.journeys.sidebar import Json

CHAT = GroupChatId("wrMine")
ASKER, QUIET = "wmA", "wmB"
QUESTION = "我想买点理财，有没有收益高的"


@pytest.fixture
async def asked_at(house: House) -> datetime:
    """Let a member of a group ask what the bot may not answer."""
    people = (
        GroupMember(id=MANAGER, name="李敏", staff=True),
        GroupMember(id=ASKER, name="花开富贵·王"),
        GroupMember(id=QUIET, name="知足常乐"),
    )
    group = GroupChat(
        id=CHAT, name="银龄群", owner=RmId(MANAGER), branch=BranchId("b01"), members=people
    )
    at = house.clock.now()
    async with house.database.begin() as tx:
        await tx.people.put_group(group, at)
        await tx.conversations.add_turn(CHAT, ASKER, QUESTION, at)
        about = {"asker": ASKER, "asked_at": at.isoformat(), "reason": "advice"}
        await tx.ledger.add("answer_declined", CHAT, at, **about)
    house.clock.advance(minutes=3)
    return at


async def questions(house: House) -> list[Json]:
    async with house.browser(MANAGER) as page:
        found: list[Json] = (await page.group(CHAT))["questions"]
    return found


async def says(house: House, text: str) -> None:
    async with house.database.begin() as tx:
        await tx.conversations.add_turn(CHAT, MANAGER, text, house.clock.now())


async def test_what_the_bot_did_not_answer_waits_for_a_person(
    house: House, asked_at: datetime
) -> None:
    (one,) = await questions(house)
    assert (one["asker"], one["text"], one["draft"]) == ("花开富贵·王", QUESTION, None)
    assert "请您来答" in one["words"]
    await says(house, "大家早上好")
    assert len(await questions(house)) == 1, "a greeting answers nothing"
    await says(house, "理财有高有低，收益要看产品，我私下跟您说")
    assert await questions(house) == []


async def test_what_a_lead_was_made_of_is_not_listed_twice(
    house: House, asked_at: datetime
) -> None:
    said = Evidence(quote=QUESTION, at=asked_at, source="客户群")
    desk = desk_beside(lambda: house.files().bank, lambda: house.files().tables, AssigningRules())
    async with house.database.begin() as tx:
        lead = await desk.open(
            tx,
            Signal(customer=CustomerId(ASKER), need=Need.WEALTH, evidence=said, chat=CHAT),
            owner=RmId(MANAGER),
            group="银龄群",
            now=house.clock.now(),
        )
    assert lead is not None
    async with house.browser(MANAGER) as page:
        told = await page.group(CHAT)
    assert (len(told["leads"]), told["questions"]) == (1, [])


async def test_a_question_leaves_the_list_as_its_owner_says_so(
    house: House, asked_at: datetime
) -> None:
    told = {"group": CHAT, "asker": ASKER, "at": asked_at.isoformat(), "act": "dropped"}
    async with house.browser(OTHER) as page:
        assert (await page.post("api/questions", told))[0] == 403
    async with house.browser(MANAGER) as page:
        odd = ({"asker": "wmNobody"}, {"at": "yesterday"}, {"act": "burnt"}, {"asker": MANAGER})
        for part in odd:
            status, answer = await page.post("api/questions", told | part)
            assert (status, answer["code"]) == (422, "bad"), part
        assert len((await page.group(CHAT))["questions"]) == 1
        assert (await page.post("api/questions", told))[0] == 200
        assert (await page.group(CHAT))["questions"] == []


async def test_a_question_of_the_day_before_is_no_longer_listed(
    house: House, asked_at: datetime
) -> None:
    house.clock.advance(minutes=int(timedelta(hours=25).total_seconds() // 60))
    assert await questions(house) == []
