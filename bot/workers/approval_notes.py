"""Reminds those in charge of approvals that end soon, and tells them of those that have ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from bot.domain.approval import ENDS_SOON_DAYS
from bot.domain.delivery import Terms
from bot.domain.ids import RmId
from bot.domain.script import SopScript
from bot.domain.script_parts import Status
from bot.domain.staff_messages import StaffText
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.workers.content import Content, version_of
from bot.workers.people_in_charge import both

_FROM = time(9)  # in the bank's zone
_ONE_DAY = timedelta(days=1)


class ApprovalNotes:
    """Looks at the approvals once a day: a week's note on its first working day, an end at once."""

    watches: tuple[str, ...] = ()

    def __init__(self, database: Database, content: Content, clock: Clock) -> None:
        self._database = database
        self._content = content
        self._clock = clock
        self._done_on: date | None = None

    async def step(self) -> int:
        """Put today's texts into the outbox; return how many there are."""
        now = self._clock.now()
        local = now.astimezone(self._content.bank.zone)
        if local.time() < _FROM or self._done_on == local.date():
            return 0
        today, told = local.date(), 0
        async with self._database.begin() as tx:
            ends = await self._ends(tx)
            told += await self._tell_ended(tx, ends, today, now)
            if self._first_workday(today):
                told += await self._tell_soon(tx, ends, today, now)
        self._done_on = today
        return told

    async def _ends(self, tx: Tx) -> dict[str, date | None]:
        """Return until when each script in force may be sent."""
        return {
            script.id: await self._content.approved_until(tx, script, version_of(script))
            for script in self._content.snapshot.scripts.values()
            if script.status is Status.PUBLISHED
        }

    def _first_workday(self, today: date) -> bool:
        tables = self._content.tables
        before = (today - _ONE_DAY * number for number in range(1, today.weekday() + 1))
        return tables.is_workday(today) and not any(tables.is_workday(day) for day in before)

    async def _tell_ended(
        self, tx: Tx, ends: Mapping[str, date | None], today: date, now: datetime
    ) -> int:
        """Tell once of each script that stands still for want of an approval."""
        told = 0
        for script_id, until in ends.items():
            script = self._content.snapshot.scripts[script_id]
            people = both(self._content.bank, script.owner)
            if not people or script.approval is None or (until is not None and until >= today):
                continue
            ended = script.approval.expires_on if until is None else until
            why = f"审批到 {ended} 为止，已经过期" if ended < today else "还没有批准，或被退回"
            text = (
                f"剧本「{script.name}」({script.id})的{why}。从现在起它一条也不发，"
                "在走的群和客户原地等着；续批以后，按「错过时间窗」接着走。\n"
                f"续批：改好文件里的 审批，或运行 zhilin sop approve {script.id} --by 您的名字"
            )
            key = f"approval-ended:{script_id}:{ended}:{version_of(script)}"
            told += await tx.outbox.put(
                key, StaffText(to=people, text=text), Terms(purpose="staff"), now
            )
        return told

    async def _tell_soon(
        self, tx: Tx, ends: Mapping[str, date | None], today: date, now: datetime
    ) -> int:
        """Send each person one text with all of theirs that end within thirty days."""
        last = today + _ONE_DAY * ENDS_SOON_DAYS
        soon = [
            (until, self._content.snapshot.scripts[script_id])
            for script_id, until in ends.items()
            if until is not None and today <= until <= last
        ]
        by_person: dict[RmId, list[str]] = {}
        for until, script in sorted(soon, key=lambda one: (one[0], one[1].id)):
            for person in both(self._content.bank, script.owner):
                by_person.setdefault(person, []).append(_line(script, until, today))
        told = 0
        year, week, _ = today.isocalendar()
        for person, lines in by_person.items():
            text = "\n".join((f"有 {len(lines)} 个剧本的审批 30 天内到期：", *lines))
            key = f"approvals:{year}-{week}:{person}"
            message = StaffText(to=(person,), text=text)
            told += await tx.outbox.put(key, message, Terms(purpose="staff"), now)
        return told


def _line(script: SopScript, until: date, today: date) -> str:
    left = (until - today).days
    when = "今天最后一天" if not left else f"还有 {left} 天"
    return f"· {script.name}({script.id})：{until} 到期，{when}"
