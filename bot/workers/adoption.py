"""What staff say where a draft waits: it was used as it is, changed, or replaced by other words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.domain.adoption import ANSWERED_WITHIN, Used, bare, use_of
from bot.domain.compliance import Rules, mask
from bot.domain.draft import LIVES_FOR, Draft
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.workers.drafting import grey_card

# The words reach the archive some minutes after the button was pressed, or before.
_MARKED_WITHIN = timedelta(minutes=30)
_KINDS = {"sent": "draft_sent", "edited": "draft_edited", "otherwise": "answered_otherwise"}


async def note_use(
    tx: Tx,
    chat: str,
    by: str,
    text: str,
    said_at: datetime,
    now: datetime,
    *,
    rules: Rules,
    names: Mapping[str, str],
) -> Draft | None:
    """Write what a person's words make of the drafts that wait there; the caller holds the chat.

    Returns the draft whose askers they answer. The words of a step are not the owner's own: he
    sent them with one tap, for the script.
    """
    drafts = await tx.drafts.unseen(chat, said_at - LIVES_FOR, said_at - _MARKED_WITHIN)
    fresh = [draft for draft in drafts if draft.at <= said_at + ANSWERED_WITHIN]
    said = mask(text, rules)
    if not fresh or await _is_of_a_step(tx, chat, said, said_at, rules):
        return None
    if await _is_told(tx, chat, said, said_at):
        return None
    used = use_of(fresh, said, names=names)
    if used is None or (used.use == "otherwise" and not _soon(used.draft, said_at)):
        return None
    await _settle(tx, used, by, said, now)
    return used.draft


async def _is_of_a_step(tx: Tx, chat: str, said: str, said_at: datetime, rules: Rules) -> bool:
    planned = await tx.drafts.planned(chat, said_at - LIVES_FOR)
    return any(bare(mask(text, rules)) == bare(said) for text in planned)


async def _is_told(tx: Tx, chat: str, said: str, said_at: datetime) -> bool:
    """Tell whether these are a draft's changed words that the sidebar has told of already."""
    return any(
        draft.state == "edited"
        and draft.settled_at is not None
        and draft.settled_at >= said_at - _MARKED_WITHIN
        and bare(draft.said) == bare(said)
        for draft in await tx.drafts.since(chat, said_at - LIVES_FOR)
    )


async def _settle(tx: Tx, used: Used, by: str, said: str, now: datetime) -> None:
    draft, use = used
    marked = draft.state == "sent"
    if not await tx.drafts.settle(draft.id, use, now, said=said, marked=marked):
        return
    if marked and use == "sent":  # as it was marked: nothing new
        return
    await tx.ledger.add(_KINDS[use], draft.chat, now, draft=draft.id, by=by, via="archive")
    if not marked:
        await grey_card(tx, draft, use, now)


def _soon(draft: Draft, said_at: datetime) -> bool:
    """Tell whether words came so soon after a question that they are the answer to it."""
    return abs(said_at - draft.at) <= ANSWERED_WITHIN


class DraftWorker:
    """Ends drafts that nobody used for a day."""

    watches = ("drafts",)

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def step(self) -> int:
        """End the drafts whose time is over; return how many there were."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            old = await tx.drafts.claim_old(now)
            for draft in old:
                if await tx.drafts.settle(draft.id, "expired", now):
                    await tx.ledger.add("draft_expired", draft.chat, now, draft=draft.id)
                    await grey_card(tx, draft, "expired", now)
        return len(old)
