"""Puts collected questions where they belong: with an answer that exists, or with their like."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from bot.domain.knowledge import Document, DocumentKind, Found, Hit, Viewer
from bot.domain.teaching import Asked, Proposal, ProposalKind, Reason
from bot.knowledge.index import KnowledgeIndex
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.teaching.cleaning import alike, same_words
from bot.teaching.grouping import Measure, best_group, enough_known, groups_of, middle_first

Find = Callable[[str, Viewer, datetime], Awaitable[Found]]
# How likely what was found answers: from here on its 问 lacks a wording; above the other, a person
# looks whether it does; below, nothing is there.
HIGH, LOW = 0.5, 0.25
_SAID_THE_SAME = 0.6  # of the pairs of letters
_AT_ONCE = 200
_POOL = 1500
_KNOWN = 300


class Placed(NamedTuple):
    """What one round did."""

    questions: int
    proposals: int


class Placer:
    """Compares questions with the knowledge and with each other."""

    def __init__(self, database: Database, index: KnowledgeIndex, find: Find, clock: Clock) -> None:
        self._database = database
        self._index = index
        self._find = find
        self._clock = clock

    async def place(self) -> Placed:
        """Place all that is new; what fits nowhere stays in the pool for the next time."""
        matched = joined = 0
        while True:
            async with self._database.read() as tx:
                new = await tx.questions.in_state("new", limit=_AT_ONCE)
            if not new:
                break
            matched += await self._match(new)
            joined = 1
        if not joined:
            return Placed(0, 0)
        grouped, proposals = await self._group()
        return Placed(matched + grouped, proposals)

    async def _match(self, asked: Sequence[Asked]) -> int:
        """Look each question up; those with an answer go to that answer's proposal."""
        now = self._clock.now()
        done: list[tuple[Asked, ProposalKind | None]] = []
        for one in asked:
            found = await self._find(one.text, Viewer(one.plane), now)
            done.append(_judged(one, found))
        async with self._database.begin() as tx:
            todo = await tx.proposals.in_states(("open", "drafted"))
            open_ = {(one.kind, one.target): one.id for one in todo}
            placed = [
                await _to_target(tx, one, kind, self._index, open_, now) for one, kind in done
            ]
            await tx.questions.place(placed)
        return sum(one.state == "placed" for one in placed)

    async def _group(self) -> tuple[int, int]:
        """Join what lies in the pool to groups that exist, and make new ones of the rest."""
        async with self._database.read() as tx:
            pool = await tx.questions.newest_in("pool", _POOL)
            open_ = await tx.proposals.in_states(("open", "drafted", "rejected"))
            open_ = [one for one in open_ if one.kind == "new"]
            members = await tx.questions.of_proposals([one.id for one in open_])
        if not pool:
            return 0, 0
        groups = [members[one.id] for one in open_ if members[one.id]]
        texts, alike = await self._alike([*pool, *(one for group in groups for one in group)])
        where = {text: place for place, text in enumerate(texts)}
        places = [[where[same_words(one.text)] for one in group] for group in groups]
        placed: list[Asked] = []
        left: list[Asked] = []
        for one in pool:
            best = best_group(alike[where[same_words(one.text)]], places) if groups else None
            if best is None:
                left.append(one)
            else:
                placed.append(_put(one, groups[best][0].proposal))
        found = await asyncio.to_thread(_new_groups, left, where, alike)
        await self._write(placed, found)
        return len(placed) + sum(map(len, found)), len(found)

    async def _write(self, placed: Sequence[Asked], found: Sequence[Sequence[Asked]]) -> None:
        now = self._clock.now()
        async with self._database.begin() as tx:
            rows = list(placed)
            for group in found:
                proposal = Proposal(kind="new", title=group[0].text, made_at=now)
                number = await tx.proposals.add(proposal)
                rows += [_put(one, number) for one in group]
                await tx.ledger.add(
                    "teaching_proposed", str(number), now, what="new", questions=len(group)
                )
            await tx.questions.place(rows)

    async def _alike(self, asked: Sequence[Asked]) -> tuple[list[str], np.ndarray]:
        """Return the distinct texts, and how alike each two of them are."""
        by_words = {same_words(one.text): one.text for one in asked}
        measure = await self.measure()
        some = await self.vectors(list(by_words.values()))
        if measure is None:
            known = some
            measure = Measure(known)
        return list(by_words), await asyncio.to_thread(measure.between, some, some)

    async def vectors(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return the texts' vectors by each of the models that answer."""
        every = [await model.passages(texts) for model in self._index.embedders]
        return [np.asarray(one, dtype=np.float32) for one in every]

    async def measure(self) -> Measure | None:
        """Return what questions are compared by; None where too little is known yet."""
        known = _known(self._index)
        if len(known) < 2:
            return None
        vectors = await self.vectors(known)
        return Measure(vectors) if enough_known(vectors) else None


def _judged(one: Asked, found: Found) -> tuple[Asked, ProposalKind | None]:
    """Return a question with what was found for it, and what that calls for."""
    if not found.hits:
        return one, None
    told = next((hit.document.id for hit in found.hits if _told(one.reply, hit)), "")
    if told:  # a person gave the very answer that the bot had not found
        return one.model_copy(update={"found": told, "probability": found.probability}), "wording"
    best = found.hits[0].document
    one = one.model_copy(update={"found": best.id, "probability": found.probability})
    if best.kind is not DocumentKind.QA or found.probability < LOW:
        return one, None
    if one.reason is Reason.ASKED_AGAIN:
        return one, "review"  # the answer was found, and did not help
    return one, "wording" if found.probability >= HIGH else "review"


def _told(reply: str, hit: Hit) -> bool:
    """Tell whether a person said what an entry says."""
    is_qa = hit.document.kind is DocumentKind.QA
    return is_qa and bool(reply) and alike(reply, hit.section.text) >= _SAID_THE_SAME


async def _to_target(
    tx: Tx,
    one: Asked,
    kind: ProposalKind | None,
    index: KnowledgeIndex,
    open_: dict[tuple[ProposalKind, str], int],
    now: datetime,
) -> Asked:
    """Put a question to the proposal about its answer, made where there is none."""
    if kind is None:
        return one.model_copy(update={"state": "pool"})
    document = index.document(one.found)
    asks = {same_words(text) for text in document.questions} if document else set()
    if kind == "wording" and same_words(one.text) in asks:
        return one.model_copy(update={"state": "known"})  # since then, somebody taught it
    if (kind, one.found) not in open_:
        title = document.questions[0] if document and document.questions else one.found
        made = Proposal(kind=kind, target=one.found, title=title, made_at=now)
        open_[kind, one.found] = number = await tx.proposals.add(made)
        await tx.ledger.add("teaching_proposed", str(number), now, what=kind, target=one.found)
    return _put(one, open_[kind, one.found])


def _put(one: Asked, proposal: int | None) -> Asked:
    return one.model_copy(update={"state": "placed", "proposal": proposal})


def _new_groups(
    left: Sequence[Asked], where: dict[str, int], alike: np.ndarray
) -> list[list[Asked]]:
    """Return groups of questions, each with its most typical one first."""
    by_place: dict[int, list[Asked]] = {}
    for one in left:
        by_place.setdefault(where[same_words(one.text)], []).append(one)
    places = list(by_place)
    groups = groups_of(alike[np.ix_(places, places)])
    grouped = {place for group in groups for place in group}
    # The very same words of several people are a group by themselves.
    alone = [
        [at]
        for at in range(len(places))
        if at not in grouped and _asked_often(by_place[places[at]])
    ]
    found = []
    for group in (*groups, *alone):
        own = [places[at] for at in group]
        order = middle_first(alike[np.ix_(own, own)])
        found.append([one for at in order for one in by_place[own[at]]])
    return found


def _asked_often(asked: Sequence[Asked]) -> bool:
    return len({one.person for one in asked}) > 1


def _known(index: KnowledgeIndex) -> list[str]:
    """Return wordings of all sorts of questions that are answered, spread over the documents."""
    documents: Sequence[Document] = index.shelf.documents
    asks = [one.questions[0] for one in documents if one.questions]
    titles = [one.title for one in documents if not one.questions]
    every = list(dict.fromkeys([*asks, *titles]))
    return every[:: max(1, len(every) // _KNOWN)]
