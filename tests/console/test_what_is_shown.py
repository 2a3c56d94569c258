"""What the sidebar says of a customer, a lead and a script is so, and no more than helps."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot.console.draft_view import position_of
from bot.domain.lead import Need
from bot.domain.runs import Run
from bot.sop.library import Library, load_workspace_files
from bot.storage.tables import drafts, leads
from bot.workspace import starter_root
from tests.console.conftest import HEAD, HEAD_OFFICE, MANAGER, MINE, OTHER, THEIRS, House
from tests.console.test_rights import draft


async def test_who_complains_is_not_offered_what_sells(house: House) -> None:
    async with house.browser(MANAGER) as page:
        offered = {one["id"] for one in (await page.customer(MINE))["tracks"]}
        assert {"wealth-open", "maturity-near", "complaint-first", "card-lost"} <= offered
        await house.lead(MINE, Need.COMPLAINT, "我要投诉")
        told = await page.customer(MINE)
    left = {one["id"] for one in told["tracks"]}
    assert not left & {"wealth-open", "wealth-yield", "maturity-near", "loan-open", "event-join"}
    assert {"complaint-first", "card-lost", "fraud-now"} <= left
    assert told["customer"]["consent"] == {"state": "paused", "words": "投诉办结前不发营销"}


async def test_a_score_is_told_where_it_decides_and_without_its_arithmetic(house: House) -> None:
    await house.lead(MINE, Need.COMPLAINT, "我要投诉")
    await house.lead(MINE, Need.WEALTH, "能不能请人联系我，想买理财")
    async with house.browser(MANAGER) as page:
        complaint, wealth = (await page.customer(MINE))["leads"]
    assert complaint["score"] is None
    assert wealth["score"] > 0
    for lead in (complaint, wealth):
        assert not [words for words in lead["reasons"] if "不计" in words]


async def test_the_look_at_one_lead_is_written_down_like_any_other(house: House) -> None:
    mine, theirs = await house.lead(MINE), await house.lead(THEIRS)
    async with house.browser(MANAGER) as page:
        assert (await page.get(f"api/leads/{mine.id}"))[0] == 200
        assert (await page.get(f"api/leads/{theirs.id}"))[0] == 403
    async with house.database.read() as tx:
        assert await tx.ledger.count("customer_shown", subject=MINE) == 1
        assert await tx.ledger.count("customer_refused", subject=f"lead:{theirs.id}") == 1


async def test_the_list_says_in_which_chats_drafts_wait(house: House) -> None:
    await draft(house, MINE, MANAGER, MINE)
    await draft(house, "wrNameless", MANAGER, "wmA")
    await draft(house, THEIRS, OTHER, THEIRS)
    async with house.browser(MANAGER) as page:
        _, told = await page.get("api/leads")
    assert told["drafts_at"] == [
        {"kind": "customer", "id": MINE, "name": "Mine阿姨", "count": 1},
        {"kind": "group", "id": "wrNameless", "name": "客户群", "count": 1},
    ]
    async with house.database.begin() as tx:
        await tx.connection.execute(drafts.update().values(state="sent"))
    async with house.browser(MANAGER) as page:
        assert (await page.get("api/leads"))[1]["drafts_at"] == []


async def test_a_lead_of_no_branch_is_on_the_list_of_who_answers_for_it(house: House) -> None:
    lead = await house.lead(THEIRS)
    async with house.database.begin() as tx:
        await tx.connection.execute(leads.update().values(rm="", branch=""))
    async with house.browser(HEAD) as page:
        _, told = await page.get("api/leads")
        assert [one["id"] for one in told["mine"]] == [lead.id]


async def test_nobodys_lead_stands_in_the_list_twice(house: House) -> None:
    own = await house.lead(MINE, Need.COMPLAINT, "我要投诉")
    other = await house.lead(THEIRS, Need.COMPLAINT, "我要投诉")
    async with house.database.begin() as tx:
        await tx.connection.execute(
            leads.update().where(leads.c.id == own.id).values(rm=HEAD_OFFICE)
        )
    async with house.browser(HEAD_OFFICE) as page:
        _, told = await page.get("api/leads")
    assert [[one["id"] for one in told[part]] for part in ("mine", "team")] == [
        [own.id],
        [other.id],
    ]


async def test_the_way_back_survives_a_failed_sign_in(house: House) -> None:
    async with house.browser() as page:
        _, text, _ = await page.visit("/callback?code=x&state=y&next=%3Flead%3D3")
        assert 'href="/sidebar?lead=3"' in text
        _, text, _ = await page.visit("/callback?code=x&state=y&next=//evil.example")
        assert 'href="/sidebar"' in text


@pytest.fixture(scope="module")
def library() -> Library:
    return load_workspace_files(starter_root())


BEGAN = date(2026, 10, 13)
POSITIONS = [
    ("senior-21d", -1, "", "明天开始"),
    ("senior-21d", -3, "", "10月13日开始"),
    ("senior-21d", 4, "", "第 5 天 / 共 21 天"),
    ("senior-21d", 40, "", "第 21 天 / 共 21 天"),
    ("complaint-cooling", -1, "k1-call", "明天开始"),
    ("complaint-cooling", 0, "k1-call", "走到「第 1 天 服务」"),
    ("complaint-cooling", 9, "k3-back", "走到「回访」"),
    ("complaint-cooling", 2, "", "第 3 天"),
]


@pytest.mark.parametrize(("script", "days", "node", "words"), POSITIONS)
def test_a_position_is_told_by_days_only_where_the_whole_script_goes_by_them(
    library: Library, script: str, days: int, node: str, words: str
) -> None:
    run = Run(
        id=1,
        script=script,
        version="v",
        subject="wmA",
        owner=MANAGER,
        branch="b01",
        anchor=BEGAN,
        state="running",
        node=node,
    )
    assert position_of(library.scripts[script].script, run, BEGAN + timedelta(days=days)) == words
