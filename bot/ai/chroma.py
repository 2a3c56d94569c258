"""Where vectors are kept and searched: Chroma, on a server or in ``chroma_files``."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np

from bot.domain.knowledge import VectorItem
from bot.errors import ConfigError, Retryable
from bot.log import logger

T = TypeVar("T")
log = logger(__name__)
FORMAT = 2
_WRITE_AT_ONCE = 2000
_SERVER_PATIENCE_S = 10.0


class Imprint(NamedTuple):
    """What made the vectors of a collection; ``source`` is where that model was found."""

    model: str
    dimensions: int
    source: str = ""

    @property
    def collection(self) -> str:
        """Name the collection: another model, size or format has one of its own."""
        return collection_name(f"{self.model} {self.dimensions} v{FORMAT}")

    def metadata(self) -> dict[str, str | int]:
        """Return what is recorded with the collection."""
        return {**self._asdict(), "format": FORMAT}


class Chroma:
    """One Chroma with its collections, one for each embedding model; nothing is downloaded."""

    def __init__(self, client: Any, wires: Sequence[Any] = ()) -> None:
        self._client = client
        self._wires = wires
        self.shared = bool(wires)
        """Whether other processes use the same collections."""

    def store(self, imprint: Imprint) -> ChromaStore:
        """Return the store of a model's vectors, made when it is first used."""
        return ChromaStore(self, imprint)

    async def kept(self) -> dict[Imprint, int]:
        """Return what made each collection of ours, and how many vectors it has."""
        return await self.asked(self._kept)

    def _kept(self) -> dict[Imprint, int]:
        found = {}
        for collection in self._client.list_collections():
            imprint = imprint_of(collection.metadata or {})
            if imprint is not None and collection.name == imprint.collection:
                found[imprint] = int(collection.count())
        return found

    async def drop(self, imprint: Imprint) -> None:
        """Remove a model's vectors; it is no error where there are none."""
        from chromadb.errors import NotFoundError

        def remove() -> None:
            try:
                self._client.delete_collection(imprint.collection)
            except NotFoundError:
                log.info("collection_was_gone", model=imprint.model)

        await self.asked(remove)

    def opened(self, imprint: Imprint) -> Any:
        """Return the collection of a model (blocking); make it where it is not there."""
        collection = self._client.get_or_create_collection(
            imprint.collection,
            embedding_function=None,
            metadata=imprint.metadata(),
            configuration={"hnsw": {"space": "cosine"}},
        )
        made_by = imprint_of(collection.metadata or {})
        if made_by is None or made_by[:2] != imprint[:2]:
            raise ConfigError(
                f"Chroma 里的 {imprint.collection} 不是知邻用「{imprint.model}」建的，没有动它。"
                "请换一个目录([knowledge] folder)或服务器([knowledge] url)，或把它删掉。"
            )
        return collection

    async def asked(self, work: Callable[[], T]) -> T:
        """Do blocking work with Chroma in a thread; raise ``Retryable`` where Chroma fails."""
        try:
            return await asyncio.to_thread(work)
        except ConfigError:
            raise
        except Exception as error:
            # Chroma raises its own errors, httpx's, and plain ones with a server's words.
            raise Retryable(f"chroma: {type(error).__name__}") from error

    def close(self) -> None:
        """Let the files or the connection go."""
        self._client.close()
        for wire in self._wires:
            wire.close()  # Chroma leaves them open


class ChromaStore:
    """The vectors of one embedding model.

    No ``where`` filter is used: it costs up to 333 ms at 100,000 rows. Who may see what is
    decided by the caller, over more results than it needs.
    """

    def __init__(self, chroma: Chroma, imprint: Imprint) -> None:
        self._chroma = chroma
        self._imprint = imprint
        self._collection: Any = None

    async def _with(self, work: Callable[[Any], T]) -> T:
        def act() -> T:
            if self._collection is None:
                self._collection = self._chroma.opened(self._imprint)
            return work(self._collection)

        try:
            return await self._chroma.asked(act)
        except Retryable:
            self._collection = None  # another process may have dropped it
            raise

    async def upsert(self, items: Sequence[VectorItem]) -> None:
        """Add the items, each replacing one of the same id."""
        for part in _parts(items):
            await self._with(partial(_put, part))

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove the items; an unknown id is no error."""
        for part in _parts(ids):
            await self._with(partial(_remove, part))

    async def search(self, vector: Sequence[float], k: int) -> Sequence[tuple[str, float]]:
        """Return the nearest ids, best first, with their cosine similarity."""
        asked = np.asarray(vector, dtype=np.float32)
        found = await self._with(
            lambda kept: kept.query(query_embeddings=[asked], n_results=k, include=["distances"])
        )
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [(key, 1.0 - float(distance)) for key, distance in pairs]

    async def ids(self) -> set[str]:
        """Return every id that is kept."""
        kept = await self._with(lambda kept: kept.get(include=[]))
        return set(kept["ids"])

    async def vectors(self, ids: Sequence[str]) -> Mapping[str, Sequence[float]]:
        """Return the vectors of these ids as far as they are kept."""
        found: dict[str, Sequence[float]] = {}
        for part in _parts(ids):
            there = await self._with(partial(_look_up, part))
            found |= dict(zip(there["ids"], there["embeddings"], strict=True))
        return found


def _put(items: Sequence[VectorItem], kept: Any) -> None:
    kept.upsert(
        ids=[item.id for item in items],
        embeddings=[np.asarray(item.vector, dtype=np.float32) for item in items],
        metadatas=[{"document": item.document_id} for item in items],
    )


def _remove(ids: Sequence[str], kept: Any) -> None:
    kept.delete(ids=list(ids))


def _look_up(ids: Sequence[str], kept: Any) -> Any:
    return kept.get(ids=list(ids), include=["embeddings"])


@asynccontextmanager
async def open_server(url: str, token: str = "") -> AsyncIterator[Chroma]:
    """Connect to a Chroma server; raise ``ConfigError`` in a sentence where nobody answers."""
    try:
        async with asyncio.timeout(_SERVER_PATIENCE_S):
            await _heard(url)
        chroma = await asyncio.to_thread(_connected, url, token)
    except Exception as error:
        raise ConfigError(
            f"连不上 Chroma 服务器 {url}。请看看它开着没有，"
            "[knowledge] url 和 token(BOT_KNOWLEDGE__TOKEN)写得对不对。"
        ) from error
    try:
        yield chroma
    finally:
        await asyncio.to_thread(chroma.close)


async def _heard(url: str) -> None:
    """Wait for the server's heartbeat: Chroma's own client would wait for ever to connect."""
    import httpx

    async with httpx.AsyncClient() as wire:
        answer = await wire.get(url.rstrip("/") + "/api/v2/heartbeat")
        answer.raise_for_status()


def _connected(url: str, token: str) -> Chroma:
    import chromadb
    from chromadb.config import Settings

    # Chroma's own name for it, and the one that reverse proxies look at.
    headers = {"x-chroma-token": token, "Authorization": f"Bearer {token}"} if token else {}
    client = chromadb.HttpClient(
        host=url.rstrip("/"), headers=headers, settings=Settings(anonymized_telemetry=False)
    )
    lines: list[Any] = [client, client._admin_client]  # type: ignore[attr-defined]
    wires = [line._server._session for line in lines]  # nothing public leads to them
    for wire in wires:
        wire.timeout = _SERVER_PATIENCE_S  # Chroma would wait for ever
    return Chroma(client, wires)


def imprint_of(metadata: Mapping[str, Any]) -> Imprint | None:
    """Read what was recorded with a collection; None where it is not ours, or of another format."""
    model, dimensions = metadata.get("model"), metadata.get("dimensions")
    if metadata.get("format") != FORMAT or not isinstance(dimensions, int) or not model:
        return None
    return Imprint(str(model), dimensions, str(metadata.get("source") or ""))


def collection_name(model: str) -> str:
    """Name the collection of a model: Chroma takes 3 to 512 characters of a small alphabet."""
    plain = re.sub(r"[^a-zA-Z0-9]+", "-", model).strip("-")[:40]
    mark = hashlib.sha256(model.encode()).hexdigest()[:8]
    return f"zhilin-{plain}-{mark}" if plain else f"zhilin-{mark}"


def _parts(items: Sequence[T]) -> list[list[T]]:
    count = range(0, len(items), _WRITE_AT_ONCE)
    return [list(items[start : start + _WRITE_AT_ONCE]) for start in count]
