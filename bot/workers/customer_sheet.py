"""All that is known of one customer, for a person who asks why a script took them or did not."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.bank import Bank
from bot.domain.ids import CustomerId
from bot.domain.needs import Needs
from bot.domain.runs import Run
from bot.storage.admissions import Waiting
from bot.storage.db import Tx

_MOST_EVENTS = 20


async def customer_sheet(tx: Tx, customer: str, bank: Bank, now: datetime) -> dict[str, Any] | None:
    """Return the sheet, moments in the bank's zone; None for a customer who is not known."""
    known = await tx.people.customer(CustomerId(customer))
    if known is None:
        return None
    needs = Needs(names=bank.event_names, complaint=True, last_seen=True, since=True)
    facts = (await tx.subjects.load([customer], "customer", bank, needs, now))[customer]
    zone = bank.zone
    return {
        "customer": customer,
        "managers": list(known.managers),
        "manager": facts.owner,
        "on_duty": facts.owner_on_duty,
        "branch": facts.branch,
        "tags": sorted(facts.tags),
        "refuses": facts.refuses,
        "complaint_open": facts.complaint_open,
        "last_seen": _local(facts.last_seen, zone),
        "facts": dict(facts.facts),
        "facts_as_of": _local(facts.as_of, zone),
        "events": [
            {"event": one.kind, "at": _local(one.at, zone)}
            for one in list(reversed(facts.happened))[:_MOST_EVENTS]
        ],
        "runs": [_run(run, zone) for run in await tx.runs.of_subject(customer, state=None)],
        "decisions": [_decision(row, zone) for row in await tx.admissions.of_subject(customer)],
    }


def _local(moment: datetime | None, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" if moment is not None else ""


def _run(run: Run, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "run": run.id,
        "script": run.script,
        "version": run.version,
        "state": run.state,
        "reason": run.reason,
        "node": run.node,
        "anchor": run.anchor.isoformat(),
        "entered_at": _local(run.entered_at, zone),
    }


def _decision(row: Waiting, zone: ZoneInfo) -> dict[str, Any]:
    answers = ("audience", "exclusion", "consent", "contactable", "holdout")
    return {
        "script": row.script,
        "key": row.key,
        "state": row.state,
        "reason": row.reason,
        "at": _local(row.at, zone),
        "answers": {name: row.verdicts.get(name) for name in answers},
    }
