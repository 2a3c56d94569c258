"""The demo's right phone opens the manager's own chat, with the sidebar beside it."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from bot.demo.stage import open_stage
from bot.workspace import Workspace
from tests.journeys.browser import needs_chromium, open_page

pytestmark = [needs_chromium, pytest.mark.timeout(300)]
SLOW_MS = 30_000


async def test_the_viewer_answers_a_group_from_the_managers_sidebar(workspace: Workspace) -> None:
    async with (
        open_stage(workspace, groups=4, members=40) as (address, director),
        open_page(address, director.demo.address) as page,
    ):
        expect.set_options(timeout=SLOW_MS)
        group, staff = page.locator("#group"), page.locator("#staff")
        await group.get_by_label("在群里说一句").fill("请问网点周末开门吗")
        await group.get_by_label("在群里说一句").press("Enter")
        await staff.get_by_role("button", name="到聊天里").first.click()
        side = page.frame_locator("#client iframe").frame_locator("#page")
        await side.get_by_role("button", name="发到群里").first.click()
        posted = group.locator(".line", has_text="群主从侧边栏发送")
        await expect(posted).to_contain_text("周六")
        await expect(side.get_by_text("没有人在等回答")).to_be_visible()
        await page.get_by_role("button", name="收起").click()
        await expect(page.locator("#client")).to_be_hidden()
        await expect(
            staff.get_by_text("照原样发了").or_(staff.get_by_text("已发")).first
        ).to_be_visible()
        async with director.demo.bot.database.read() as tx:
            assert await tx.ledger.count("draft_sent") == 1

        await page.locator("#customer").get_by_role("button", name="我要找真人").click()
        card = staff.get_by_role("button", name="客户想跟真人说话")
        await _in_hand(page, card)
        await card.click()
        alone = page.frame_locator("#client iframe").frame_locator("#page")
        await expect(alone.get_by_text("可以这样开口")).to_be_visible()
        await alone.get_by_role("button", name="接手").click()
        await expect(alone.get_by_text("已接手")).to_be_visible()


async def _in_hand(page: Page, card: Locator) -> None:
    """Go to whoever was given the lead: the page says where it went."""
    elsewhere = page.locator("#staff .elsewhere:visible")
    await expect(card.or_(elsewhere).first).to_be_visible()
    if await elsewhere.is_visible():
        await elsewhere.click()
    await expect(card).to_be_visible()
