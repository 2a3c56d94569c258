"""What came of things, as managers tell it by a button: a deal, a task, newcomers caught up."""

from __future__ import annotations

from datetime import datetime

from bot.domain.delivery import Terms
from bot.domain.events import CardPressed
from bot.domain.happening import EventKind, Happened
from bot.domain.ids import RmId
from bot.domain.lead import Lead, Need
from bot.domain.runs import Run, RunStep
from bot.leads.cards import deal_card
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.happenings import Happenings

_MAY_BE_WON = frozenset({Need.WEALTH, Need.WAKE})
_SETTLED = "已经记过了"


class Outcomes:
    """Records outcomes, inside the transaction of the press, and tells scripts of them."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._happenings = Happenings(content.script)

    async def ask(self, tx: Tx, lead: Lead, by: RmId, now: datetime) -> None:
        """Ask who took a lead that may end in a deal to say so, whenever it does."""
        if lead.need not in _MAY_BE_WON:
            return
        customer = await tx.people.customer(lead.customer)
        card = deal_card(lead, customer, by)
        terms = Terms(purpose="staff", subject=by)
        await tx.outbox.put(f"card:{card.task}", card, terms, now)

    async def deal(self, tx: Tx, number: int, verb: str, event: CardPressed, now: datetime) -> str:
        """Close a lead as won or lost; return what the card says from then on."""
        lead = await tx.leads.get(number)
        if lead is None or verb not in ("won", "lost"):
            return ""
        if lead.closed_at is not None:
            return _SETTLED
        await tx.leads.change(lead.id, stage="closed", closed_at=now, due_at=None)
        await tx.ledger.add(f"lead_{verb}", lead.customer, now, lead=lead.id, by=event.by)
        if verb == "lost":
            return "已记下：没成"
        won = Happened(
            key=f"lead_won:{lead.id}",
            kind=EventKind.LEAD_WON,
            subject=lead.customer,
            at=event.at,
            chat=lead.chat,
            manager=event.by,
        )
        await self._happenings.tell(tx, [won], now)
        return "已记下：成交"

    async def task_done(self, tx: Tx, run: Run, step: RunStep, by: RmId, now: datetime) -> None:
        """Tell that a manager did what a step asked for."""
        done = Happened(
            key=f"task_done:{step.id}",
            kind=EventKind.TASK_DONE,
            subject=run.subject,
            at=now,
            manager=by,
            facts={"script": run.script, "step": step.step},
        )
        await self._happenings.tell(tx, [done], now)

    async def caught_up(
        self, tx: Tx, number: int, verb: str, event: CardPressed, now: datetime
    ) -> str:
        """Record whether an owner sent newcomers what they had missed."""
        run = await tx.runs.get(number)
        if run is None or verb not in ("sent", "skip"):
            return ""
        kind = "late_joiners_caught_up" if verb == "sent" else "late_joiners_left"
        await tx.ledger.add(kind, run.subject, now, script=run.script, run=run.id, by=event.by)
        return "已补课" if verb == "sent" else "不补课"
