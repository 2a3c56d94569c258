"""What came of things, as managers tell it by a button: a task, newcomers caught up."""

from __future__ import annotations

from datetime import datetime

from bot.domain.events import CardPressed
from bot.domain.happening import EventKind, Happened
from bot.domain.ids import RmId
from bot.domain.runs import Run, RunStep
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.happenings import Happenings


class Outcomes:
    """Records outcomes, inside the transaction of the press, and tells scripts of them."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._happenings = Happenings(content.script)

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
