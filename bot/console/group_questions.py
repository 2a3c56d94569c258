"""What members of a group asked and nobody has answered: with a draft, with a lead, or bare."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.console.refusal import unreadable
from bot.console.rights import group_for
from bot.console.room import Json, Room, Sight
from bot.domain.adoption import answers
from bot.domain.draft import Draft
from bot.domain.ids import CustomerId
from bot.domain.lead import Lead, Need
from bot.domain.people import GroupChat
from bot.storage.conversations import Turn
from bot.storage.db import Tx

_LOOK_BACK = timedelta(days=1)
_TURNS = 100
_NAMELESS = "群成员"
_NO_BASIS = "没有草稿：小安答不了，请您来答"
_ASKED = frozenset({Need.UNANSWERED, Need.SERVICE, Need.PERSON})
_SEEN_TO = "question_seen_to"


class Waiting(NamedTuple):
    """A question: who asked what and when; ``draft`` is the reply that was drafted."""

    asker: str
    name: str
    text: str
    at: datetime
    draft: int | None = None


async def questions_in(
    tx: Tx,
    sight: Sight,
    group: GroupChat,
    drafts: Sequence[Draft],
    leads: Sequence[Lead],
    names: dict[str, str],
) -> list[Json]:
    """Return what waits for an answer, the newest last."""
    drafted = [
        Waiting(draft.asker, draft.names, draft.question, draft.at, draft.id) for draft in drafts
    ]
    askers = {asker.id for draft in drafts for asker in draft.askers}
    with_lead = [one for one in _of_leads(leads, names) if one.asker not in askers]
    known = {(lead.customer, said.at) for lead in leads for said in lead.evidence[-1:]}
    bare = [
        one
        for one in await _declined(tx, sight, group, names)
        if one.asker not in askers and (one.asker, one.at) not in known
    ]
    waiting = sorted([*drafted, *with_lead, *bare], key=lambda one: one.at)
    return [_shown(one, sight, droppable=one in bare) for one in waiting]


def _shown(one: Waiting, sight: Sight, *, droppable: bool) -> Json:
    return {
        "asker": one.name,
        "asker_id": one.asker,
        "text": sight.masked(one.text),
        "at": sight.at(one.at),
        "draft": one.draft,
        "words": "" if one.draft is not None else _NO_BASIS,
        "droppable": droppable,
    }


def _of_leads(leads: Sequence[Lead], names: dict[str, str]) -> list[Waiting]:
    found = []
    for lead in leads:
        said = lead.evidence[-1] if lead.evidence else None
        waits = lead.need in _ASKED and lead.first_response_at is None
        if said is not None and said.quote and waits:
            name = names.get(lead.customer) or _NAMELESS
            found.append(Waiting(lead.customer, name, said.quote, said.at))
    return found


async def _declined(tx: Tx, sight: Sight, group: GroupChat, names: dict[str, str]) -> list[Waiting]:
    """Return what the bot did not answer and opened no lead for, and no person has seen to."""
    since = sight.now - _LOOK_BACK
    marks = await tx.ledger.facts_of("answer_declined", group.id, since)
    if not marks:
        return []
    seen_to = {_mark(one) for one in await tx.ledger.facts_of(_SEEN_TO, group.id, since)}
    turns = await tx.conversations.last_turns(group.id, _TURNS)
    staff = {group.owner, *(one.id for one in group.members if one.staff)}
    said_by_staff = [turn for turn in turns if turn.speaker in staff]
    asked = {_mark(one) for one in marks} - seen_to
    found = []
    for turn in turns:
        name = names.get(turn.speaker) or _NAMELESS
        if (turn.speaker, turn.at) in asked and not _is_answered(turn, said_by_staff, name):
            found.append(Waiting(turn.speaker, name, turn.text, turn.at))
    return found


def _mark(facts: Json) -> tuple[str, datetime]:
    return str(facts.get("asker")), datetime.fromisoformat(str(facts.get("asked_at")))


def _is_answered(asked: Turn, said_by_staff: Sequence[Turn], name: str) -> bool:
    return any(
        turn.at >= asked.at and answers(turn.text, asked.text, named=f"@{name}" in turn.text)
        for turn in said_by_staff
    )


async def see_to(
    tx: Tx, room: Room, sight: Sight, group_id: str, asker: str, at: str, act: str
) -> Json:
    """Note that a member has answered a question in words of his own, or that it needs none."""
    group = await group_for(tx, sight, group_id)
    try:
        asked_at = datetime.fromisoformat(at)
    except ValueError:
        raise unreadable() from None
    known = any(one.id == asker for one in group.customers)
    if act not in ("sent", "dropped") or not known or asked_at.tzinfo is None:
        raise unreadable()
    if act == "sent":
        await room.desk.spoke(tx, CustomerId(asker), sight.me.userid, sight.now)
    about = {"asker": asker, "asked_at": asked_at.isoformat(), "act": act, "by": sight.me.userid}
    await tx.ledger.add(_SEEN_TO, group.id, sight.now, **about)
    return {"words": "已记下"}
