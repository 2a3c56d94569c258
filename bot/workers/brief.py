"""The daily brief into the staff's internal group: what came, what was taken, what waits."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from bot.domain.adoption import Adoption, adoption_of
from bot.domain.delivery import Terms
from bot.domain.staff_messages import GroupWebhook
from bot.ports import Clock
from bot.storage.db import Database
from bot.storage.staff_view import Day
from bot.workers.content import Content

_STILL_WORTH = timedelta(hours=2)  # after a late start: an old brief tells nothing new
_ONE_DAY = timedelta(days=1)


class BriefWorker:
    """Writes one brief on each working day, at the hour that is set."""

    watches: tuple[str, ...] = ()

    def __init__(self, database: Database, content: Content, clock: Clock, hour: int) -> None:
        self._database = database
        self._content = content
        self._clock = clock
        self._hour = hour
        self._done_on: date | None = None

    async def step(self) -> int:
        """Put today's brief into the outbox when its hour has come; return 1 where it did."""
        now = self._clock.now()
        zone = self._content.bank.zone
        today = now.astimezone(zone).date()
        if today == self._done_on:
            return 0
        begins_at = datetime.combine(today, time(self._hour), tzinfo=zone)
        if not begins_at <= now < begins_at + _STILL_WORTH:
            return 0
        self._done_on = today
        if not self._content.tables.is_workday(today):
            return 0
        since = begins_at - _ONE_DAY
        while not self._content.tables.is_workday(since.date()):
            since -= _ONE_DAY
        async with self._database.begin() as tx:
            day = await tx.staff_view.day(since, now)
            drafts = adoption_of(await tx.drafts.counts(since, now))
            message = GroupWebhook(text=brief(today, since, day, drafts))
            terms = Terms(purpose="staff", subject="staff_group")
            return int(await tx.outbox.put(f"brief:{today}", message, terms, now))


def brief(today: date, since: datetime, day: Day, drafts: Adoption | None = None) -> str:
    """Word the brief; what must not wait stands out."""
    overdue = f'<font color="warning">{day.overdue} 条</font>' if day.overdue else "0 条"
    begin = f"{since.month}月{since.day}日 {since:%H:%M}"
    lines = [
        f"**{today.month}月{today.day}日 早报**（{begin} 起）",
        f"> 新线索 {day.opened} 条，已接手 {day.taken} 条",
        f"> 等人接手 {day.waiting} 条，超时没人接 {overdue}",
        f"> 等群主点确认的群发 {day.to_confirm} 个",
    ]
    if drafts is not None and drafts.made:
        line = f"> 拟好的回话 {drafts.made} 条，采用 {drafts.share}"
        lines.append(f"{line}，还在等 {drafts.waiting} 条" if drafts.waiting else line)
    return "\n".join(lines)
