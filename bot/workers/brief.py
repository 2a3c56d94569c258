"""Briefs on working days: one to the staff's group, and one to each member of what waits for him.

A member gets one message of a morning, whatever waits: leads, drafts, mass-send tasks to confirm,
the steps of the day; who heads a team gets the team's in it, too. The first one of a week also
says what became of the week before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial

from bot.domain.adoption import Adoption, adoption_of
from bot.domain.bank import Bank
from bot.domain.delivery import Terms
from bot.domain.ids import RmId
from bot.domain.rights import team_of
from bot.domain.staff_messages import GroupWebhook, StaffText
from bot.domain.text import split_text
from bot.domain.workload import Harvest, Workload
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.storage.letters import Entry, Letter, seal
from bot.storage.staff_view import Day
from bot.workers.content import Content
from bot.workers.work_sheet import TeamRow, daily, names_in, weekly

_STILL_WORTH = timedelta(hours=2)  # after a late start: an old brief tells nothing new
_ONE_DAY = timedelta(days=1)
_AT_ONCE = 100  # members in a transaction: callbacks wait no longer
_TEXT_BYTES = 2048  # wecom_protocol §3.4


@dataclass(frozen=True)
class _Morning:
    """What all briefs of a day are made of."""

    now: datetime
    today: date
    since: datetime  # the brief's hour of the working day before
    loads: Mapping[RmId, Workload]
    yesterday: Mapping[RmId, Harvest]
    week: Mapping[RmId, Harvest] | None
    days: tuple[date, date]  # of that week


class BriefWorker:
    """Writes the briefs of each working day, at the hour that is set."""

    watches: tuple[str, ...] = ()

    def __init__(
        self,
        database: Database,
        content: Content,
        clock: Clock,
        hour: int,
        *,
        group: bool = True,
        members: bool = False,
    ) -> None:
        self._database = database
        self._content = content
        self._clock = clock
        self._hour = hour
        self._group = group
        self._members = members
        self._done_on: date | None = None

    async def step(self) -> int:
        """Put today's briefs into the outbox when their hour has come; return how many."""
        now = self._clock.now()
        zone = self._content.bank.zone
        today = now.astimezone(zone).date()
        if today == self._done_on:
            return 0
        begins_at = datetime.combine(today, time(self._hour), tzinfo=zone)
        if not begins_at <= now < begins_at + _STILL_WORTH:
            return 0
        written = 0
        if self._content.tables.is_workday(today):
            since = begins_at - _ONE_DAY
            while not self._content.tables.is_workday(since.date()):
                since -= _ONE_DAY
            written += await self._to_group(today, since, now) if self._group else 0
            written += await self._to_members(today, since, now) if self._members else 0
        self._done_on = today
        return written

    async def _to_group(self, today: date, since: datetime, now: datetime) -> int:
        async with self._database.begin() as tx:
            day = await tx.staff_view.day(since, now)
            drafts = adoption_of(await tx.drafts.counts(since, now))
            message = GroupWebhook(text=brief(today, since, day, drafts))
            terms = Terms(purpose="staff", subject="staff_group")
            return int(await tx.outbox.put(f"brief:{today}", message, terms, now))

    async def _to_members(self, today: date, since: datetime, now: datetime) -> int:
        bank = self._content.bank
        everybody = [member.userid for member in bank.staff]
        async with self._database.read() as tx:
            morning = await self._read(tx, everybody, today, since, now)
        letters: list[Letter] = []
        entries: list[Entry] = []
        for member in bank.staff:
            if member.on_duty:
                written = list(_letters(member.userid, bank, morning))
                letters += written
                load = morning.loads[member.userid]
                if written and load.tasks:  # it has reminded of them, once today
                    entries.append(("owner_reminded", member.userid, {"tasks": load.tasks}))
        return await self._write(letters, entries, now)

    async def _read(
        self, tx: Tx, everybody: Sequence[RmId], today: date, since: datetime, now: datetime
    ) -> _Morning:
        zone = self._content.bank.zone
        midnight = datetime.combine(today, time(0), tzinfo=zone)
        monday = today - timedelta(days=today.weekday())
        first = self._content.tables.next_workday(monday)
        head = partial(self._content.bank.head_over, "")
        week, before = None, monday
        if today == first:  # after a holiday that took whole weeks: from the last week of work on
            worked = self._content.tables.previous_workday(monday - _ONE_DAY)
            before = worked - timedelta(days=worked.weekday())
            begin, end = (datetime.combine(day, time(0), tzinfo=zone) for day in (before, monday))
            week = await tx.workloads.harvest(everybody, begin, end)
        return _Morning(
            now=now,
            today=today,
            since=since,
            loads=await tx.workloads.of(everybody, now, midnight + _ONE_DAY, head_of=head),
            yesterday=await tx.workloads.harvest(everybody, since, now),
            week=week,
            days=(before, monday - _ONE_DAY),
        )

    async def _write(
        self, letters: Sequence[Letter], entries: Sequence[Entry], now: datetime
    ) -> int:
        written = 0
        for start in range(0, len(letters), _AT_ONCE):
            async with self._database.begin() as tx:
                written += await tx.planning.send(letters[start : start + _AT_ONCE], now)
        if written:
            async with self._database.begin() as tx:
                await tx.planning.note(entries, now)
                await tx.tasks.reminded_all([owner for _, owner, _ in entries])
        return written


def _letters(userid: RmId, bank: Bank, morning: _Morning) -> Iterator[Letter]:
    """Give one member's briefs: of the day, and of the week before where it is over."""
    member = bank.member(userid)
    name = member.name if member is not None else userid
    team = [one for one in team_of(bank, userid) if one != userid]
    called = names_in(bank, team)
    words = {
        "day": daily(
            name,
            morning.today,
            morning.loads[userid],
            bank,
            morning.now,
            team=[TeamRow(called[one], morning.loads[one]) for one in team],
            yesterday=_together(morning.yesterday, team) if team else None,
        )
    }
    if morning.week is not None:
        before = [(called[one], morning.week[one]) for one in team]
        words["week"] = weekly(name, *morning.days, morning.week[userid], team=before)
    for kind, text in words.items():
        parts = split_text(text, _TEXT_BYTES) if text else []
        for number, part in enumerate(parts, 1):
            key = f"brief:{morning.today}:{kind}:{userid}:{number}"
            yield seal(
                key, StaffText(to=(userid,), text=part), Terms(purpose="staff", subject=userid)
            )


def _together(of: Mapping[RmId, Harvest], members: Sequence[RmId]) -> Harvest:
    total = Harvest()
    for userid in members:
        total = total.plus(of[userid])
    return total


def brief(today: date, since: datetime, day: Day, drafts: Adoption | None = None) -> str:
    """Word the group's brief; what must not wait stands out."""
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
