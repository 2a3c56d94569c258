"""A reranker behind the way of asking that Jina, Cohere, vLLM, Xinference and others share.

LangChain has an adapter for each vendor and none for that way itself: it is one POST.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp

from bot.errors import ConfigError, Retryable
from bot.ports import Reranker

_LARGEST_ANSWER = 1024 * 1024


class HttpReranker:
    """A model behind POST {base_url}/rerank: bge-reranker, Jina, Cohere, Qwen3-Reranker."""

    def __init__(self, model: str, base_url: str, api_key: str, wait_for: float) -> None:
        self._model = model
        self._url = base_url.rstrip("/") + "/rerank"
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._wait_for = wait_for
        self._session: aiohttp.ClientSession | None = None

    async def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """Return for each text how well it answers, in their order; raise ``Retryable``."""
        if not texts:
            return []
        try:
            async with asyncio.timeout(self._wait_for):
                return await self._asked(question, texts)
        except TimeoutError as error:
            raise Retryable("reranker: too slow") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Retryable(f"reranker: {type(error).__name__}") from error

    async def _asked(self, question: str, texts: Sequence[str]) -> list[float]:
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=True)
        body = {
            "model": self._model,
            "query": question,
            "documents": list(texts),
            "top_n": len(texts),
        }
        async with self._session.post(self._url, json=body, headers=self._headers) as answer:
            if answer.status != 200:
                raise Retryable(f"reranker: http {answer.status}")
            if (answer.content_length or 0) > _LARGEST_ANSWER:
                raise Retryable("reranker: answer too long")
            found = await answer.json(content_type=None)
        return _in_order(found, len(texts))

    async def close(self) -> None:
        """Hang up."""
        if self._session is not None:
            await self._session.close()


def _in_order(answer: object, count: int) -> list[float]:
    """Return one score for each text; raise ``Retryable`` where one is missing or no number."""
    rows = answer.get("results") if isinstance(answer, dict) else None
    scores: dict[int, float] = {}
    for row in rows if isinstance(rows, list) else []:
        number = row.get("index") if isinstance(row, dict) else None
        score = row.get("relevance_score") if isinstance(row, dict) else None
        if isinstance(number, int) and isinstance(score, int | float) and math.isfinite(score):
            scores[number] = float(score)
    if any(number not in scores for number in range(count)):
        raise Retryable("reranker: a text without a score in the answer")
    return [scores[number] for number in range(count)]


@asynccontextmanager
async def open_reranker(
    model: str = "", *, base_url: str = "", api_key: str = "", wait_for: float = 2.0
) -> AsyncIterator[Reranker | None]:
    """Open a reranker; None where the settings name none: the fused order stays as it is."""
    if not model and not base_url:
        yield None
        return
    if not model or not base_url:
        raise ConfigError("要用重排模型，config.toml 的 [rerank] 里 model 和 base_url 两项都要写。")
    reranker = HttpReranker(model, base_url, api_key, wait_for)
    try:
        yield reranker
    finally:
        await reranker.close()
