"""Chat models: the offline one, and any OpenAI-compatible endpoint with its failures."""

from collections.abc import AsyncIterator

import pytest

from bot.ai.chat import open_chat
from bot.ai.offline import OfflineChat
from bot.domain.knowledge import Prompt
from bot.errors import ConfigError, Retryable
from bot.ports import ChatModel
from tests.ai.openai_server import OpenAiServer, openai_server
from tests.contracts.chat_model import ChatModelContract

PROMPT = Prompt(
    system="只根据资料回答", question="存折还能用吗", passages=("能用。",), history=("客户:你好",)
)


@pytest.fixture
async def server() -> AsyncIterator[OpenAiServer]:
    async with openai_server() as running:
        yield running


class TestOfflineChat(ChatModelContract):
    @pytest.fixture
    def chat(self) -> ChatModel:
        return OfflineChat()

    async def test_it_says_the_best_passage_word_for_word(self, chat: ChatModel) -> None:
        assert await chat.write(PROMPT) == "能用。"


class TestLangChainChat(ChatModelContract):
    @pytest.fixture
    async def chat(self, server: OpenAiServer) -> AsyncIterator[ChatModel]:
        async with open_chat("test-model", base_url=server.url, api_key="k", wait_for=5) as model:
            yield model

    async def test_it_sends_the_passages_the_question_and_nothing_else(
        self, chat: ChatModel, server: OpenAiServer
    ) -> None:
        await chat.write(PROMPT)
        (asked,) = server.asked
        assert asked["model"] == "test-model"
        assert [message["role"] for message in asked["messages"]] == ["system", "user"]
        assert asked["messages"][0]["content"] == PROMPT.system
        assert "能用。" in asked["messages"][1]["content"]
        assert PROMPT.question in asked["messages"][1]["content"]
        assert "tools" not in asked

    @pytest.mark.parametrize("fault", [500, 429, 401, 400, "html", "empty", "no_choices"])
    async def test_every_failure_is_retryable_and_tells_nothing_of_the_server(
        self, chat: ChatModel, server: OpenAiServer, fault: int | str
    ) -> None:
        server.fault = fault
        with pytest.raises(Retryable) as caught:
            await chat.write(PROMPT)
        assert "db01" not in str(caught.value)
        assert len(server.asked) == 1

    @pytest.mark.parametrize("fault", [500, "empty", "html"])
    async def test_a_stream_fails_as_writing_does(
        self, chat: ChatModel, server: OpenAiServer, fault: int | str
    ) -> None:
        server.fault = fault
        with pytest.raises(Retryable):
            assert [piece async for piece in chat.stream(PROMPT)] == []

    async def test_a_slow_server_is_given_up(self, server: OpenAiServer) -> None:
        server.fault = "slow"
        async with open_chat("m", base_url=server.url, wait_for=0.2) as chat:
            with pytest.raises(Retryable):
                await chat.write(PROMPT)

    async def test_a_server_that_is_not_there_is_retryable(self) -> None:
        async with open_chat("m", base_url="http://127.0.0.1:9/v1") as chat:
            with pytest.raises(Retryable):
                await chat.write(PROMPT)


@pytest.mark.parametrize(
    ("model", "name"),
    [("deepseek-chat", "deepseek-chat"), ("openai:qwen-max", "qwen-max"), ("qwen3:8b", "qwen3:8b")],
)
async def test_a_bare_name_and_openai_colon_mean_the_same(model: str, name: str) -> None:
    async with open_chat(model, base_url="http://127.0.0.1:1") as chat:
        assert chat.name == name


async def test_no_model_means_offline() -> None:
    async with open_chat() as chat:
        assert isinstance(chat, OfflineChat)


async def test_an_unknown_provider_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="不认识大模型提供方「acme」"):
        async with open_chat("acme:m1"):
            pass
