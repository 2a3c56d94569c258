"""What a member does with a lead from the sidebar: the buttons of its card, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.console.lead_view import lead_json, packet_of
from bot.console.refusal import Refusal, changed, unreadable
from bot.console.rights import lead_for
from bot.console.room import Json, Room, Sight
from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Lead, Moved, Refused
from bot.domain.lead_words import INVALID_REASONS, LOST_REASONS
from bot.domain.needs import Needs
from bot.domain.putting_off import put_off_until
from bot.storage.db import Tx

_NO_CHOICE = "还没有选，请先选一项。"


async def move_lead(tx: Tx, room: Room, sight: Sight, number: int, act: str, choice: str) -> Json:
    """Move a lead by one of its buttons; raise ``Refusal`` with the lead as it is where not."""
    await lead_for(tx, sight, number)
    done = await _moved(tx, room, sight, number, act, choice)
    if isinstance(done, Moved) and done.changed:
        return {"words": done.words, "lead": await _shown_still(tx, sight, number)}
    is_so = isinstance(done, Moved) and _is_what_was_wanted(done.lead, act, choice, sight)
    shown = await _shown_still(tx, sight, number)
    if is_so:
        return {"words": done.words, "lead": shown}
    raise changed(done.words, lead=shown)


async def _shown_still(tx: Tx, sight: Sight, number: int) -> Json | None:
    """Return a lead as it is now; None where it is a colleague's and no more to be seen."""
    try:
        return (await show_lead(tx, sight, number))[0]
    except Refusal:
        return None


def _is_what_was_wanted(lead: Lead, act: str, choice: str, sight: Sight) -> bool:
    """Tell whether a lead stands so already by this member's own hand: pressed twice, say."""
    ends = {"invalid": "invalid", "won": "won", "lost": "lost", "done": "closed"}
    if act in ends:
        return lead.stage == ends[act]
    if act == "declined":
        return lead.stage == "refused"
    if lead.closed_at is not None:
        return False
    if act == "agreed":
        return lead.stage != "asking"
    wanted = choice if act == "pass" else sight.me.userid
    return act == "contacted" or (act in ("take", "pass") and lead.rm == wanted)


async def _moved(
    tx: Tx, room: Room, sight: Sight, number: int, act: str, choice: str
) -> Moved | Refused:
    desk, by, now = room.desk, sight.me.userid, sight.now
    plain = {
        "take": desk.take,
        "contacted": desk.contacted,
        "agreed": desk.agreed,
        "declined": desk.declined,
    }
    if act in plain:
        return await plain[act](tx, number, by, now)
    match act:
        case "won":
            return await desk.finish(tx, number, "won", "", by, now)
        case "done":
            return await desk.finish(tx, number, "closed", "", by, now)
        case "pass":
            return await desk.pass_on(tx, number, RmId(_chosen(choice)), by, now)
        case "later":
            return await desk.later(tx, number, by, _until(choice, sight), now)
        case "invalid":
            reason = _chosen(choice, dict(INVALID_REASONS))
            return await desk.finish(tx, number, "invalid", reason, by, now)
        case "lost":
            reason = _chosen(choice, dict(LOST_REASONS))
            return await desk.finish(tx, number, "lost", reason, by, now)
        case _:
            raise unreadable()


def _chosen(choice: str, known: Mapping[str, str] | None = None) -> str:
    if not choice or (known is not None and choice not in known):
        raise unreadable(_NO_CHOICE)
    return choice


def _until(choice: str, sight: Sight) -> datetime:
    until = put_off_until(choice, sight.now, sight.bank.zone, sight.files.tables)
    if until is None:
        raise unreadable(_NO_CHOICE)
    return until


async def show_lead(tx: Tx, sight: Sight, number: int) -> tuple[Json, CustomerId]:
    """Return a lead with what helps with it, and whose it is; raise ``Refusal`` where not his."""
    lead, customer = await lead_for(tx, sight, number)
    names = await tx.workbench.names([lead.customer, *([lead.chat] if lead.chat else [])])
    managers = customer.managers if customer is not None else ()
    packet = None
    if lead.closed_at is None:
        needs = Needs(complaint=True)
        facts = await tx.subjects.load([lead.customer], "customer", sight.bank, needs, sight.now)
        packet = packet_of(lead, sight, customer, facts[lead.customer])
    return lead_json(lead, sight, names, managers=managers, packet=packet), lead.customer
