"""Replies for places where no program may speak: a card with the words, for a person's tap."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from bot.domain.delivery import Terms
from bot.domain.ids import RmId
from bot.domain.render import UnknownVariable, render
from bot.leads.cards import draft_card
from bot.storage.db import Tx


class Place(NamedTuple):
    """Where a reply is to be said, and by whom; ``group`` is empty for a talk of two."""

    chat: str
    speaker: RmId
    asker: str
    asker_name: str
    group: str = ""


async def put_draft(
    tx: Tx,
    place: Place,
    *,
    key: str,
    question: str,
    words: str,
    sources: tuple[str, ...],
    variables: Mapping[str, str],
    now: datetime,
) -> None:
    """Put a reply before whom the place belongs to, who sends it with one tap or not at all.

    Nothing happens where a variable has no value, or where a draft of this key exists.
    """
    try:
        words = render(words, variables)
    except UnknownVariable:
        return
    draft = await tx.drafts.add(
        key=key,
        chat=place.chat,
        owner=place.speaker,
        asker=place.asker,
        question=question,
        text=words,
        citations=sources,
        now=now,
    )
    if draft is None:
        return
    card = draft_card(draft, place.group, place.asker_name)
    terms = Terms(purpose="staff", subject=place.speaker)
    await tx.outbox.put(f"draft:{draft.id}", card, terms, now)
    await tx.ledger.add("draft_made", place.chat, now, draft=draft.id)
