"""Replies for places where no program may speak: a card with the words, for a person's tap."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from bot.domain.compliance import Rules, screen
from bot.domain.delivery import Terms
from bot.domain.draft import Asker, Draft
from bot.domain.ids import GroupChatId, RmId
from bot.domain.knowledge import Plane
from bot.domain.messages import StaffCardUpdate
from bot.domain.render import UnknownVariable, render
from bot.leads.cards import draft_card, draft_task
from bot.leads.draft_use import DONE_WORDS as DONE_WORDS
from bot.leads.draft_use import change_card
from bot.leads.draft_use import grey_card as grey_card
from bot.storage.db import Tx

NAMELESS_GROUP = "客户群"
_CARD = "draft:"  # so begins the key of a draft's card in the outbox


class Place(NamedTuple):
    """Where a reply is to be said, and by whom; ``group`` is empty for a talk of two."""

    chat: str
    speaker: RmId
    asker: str
    asker_name: str
    group: str = ""

    @property
    def plane(self) -> Plane:
        """Return where the words will stand."""
        return "group" if self.group else "private"


async def put_draft(
    tx: Tx,
    place: Place,
    *,
    key: str,
    question: str,
    words: str,
    sources: tuple[str, ...],
    variables: Mapping[str, str],
    rules: Rules,
    now: datetime,
    with_card: bool = True,
) -> Draft | None:
    """Put a reply before whom the place belongs to, who sends it with one tap or not at all.

    None comes back where a variable has no value, where a draft of this key exists, or where the
    words may not be said there: amounts in a group, say. Whoever asked for it needs no card.
    """
    try:
        words = render(words, variables)
    except UnknownVariable:
        return None
    if await _is_blocked(tx, place, words, rules, now):
        return None
    draft = await tx.drafts.add(
        key=key,
        chat=place.chat,
        owner=place.speaker,
        asker=Asker(id=place.asker, name=place.asker_name),
        question=question,
        text=words,
        citations=sources,
        now=now,
    )
    if draft is not None:
        await _put_before(tx, draft, place, now, with_card=with_card)
    return draft


async def _put_before(
    tx: Tx, draft: Draft, place: Place, now: datetime, *, with_card: bool
) -> None:
    if with_card:
        card = draft_card(draft, place.group)
        terms = Terms(purpose="staff", subject=place.speaker)
        await tx.outbox.put(f"{_CARD}{draft.id}", card, terms, now)
    await tx.ledger.add("draft_made", place.chat, now, draft=draft.id)


async def _is_blocked(tx: Tx, place: Place, words: str, rules: Rules, now: datetime) -> bool:
    hits = screen(words, rules, approved=True, plane=place.plane)
    blocked = [hit.rule for hit in hits if hit.blocks]
    if blocked:
        await tx.ledger.add("draft_blocked", place.chat, now, rules=blocked)
    return bool(blocked)


async def join_draft(tx: Tx, draft: Draft, asker: Asker, now: datetime) -> None:
    """Add somebody who asks what a waiting draft answers; its card names them all."""
    if any(one.id == asker.id for one in draft.askers):
        return
    draft = await tx.drafts.join(draft, asker)
    await tx.ledger.add("draft_joined", draft.chat, now, draft=draft.id, asker=asker.id)
    if draft.code:
        await _name_askers(tx, draft, now)


async def card_left(tx: Tx, key: str, code: str, now: datetime) -> None:
    """Keep what changes a draft's card; use it where there is already something to be changed."""
    number = key.removeprefix(_CARD)
    if not key.startswith(_CARD) or not number.isdigit():
        return
    draft = await tx.drafts.get(int(number))
    if draft is None:
        return
    draft = draft.model_copy(update={"code": code})
    await tx.drafts.card_given(draft.id, code)
    if draft.state != "waiting":
        await grey_card(tx, draft, draft.state, now)
    elif len(draft.askers) > 1:
        await _name_askers(tx, draft, now)


async def _name_askers(tx: Tx, draft: Draft, now: datetime) -> None:
    group = await tx.people.group(GroupChatId(draft.chat))
    card = draft_card(draft, (group.name if group else "") or NAMELESS_GROUP).card
    update = StaffCardUpdate(
        to=RmId(draft.owner),
        response_code=draft.code,
        card=card,
        task=draft_task(draft),
    )
    await change_card(tx, draft, update, now)
