"""A person uses the page in a real browser, without a bot behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from playwright.async_api import Page, expect

from bot.clock import FakeClock
from bot.emulator.attachments import Body
from bot.emulator.broadcast_book import Broadcast, Outcome, OwnerTask
from bot.emulator.groups import create, says
from bot.emulator.kf_state import State
from bot.emulator.page import page_routes
from bot.emulator.server import build_app, serve_emulator
from bot.emulator.world import App, Customer, Member, World
from tests.journeys.browser import needs_chromium, open_page

OWNER, CHAT, AUNT, UNCLE = "limin", "wrGROUP", "wmZHANG", "wmZHOU"
TASK_WORDS = "手机上的字太小?打开本行手机银行，点右下「我的」，再点「长辈版」，字就变大了。"

pytestmark = [needs_chromium, pytest.mark.timeout(180)]


@pytest.fixture
def world() -> World:
    world = World(FakeClock(datetime(2026, 10, 12, 1, 30, tzinfo=UTC)))
    world.add_app(App(1000002, "secret"))
    world.add_member(Member(OWNER, "李敏", branch="梧桐街支行"))
    world.add_customer(Customer(AUNT, "张阿姨", age=68))
    world.add_customer(Customer(UNCLE, "老周", age=71))
    world.kf.add_account("小安")
    create(world, OWNER, "银龄安心群·梧桐街", [UNCLE], chat_id=CHAT, quiet=True)
    says(world, CHAT, UNCLE, "字太小，看不清")
    task = OwnerTask(OWNER, {CHAT: Outcome(CHAT)})
    body, msgid = Body(TASK_WORDS), world.new_id("msg")
    world.broadcasts.put(Broadcast(msgid, "group", body, world.now(), {OWNER: task}))
    return world


@pytest.fixture
async def page(world: World) -> AsyncIterator[Page]:
    app = build_app(world)
    app.router.add_routes(page_routes(world, desk=False))
    async with serve_emulator(world, app=app) as server, open_page(server.base_url) as page:
        yield page


async def test_a_person_asks_speaks_and_sends(page: Page, world: World) -> None:
    customer, group, staff = (
        page.locator("#customer"),
        page.locator("#group"),
        page.locator("#staff"),
    )

    await customer.get_by_label("替客户打字").fill("存款到期了怎么办")
    await customer.get_by_label("替客户打字").press("Enter")
    await expect(customer.locator(".is-mine .bubble")).to_have_text("存款到期了怎么办")
    await expect(customer.get_by_label("小安正在想")).to_be_visible()

    await group.get_by_role("button", name="报名").click()
    await expect(group.locator(".is-mine .bubble").last).to_have_text("报名")

    await expect(group.get_by_text(TASK_WORDS)).to_have_count(0)
    await staff.get_by_role("button", name="发送").click()
    await expect(group.get_by_text(TASK_WORDS)).to_be_visible()
    await expect(staff.get_by_text("已送达")).to_be_visible()
    assert [item.source.partition(":")[0] for item in world.deliveries] == ["broadcast"]


async def test_the_stage_is_seen_whole_without_scrolling(page: Page) -> None:
    size = await page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert size == [1366, 768]
    for seat in ("#customer", "#group", "#staff"):
        box = await page.locator(f"{seat} .phone").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 768


async def test_who_types_to_a_customer_types_on_while_news_comes(page: Page, world: World) -> None:
    account = next(iter(world.kf.accounts.values()))
    world.kf.add_servicer(account.open_kfid, OWNER)
    world.kf.customer_says(account.open_kfid, AUNT, "我要找真人")
    conversation = world.kf.conversation(account.open_kfid, AUNT)
    conversation.stored_state, conversation.servicer = State.HUMAN, OWNER
    reply = page.get_by_label("回客户的话")
    await reply.press_sequentially("我是李敏")
    world.kf.customer_says(account.open_kfid, AUNT, "在吗")
    await expect(page.locator("#staff .talk-line").last).to_contain_text("在吗")
    await page.keyboard.type("，您说")
    await expect(reply).to_have_value("我是李敏，您说")
    await page.locator("#staff").get_by_role("button", name="回复").click()
    await expect(page.locator("#customer .bubble").last).to_have_text("我是李敏，您说")
    await expect(reply).to_have_value("")


async def test_the_first_visits_hints_can_be_put_away(page: Page) -> None:
    await expect(page.locator(".tour-item")).to_have_count(3)
    await page.get_by_role("button", name="知道了").click()
    await expect(page.locator("#tour")).to_be_hidden()
    await page.reload()
    await page.wait_for_selector("body[data-ready]")
    await expect(page.locator("#tour")).to_be_hidden()


async def test_the_customers_chat_is_large_and_quiet_text_can_be_read(page: Page) -> None:
    await page.locator("#customer .chips button").first.click()
    bubble = page.locator("#customer .is-mine .bubble")
    await expect(bubble).to_be_visible()
    size = await bubble.evaluate("element => parseFloat(getComputedStyle(element).fontSize)")
    assert size >= 18
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        for ink in ("--ink", "--quiet", "--accent", "--done", "--wait", "--harm"):
            for ground in ("--paper", "--ground"):
                assert await page.evaluate(_CONTRAST, [ink, ground]) >= 4.5, (scheme, ink, ground)


_CONTRAST = """([ink, ground]) => {
  const light = (name) => {
    const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const part = (at) => {
      const share = parseInt(hex.slice(at, at + 2), 16) / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
  };
  const [high, low] = [light(ink), light(ground)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}"""
