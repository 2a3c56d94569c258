"""A manager works in the sidebar in a real browser, inside the local WeCom's client."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import FrameLocator, Page, Route, expect

from bot.emulator import friends
from bot.emulator.client_talk import Talk
from bot.emulator.page import page_routes
from bot.workspace import Workspace
from tests.journeys.browser import needs_chromium, open_page
from tests.journeys.town import Life, live

pytestmark = [needs_chromium, pytest.mark.timeout(180)]
WAIT_S = 15.0
SMALL_TARGETS = """() => [...document.querySelectorAll("button, a, select, summary")]
    .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 44)
    .map((one) => one.textContent)"""


@pytest.fixture
async def life(workspace: Workspace) -> AsyncIterator[Life]:
    def pages(app, town) -> None:  # type: ignore[no-untyped-def]
        app.add_routes(page_routes(town.world, desk=False))

    async with live(workspace, add_routes=pages) as town:
        yield town


@asynccontextmanager
async def client(
    life: Life, user: str, kind: str, id: str, width: int = 800
) -> AsyncIterator[tuple[Page, FrameLocator]]:
    """Open a member's client at a chat, with the sidebar beside it ready."""
    address = f"{life.demo.server.base_url}/client?user={user}&kind={kind}&id={id}"
    async with open_page(address, life.demo.address, width=width) as page:
        side = page.frame_locator("#page")
        await side.locator("body[data-ready]:not([data-ready=''])").wait_for()
        yield page, side


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the bot has heard what the page tells it."""
    async with asyncio.timeout(WAIT_S):
        while not await holds():  # noqa: ASYNC110 - nothing tells of what a page has told
            await asyncio.sleep(0.02)


async def manager_of(life: Life, customer: str) -> str:
    async with life.demo.bot.database.read() as tx:
        known = await tx.people.customer(customer)
    assert known is not None
    return str(known.managers[0])


async def asked_for(life: Life, side: FrameLocator, text: str) -> None:
    """Let the manager ask 小安 for a draft, and the workers answer."""
    await side.get_by_label("客户问的话").fill(text)
    await side.get_by_role("button", name="拟一条").click()
    await until(lambda: _asked(life))
    await life.settle()
    await expect(side.get_by_text("小安拟的")).to_be_visible()


async def _asked(life: Life) -> bool:
    return await life.settle() > 0


def told_by(life: Life, manager: str, customer: str) -> list[str]:
    return [line.text for line in life.world.contacts.talk(manager, customer)]


async def test_words_leave_only_by_the_managers_tap_and_count_once_wecom_says_ok(
    life: Life,
) -> None:
    customer = life.visitor
    manager = await manager_of(life, customer)
    async with client(life, manager, "friend", customer) as (page, side):
        await asked_for(life, side, "存单丢了怎么办")
        life.world.faults.plan("sendChatMessage", "errcode", errcode=40201)
        send = side.get_by_role("button", name="发给客户").first
        await send.click()
        await expect(side.get_by_role("alert")).to_contain_text("没有发出")
        assert told_by(life, manager, customer) == []
        assert await life.ledger("draft_sent") == 0

        await side.get_by_role("button", name="改一改再发").first.click()
        field = side.get_by_label("改一改再发")
        plain = await field.input_value()
        await field.fill(plain + "这款保本保息。")
        await expect(side.locator(".found .problem").first).to_be_visible()
        await expect(send).to_be_disabled()
        await side.get_by_role("button", name="不改了").click()
        await send.click()
        await expect(page.locator(".is-mine .bubble")).to_have_text(plain)
        await until(lambda: _counted(life, "draft_sent", 1))
    assert told_by(life, manager, customer) == [plain]
    (delivery,) = life.world.deliveries.select("single", customer)
    assert (delivery.sender, delivery.source) == (manager, "sidebar")
    assert life.world.archive.entries[-1].message["from"] == manager


async def _counted(life: Life, kind: str, count: int) -> bool:
    return await life.ledger(kind) == count


async def test_a_lost_network_loses_nothing_and_another_chat_gets_nothing(life: Life) -> None:
    customer, other = life.visitor, life.demo.town.visitors[4]
    manager = await manager_of(life, customer)
    friends.befriend(life.world, manager, other)
    await life.settle()
    async with client(life, manager, "friend", customer) as (page, side):
        await asked_for(life, side, "存单丢了怎么办")
        drafts = f"{life.demo.address}/sidebar/api/drafts/**"
        await page.route(drafts, _cut)
        await side.get_by_role("button", name="改一改再发").first.click()
        field = side.get_by_label("改一改再发")
        said = await field.input_value() + "我等您。"
        await field.fill(said)
        await page.reload()  # the client was closed in the middle of it
        await expect(side.get_by_label("改一改再发")).to_have_value(said)
        await side.get_by_role("button", name="发给客户").click()
        await expect(side.get_by_text("已发出，连上网就记下")).to_be_visible()
        assert await life.ledger("draft_edited") == 0
        await page.reload()
        await expect(side.get_by_text("1 条已发出的还没记下")).to_be_visible()
        await page.unroute(drafts)
        await page.frames[1].evaluate("window.dispatchEvent(new Event('online'))")
        await until(lambda: _counted(life, "draft_edited", 1))
        await expect(side.get_by_text("已发出，连上网就记下")).to_have_count(0)
        assert told_by(life, manager, customer) == [said]

        await side.get_by_role("tab", name="话术").click()
        window = list(life.world.client.windows.values())[-1]
        window.talk = Talk("friend", other)  # the manager goes on to the next chat
        await side.locator(".track summary").first.click()  # nothing fits: all are folded
        await side.get_by_role("button", name="发给客户").first.click()
        await expect(side.get_by_role("alert")).to_contain_text("聊天已经换了，没有发")
        name = life.world.customers[other].nickname
        await expect(side.get_by_role("heading", name=name)).to_be_visible()
    assert told_by(life, manager, other) == []
    assert await life.ledger("talk_track_sent") == 0


async def _cut(route: Route) -> None:
    await route.abort("internetdisconnected")


async def test_a_group_is_answered_from_the_sidebar(life: Life) -> None:
    chat, owner = life.chat, life.owner(life.chat)
    life.world.customers[life.member(chat)].nickname = "<img src=x onerror=alert(1)>"
    await life.says(chat, life.member(chat), "请问网点周末开门吗")
    await life.says(chat, life.member(chat, 1), "存折丢了怎么补")
    await life.says(chat, life.member(chat, 3), "请问今天大盘会涨到多少点")
    async with client(life, owner, "group", chat) as (page, side):
        await expect(side.get_by_role("tab", name="待办 3")).to_be_visible()
        wish = side.locator("article", has_text="大盘会涨")
        await wish.get_by_role("button", name="不用答").click()
        await expect(wish).to_have_count(0)
        await expect(side.locator("article img")).to_have_count(0)
        hours = side.locator("article", has_text="周末开门")
        await hours.get_by_role("button", name="发到群里").click()
        await expect(page.locator(".is-mine .bubble")).to_contain_text("周六")
        await until(lambda: _counted(life, "draft_sent", 1))
        await expect(hours).to_have_count(0)
        await side.get_by_role("button", name="没用").click()
        await side.locator(".panel .chip").first.click()
        await expect(side.get_by_text("没有人在等回答")).to_be_visible()
        await side.get_by_role("tab", name="今天").click()
        await expect(side.get_by_text("谁还没说过话")).to_be_visible()
        await expect(side.get_by_text("第 1 天 欢迎")).to_be_visible()
        await _from_the_group_to_one_member(life, side)
    assert [item.source for item in life.world.deliveries.select("group", chat)] == ["sidebar"]
    assert await life.ledger("draft_dropped") == 1


async def _from_the_group_to_one_member(life: Life, side: FrameLocator) -> None:
    """Look at a member's page from the group: nothing on it can be sent into the group."""
    await life.says(life.chat, life.member(life.chat, 2), "我要投诉，你们柜台态度太差了")
    await side.get_by_role("tab", name="待办").click()
    await side.get_by_role("button", name="刷新").click()
    await expect(side.locator("article").first).to_contain_text("客户投诉，请马上回")
    await side.get_by_role("button", name="看这位客户").click()
    await side.get_by_role("tab", name="话术").click()
    await expect(side.get_by_role("button", name="复制").first).to_be_visible()
    await expect(side.get_by_role("button", name=re.compile("^发"))).to_have_count(0)
    await side.get_by_role("button", name="回到聊天").click()
    await expect(side.get_by_text("您是群主")).to_be_visible()


async def test_a_lead_is_taken_on_the_smallest_phone_and_others_customers_stay_hidden(
    life: Life,
) -> None:
    await life.asks("我要投诉，你们的柜台态度太差了")
    manager = await manager_of(life, life.visitor)
    async with client(life, manager, "friend", life.visitor, width=320) as (page, side):
        take = side.get_by_role("button", name="接手")
        await expect(take).to_have_class("soft primary")
        await expect(side.locator("[data-due]")).to_contain_text("还剩")
        await take.click()
        await expect(side.get_by_text("已接手").first).to_be_visible()
        (lead,) = await life.leads(life.visitor)
        assert (lead.stage, lead.rm) == ("taken", manager)
        assert life.state() == 3
        await side.get_by_role("button", name="还给小安").click()
        await expect(side.get_by_text("还给小安").last).to_be_visible()
        await until(lambda: _with_the_bot(life))
        await side.get_by_role("button", name="无效").click()
        await expect(side.get_by_role("group", name="为什么无效")).to_be_visible()
        for tab in ("待办", "话术", "客户"):
            await side.get_by_role("tab", name=tab).click()
            for width in (320, 390, 600):
                await page.set_viewport_size({"width": width, "height": 800})
                wide = await side.locator("html").evaluate("one => one.scrollWidth")
                assert wide <= width, (tab, width)
        stranger = life.demo.town.visitors[3]  # whom nobody serves
        assert not await _known(life, stranger)
        await page.goto(f"{life.demo.address}/sidebar?customer={stranger}")
        await expect(page.get_by_role("heading", name="这里看不了")).to_be_visible()
        await page.get_by_role("button", name="看我的线索").click()
        await expect(page.get_by_role("heading", name="我的线索")).to_be_visible()
        await page.get_by_role("button", name="看这位客户").click()
        await page.get_by_role("tab", name="话术").click()
        await expect(page.get_by_role("button", name="复制").first).to_be_visible()
        await expect(page.get_by_role("button", name="发给客户")).to_have_count(0)


async def _with_the_bot(life: Life) -> bool:
    await life.settle()
    return life.state() in (1, 4)  # 小安 has it, or nobody until the customer writes again


async def _known(life: Life, customer: str) -> bool:
    async with life.demo.bot.database.read() as tx:
        known = await tx.people.customer(customer)
    return known is not None and bool(known.managers)


async def test_a_tap_that_came_to_nothing_says_so_and_one_that_worked_is_not_asked_again(
    life: Life,
) -> None:
    await life.asks("我想了解一下理财，能不能请客户经理联系我")
    (lead, *_) = await life.leads(life.visitor)
    async with client(life, lead.rm, "friend", life.visitor) as (page, side):
        take = side.get_by_role("button", name="接手").first
        await page.context.clear_cookies(name="zhilin_sidebar")  # eight hours are over
        await take.click()
        await expect(side.get_by_text("刚才点的那一下没有办")).to_be_visible()
        assert (await life.leads(life.visitor))[0].stage == "new"
        await page.route("**/sidebar/api/leads/**", _cut)
        await take.click()
        await expect(side.get_by_role("alert")).to_contain_text("没连上")
        await page.unroute("**/sidebar/api/leads/**")
        await page.frames[1].evaluate("window.dispatchEvent(new Event('online'))")
        await expect(side.get_by_role("alert")).to_have_count(0)
        await page.route("**/client/sdk", _cut)
        send = side.get_by_role("button", name="发给客户").first
        await send.click()
        await expect(side.get_by_role("alert")).to_contain_text("没说现在开着哪个聊天")
        await page.unroute("**/client/sdk")
        await side.get_by_role("button", name="改一改再发").first.click()
        await expect(side.get_by_label("改一改再发")).to_be_focused()
        await side.get_by_role("button", name="不改了").click()
        await send.click()
        await expect(side.get_by_role("button", name="已发，再发一次")).to_be_visible()
        assert len(told_by(life, lead.rm, life.visitor)) == 1
        await page.goto(f"{life.demo.address}/sidebar?lead={lead.id}")
        await expect(page.get_by_role("button", name="复制")).to_be_visible()
        await page.goto(f"{life.demo.address}/sidebar?lead=nonsense")
        await expect(page.get_by_role("heading", name="我的线索")).to_be_visible()


async def test_a_head_opens_on_the_team(life: Life) -> None:
    await life.asks("我要投诉，你们的柜台态度太差了")
    (lead,) = await life.leads(life.visitor)
    head = life.demo.bot.content.bank.branch(lead.branch).head  # type: ignore[union-attr]
    address = f"{life.demo.server.base_url}/client?user={head}"
    async with open_page(address, life.demo.address, width=390) as page:
        side = page.frame_locator("#page")
        team = side.get_by_role("tab", name="团队")
        await expect(team).to_have_attribute("aria-selected", "true")
        await expect(side.locator("article")).to_contain_text("客户投诉，请马上回")
        small = await side.locator("html").evaluate(SMALL_TARGETS)
    assert small == []
