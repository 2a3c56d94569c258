"""A talk of 微信客服 from the sidebar: taken at night, given back by a press."""

from __future__ import annotations

from tests.journeys.sidebar import browser
from tests.journeys.test_hand_over import servicer
from tests.journeys.town import Life


async def test_a_talk_is_taken_at_night_and_given_back_from_the_sidebar(life: Life) -> None:
    await life.go_to("21:00")
    await life.asks("转人工")
    (lead,) = await life.leads(life.visitor)
    async with browser(life, lead.rm) as page:
        talk = (await page.customer(life.visitor))["customer"]["kf"]
        assert "小安先陪着" in talk["words"]
        assert [one["act"] for one in talk["acts"]] == ["take"]
        press = {"customer": life.visitor, "act": "back"}
        status, told = await page.post("api/kf", press)
        assert (status, told["code"]) == (409, "changed"), "there is nothing to give back yet"
        assert (await page.post("api/kf", press | {"act": "take"}))[0] == 200
        await life.settle()
        assert (life.state(), servicer(life)) == (3, lead.rm)
        talk = (await page.customer(life.visitor))["customer"]["kf"]
        assert talk["words"] == "正在微信客服里由您接待，小安不插话"
        for _ in range(2):  # pressed twice
            assert (await page.post("api/kf", press))[0] == 200
        await life.settle()
        assert life.state() == 4
        assert await life.ledger("give_back_pressed") == 1
        assert (await page.customer(life.visitor))["customer"]["kf"] is None
    assert "依据" in (await life.asks("存单快到期了,怎么办呀"))[0]


async def test_a_colleague_can_neither_take_nor_give_back(life: Life) -> None:
    await life.asks("转人工")
    (lead,) = await life.leads(life.visitor)
    bank = life.demo.bot.content.bank
    other = next(one.userid for one in bank.staff if one.branch not in (None, lead.branch))
    async with browser(life, other) as page:
        status, told = await page.post("api/kf", {"customer": life.visitor, "act": "back"})
    assert (status, told["code"]) == (403, "not_yours")
