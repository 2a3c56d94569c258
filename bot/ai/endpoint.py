"""Embeddings from any endpoint that speaks OpenAI's API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.errors import ConfigError, Retryable

if TYPE_CHECKING:
    from httpx import AsyncClient
    from langchain_openai import OpenAIEmbeddings

_PASSAGES_WAIT_S = 60.0
_PASSAGES_RETRIED = 4
# Servers refuse what is longer than their model reads, most often 512 tokens: one a character.
_LONGEST = 500


class OpenAiEmbedder:
    """Any endpoint that speaks OpenAI's embeddings API.

    A question waits ``wait_for`` seconds and is asked twice at most; passages, which nobody waits
    for, are asked for up to five times, as long as the endpoint is busy or down (429, 5xx).
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        api_key: str,
        dimensions: int,
        *,
        batch: int = 32,
        wait_for: float = 5.0,
    ) -> None:
        self.name = model
        self.dimensions = dimensions
        self._base_url = base_url
        self._api_key = api_key
        self._batch = batch
        self._wait_for = wait_for
        self._wire: AsyncClient | None = None
        self._clients: dict[bool, OpenAIEmbeddings] = {}

    async def close(self) -> None:
        """Hang up."""
        if self._wire is not None:
            await self._wire.aclose()

    def _opened(self, *, hurried: bool) -> OpenAIEmbeddings:
        if hurried not in self._clients:
            import httpx
            from langchain_openai import OpenAIEmbeddings
            from pydantic import SecretStr

            # LangChain would share one client among all event loops and never close it.
            self._wire = self._wire or httpx.AsyncClient()
            # Compatible servers take text, not OpenAI's token numbers: hence no length check.
            self._clients[hurried] = OpenAIEmbeddings(
                http_async_client=self._wire,
                model=self.name,
                openai_api_base=self._base_url,
                openai_api_key=SecretStr(self._api_key or "none"),
                request_timeout=self._wait_for if hurried else _PASSAGES_WAIT_S,
                max_retries=1 if hurried else _PASSAGES_RETRIED,
                chunk_size=self._batch,
                check_embedding_ctx_length=False,
            )
        return self._clients[hurried]

    async def passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Embed texts in order; raise ``Retryable`` when the endpoint fails."""
        if not texts:
            return []
        return await self._ask(list(texts), hurried=False)

    async def query(self, text: str) -> Sequence[float]:
        """Embed one question; raise ``Retryable`` when the endpoint fails."""
        return (await self._ask([text[:_LONGEST]], hurried=True))[0]

    async def _ask(self, texts: list[str], *, hurried: bool) -> list[list[float]]:
        try:
            vectors = await self._opened(hurried=hurried).aembed_documents(texts)
        except Exception as error:
            # The library raises whatever a server's odd answer makes it stumble over.
            raise Retryable(f"embeddings endpoint: {type(error).__name__}") from error
        if len(vectors) != len(texts):
            raise Retryable("embeddings endpoint: a text without a vector in the answer")
        if any(len(vector) != self.dimensions for vector in vectors):
            raise ConfigError(
                f"向量模型「{self.name}」给出 {len(vectors[0])} 维，"
                f"配置写的是 {self.dimensions} 维，请改 config.toml 的 [embedding] dimensions。"
            )
        return vectors
