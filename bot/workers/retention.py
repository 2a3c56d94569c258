"""Tidies up at night: what is done and old goes, a little at a time, and only in idle moments."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from bot.config.parts import RetentionSettings
from bot.domain.quota import LOOK_BACK
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.storage.old_runs import OldRuns
from bot.storage.retention import DONE_ROWS, HISTORY, Retention, Swept
from bot.workers.content import Content

log = logger(__name__)
_FROM, _UNTIL = time(1), time(5)  # in the bank's zone
_RUNS = "runs"


class RetentionWorker:
    """Looks through the tables once a night.

    What is removed cannot come back as new: a callback of that age is refused by its signature's
    timestamp, 微信客服 keeps messages for three days and is read by a cursor, and rows that a
    run or an open task still goes by are kept. Of runs, who was in a script stays for ever.
    """

    watches: tuple[str, ...] = ()

    def __init__(
        self, database: Database, keep: RetentionSettings, content: Content, clock: Clock
    ) -> None:
        self._database = database
        self._content = content
        self._clock = clock
        self._days = dict.fromkeys(DONE_ROWS, keep.done_days)
        self._days |= dict.fromkeys((*HISTORY, _RUNS), keep.history_days)
        self._days |= {"turns": keep.turns_days, "ledger": keep.ledger_days}
        # They are what was said, too.
        said = ("questions", "drafts", "asks", "lead_signals")
        self._days |= dict.fromkeys(said, keep.turns_days)
        # A month's cap, and a month's at half its rate, have to find all that they count.
        self._days["quota"] = max(keep.done_days, LOOK_BACK.days)
        self._done_on: date | None = None
        self._left: list[str] = []
        self._after = 0
        self._removed = 0

    async def step(self) -> int:
        """Look at up to 2,000 rows, if it is night and nothing else is to be done; 1 if so."""
        now = self._clock.now()
        local = now.astimezone(self._content.bank.zone)
        if not _FROM <= local.time() < _UNTIL or self._done_on == local.date():
            return 0
        async with self._database.read() as tx:
            due = await tx.due()
        if any(moment <= now for moment in due.values()):
            return 0
        if not self._left:
            self._left = [name for name, days in self._days.items() if days]
            self._after = self._removed = 0
        name = self._left[0]
        async with self._database.begin() as tx:
            swept = await self._sweep(tx, name, now - timedelta(days=self._days[name]))
        self._removed += swept.removed
        self._after = swept.after or 0
        if swept.after is None:
            self._left.pop(0)
        if not self._left:
            self._done_on = local.date()
            if self._removed:
                log.info("old_rows_removed", rows=self._removed)
        return 1

    async def _sweep(self, tx: Tx, name: str, before: datetime) -> Swept:
        if name == _RUNS:
            counted = await self._counted(tx)
            return await OldRuns(tx.connection, counted).sweep(before, self._after)
        return await Retention(tx.connection).sweep(name, before, self._after)

    async def _counted(self, tx: Tx) -> list[str]:
        """Return the scripts that reckon with every entry there ever was."""
        found = []
        for id, version in (await tx.scripts.currents()).items():
            script = await self._content.script(tx, id, version)
            if script is None:
                continue
            worth = script.measures.value if script.measures is not None else None
            if worth is not None or script.entry.total_limit is not None:
                found.append(id)
        return found
