"""D21: a question is understood by the newest turns of its own talk, not by the oldest.

A peer takes the last forty turns by ascending number, which are the forty oldest.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import langchain_openai  # noqa: F401 - loaded here, not while the customer waits
import pytest

from bot.config.parts import LlmSettings
from bot.domain.ids import CustomerId
from tests.ai.openai_server import OpenAiServer, openai_server
from tests.journeys.town import Life

LONG_TALK = 60
NEWEST = 6  # as many turns as the persona remembers, two a question
ASKED = "银行卡丢了怎么办"


async def _had_a_talk(life: Life, customer: str, topics: list[str], since: datetime) -> None:
    """Write a talk down as it is kept: a question and its answer, half a minute each."""
    async with life.demo.bot.database.begin() as tx:
        for number, topic in enumerate(topics):
            at = since + timedelta(seconds=10 * number)
            await tx.conversations.add_turn(CustomerId(customer), "客户", topic, at)
            answer = f"第{number}个答复。\n依据：本行《常见问题》"
            await tx.conversations.add_turn(CustomerId(customer), "小安", answer, at)


async def _ask_the_model(life: Life, server: OpenAiServer, text: str) -> str:
    """Let the customer ask; return what the model was told of the talk before."""
    llm = LlmSettings(model="m", base_url=server.url, timeout_seconds=30)
    life.demo.settings = life.demo.settings.model_copy(update={"llm": llm})
    await life.demo.restart()
    server.says = f"{ASKED}要多久"
    await life.asks(text)
    told = str(server.asked[0]["messages"][1]["content"])
    return told.split("<前文>")[1].split("</前文>")[0]


@pytest.mark.parametrize("length", [3, LONG_TALK])
async def test_what_is_understood_by_is_the_newest(life: Life, length: int) -> None:
    since = life.world.now() - timedelta(minutes=15)
    topics = [f"从前的问题{number}" for number in range(length - 1)]
    await _had_a_talk(life, life.visitor, [*topics, ASKED], since)
    async with openai_server() as server:
        before = await _ask_the_model(life, server, "那要多久")
    questions = [line for line in before.splitlines() if line.startswith("客户:")]
    newest = [f"客户:{topic}" for topic in [*topics, ASKED]][-NEWEST // 2 :]
    assert questions == newest


async def test_nothing_of_another_customers_talk_is_in_it(life: Life) -> None:
    other = life.demo.town.visitors[1]
    since = life.world.now() - timedelta(minutes=15)
    await _had_a_talk(life, life.visitor, [ASKED], since)
    await _had_a_talk(life, other, ["我的秘密是存了三百万"] * 5, since + timedelta(minutes=5))
    async with openai_server() as server:
        before = await _ask_the_model(life, server, "那要多久")
        assert "秘密" not in str(server.asked)
    assert ASKED in before


async def test_a_talk_of_long_ago_is_over(life: Life) -> None:
    await _had_a_talk(life, life.visitor, [ASKED], life.world.now() - timedelta(hours=3))
    async with openai_server() as server:
        llm = LlmSettings(model="m", base_url=server.url, timeout_seconds=30)
        life.demo.settings = life.demo.settings.model_copy(update={"llm": llm})
        await life.demo.restart()
        await life.asks("那要多久")
        assert ASKED not in str(server.asked)
