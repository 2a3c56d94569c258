"""What other sites' pages, strange names and odd requests cannot do."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.config import Settings
from bot.config.parts import ServerSettings, SidebarSettings
from bot.console.web import Place
from bot.domain.ids import CustomerId
from bot.domain.people import Customer
from bot.errors import ConfigError
from bot.web_parts import place_of
from bot.workspace import Workspace
from tests.console.conftest import MANAGER, MINE, House

CHECK = {"text": "您好", "place": "customer"}


FORGED: tuple[dict[str, str], ...] = (
    {},
    {"X-Zhilin": "other"},
    {"X-Zhilin": "sidebar", "Origin": "https://evil.example"},
    {"X-Zhilin": "sidebar", "Origin": "null"},
    {"X-Zhilin": "sidebar", "Sec-Fetch-Site": "cross-site"},
    {"X-Zhilin": "sidebar", "Sec-Fetch-Site": "same-site"},
)


async def test_another_sites_page_changes_nothing(house: House) -> None:
    lead = await house.lead(MINE)
    async with house.browser(MANAGER) as page:
        for headers in FORGED:
            act = {"act": "take"}
            status, told = await page.post(f"api/leads/{lead.id}", act, headers=headers)
            assert (status, told["code"]) == (403, "forgery"), headers
        for headers in FORGED[:2]:
            assert (await page.get("api/leads", headers=headers))[0] == 403
        assert (await page.get(f"api/leads/{lead.id}"))[1]["lead"]["stage"] == "new"
        own = {"X-Zhilin": "sidebar", "Origin": house.base.removesuffix("/sidebar")}
        own |= {"Sec-Fetch-Site": "same-origin"}
        assert (await page.post("api/check", CHECK, headers=own))[0] == 200


async def test_a_form_is_not_taken(house: House) -> None:
    async with house.browser(MANAGER) as page:
        for body, kind in (
            (b'{"text":"x"}', "text/plain"),
            (b"text=x", "application/x-www-form-urlencoded"),
        ):
            headers = {"X-Zhilin": "sidebar", "Content-Type": kind}
            address = f"{page.base}/api/check"
            async with page.session.post(address, data=body, headers=headers) as answer:
                assert answer.status == 403
        headers = {"Origin": "https://evil.example"}
        async with page.session.post(f"{page.base}/logout", headers=headers) as answer:
            assert answer.status == 403


ODD = (
    b"",
    b"[]",
    b"{",
    b'"x"',
    b'{"text": 5}',
    b'{"text": "\\ud800"}',
    b'{"text": "\\u0000"}',
    b'{"text": "' + b"a" * 5000 + b'"}',
    b"[" * 60000,
    b'{"text": "' + b"a" * 70000 + b'"}',
)


async def test_an_odd_body_is_refused_in_words(house: House) -> None:
    async with house.browser(MANAGER) as page:
        headers = {"X-Zhilin": "sidebar", "Content-Type": "application/json"}
        address = f"{page.base}/api/check"
        for body in ODD:
            async with page.session.post(address, data=body, headers=headers) as answer:
                assert answer.status == 422, body[:20]
                assert (await answer.json())["code"] == "bad"


async def test_names_of_people_stay_text(house: House) -> None:
    evil = "<script>alert(1)</script>\"'&"
    stranger = CustomerId("wmEvil")
    async with house.database.begin() as tx:
        known = Customer(id=stranger, name=evil, managers=(MANAGER,))  # type: ignore[arg-type]
        await tx.people.put_customer(known, house.clock.now())
    async with house.browser(MANAGER) as page:
        address = f"{page.base}/api/customer?id={stranger}"
        async with page.session.get(address, headers={"X-Zhilin": "sidebar"}) as answer:
            assert answer.content_type == "application/json"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert (await answer.json())["customer"]["name"] == evil
        _, text, _ = await page.visit(f"?customer={evil}")
        assert "alert(1)" not in text
        _, text, _ = await page.visit(f"/callback?state={evil}&code={evil}")
        assert "alert(1)" not in text


NOT_FILES = (
    "../sidebar.py",
    "..%2fsidebar.py",
    "..%2f..%2f..%2fconfig.toml",
    "%2e%2e/session.py",
    ".",
    "%00",
    "sidebar.html",
    "C:%5cwindows",
)


async def test_only_the_pages_own_files_are_given(house: House) -> None:
    host = house.base.removeprefix("http://").removesuffix("/sidebar")
    for name in NOT_FILES:
        reader, writer = await asyncio.open_connection(*host.split(":"))
        path = f"/sidebar/static/0123456789ab/{name}"
        asked = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        writer.write(asked.encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        assert answer.split(b" ", 2)[1] in (b"404", b"400"), name
        assert b"import" not in answer, name


async def test_every_answer_carries_the_policy_and_it_follows_the_sdk(house: House) -> None:
    async with house.browser(MANAGER) as page:
        for path in (
            "",
            "/login",
            "/callback",
            "/api/leads",
            "/api/customer?id=x",
            "/config?url=x",
        ):
            headers = {"X-Zhilin": "sidebar"}
            address = page.base + path
            async with page.session.get(address, headers=headers, allow_redirects=False) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert "script-src 'self' https://sdk.example:8443;" in policy
                assert "unsafe" not in policy
                assert "frame-ancestors 'self' https://sdk.example:8443" in policy
                assert answer.headers["Cache-Control"] == "no-store"
                assert answer.headers["Referrer-Policy"] == "same-origin"
        _, text, _ = await page.visit()
        assert "https://sdk.example:8443/ww.js" in text
        assert "<script>" not in text
        assert "onclick" not in text
        assert "style=" not in text


async def test_only_its_own_page_is_signed(house: House) -> None:
    async with house.browser(MANAGER) as page:
        for url in (
            "",
            "x",
            house.base + "/api/leads",
            house.base.replace("127.0.0.1", "127.0.0.2"),
            house.base.replace("http:", "https:"),
            "https://evil.example/sidebar",
            house.base + "?" + "x" * 3000,
        ):
            status, told = await page.get(f"config?url={url}")
            assert (status, told["code"]) == (422, "bad"), url
        assert (await page.get(f"config?url={house.base}%3Fcustomer=x%23top"))[0] == 200


async def test_who_asks_too_often_waits(house: House) -> None:
    async with house.browser(MANAGER) as page:
        body = {"customer": MINE, "text": "几点开门"}
        asked = [(await page.post("api/ask", body))[0] for _ in range(31)]
        assert asked == [202] * 30 + [429]
        house.clock.advance(minutes=10, seconds=1)
        assert (await page.post("api/ask", body))[0] == 202


def settings(base_path: str = "", **sidebar: str) -> Settings:
    return Settings(
        server=ServerSettings(base_path=base_path), sidebar=SidebarSettings.model_validate(sidebar)
    )


def test_the_public_address_agrees_with_the_path() -> None:
    place = place_of(settings("/zhilin", url="https://bot.bank.example/zhilin/sidebar/"))
    assert (place.path, place.url) == ("/zhilin/sidebar", "https://bot.bank.example/zhilin/sidebar")
    for url in ("https://bot.bank.example/", "https://bot.bank.example/sidebar?x=1"):
        with pytest.raises(ConfigError, match="路径要正好是"):
            place_of(settings("/zhilin", url=url))
    with pytest.raises(ConfigError, match="看不懂"):
        place_of(settings(sdk_url="https://sdk.example;script-src"))


def test_a_wrong_public_address_is_said_by_the_check(shelf: Workspace, tmp_path: Path) -> None:
    shutil.copytree(shelf.root / "sop", tmp_path / "sop")
    (tmp_path / "knowledge").mkdir()
    text = '[sidebar]\nurl = "https://bot.bank.example/desk"\n'
    (tmp_path / "config.toml").write_text(text, "utf-8")
    result = CliRunner().invoke(cli, ["check", "-C", str(tmp_path)])
    assert result.exit_code == 1
    assert "路径要正好是 /sidebar" in result.output


def test_the_policy_names_one_origin_however_the_sdk_is_written() -> None:
    place = Place("/sidebar", "", "https://wwcdn.weixin.qq.com/node/open/js/ww.js?x=1")
    policy = place.headers["Content-Security-Policy"]
    assert "script-src 'self' https://wwcdn.weixin.qq.com; " in policy
    assert json.dumps(policy).isascii()
