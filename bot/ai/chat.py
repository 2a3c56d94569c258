"""Chat models over LangChain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.ai.offline import OfflineChat
from bot.domain.knowledge import Prompt
from bot.errors import ConfigError, Retryable
from bot.ports import ChatModel

if TYPE_CHECKING:
    from httpx import AsyncClient
    from langchain_openai import ChatOpenAI

_LONGEST_ANSWER_TOKENS = 400
_NO_MARKS = str.maketrans("<>＜＞﹤﹥", "〈〉〈〉〈〉")


class LangChainChat:
    """A model that speaks OpenAI's chat API: DeepSeek, Qwen, a server in the bank's own rooms."""

    def __init__(self, model: str, base_url: str, api_key: str, wait_for: float) -> None:
        self.name = model
        self._base_url = base_url
        self._api_key = api_key
        self._wait_for = wait_for
        self._wire: AsyncClient | None = None
        self._opening: asyncio.Future[ChatOpenAI] | None = None

    def _opened(self) -> ChatOpenAI:
        import httpx
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        # LangChain would share one client among all event loops and never close it.
        self._wire = httpx.AsyncClient()
        # No retries inside: the caller has the approved text at hand and a customer who waits.
        return ChatOpenAI(
            model=self.name,
            base_url=self._base_url or None,
            api_key=SecretStr(self._api_key or "none"),
            timeout=self._wait_for,
            max_retries=0,
            http_async_client=self._wire,
            temperature=0,
            max_completion_tokens=_LONGEST_ANSWER_TOKENS,
        )

    async def close(self) -> None:
        """Hang up."""
        if self._opening is not None:
            await asyncio.wait({self._opening})  # a thread that imports cannot be called off
        if self._wire is not None:
            await self._wire.aclose()

    async def write(self, prompt: Prompt) -> str:
        """Return the model's text; raise ``Retryable`` on a time-out, a failure or no words."""
        client = await self._ready()
        try:
            async with asyncio.timeout(self._wait_for):
                message = await client.ainvoke(_messages(prompt))
        except TimeoutError as error:
            raise Retryable("chat model: too slow") from error
        except Exception as error:
            # The library raises whatever a server's odd answer makes it stumble over.
            raise Retryable(f"chat model: {type(error).__name__}") from error
        text = message.text.strip()
        if not text:
            raise Retryable("chat model: no words")
        return text

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """Give the model's text bit by bit; raise as ``write`` does."""
        client = await self._ready()
        said = False
        try:
            async for piece in client.astream(_messages(prompt)):
                if piece.text:
                    said = True
                    yield str(piece.text)
        except TimeoutError as error:
            raise Retryable("chat model: too slow") from error
        except Exception as error:
            raise Retryable(f"chat model: {type(error).__name__}") from error
        if not said:
            raise Retryable("chat model: no words")

    async def _ready(self) -> ChatOpenAI:
        # Shielded: a customer who cannot wait must not call off what the next one needs.
        return await asyncio.shield(self.get_ready())

    def get_ready(self) -> asyncio.Future[ChatOpenAI]:
        """Begin to load the library, which takes seconds that no customer should wait."""
        if self._opening is None:
            self._opening = asyncio.ensure_future(asyncio.to_thread(self._opened))
        return self._opening


def _messages(prompt: Prompt) -> list[tuple[str, str]]:
    passages = "\n".join(
        f"<资料 编号={number}>\n{_as_text(text)}\n</资料>"
        for number, text in enumerate(prompt.passages, start=1)
    )
    earlier = "\n".join(map(_as_text, prompt.history))
    asked = f"<资料区>\n{passages}\n</资料区>\n"
    if earlier:
        asked += f"<前文>\n{earlier}\n</前文>\n"
    asked += f"<问题>\n{_as_text(prompt.question)}\n</问题>"
    return [("system", prompt.system), ("human", asked)]


def _as_text(text: str) -> str:
    """Return text that cannot close the marks it stands between, nor open others."""
    return text.translate(_NO_MARKS)


@asynccontextmanager
async def open_chat(
    model: str = "", *, base_url: str = "", api_key: str = "", wait_for: float = 8.0
) -> AsyncIterator[ChatModel]:
    """Open a chat model: "" is the offline one, a bare name or "openai:name" an endpoint's."""
    name = _model_name(model, base_url)
    if not name:
        yield OfflineChat()
        return
    chat = LangChainChat(name, base_url, api_key, wait_for)
    chat.get_ready()
    try:
        yield chat
    finally:
        await chat.close()


def _model_name(model: str, base_url: str) -> str:
    provider, colon, name = model.partition(":")
    if colon and provider == "openai":
        return name
    # A local server's names have colons of their own, "qwen3:8b": those are bare names too.
    if colon and not base_url:
        raise ConfigError(
            f"不认识大模型提供方「{provider}」：请写模型名本身，或 openai:模型名，"
            "并配好 [llm] base_url。"
        )
    return model
