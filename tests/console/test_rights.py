"""Whose customers, groups, leads and drafts a member sees: their own, and a head the team's."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.domain.draft import Asker
from bot.domain.ids import BranchId, CustomerId, GroupChatId, RmId
from bot.domain.lead import Need
from bot.domain.people import Customer, GroupChat, GroupMember
from bot.storage.tables import conversations
from tests.console.conftest import HEAD, HEAD_OFFICE, MANAGER, MINE, OTHER, THEIRS, House

CHAT = GroupChatId("wrTheirs")


async def test_a_member_sees_his_own_customers_and_a_head_the_branchs(house: House) -> None:
    async with house.browser(MANAGER) as page:
        assert (await page.customer(MINE))["customer"]["name"] == "Mine阿姨"
        status, theirs = await page.get(f"api/customer?id={THEIRS}")
        assert (status, theirs["code"]) == (403, "not_yours")
        assert "Theirs" not in json.dumps(theirs)
        unknown = await page.get("api/customer?id=wmNobody")
        assert unknown == (status, theirs), "the words tell nobody who is a customer"
        for id in ("", "x" * 65, "%00", "' OR 1=1 --"):
            assert (await page.get(f"api/customer?id={id}"))[0] == 403
        await page.customer(MINE)
    async with house.database.read() as tx:
        assert await tx.ledger.count("customer_shown", subject=MINE) == 1, "one look"
        assert await tx.ledger.count("customer_refused", subject=THEIRS) == 1
    async with house.browser(HEAD) as page:
        assert (await page.customer(MINE))["customer"]["managers"][0]["name"] == "李敏"
        assert (await page.get(f"api/customer?id={THEIRS}"))[0] == 403, "another branch's"


async def test_who_has_the_lead_or_serves_the_talk_sees_the_customer(house: House) -> None:
    async with house.browser(HEAD_OFFICE) as page:
        assert (await page.get(f"api/customer?id={THEIRS}"))[0] == 403
        await house.lead(THEIRS, Need.COMPLAINT, "我要投诉")
        assert (await page.get(f"api/customer?id={THEIRS}"))[0] == 200, "消保 sees complaints"
    async with house.browser(MANAGER) as page:
        assert (await page.get(f"api/customer?id={THEIRS}"))[0] == 403
        async with house.database.begin() as tx:
            row = {"customer": THEIRS, "account": "wk", "state": 3, "servicer": MANAGER, "sent": 0}
            await tx.connection.execute(conversations.insert().values(**row))
        told = await page.customer(THEIRS)
        assert told["customer"]["kf"]["words"].startswith("正在微信客服里由您接待")
        async with house.database.begin() as tx:
            await tx.connection.execute(conversations.update().values(state=4))
        assert (await page.get(f"api/customer?id={THEIRS}"))[0] == 403, "it is over"


async def test_nobody_moves_anothers_lead(house: House) -> None:
    lead = await house.lead(THEIRS)
    async with house.browser(MANAGER) as page:
        for act in ("take", "won", "contacted", "nonsense"):
            status, told = await page.post(f"api/leads/{lead.id}", {"act": act})
            assert (status, told["code"]) == (403, "not_yours"), act
        assert (await page.get(f"api/leads/{lead.id}"))[0] == 403
        assert (await page.get("api/leads/999"))[0] == 404
    async with house.browser(OTHER) as page:
        status, told = await page.post(f"api/leads/{lead.id}", {"act": "pass", "choice": MANAGER})
        assert status == 200, told
        assert told["lead"] is not None, "the customer is still hers"
    async with house.browser(MANAGER) as page:
        assert (await page.get(f"api/customer?id={THEIRS}"))[0] == 200, "with the lead he sees her"
        status, told = await page.post(f"api/leads/{lead.id}", {"act": "pass", "choice": OTHER})
        assert (status, told["lead"]) == (200, None), "he gave it back, and sees no more of her"
        assert (await page.get(f"api/customer?id={THEIRS}"))[0] == 403


async def draft(house: House, chat: str, owner: str, asker: str) -> int:
    async with house.database.begin() as tx:
        made = await tx.drafts.add(
            key=f"draft:{chat}:{owner}",
            chat=chat,
            owner=owner,
            asker=Asker(id=asker, name="王阿姨"),
            question="几点开门",
            text="九点开门。",
            citations=(),
            now=house.clock.now(),
        )
    assert made is not None
    return made.id


async def test_nobody_settles_anothers_draft_or_reads_anothers_ask(house: House) -> None:
    theirs = await draft(house, THEIRS, OTHER, THEIRS)
    shared = await draft(house, MINE, OTHER, MINE)
    async with house.browser(MANAGER) as page:
        for number in (theirs, shared):
            status, told = await page.post(f"api/drafts/{number}", {"act": "sent"})
            assert (status, told["code"]) == (403, "not_yours")
        assert (await page.customer(MINE))["drafts"] == [], "it is of a colleague's talk with her"
        _, asked = await page.post("api/ask", {"customer": MINE, "text": "几点开门"})
        assert (await page.get(f"api/ask/{asked['ask']}"))[0] == 200
        ask = {"customer": THEIRS, "text": "几点开门"}
        assert (await page.post("api/ask", ask))[0] == 403
        track = {"act": "sent", "customer": THEIRS, "text": "您好"}
        assert (await page.post("api/tracks/new-friend", track))[0] == 403
        assert (await page.post("api/tracks/no-such-track", track | {"customer": MINE}))[0] == 404
    async with house.browser(HEAD) as page:
        assert (await page.get(f"api/ask/{asked['ask']}"))[0] == 404
    async with house.database.read() as tx:
        found = await tx.drafts.get(theirs)
        assert found is not None
        assert found.state == "waiting"


async def test_a_group_is_its_owners_its_members_and_the_heads(house: House) -> None:
    people = (
        GroupMember(id=OTHER, name="陈晓雯", staff=True),
        GroupMember(id="wmA", name="花开富贵·王"),
    )
    group = GroupChat(
        id=CHAT, name="河畔路银龄群", owner=RmId(OTHER), branch=BranchId("b02"), members=people
    )
    async with house.database.begin() as tx:
        await tx.people.put_group(group, house.clock.now())
    number = await draft(house, CHAT, OTHER, "wmA")
    async with house.browser(MANAGER) as page:
        assert (await page.get(f"api/group?id={CHAT}"))[0] == 403
        assert (await page.post(f"api/drafts/{number}", {"act": "sent"}))[0] == 403
        asked = {"group": CHAT, "text": "几点开门"}
        assert (await page.post("api/ask", asked))[0] == 403
    async with house.browser("gu.qinghe") as page:
        told = await page.group(CHAT)
        assert told["group"]["owner"] == {"userid": OTHER, "name": "陈晓雯", "me": False}
        assert told["silent"]["readable"] is False
    async with house.browser(OTHER) as page:
        assert (await page.post(f"api/drafts/{number}", {"act": "sent"}))[0] == 200


async def test_what_nobody_needs_to_read_is_masked(house: House) -> None:
    await house.lead(MINE, quote="我的手机是13812345678，卡号6222020200112233445")
    async with house.database.begin() as tx:
        now = house.clock.now()
        facts = {"手机号": "13812345678", "生日": "1950-01-02", "年龄": 76, "到期日": "2026-11-02"}
        await tx.facts.put([(MINE, facts)], now)
        await tx.conversations.add_turn(MINE, "客户", "身份证330102195001021234", now)
    async with house.browser(MANAGER) as page:
        told = await page.customer(MINE)
    text = json.dumps(told, ensure_ascii=False)
    for hidden in ("13812345678", "6222020200112233445", "195001021234", "1950-01-02"):
        assert hidden not in text
    assert told["customer"]["products"] == [{"name": "到期日", "value": "2026-11-02"}]
    assert "65 岁以上" in text
    assert "76" not in text


@pytest.mark.parametrize(
    ("facts", "risk", "consent"),
    [
        ({}, (None, False, "没有风险测评"), "unknown"),
        ({"风险等级": "C3", "测评日": "2026-03-01", "营销同意": True}, ("C3", True, ""), "given"),
        (
            {"风险等级": "C2", "测评日": "2024-03-01", "营销同意": False},
            ("C2", False, "过期"),
            "refused",
        ),
    ],
)
async def test_risk_and_consent_say_what_may_be_done(
    house: House, facts: dict[str, object], risk: tuple[str | None, bool, str], consent: str
) -> None:
    async with house.database.begin() as tx:
        await tx.facts.put([(MINE, facts)], house.clock.now())  # type: ignore[list-item]
    async with house.browser(MANAGER) as page:
        shown = (await page.customer(MINE))["customer"]
        assert (shown["risk"]["level"], shown["risk"]["valid"]) == risk[:2]
        assert risk[2] in shown["risk"]["words"]
        assert shown["consent"]["state"] == consent
        tracks = {one["id"] for one in (await page.customer(MINE))["tracks"]}
        assert "wealth-open" in tracks
        assert ("wealth-r2" in tracks) == (consent == "given"), "R2 only to whom it may be told"
        async with house.database.begin() as tx:
            await tx.people.opt_out(MINE, house.clock.now())
        assert (await page.customer(MINE))["customer"]["consent"]["state"] == "refused"
        async with house.database.begin() as tx:
            await tx.people.opt_out(MINE, None)
            until = house.clock.now() + timedelta(days=3)
            await tx.people.pause_marketing(MINE, until)
        assert (await page.customer(MINE))["customer"]["consent"]["state"] == "paused"


async def test_a_head_lists_the_teams_leads_and_nobody_else_does(house: House) -> None:
    mine, theirs = await house.lead(MINE), await house.lead(THEIRS)
    assert {mine.rm, theirs.rm} == {MANAGER, OTHER}
    async with house.browser(MANAGER) as page:
        _, told = await page.get("api/leads")
        assert [[one["id"] for one in told[part]] for part in ("mine", "team")] == [[mine.id], []]
    async with house.browser(HEAD) as page:
        _, told = await page.get("api/leads")
        assert [[one["id"] for one in told[part]] for part in ("mine", "team")] == [[], [mine.id]]


async def test_head_office_lists_what_is_grave_everywhere(house: House) -> None:
    await house.lead(MINE)
    grave = [await house.lead(MINE, Need.COMPLAINT), await house.lead(THEIRS, Need.COMPLAINT)]
    async with house.browser(HEAD_OFFICE) as page:
        _, told = await page.get("api/leads")
        assert sorted(one["id"] for one in told["team"]) == [one.id for one in grave]
        assert told["mine"] == []


async def test_a_customer_whom_nobody_has_added_is_shown_to_who_has_the_lead(house: House) -> None:
    stranger = CustomerId("wmStranger")
    async with house.database.begin() as tx:
        await tx.people.put_customer(Customer(id=stranger), house.clock.now())
    lead = await house.lead(stranger, Need.SERVICE, "想改密码")
    async with house.browser(lead.rm) as page:
        told = await page.customer(stranger)
    assert told["customer"]["name"] == "客户"
    assert told["customer"]["notes"][-1]["words"] == "还没有客户经理加过好友"
