"""Signing in by WeCom, and everybody who is not let in."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from yarl import URL

from bot.emulator.world import Member
from tests.console.conftest import MANAGER, MINE, House
from tests.journeys.sidebar import Browser


async def test_who_comes_back_from_wecom_is_signed_in_and_where_he_was(house: House) -> None:
    async with house.browser() as page:
        status, _, address = await page.sign_in(MANAGER, f"/?customer={MINE}&x=%E5%A4%A9")
        assert (status, address.path, address.query["customer"]) == (200, "/sidebar", MINE)
        cookies = {one.key: one for one in page.session.cookie_jar}
        kept = cookies["zhilin_sidebar"]
        assert kept["httponly"]
        assert kept["samesite"] == "Lax"
        assert kept["path"] == "/sidebar"
        assert not kept["secure"], "over http a secure cookie would never come back"
        assert (await page.get("api/leads"))[1]["me"]["name"] == "李敏"
        async with page.session.post(f"{page.base}/logout") as answer:
            assert answer.status == 204
        assert (await page.get("api/leads"))[0] == 401


async def test_behind_a_proxy_that_takes_off_tls_the_cookie_is_secure(house: House) -> None:
    house.world.oauth.signed_in = MANAGER
    async with house.browser() as page:
        over = {"X-Forwarded-Proto": "https"}
        address = f"{page.base}/login"
        async with page.session.get(address, headers=over, allow_redirects=False) as answer:
            assert "; Secure" in answer.headers["Set-Cookie"]
            told = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert told["redirect_uri"] == [f"{house.base}/callback".replace("http:", "https:")]


async def test_a_session_ends_and_the_page_signs_in_anew(house: House) -> None:
    async with house.browser(MANAGER) as page:
        house.clock.advance(hours=8, seconds=1)
        status, told = await page.get("api/leads")
        assert (status, told["code"]) == (401, "login")
        status, location, _ = await page.visit(follow=False)
        assert status == 302
        assert location.startswith("/sidebar/login")


async def test_who_left_the_bank_is_out_at_once(house: House) -> None:
    house.world.add_member(Member("new.comer", "新来的"))
    async with house.browser() as page:
        status, text, _ = await page.sign_in("new.comer")
        assert status == 403
        assert "员工名单" in text
        assert (await page.get("api/leads"))[1]["code"] == "not_staff"


async def test_a_forged_cookie_is_nobody(house: House) -> None:
    async with house.browser() as page:
        for cookie in ("", "x.y", "e30.AAAA", "../..", "李"):
            page.session.cookie_jar.update_cookies({"zhilin_sidebar": cookie}, URL(house.base))
            assert (await page.get("api/leads"))[0] == 401
            assert (await page.get(f"config?url={house.base}"))[0] == 401
            assert (await page.visit(follow=False))[0] == 302


async def begun(page: Browser, query: str = "") -> dict[str, list[str]]:
    """Begin to sign in; return what WeCom is told."""
    status, location, _ = await page.visit(f"/login{query}", follow=False)
    assert status == 302
    return parse_qs(urlsplit(location).query)


async def code_for(house: House, told: dict[str, list[str]]) -> str:
    """Let WeCom give a code for what it was told."""
    async with house.browser() as other:
        page = f"{house.settings.sidebar.oauth_url}"
        query = {name: values[0] for name, values in told.items()}
        async with other.session.get(page, params=query, allow_redirects=False) as answer:
            return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


async def test_nobody_is_signed_in_by_anothers_code(house: House) -> None:
    house.world.oauth.signed_in = MANAGER
    async with house.browser() as attacker, house.browser() as victim:
        told = await begun(attacker)
        state, code = told["state"][0], await code_for(house, told)
        await begun(victim)
        for path in (f"?code={code}&state={state}", f"?code={code}", f"?code={code}&state=0"):
            status, text, _ = await victim.visit("/callback" + path)
            assert status == 403
            assert "不是从这个窗口开始" in text
        assert (await victim.get("api/leads"))[0] == 401
        status, _, _ = await attacker.visit(f"/callback?code={code}&state={state}")
        assert status == 200
        status, text, _ = await attacker.visit(f"/callback?code={code}&state={state}")
        assert (status, "放久了" in text) == (403, True), "a code is used once"


async def test_an_old_state_a_customer_and_a_refusal_are_not_let_in(house: House) -> None:
    house.world.oauth.signed_in = MANAGER
    async with house.browser() as page:
        told = await begun(page)
        code = await code_for(house, told)
        house.clock.advance(minutes=11)
        status, _, _ = await page.visit(f"/callback?code={code}&state={told['state'][0]}")
        assert status == 403
        told = await begun(page)
        status, text, _ = await page.visit(f"/callback?state={told['state'][0]}")
        assert (status, "没能确认" in text) == (403, True)


ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/sidebar",
    "/elsewhere?x=1",
    "/sidebar/api/leads",
    "javascript:alert(1)",
    "\\\\evil.example",
)


async def test_the_way_back_leads_to_the_page_and_nowhere_else(house: House) -> None:
    house.world.oauth.signed_in = MANAGER
    async with house.browser() as page:
        for way in ELSEWHERE:
            told = await begun(page, f"?next={way}")
            assert told["redirect_uri"] == [f"{house.base}/callback"], way
            code, state = await code_for(house, told), told["state"][0]
            back = f"/callback?code={code}&state={state}&next={way}"
            status, location, _ = await page.visit(back, follow=False)
            assert (status, location) == (302, "/sidebar"), way


async def test_wecom_is_down_or_says_what_is_wrong(house: House) -> None:
    house.world.oauth.signed_in = MANAGER
    async with house.browser() as page:
        told = await begun(page)
        code, state = await code_for(house, told), told["state"][0]
        house.world.faults.plan("auth/getuserinfo", "errcode", errcode=50002)
        status, text, _ = await page.visit(f"/callback?code={code}&state={state}")
        assert status == 503
        assert "可见范围" in text
        status, _, _ = await page.visit(f"/callback?code={code}&state={state}")
        assert status == 200, "it is as good as it was"
