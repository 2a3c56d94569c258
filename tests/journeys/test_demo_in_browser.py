"""The whole demo in a real browser, with the bot behind it; README's picture is taken here."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bot.demo.director import Director
from bot.demo.stage import open_stage
from bot.workspace import Workspace
from tests.journeys.browser import needs_chromium, open_page

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "page.png"
pytestmark = [needs_chromium, pytest.mark.timeout(300)]


@pytest.fixture
async def stage(workspace: Workspace) -> AsyncIterator[tuple[Page, Director]]:
    async with (
        open_stage(workspace, groups=8, members=120) as (address, director),
        open_page(address) as page,
    ):
        yield page, director


async def test_the_whole_job_is_done_on_one_page(stage: tuple[Page, Director]) -> None:
    page, director = stage
    customer, group, staff = (
        page.locator("#customer"),
        page.locator("#group"),
        page.locator("#staff"),
    )
    page.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)

    await customer.get_by_role("button", name="存款到期了怎么办").click()
    await expect(customer.get_by_text("一对一跟您算")).to_be_visible()
    await expect(customer.get_by_text("依据").first).to_be_visible()

    await page.get_by_role("button", name="下一天", exact=True).click()
    await expect(page.get_by_text("第 2 天")).to_be_visible()
    await page.get_by_role("button", name="下一步", exact=True).click()
    task = staff.get_by_role("button", name="发送").first
    await expect(task).to_be_visible()
    posted = group.get_by_text("一不在群里发身份证")
    await expect(posted).to_have_count(0)
    await task.click()
    await expect(posted).to_be_visible()

    await group.get_by_role("button", name="国债怎么买").click()
    await expect(staff.get_by_text("群里有人问").first).to_be_visible()
    await expect(page.locator(".tour-item.is-done")).to_have_count(3)
    await customer.get_by_role("button", name="有人让我共享屏幕").click()
    await expect(customer.get_by_text("共享屏幕的马上关掉")).to_be_visible()
    await expect(page.get_by_text("听到危险信号").first).to_be_visible()
    if os.environ.get("ZHILIN_PICTURE"):
        PICTURE.parent.mkdir(exist_ok=True)
        await page.screenshot(path=PICTURE)

    async with director.demo.bot.database.read() as tx:
        kinds = await tx.ledger.counts()
        leads = {lead.need.value: lead.stage for lead in await tx.leads.all()}
    assert kinds["answer_approved"] == 2
    assert kinds["answer_red_flag"] == 1
    assert leads.keys() >= {"到期续存", "红线"}


async def test_a_forbidden_wording_is_refused_while_it_is_typed(
    stage: tuple[Page, Director],
) -> None:
    page, director = stage
    file = director.demo.workspace.sop / "senior-21d.sop.yaml"
    before = file.read_text("utf-8")
    await page.get_by_text("改剧本").click()
    editor = page.locator("textarea").last
    await editor.fill(before.replace("一不在群里发身份证", "这个产品保本，不在群里发身份证"))
    await expect(page.get_by_text("保本保收益").first).to_be_visible(timeout=30_000)
    await expect(page.get_by_role("button", name="保存")).to_be_disabled()
    assert file.read_text("utf-8") == before

    await editor.fill(before.replace("四说话和和气气", "四说话客客气气"))
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_text("已发布").first).to_be_visible(timeout=30_000)
    run = await director.shown_run()
    assert run is not None
    async with director.demo.bot.database.read() as tx:
        script = await director.demo.bot.content.script(tx, run.script, run.version)
    assert script is not None
    step = script.part("d02-rules")
    assert step is not None
    assert step.body is not None
    assert "四说话客客气气" in step.body
