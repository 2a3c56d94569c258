"""The demo's right phone opens the manager's own chat, with the sidebar beside it."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

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
