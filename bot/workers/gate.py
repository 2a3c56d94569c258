"""Gathers what the one gate needs to know of a message at the moment of sending."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from bot.domain.delivery import Facts, Limits, Terms
from bot.domain.ids import GroupChatId
from bot.domain.script import SopScript
from bot.domain.script_parts import Status
from bot.storage.db import Tx
from bot.workers.content import Content

_WEEK = timedelta(days=7)
_FAR = timedelta(days=1)


async def facts_for(
    tx: Tx, key: str, terms: Terms, content: Content, now: datetime
) -> tuple[Facts, Limits]:
    """Return the facts and limits a message is decided by; staff and control need none."""
    if terms.purpose in ("answer", "notice", "handover"):
        session = await tx.conversations.session(terms.subject, terms.account)
        return Facts(session=session), Limits()
    if terms.purpose == "step" and terms.enrolment is not None:
        return await _step_facts(tx, key, terms, terms.enrolment, content, now)
    return Facts(), Limits()


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
