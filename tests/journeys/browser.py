"""The one browser of the page tests: Debian's Chromium, kept from calling anybody."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, async_playwright

CHROMIUM = Path(os.environ.get("BOT_TEST_CHROMIUM", "/usr/bin/chromium"))
SLOW_START_MS = 90_000
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
needs_chromium = pytest.mark.skipif(
    not CHROMIUM.is_file(),
    reason=f"no browser at {CHROMIUM}: install Debian's chromium or set BOT_TEST_CHROMIUM",
)


@asynccontextmanager
async def open_page(
    address: str, *known: str, width: int = 1366, height: int = 768
) -> AsyncIterator[Page]:
    """Open the page; a script error, or a request to anybody else, fails the test at the end.

    ``known`` are the addresses of others with whom it may speak.
    """
    parts = urlsplit(address)
    own = (f"{parts.scheme}://{parts.netloc}", *known)
    problems: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=FLAGS, timeout=SLOW_START_MS
        )
        page = await browser.new_page(viewport={"width": width, "height": height}, locale="zh-CN")
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: _note(problems, request.url, own))
        await page.goto(address)
        await page.wait_for_selector("body[data-ready]")
        yield page
        await browser.close()
    assert problems == []


def _note(problems: list[str], url: str, own: tuple[str, ...]) -> None:
    if not url.startswith((*own, "data:", "blob:")):
        problems.append(url)
