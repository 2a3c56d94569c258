"""Voices, pictures, places, and what WeChat will think of next: nobody is left without a word."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.config.parts import SpeechSettings
from bot.emulator.kf_hands import sends_file
from tests.ai.openai_server import OpenAiServer, openai_server
from tests.journeys.town import Life

VOICE = b"#!AMR\n" + bytes(range(256)) * 2


@pytest.fixture(autouse=True)
async def by_day(life: Life) -> None:
    """Let people be there: outside the hours nobody is called before the morning."""
    await life.go_to("08:31")


async def speaks(life: Life) -> list[str]:
    """Let the visitor send a voice message; return what was answered."""
    life.new()
    sends_file(life.world, life.account, life.visitor, "voice", "v.amr", VOICE)
    await life.settle()
    return life.answers()


@pytest.fixture
async def hearing(life: Life) -> AsyncIterator[OpenAiServer]:
    """Give the bot ears: a speech model on loopback."""
    async with openai_server() as server:
        heard = SpeechSettings(model="sense-voice", base_url=server.url, timeout_seconds=2)
        life.demo.settings = life.demo.settings.model_copy(update={"speech": heard})
        await life.demo.restart()
        yield server


async def test_a_voice_that_cannot_be_heard_brings_a_person(life: Life) -> None:
    (answer,) = await speaks(life)
    assert "听不了" in answer
    assert life.state() == 3
    (lead,) = await life.leads(life.visitor)
    assert (lead.need.value, lead.evidence[0].quote) == ("找人工", "[语音]")


async def test_a_voice_is_answered_like_words_and_says_what_was_heard(
    life: Life, hearing: OpenAiServer
) -> None:
    hearing.says = "取五万块钱要提前预约吗"
    (answer,) = await speaks(life)
    first, *rest = answer.splitlines()
    assert first == "听到您说：「取五万块钱要提前预约吗」。"
    assert "预约" in "".join(rest)
    assert hearing.asked[0]["audio"] == VOICE
    async with life.demo.bot.database.read() as tx:
        turns = await tx.conversations.last_turns(life.visitor)
    assert turns[0].text == "[语音]取五万块钱要提前预约吗"


async def test_danger_told_aloud_is_heard_first_and_nothing_stands_before_it(
    life: Life, hearing: OpenAiServer
) -> None:
    hearing.says = "我刚给他转了三万,是不是被骗了"
    (answer,) = await speaks(life)
    assert answer.startswith("您先别再操作")
    assert [lead.need.value for lead in await life.leads(life.visitor)] == ["红线"]


async def test_a_number_told_aloud_is_kept_and_said_back_nowhere(
    life: Life, hearing: OpenAiServer
) -> None:
    hearing.says = "我的卡号是 6222020200112233445 怎么查余额"
    (answer,) = await speaks(life)
    assert "6222020200112233445" not in answer
    async with life.demo.bot.database.read() as tx:
        turns = await tx.conversations.last_turns(life.visitor)
    assert not any("6222020200112233445" in turn.text for turn in turns)


@pytest.mark.parametrize("fault", ["empty", "slow", 500])
async def test_what_the_model_does_not_make_out_brings_a_person(
    life: Life, hearing: OpenAiServer, fault: int | str
) -> None:
    hearing.fault = fault
    (answer,) = await speaks(life)
    assert "没听清" in answer
    assert life.state() == 3


async def test_a_picture_is_looked_at_soon_and_warns_meanwhile(life: Life) -> None:
    (answer,) = await life.sends("image", {"media_id": "m"})
    assert "看不了" in answer
    assert "先别照做" in answer
    (lead,) = await life.leads(life.visitor)
    assert (lead.respond_by - lead.opened_at).total_seconds() <= 600


@pytest.mark.parametrize(
    ("form", "payload", "word", "person"),
    [
        ("file", {"media_id": "m"}, "文件", True),
        ("video", {"media_id": "m"}, "视频", True),
        ("link", {"title": "领补贴", "url": "http://a.b/c"}, "链接", True),
        ("merged_msg", {"title": "聊天记录", "item": []}, "聊天记录", True),
        ("miniprogram", {"title": "抽奖", "appid": "wx1"}, "小程序", True),
        ("location", {"name": "梧桐街", "address": "1号"}, "位置", False),
        ("business_card", {"userid": "li.min"}, "名片", False),
        ("channels_shop_order", {"order_id": "1"}, "视频号", False),
        ("of_next_year", {"x": 1}, "看不懂", True),
    ],
)
async def test_every_form_has_its_own_words(
    life: Life, form: str, payload: dict[str, object], word: str, person: bool
) -> None:
    (answer,) = await life.sends(form, payload)
    assert word in answer
    assert (life.state() == 3) is person


async def test_words_beside_a_place_are_answered_and_beside_a_picture_go_along(life: Life) -> None:
    life.new()
    for customer, form in zip(life.demo.town.visitors, ("location", "image"), strict=False):
        life.world.kf.customer_sends(life.account, customer, form, {"name": "x", "media_id": "m"})
        life.world.kf.customer_says(life.account, customer, "取五万块钱要提前预约吗")
    await life.settle()
    fresh = life.new("kf")
    answers = {item.to: item.text for item in fresh if item.source == "kf_send_msg"}
    place, picture = life.demo.town.visitors[:2]
    assert "预约" in answers[place]
    assert "看不了" in answers[picture]
    (lead,) = await life.leads(picture)
    assert lead.evidence[0].quote == "[图片]\n取五万块钱要提前预约吗"
