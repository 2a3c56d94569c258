"""Drafts and talk tracks from the sidebar: checked, asked for, and what was made of them."""

from __future__ import annotations

from datetime import timedelta

from bot.console.draft_view import CUSTOMER, draft_json
from bot.console.refusal import Refusal, changed, unreadable
from bot.console.rights import customer_for, draft_for, group_for
from bot.console.room import Json, Room, Sight
from bot.domain.adoption import bare
from bot.domain.compliance import Hit, personal_data_in, screen
from bot.domain.draft import DROPPED_FOR, Draft, DraftState
from bot.domain.ids import CustomerId
from bot.domain.knowledge import Plane
from bot.leads.draft_use import DONE_WORDS, use_draft
from bot.storage.db import Tx

MOST_CHARS = 2000
_ASKS, _WITHIN = 30, timedelta(minutes=10)
_TURNS = 10
_UNSAID = next(iter(DROPPED_FOR))
_TOO_MANY = "问得太密了，请过几分钟再试。"
_NOTHING_SAID = "还没有客户的话可以答：请写上客户问的那一句。"
_NO_REASON = "请选一下为什么没用。"
_NO_WORDS = "没有写要发的话。"
_TOO_LONG = f"最多 {MOST_CHARS} 个字，请分成几条。"
_NO_TRACK = "没有这条话术，可能刚改过，请刷新页面。"


def check_words(text: str, place: str, sight: Sight) -> Json:
    """Say what of a text may not be said there, and what is worth another look.

    The wide net is for what a model writes: what only it catches, a person may send.
    """
    plane: Plane = "group" if place == "group" else "private"
    rules = sight.files.rules
    strict = screen(text, rules, approved=True, plane=plane)
    known = {hit.rule for hit in strict}
    wide = [
        hit
        for hit in screen(text, rules, approved=False, plane=plane)
        if hit.blocks and hit.rule not in known
    ]
    problems = [_problem(hit, blocks=hit.blocks) for hit in strict]
    problems += [_problem(hit, blocks=False) for hit in wide]
    problems += [
        {"words": sight.masked(one.matched), "why": f"写了{one.name}", "blocks": True}
        for one in personal_data_in(text, rules)
    ]
    return {"ok": not any(one["blocks"] for one in problems), "problems": problems}


def _problem(hit: Hit, *, blocks: bool) -> Json:
    return {"words": hit.matched, "why": hit.name, "blocks": blocks}


async def settle(
    tx: Tx, room: Room, sight: Sight, number: int, act: str, text: str, reason: str
) -> Json:
    """Write what a member made of a draft; raise ``Refusal`` where it was settled otherwise."""
    draft = await draft_for(tx, sight, number)
    await tx.drafts.hold_chat(draft.chat)
    state = _state(draft, act, text)
    if state == "dropped" and reason not in DROPPED_FOR:
        raise unreadable(_NO_REASON)
    why = reason if state == "dropped" and reason != _UNSAID else ""
    done = await use_draft(
        tx,
        draft,
        state,
        sight.me.userid,
        "sidebar",
        sight.now,
        said=sight.masked(text) if state == "edited" else "",
        reason=why,
        blocked=_blocked(text, draft, sight) if state == "edited" else (),
    )
    if done and state != "dropped":
        await _spoke(tx, room, sight, draft)
    now = await draft_for(tx, sight, number)
    if not done and now.state != state:
        words = f"这条草稿已经是「{DONE_WORDS.get(now.state, now.state)}」。"
        raise changed(words, draft=draft_json(now, sight))
    return {"words": f"已记下：{DONE_WORDS[state]}", "draft": draft_json(now, sight)}


def _state(draft: Draft, act: str, text: str) -> DraftState:
    if act == "dropped":
        return "dropped"
    if act == "sent":
        return "sent"
    if act != "edited":
        raise unreadable()
    _readable(text)
    return "sent" if bare(text) == bare(draft.text) else "edited"


def _readable(text: str) -> str:
    if not text.strip():
        raise unreadable(_NO_WORDS)
    if len(text) > MOST_CHARS:
        raise unreadable(_TOO_LONG)
    return text.strip()


def _blocked(text: str, draft: Draft, sight: Sight) -> tuple[str, ...]:
    """Return the rules that words break which went out in spite of the check."""
    plane: Plane = "private" if draft.of_two else "group"
    hits = screen(text, sight.files.rules, approved=True, plane=plane)
    return tuple(hit.rule for hit in hits if hit.blocks)


async def _spoke(tx: Tx, room: Room, sight: Sight, draft: Draft) -> None:
    """Note that a person has answered those who asked: their leads wait no longer."""
    for asker in draft.askers:
        if asker.id:
            await room.desk.spoke(tx, CustomerId(asker.id), sight.me.userid, sight.now)


async def track_sent(
    tx: Tx, room: Room, sight: Sight, track: str, customer: str, group: str, text: str
) -> Json:
    """Note that a member has said a talk track's words to a customer, or in a group."""
    words = _readable(text)
    known = [one for file in sight.files.talk for one in file.tracks if one.id == track]
    if not known:
        raise Refusal(404, "unknown", _NO_TRACK)
    if group:
        subject = str((await group_for(tx, sight, group)).id)
    else:
        subject = str((await customer_for(tx, sight, customer))[0].id)
        await room.desk.spoke(tx, CustomerId(subject), sight.me.userid, sight.now)
    plane: Plane = "group" if group else "private"
    hits = screen(words, sight.files.rules, approved=True, plane=plane)
    broken = [hit.rule for hit in hits if hit.blocks]
    facts: dict[str, object] = {"track": track, "by": sight.me.userid}
    facts |= {"rules": broken} if broken else {}
    await tx.ledger.add("talk_track_sent", subject, sight.now, **facts)
    return {"words": "已记下"}


async def ask(tx: Tx, sight: Sight, customer: str, group: str, text: str) -> Json:
    """Ask the workers for a draft to a customer's words, "" for the last ones that are known."""
    question = text.strip()
    if len(question) > MOST_CHARS:
        raise unreadable(_TOO_LONG)
    if group:
        customer = ""
        group = str((await group_for(tx, sight, group)).id)
    else:
        found, _ = await customer_for(tx, sight, customer)
        customer = str(found.id)
        question = question or await _last_words(tx, customer)
    if not question:
        raise unreadable(_NOTHING_SAID)
    if await tx.asks.count(sight.me.userid, sight.now - _WITHIN) >= _ASKS:
        raise Refusal(429, "busy", _TOO_MANY)
    question = sight.masked(question)
    number = await tx.asks.put(
        by=sight.me.userid, customer=customer, chat=group, question=question, now=sight.now
    )
    await tx.ledger.add("draft_asked", group or customer, sight.now, ask=number, by=sight.me.userid)
    return {"ask": number, "question": question}


async def _last_words(tx: Tx, customer: str) -> str:
    turns = await tx.conversations.last_turns(customer, _TURNS)
    return next((turn.text for turn in reversed(turns) if turn.speaker == CUSTOMER), "")


async def show_ask(tx: Tx, sight: Sight, number: int) -> Json:
    """Return how far an ask is; only whoever asked is told."""
    found = await tx.asks.get(number)
    if found is None or found.by != sight.me.userid:
        raise Refusal(404, "unknown", "没有这次提问，请再点一次。")
    if found.state == "waiting":
        return {"state": "working"}
    draft = await tx.drafts.get(found.draft) if found.draft is not None else None
    if draft is None:
        return {"state": "none", "words": found.words}
    return {"state": "ready", "draft": draft_json(draft, sight)}
