"""The moves of a lead: taken, passed on, put off, ended; each with its rights and its record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.assigning import lacks_licence
from bot.domain.bank import Bank
from bot.domain.delivery import Terms
from bot.domain.happening import EventKind, Happened
from bot.domain.ids import RmId
from bot.domain.lead import GRAVE, SELLING, Lead, Moved, Outcome, Refused
from bot.domain.lead_rights import BY_OPS, may_act
from bot.leads.assign import Given
from bot.leads.cards import when
from bot.leads.warnings import woken as woken_words
from bot.storage.db import Tx

LONGEST_SLEEP = timedelta(days=30)
_ENDED = "已经办结"
_NOT_THERE = "没有这条线索，可能已经被清理了。"
_NOT_YOURS = "这条线索不归您管，要办请找负责的同事转给您。"
_NOT_YET = "客户还没有答应让人联系，等客户答应了再接手。"
_DONE_WORDS: Mapping[Outcome, str] = {
    "won": "已记下：成交",
    "lost": "已记下：没成",
    "invalid": "已标记无效",
    "closed": "已办结",
}


async def _held(tx: Tx, bank: Bank, number: int, by: RmId) -> Lead | Moved | Refused:
    """Return a lead that somebody may move; what is said of one that is over, or not his."""
    lead = await tx.leads.hold(number)
    if lead is None:
        return Refused(words=_NOT_THERE)
    if not may_act(bank, by, lead):
        customer = await tx.people.customer(lead.customer)
        if customer is None or by not in customer.managers:
            return Refused(words=_NOT_YOURS)
    return Moved(lead=lead, words=_ENDED, changed=False) if lead.closed_at is not None else lead


async def _change(tx: Tx, lead: Lead, work: datetime | None, **values: Any) -> Lead:
    """Write a lead's new values and when it is to be looked at next; return it as it is now."""
    await tx.leads.change(lead.id, due_at=work, **values)
    changed = lead.model_copy(update=values)
    await tx.desks.shift(lead, changed)
    return changed


async def take(tx: Tx, bank: Bank, number: int, by: RmId, now: datetime) -> Moved | Refused:
    """Let somebody take a lead; of several who press only the first has it."""
    lead = await _held(tx, bank, number, by)
    if not isinstance(lead, Lead):
        return lead
    if lead.stage == "asking":
        return Refused(words=_NOT_YET)
    if lead.stage == "later" and by in (lead.rm, BY_OPS):  # sooner than it was put off to
        awake = await _change(tx, lead, None, stage="taken", sleeps_until=None)
        await tx.ledger.add("lead_woken", lead.customer, now, lead=lead.id, by=by)
        return Moved(lead=awake, words="已接手", woke=True)
    if lead.stage in ("taken", "later"):
        words = "已接手" if by in (lead.rm, BY_OPS) else "已由同事接手"
        return Moved(lead=lead, words=words, changed=False)
    if not (by or lead.rm):
        return Refused(words="这条线索还没有人经手，请先指派给一位同事。")
    if missing := by != lead.rm and lacks_licence(bank, by, lead.need, lead.product):
        return Refused(words=f"办这件事要有「{missing}」资格，请转给有资格的同事。")
    taken = await _taken(tx, lead, by or lead.rm, now)
    return Moved(lead=taken, words="已接手")


async def asking(tx: Tx, bank: Bank, number: int, by: RmId) -> Lead | Moved | Refused:
    """Return a lead whose customer was asked; what is said of one that is past that."""
    lead = await _held(tx, bank, number, by)
    if isinstance(lead, Lead) and lead.stage != "asking":
        return Moved(lead=lead, words="客户早就答应了", changed=False)
    return lead


async def _taken(tx: Tx, lead: Lead, by: RmId, now: datetime) -> Lead:
    """Write who has a lead from now on."""
    member = {"stage": "taken", "rm": by, "taken_at": now, "accept_by": None}
    taken = await _change(tx, lead, None, **member)
    in_time = now <= lead.respond_by
    await tx.ledger.add("lead_taken", lead.customer, now, lead=lead.id, by=by, in_time=in_time)
    return taken


async def pass_on(
    tx: Tx, bank: Bank, number: int, to: RmId, by: RmId, now: datetime
) -> Moved | Refused:
    """Give a lead to a colleague; the card is the caller's to send."""
    lead = await _held(tx, bank, number, by)
    if not isinstance(lead, Lead):
        return lead
    colleague = bank.member(to)
    if colleague is None:
        return Refused(words="还没有选转给谁，请先选一位同事。")
    if not colleague.on_duty:
        return Refused(words=f"{colleague.name}不在岗，请换一位同事。")
    if to in await tx.desks.away(now):
        return Refused(words=f"{colleague.name}请假中，请换一位同事。")
    if missing := lacks_licence(bank, to, lead.need, lead.product):
        return Refused(words=f"{colleague.name}没有「{missing}」资格，请换一位同事。")
    words = f"已转派给{colleague.name}"
    if to == lead.rm and lead.stage != "later":
        return Moved(lead=lead, words=f"本来就在{colleague.name}那里", changed=False)
    moved = await given(tx, bank, lead, to, now)
    await tx.ledger.add("lead_reassigned", lead.customer, now, lead=lead.id, by=by, to=to)
    return Moved(lead=moved, words=words)


async def given(tx: Tx, bank: Bank, lead: Lead, to: RmId, now: datetime) -> Lead:
    """Write that a lead is somebody else's, to be taken anew; one that still asks goes on asking.

    A person's first word stays said: the customer has had it.
    """
    member = bank.member(to)
    branch = (member.branch if member else None) or lead.branch
    if lead.stage == "asking":
        await tx.leads.change(lead.id, rm=to, branch=branch)
        return lead.model_copy(update={"rm": to, "branch": branch})
    again: dict[str, Any] = {"stage": "new", "taken_at": None, "sleeps_until": None}
    return await _change(tx, lead, None, rm=to, branch=branch, **again)


async def offered(tx: Tx, lead: Lead, given_to: Given, now: datetime) -> Lead:
    """Write whose a lead is that somebody let lie; his place on the desk is kept already."""
    whose: dict[str, Any] = {"rm": given_to.userid, "branch": given_to.branch or lead.branch}
    if lead.stage != "asking":
        whose |= {"stage": "new", "taken_at": None, "sleeps_until": None}
    await tx.leads.change(lead.id, due_at=None, **whose)
    await tx.desks.shift(lead, None)
    facts = {"lead": lead.id, "from": lead.rm, "to": given_to.userid, "why": given_to.why}
    kind = "lead_offered_again" if given_to.userid else "lead_pooled"
    await tx.ledger.add(kind, lead.customer, now, **facts)
    return lead.model_copy(update=whose)


async def later(
    tx: Tx, bank: Bank, number: int, by: RmId, until: datetime, now: datetime
) -> Moved | Refused:
    """Let a lead sleep; whoever puts it off has it. What is grave does not wait."""
    lead = await _held(tx, bank, number, by)
    if not isinstance(lead, Lead):
        return lead
    if lead.need in GRAVE:
        return Refused(words=f"「{lead.need.value}」不能放一放，请马上联系客户。")
    if lead.stage == "asking":
        return Refused(words=_NOT_YET)
    if not now < until <= now + LONGEST_SLEEP:
        return Refused(words=f"只能放到以后、{LONGEST_SLEEP.days} 天以内的时间，请重新选。")
    if lead.stage == "new":
        lead = await _taken(tx, lead, by or lead.rm, now)
    asleep = await _change(tx, lead, until, stage="later", sleeps_until=until)
    told = {"lead": lead.id, "by": by, "until": until.isoformat()}
    await tx.ledger.add("lead_put_off", lead.customer, now, **told)
    return Moved(lead=asleep, words=f"好的，{when(until, now, bank.zone)} 再提醒您")


async def wake(tx: Tx, bank: Bank, lead: Lead, now: datetime) -> None:
    """Make a lead that slept a taken one again, and remind whoever has it."""
    woken = await _change(tx, lead, None, stage="taken", sleeps_until=None)
    customer = await tx.people.customer(lead.customer)
    words = woken_words(woken, bank, now, name=customer.name if customer else "")
    slept_until = lead.sleeps_until or now
    key = f"woken:{lead.id}:{slept_until.isoformat()}"
    terms = Terms(purpose="staff", subject=woken.rm)
    await tx.outbox.put(key, words, terms, now)
    await tx.ledger.add("lead_woken", lead.customer, now, lead=lead.id)


async def finish(
    tx: Tx, bank: Bank, number: int, outcome: Outcome, reason: str, by: RmId, now: datetime
) -> Moved | Refused:
    """Close a lead with what came of it; the caller lets scripts know of a deal."""
    lead = await _held(tx, bank, number, by)
    if not isinstance(lead, Lead):
        return lead
    if outcome == "won" and lead.need not in SELLING:
        return Refused(words=f"「{lead.need.value}」没有成交一说，办好了请记「办结」。")
    ended = {"stage": outcome, "closed_at": now, "outcome_reason": reason}
    asleep_no_more = {"sleeps_until": None, "accept_by": None}
    done = await _change(tx, lead, None, **ended, **asleep_no_more)
    told = {"lead": lead.id, "by": by} | ({"reason": reason} if reason else {})
    await tx.ledger.add(f"lead_{outcome}", lead.customer, now, **told)
    return Moved(lead=done, words=_DONE_WORDS[outcome])


async def explain(
    tx: Tx, bank: Bank, number: int, reason: str, by: RmId, now: datetime
) -> Moved | Refused:
    """Write down why a lead ended as it did."""
    found = await _held(tx, bank, number, by)
    if isinstance(found, Refused):
        return found
    lead = found.lead if isinstance(found, Moved) else found
    await tx.leads.change(lead.id, outcome_reason=reason)
    kind = f"lead_{lead.stage}_reason"
    await tx.ledger.add(kind, lead.customer, now, lead=lead.id, by=by, reason=reason)
    explained = lead.model_copy(update={"outcome_reason": reason})
    return Moved(lead=explained, words="谢谢，已记下")


async def contacted(tx: Tx, bank: Bank, number: int, by: RmId, now: datetime) -> Moved | Refused:
    """Write down that a person has talked to the customer; whoever did has taken the lead."""
    lead = await _held(tx, bank, number, by)
    if not isinstance(lead, Lead):
        return lead
    if lead.stage == "asking":
        return Refused(words=_NOT_YET)
    if lead.stage == "new":
        lead = await _taken(tx, lead, by or lead.rm, now)
    if lead.first_response_at is None:
        await tx.leads.change(lead.id, first_response_at=now)
        lead = lead.model_copy(update={"first_response_at": now})
        await tx.ledger.add("lead_answered", lead.customer, now, lead=lead.id, by=by)
    return Moved(lead=lead, words="已记下：联系过了")


def deal(lead: Lead, by: RmId, at: datetime) -> Happened:
    """Return what scripts are told of a deal."""
    return Happened(
        key=f"lead_won:{lead.id}",
        kind=EventKind.LEAD_WON,
        subject=lead.customer,
        at=at,
        chat=lead.chat,
        manager=by,
    )
