"""Gathers what the one gate needs to know of a message at the moment of sending."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time, timedelta

from bot.domain.delivery import OLD_ANSWER, PERSON_STATES, Facts, Limits, Terms
from bot.domain.ids import GroupChatId
from bot.domain.messages import SWITCH_OF, KfReply
from bot.domain.script import SopScript
from bot.domain.script_parts import Status
from bot.storage.db import Tx
from bot.storage.outbox import STOPPED, Envelope
from bot.workers.content import Content

_WEEK = timedelta(days=7)
_FAR = timedelta(days=1)
_TAKEN = ("person_spoke", "session_taken", "handed_over")


def is_stopped(envelope: Envelope, stops: Collection[str]) -> bool:
    """Tell whether an emergency stop holds a message back."""
    return SWITCH_OF[envelope.message.kind] in stops


async def is_mute(tx: Tx, envelope: Envelope) -> bool:
    """Tell whether a person has the word where a reply would be said."""
    message = envelope.message
    if not isinstance(message, KfReply):
        return False
    session = await tx.conversations.session(message.customer, message.account)
    return session is not None and session.state in PERSON_STATES


async def is_overtaken(tx: Tx, envelope: Envelope) -> bool:
    """Tell whether a person has answered, or is about to, since a reply was written."""
    if not isinstance(envelope.message, KfReply):
        return False
    return await is_mute(tx, envelope) or await _taken_since(tx, envelope)


async def facts_for(
    tx: Tx, envelope: Envelope, stops: Collection[str], content: Content, now: datetime
) -> tuple[Facts, Limits]:
    """Return the facts and limits a message is decided by; staff and control need few."""
    terms = envelope.terms
    facts, limits = Facts(), Limits()
    if terms.purpose in ("answer", "notice", "handover"):
        session = await tx.conversations.session(terms.subject, terms.account)
        taken = await _taken_meanwhile(tx, envelope, now)
        facts = Facts(session=session, taken_by_person=taken)
    elif terms.purpose == "step" and terms.enrolment is not None:
        facts, limits = await _step_facts(tx, envelope.key, terms, terms.enrolment, content, now)
    if is_stopped(envelope, stops):
        facts = facts.model_copy(update={"stopped": True})
    return facts, limits


async def _taken_meanwhile(tx: Tx, envelope: Envelope, now: datetime) -> bool:
    """Tell whether a person took the customer over while an answer was stopped for long."""
    old = now - envelope.created_at >= OLD_ANSWER
    return envelope.reason == STOPPED and old and await _taken_since(tx, envelope)


async def _taken_since(tx: Tx, envelope: Envelope) -> bool:
    customer, since = envelope.terms.subject, envelope.created_at
    return any([await tx.ledger.count(kind, since=since, subject=customer) > 0 for kind in _TAKEN])


async def _step_facts(
    tx: Tx, key: str, terms: Terms, enrolment: int, content: Content, now: datetime
) -> tuple[Facts, Limits]:
    run = await tx.runs.get(enrolment)
    script = await content.script(tx, run.script, run.version) if run else None
    if run is None or script is None:
        return Facts(run_alive=False), Limits()
    group = await tx.people.group(GroupChatId(run.subject))
    zone = content.bank.zone
    today = datetime.combine(now.astimezone(zone).date(), time(0), tzinfo=zone)
    tomorrow = today + _FAR
    week_ago = tomorrow - _WEEK

    async def used(kind: str, since: datetime) -> int:
        return await tx.quota.used(run.subject, kind, since, tomorrow, but=key)

    current = content.snapshot.scripts.get(run.script)
    product = content.product(terms.product) if terms.product else None
    facts = Facts(
        run_alive=run.state == "running",
        # A run keeps its version of the words; that the script was stopped counts for all.
        script_stopped=current is not None and current.status is not Status.PUBLISHED,
        group_alive=group is not None and not group.dismissed,
        refuses_marketing=run.marketing_stopped,
        approved_until=script.approval.expires_on if script.approval else None,
        product_sold=product is not None and product.on_sale,
        broadcasts_today=await used("broadcast", today),
        broadcasts_this_week=await used("broadcast", week_ago),
        products_this_week=await used("product", week_ago),
    )
    return facts, limits_of(script, run.weekly_cap)


def limits_of(script: SopScript, weekly_cap: int | None) -> Limits:
    """Return a script's guard rails, made tighter where a group asked for fewer messages."""
    rails = script.rails
    return Limits(
        quiet=rails.quiet,
        broadcasts_a_day=min(1, rails.broadcasts_a_day),
        broadcasts_a_week=min(rails.broadcasts_a_week, weekly_cap or rails.broadcasts_a_week),
        products_a_week=rails.products_a_week,
    )
