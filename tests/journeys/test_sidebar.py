"""The sidebar over HTTP: a member signs in by WeCom, sees whom he serves, sends a draft."""

from __future__ import annotations

import asyncio

from bot.emulator import groups
from bot.emulator.jsapi import sign
from tests.journeys.sidebar import browser
from tests.journeys.town import Life


async def manager_of(life: Life, customer: str) -> str:
    async with life.demo.bot.database.read() as tx:
        known = await tx.people.customer(customer)
    assert known is not None
    return known.managers[0]


async def test_a_manager_signs_in_and_sees_the_customer_with_the_lead_and_what_to_say(
    life: Life,
) -> None:
    await life.asks("我要投诉，你们的柜台态度太差了")
    (given,) = await life.leads(life.visitor)
    async with browser(life) as page:
        status, _, address = await page.sign_in(given.rm, "?customer=" + life.visitor)
        assert (status, address.path) == (200, "/sidebar")
        assert address.query["customer"] == life.visitor
        told = await page.customer(life.visitor)
    (lead,) = told["leads"]
    assert (lead["need"], lead["stage_words"], lead["holder"]["me"]) == ("投诉", "待接手", True)
    assert "态度太差" in lead["quote"]
    assert 0 < lead["left_seconds"] <= 3600
    assert lead["packet"]["steps"]
    assert "later" not in [act["act"] for act in lead["acts"]], "a complaint is not put off"
    assert told["customer"]["notes"][0]["tone"] == "harm"
    assert told["turns"][0]["side"] == "customer"
    assert told["last_words"].startswith("我要投诉")
    fitting = [track for track in told["tracks"] if track["fits"]]
    assert fitting
    assert told["tracks"][0] in fitting
    assert "{" not in "".join(track["text"] for track in told["tracks"])


async def test_what_is_said_from_the_sidebar_is_a_persons_answer_in_time(life: Life) -> None:
    await life.asks("我要投诉，你们的柜台态度太差了")
    (given,) = await life.leads(life.visitor)
    async with browser(life, given.rm) as page:
        said = {"act": "sent", "customer": life.visitor, "text": "对不住，让您受累了。"}
        assert (await page.post("api/tracks/complaint-first", said))[0] == 200
        (lead,) = (await page.customer(life.visitor))["leads"]
        assert (lead["left_seconds"], lead["late"]) == (None, False)
    (kept,) = await life.leads(life.visitor)
    assert kept.first_response_at == life.world.now()
    life.new()
    await life.wait(90)
    assert [one.text for one in life.new("member") if "还没回复客户" in one.text] == []


async def test_a_draft_is_asked_for_edited_and_counted(life: Life) -> None:
    manager = await manager_of(life, life.visitor)
    async with browser(life, manager) as page:
        asked = {"customer": life.visitor, "text": "存单丢了怎么办"}
        status, told = await page.post("api/ask", asked)
        assert status == 202, told
        number = told["ask"]
        assert (await page.get(f"api/ask/{number}"))[1] == {"state": "working"}
        await life.settle()
        _, told = await page.get(f"api/ask/{number}")
        assert told["state"] == "ready", told
        draft = told["draft"]
        assert "挂失" in draft["text"]
        assert draft["sources"]
        assert not life.cards(manager, f"draft:{draft['id']}:"), "it is before his eyes"
        bad = {"text": draft["text"] + "这款保本保息。", "place": "customer"}
        _, checked = await page.post("api/check", bad)
        assert not checked["ok"]
        assert checked["problems"][0]["blocks"]
        said = draft["text"] + "我等您。"
        _, checked = await page.post("api/check", {"text": said, "place": "customer"})
        assert checked["ok"], checked
        status, told = await page.post(f"api/drafts/{draft['id']}", {"act": "edited", "text": said})
        assert (status, told["words"]) == (200, "已记下：改过发出")
        again = await page.post(f"api/drafts/{draft['id']}", {"act": "edited", "text": said})
        assert again[0] == 200, "told twice, it stands as it was"
        status, told = await page.post(
            f"api/drafts/{draft['id']}", {"act": "dropped", "reason": "wrong"}
        )
        assert (status, told["code"], told["draft"]["state"]) == (409, "changed", "edited")
        assert await life.ledger("draft_edited") == 1
        assert (await page.customer(life.visitor))["drafts"] == []


async def test_what_has_no_basis_is_not_drafted(life: Life) -> None:
    manager = await manager_of(life, life.visitor)
    async with browser(life, manager) as page:
        status, told = await page.post("api/ask", {"customer": life.visitor, "text": ""})
        assert (status, told["code"]) == (422, "bad")
        body = {"customer": life.visitor, "text": "火星上的房子首付多少"}
        _, told = await page.post("api/ask", body)
        await life.settle()
        _, told = await page.get(f"api/ask/{told['ask']}")
        assert told["state"] == "none"
        assert "资料里没有" in told["words"]


async def test_a_lead_is_taken_put_off_and_ended_from_the_sidebar(life: Life) -> None:
    await life.asks("我想了解一下理财，能不能请客户经理联系我")
    (lead, *_) = await life.leads(life.visitor)
    async with browser(life, lead.rm) as page:
        _, told = await page.get("api/leads")
        assert [one["id"] for one in told["mine"]] == [lead.id]
        act = f"api/leads/{lead.id}"
        status, told = await page.post(act, {"act": "later", "choice": "next year"})
        assert (status, told["code"]) == (422, "bad")
        status, told = await page.post(act, {"act": "take"})
        assert (status, told["lead"]["stage"]) == (200, "taken"), told
        status, told = await page.post(act, {"act": "take"})
        assert status == 200, "pressed twice"
        status, told = await page.post(act, {"act": "later", "choice": "hour"})
        assert (status, told["lead"]["stage"]) == (200, "later"), told
        status, told = await page.post(act, {"act": "invalid", "choice": "no_need"})
        assert (status, told["lead"]["acts"]) == (200, []), told
        status, told = await page.post(act, {"act": "take"})
        assert (status, told["code"]) == (409, "changed")
    (lead, *_) = await life.leads(life.visitor)
    assert (lead.stage, lead.outcome_reason) == ("invalid", "no_need")


async def test_a_group_shows_its_questions_its_day_and_who_is_silent(life: Life) -> None:
    chat, owner = life.chat, life.owner(life.chat)
    await life.had("d01-welcome")
    async with browser(life, owner) as page:
        before = await page.group(chat)
        assert before["today"][0]["state_words"] == "已发"
        assert before["run"]["position"].startswith("第 1 天")
        member = life.member(chat)
        await life.says(chat, member, "请问网点周末开门吗")
        told = await page.group(chat)
        (question,) = told["questions"]
        assert question["draft"] == told["drafts"][0]["id"]
        assert told["silent"]["readable"]
        silent = life.world.customers[life.member(chat, 1)].nickname
        assert silent in told["silent"]["people"]
        assert told["tracks"]
        draft = told["drafts"][0]["id"]
        status, told = await page.post(f"api/drafts/{draft}", {"act": "sent"})
        assert (status, told["draft"]["state"]) == (200, "sent")
        assert (await page.group(chat))["questions"] == []
        track = {"act": "sent", "group": chat, "text": "各位叔叔阿姨好"}
        assert (await page.post("api/tracks/group-quiet", track))[0] == 200
    assert await life.ledger("talk_track_sent") == 1


async def test_what_the_archive_brings_of_a_sidebars_words_is_nothing_new(life: Life) -> None:
    chat, owner = life.chat, life.owner(life.chat)
    for number, text in enumerate(("请问网点周末开门吗", "存折丢了怎么补", "转账限额怎么改")):
        await life.says(chat, life.member(chat, number), text)
    async with browser(life, owner) as page:
        hours, book, limit = (await page.group(chat))["drafts"][::-1]
        (card,) = life.cards(owner, f"draft:{hours['id']}:")
        said = hours["text"] + "大家放心来。"
        await page.post(f"api/drafts/{hours['id']}", {"act": "edited", "text": said})
        await page.post(f"api/drafts/{book['id']}", {"act": "sent"})
        await life.settle()
        assert card.replaced == "改过发出"
        for words in (said, book["text"]):
            groups.owner_says(life.world, chat, words)
            await life.settle()
        (left,) = (await page.group(chat))["drafts"]
        assert left["id"] == limit["id"], "it still waits"
    counts = [await life.ledger(f"draft_{one}") for one in ("edited", "sent")]
    assert counts == [1, 1]
    assert await life.ledger("answered_otherwise") == 0


async def test_the_page_is_signed_for_the_sdk_and_tickets_are_asked_for_once(life: Life) -> None:
    manager = await manager_of(life, life.visitor)
    async with browser(life, manager) as page:
        url = f"{page.base}?customer={life.visitor}"
        answers = await asyncio.gather(*(page.get(f"config?url={url}") for _ in range(5)))
        for status, told in answers:
            assert status == 200, told
            for part, key in (("config", 0), ("agentConfig", told["agentId"])):
                ticket, _ = life.world.jsapi.held[key]
                given = told[part]
                made = sign(ticket, given["nonceStr"], str(given["timestamp"]), url)
                assert made == given["signature"]
        status, told = await page.get("config?url=https://evil.example/sidebar")
        assert (status, told["code"]) == (422, "bad")
        life.world.limits.app_tickets_per_hour = 0
        assert (await page.get(f"config?url={url}"))[0] == 200, "they are kept"
