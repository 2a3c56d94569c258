"""Tries knowledge with a new entry against all that is answered now, and what must not be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bot.domain.knowledge import Document, DocumentKind, Viewer
from bot.domain.teaching import Reason
from bot.knowledge.index import KnowledgeIndex
from bot.ports import Clock
from bot.storage.db import Database
from bot.teaching.cleaning import same_words
from bot.teaching.trial import Trial, tried
from bot.workers.placing import Find, Placer
from bot.workers.teaching_book import Page

_STAFF = Viewer("staff")
_GOLDEN = 300
"""So many wordings of others are tried, those nearest to the new entry; all, where it has fewer."""
_NEGATIVES = 100


class Tryout:
    """Searches with the new entry, and leaves the index as it was where that fails."""

    def __init__(self, database: Database, index: KnowledgeIndex, find: Find, clock: Clock) -> None:
        self._database = database
        self._index = index
        self._find = find
        self._clock = clock
        self._placer = Placer(database, index, find, clock)

    async def trial(
        self, page: Page, after: Sequence[Document], before: Sequence[Document]
    ) -> Trial:
        """Return what the entry does; the index has the new documents only where it passed."""
        draft = page.proposal.draft
        if draft is None:
            raise LookupError(page.proposal.id)
        golden = await self._nearest(after, draft.entry, draft.questions)
        await self._index.publish(after)
        wrong = await self._lost(golden)
        own = [(one.text, await self._answers(one.text, draft.entry)) for one in page.asked]
        held = [(text, await self._answers(text, draft.entry)) for text in draft.held_out]
        written = {same_words(text) for text in (*draft.questions, *draft.held_out)}
        negatives = [text for text in await self._negatives() if same_words(text) not in written]
        kept_off = [(text, not await self._answers(text, draft.entry)) for text in negatives]
        # Only what is wrong now need be asked of the knowledge as it was.
        await self._index.publish(before)
        wrong_before = await self._lost({text: golden[text] for text in wrong})
        found = Trial(
            golden=tried((text, text not in wrong) for text in golden),
            lost=tuple(sorted(wrong - wrong_before)),
            own=tried(own),
            held_out=tried(held),
            negatives=tried(kept_off),
        )
        if found.passed:
            await self._index.publish(after)
        return found

    async def _lost(self, golden: dict[str, str]) -> set[str]:
        """Return the wordings that do not find the entry they stand in."""
        return {text for text, own in golden.items() if await self._first(text) != own}

    async def _first(self, text: str) -> str:
        found = await self._find(text, _STAFF, self._clock.now())
        return found.hits[0].document.id if found.hits else ""

    async def _answers(self, text: str, entry: str) -> bool:
        found = await self._find(text, _STAFF, self._clock.now())
        return found.confident and bool(found.hits) and found.hits[0].document.id == entry

    async def _nearest(
        self, documents: Sequence[Document], entry: str, questions: Sequence[str]
    ) -> dict[str, str]:
        """Return the wordings of other entries that lie nearest to the new ones, with theirs."""
        day = self._clock.now().date()
        every = {
            text: one.id
            for one in documents
            if one.kind is DocumentKind.QA and one.id != entry and one.live_on(day)
            for text in one.questions
        }
        if len(every) <= _GOLDEN:
            return every
        texts = list(every)
        measure = await self._placer.measure()
        if measure is None:
            return every
        new, others = await self._placer.vectors(questions), await self._placer.vectors(texts)
        alike = measure.between(others, new).max(axis=1)
        return {texts[at]: every[texts[at]] for at in np.argsort(-alike)[:_GOLDEN]}

    async def _negatives(self) -> list[str]:
        """Return the newest questions that nothing written down may answer."""
        async with self._database.read() as tx:
            known = await tx.questions.newest_in("known", _NEGATIVES)
            refused = await tx.proposals.in_states(["rejected"])
            asked = await tx.questions.of_proposals([one.id for one in refused])
        outside = [one.text for one in known if one.reason is Reason.OUTSIDE]
        rejected = [one.text for each in asked.values() for one in each]
        return list(dict.fromkeys([*outside, *rejected[-_NEGATIVES:]]))
