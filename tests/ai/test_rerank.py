"""A reranker at the other end of a line: in order, or a plain failure."""

from collections.abc import AsyncIterator

import pytest

from bot.ai.rerank import open_reranker
from bot.errors import ConfigError, Retryable
from bot.ports import Reranker
from tests.ai.openai_server import OpenAiServer, openai_server


@pytest.fixture
async def server() -> AsyncIterator[OpenAiServer]:
    async with openai_server() as running:
        yield running


@pytest.fixture
async def reranker(server: OpenAiServer) -> AsyncIterator[Reranker]:
    async with open_reranker(
        "bge-reranker", base_url=server.url + "/", api_key="k", wait_for=5
    ) as opened:
        assert opened is not None
        yield opened


async def test_scores_come_in_the_order_of_the_texts(
    reranker: Reranker, server: OpenAiServer
) -> None:
    texts = ["天气真好", "存折照常能用", "存折"]
    scores = await reranker.scores("存折能用吗", texts)
    assert scores == [0.0, 0.4, 0.2]
    [asked] = server.asked
    assert (asked["model"], asked["query"], asked["documents"]) == (
        "bge-reranker",
        "存折能用吗",
        texts,
    )
    assert asked["key"] == "Bearer k"
    assert asked["top_n"] == 3


async def test_nothing_to_score_asks_nobody(reranker: Reranker, server: OpenAiServer) -> None:
    assert list(await reranker.scores("存折", [])) == []
    assert server.asked == []


@pytest.mark.parametrize("fault", [429, 500, "html", "no_text"])
async def test_a_failing_one_is_retryable(
    reranker: Reranker, server: OpenAiServer, fault: int | str
) -> None:
    server.fault = fault
    with pytest.raises(Retryable):
        await reranker.scores("存折", ["存折", "卡"])


async def test_a_slow_one_is_not_waited_for(server: OpenAiServer) -> None:
    server.fault = "slow"
    async with open_reranker("m", base_url=server.url, wait_for=0.05) as opened:
        assert opened is not None
        with pytest.raises(Retryable, match="too slow"):
            await opened.scores("存折", ["存折"])


async def test_nobody_at_the_other_end_is_retryable() -> None:
    async with open_reranker("m", base_url="http://127.0.0.1:9") as opened:
        assert opened is not None
        with pytest.raises(Retryable):
            await opened.scores("存折", ["存折"])


async def test_without_settings_there_is_none_and_half_of_them_is_said() -> None:
    async with open_reranker() as opened:
        assert opened is None
    with pytest.raises(ConfigError, match="base_url"):
        async with open_reranker("m"):
            pass
