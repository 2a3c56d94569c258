"""The errands of entry: lists that are frozen, sweeps through everybody, the gate of each script.

An errand is a row that says how far it has come; each step is one short transaction over so many
subjects, and goes on after any crash where the last one ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.admission import key_of
from bot.domain.entry import ReentryRule
from bot.domain.ids import digest
from bot.domain.script import SopScript
from bot.domain.script_parts import Status
from bot.sop.enrol import Doorway
from bot.storage.admissions import Waiting
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.entering import Entrance
from bot.workers.wishes import Asked, Wish, is_limited, kind_of

CHUNK = 650  # subjects: about three rows each, and durable_core lets a transaction have 2,000
MORNING, NIGHT = time(6, 0), time(2, 30)
_LOOK_AGAIN = timedelta(minutes=10)  # while somebody pauses a script, or a list is being made
_SETTLED = frozenset({"entered", "held_out", "waiting"})


class Errands:
    """Carries out one step of an errand, and writes when the next is due."""

    def __init__(self, content: Content, entrance: Entrance) -> None:
        self._content = content
        self._entrance = entrance

    async def run(self, tx: Tx, row: Waiting, now: datetime) -> int:
        """Go on with an errand; return how many subjects it met."""
        if not self.versions(row.script):
            await tx.admissions.finish([row.id])
            return 0
        match row.key:
            case "list":
                return await self._list(tx, row, now)
            case "sweep":
                return await self._sweep(tx, row, now)
            case "dates":
                return await self._dates(tx, row, now)
            case "backfill":
                return await self._backfill(tx, row, now)
            case _:
                return await self._gate(tx, row, now)

    def versions(self, script: str) -> list[SopScript]:
        """Return the versions of a script that anybody may begin: in force, or a pilot's."""
        snapshot = self._content.snapshot
        pilot = snapshot.pilots.get(script)
        found = [snapshot.scripts.get(script), pilot.script if pilot else None]
        return [one for one in found if one is not None and one.status is Status.PUBLISHED]

    async def ask(
        self, tx: Tx, script: str, wishes: Sequence[Wish], now: datetime, **how: Any
    ) -> Asked:
        """Ask for each wish about the version that its subject would begin."""
        groups: dict[str, tuple[SopScript, list[Wish]]] = {}
        tags = await self._tags(tx, script, wishes, now)
        for wish in wishes:
            version = self._content.version_for(script, wish.subject, tags.get(wish.subject, ()))
            if version is not None:
                mine = groups.setdefault(str(id(version)), (version, []))
                mine[1].append(wish)
        found = Asked()
        for version, mine_ in groups.values():
            asked = await self._entrance.ask(tx, version, mine_, now, **how)
            found.admissions += asked.admissions
            found.runs |= asked.runs
        return found

    async def _tags(
        self, tx: Tx, script: str, wishes: Sequence[Wish], now: datetime
    ) -> dict[str, frozenset[str]]:
        """Return groups' tags where a pilot is for some of them."""
        if script not in self._content.snapshot.pilots:
            return {}
        kind = kind_of(self.versions(script)[0])
        needs = self._entrance.rule(self.versions(script)[0]).needs
        ids = {wish.subject for wish in wishes}
        facts = await tx.subjects.load(ids, kind, self._content.bank, needs, now)
        return {id: one.tags for id, one in facts.items()}

    async def _list(self, tx: Tx, row: Waiting, now: datetime) -> int:
        """Freeze the list of those whom 适用 means now, with a hash over it (E2)."""
        script = self.versions(row.script)[-1]
        facts = row.verdicts
        ids = await tx.subjects.after(kind_of(script), facts.get("after", ""), limit=CHUNK)
        seal, listed = str(facts.get("seal", "")), int(facts.get("listed", 0))
        known = await tx.admissions.known(row.script, ids)
        fresh = [id for id in ids if known.get((id, ""), ("", ""))[0] not in _SETTLED]
        wishes = [Wish(id, listing=True) for id in fresh]
        asked = await self.ask(tx, row.script, wishes, now, room=0, at_gate=True, manner="kept")
        for one in asked.admissions:
            if one.state in ("waiting", "held_out"):
                seal, listed = digest(seal, one.candidate.facts.id), listed + 1
        kept = {**facts, "seal": seal, "listed": listed}
        if len(ids) == CHUNK:
            await self._go_on(tx, row, now, kept | {"after": ids[-1]})
            return len(ids)
        await tx.admissions.errand(row.script, "list", None, now, **kept | {"after": ""})
        about = {"script": row.script, "version": str(facts.get("version", ""))}
        await tx.ledger.add("list_frozen", row.script, now, **about, listed=listed, hash=seal)
        await tx.admissions.hurry(row.script, "gate", now, now)
        return len(ids)

    async def _sweep(self, tx: Tx, row: Waiting, now: datetime) -> int:
        """Ask about everybody: the net under the changes that 持续 goes by."""
        script = self.versions(row.script)[-1]
        after = row.verdicts.get("after", "")
        ids = await tx.subjects.after(kind_of(script), after, limit=CHUNK)
        await self.ask(tx, row.script, [Wish(id) for id in ids], now, manner="swept")
        if len(ids) == CHUNK:
            await self._go_on(tx, row, now, row.verdicts | {"after": ids[-1]})
        else:
            await self._rest(tx, row, now, next_at(now, NIGHT, self._content.bank.zone))
        return len(ids)

    async def _dates(self, tx: Tx, row: Waiting, now: datetime) -> int:
        """Ask about those whose day it is, or will be in as many days as 提前天 says."""
        script = self.versions(row.script)[-1]
        content = self._content
        rule, kind = self._entrance.rule(script), kind_of(script)
        ids = await tx.subjects.after(kind, row.verdicts.get("after", ""), limit=CHUNK)
        facts = await tx.subjects.load(ids, kind, content.bank, rule.needs, now)
        doorway = Doorway(rule, content.bank, content.tables, now)
        wishes = []
        for id in ids:
            day = doorway.called_on(facts[id])
            if day is not None:
                wishes.append(Wish(id, key=day.isoformat(), on=day))
        await self.ask(tx, row.script, wishes, now, manner="swept")
        if len(ids) == CHUNK:
            await self._go_on(tx, row, now, row.verdicts | {"after": ids[-1]})
        else:
            await self._rest(tx, row, now, next_at(now, MORNING, content.bank.zone))
        return len(ids)

    async def _backfill(self, tx: Tx, row: Waiting, now: datetime) -> int:
        """Ask about events of before the script was published (补进, E3)."""
        script = self.versions(row.script)[-1]
        entry = script.entry
        if entry.event is None or entry.backfill_from is None:
            await tx.admissions.finish([row.id])
            return 0
        zone = self._content.bank.zone
        first = datetime.combine(entry.backfill_from, time(0), tzinfo=zone)
        after = int(row.verdicts.get("after") or 0)
        found = await tx.occurrences.since(entry.event, first, after, limit=CHUNK)
        wishes = {one.subject: wish_of(script, one.subject, one.key, one.at) for one in found}
        await self.ask(tx, row.script, list(wishes.values()), now)
        if len(found) == CHUNK:
            await self._go_on(tx, row, now, row.verdicts | {"after": str(found[-1].id)})
        else:
            await tx.admissions.errand(row.script, "backfill", None, now, **row.verdicts)
        return len(found)

    async def _go_on(self, tx: Tx, row: Waiting, now: datetime, facts: dict[str, Any]) -> None:
        await tx.admissions.errand(row.script, row.key, now, now, **facts)

    async def _rest(self, tx: Tx, row: Waiting, now: datetime, until: datetime) -> None:
        """Begin from the start again at that moment; who waits at the gate may come in now."""
        await tx.admissions.errand(row.script, row.key, until, now, **row.verdicts | {"after": ""})
        if await tx.admissions.waiting(row.script):
            await tx.admissions.hurry(row.script, "gate", now, now)

    async def _gate(self, tx: Tx, row: Waiting, now: datetime) -> int:
        """Let in those who wait, in the order of their rank, as many as there is room for."""
        script = self.versions(row.script)[-1]
        if await self._is_gathering(tx, row.script, now):
            await tx.admissions.errand(row.script, "gate", now + _LOOK_AGAIN, now)
            return 0
        room, opens_at = await self._room(tx, script, now)
        after = (int(row.verdicts.get("rank", -1)), int(row.verdicts.get("id", 0)))
        found = []
        if room != 0:
            limit = CHUNK if room is None else min(CHUNK, room)
            found = await tx.admissions.next_of(row.script, after, limit)
        wishes = [Wish.kept(one.subject, one.key, one.verdicts, None) for one in found]
        asked = await self.ask(tx, row.script, wishes, now, room=room, at_gate=True, manner="gate")
        full = room is not None and asked.count("entered") >= room
        if found and not full:
            reached = {"rank": found[-1].rank, "id": found[-1].id}
            await tx.admissions.errand(row.script, "gate", now, now, **reached)
            return len(found)
        left = await tx.admissions.waiting(row.script)
        if left and full:
            opens = opens_at.isoformat() if opens_at else ""
            about = {"script": row.script, "waiting": left, "opens_at": opens}
            await tx.ledger.add("entry_throttled", row.script, now, **about)
        until = (opens_at if full else now + _LOOK_AGAIN) if left else None
        await tx.admissions.errand(row.script, "gate", until, now)
        return len(found)

    async def _is_gathering(self, tx: Tx, script: str, now: datetime) -> bool:
        """Tell whether those who wait are still being found: by hash all have the same chance."""
        errands = await tx.admissions.errands(script)
        return any(
            one.due_at is not None and one.due_at <= now and name in ("list", "sweep", "dates")
            for name, one in errands.items()
        )

    async def _room(
        self, tx: Tx, script: SopScript, now: datetime
    ) -> tuple[int | None, datetime | None]:
        """Return how many more may enter now, and when more may; None for no limit."""
        if not is_limited(script):
            return None, None
        entry, zone = script.entry, self._content.bank.zone
        hour = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
        day = datetime.combine(hour.date(), time(0), tzinfo=zone)
        limits = (
            (entry.total_limit, None, None),
            (entry.daily_limit, day, day + timedelta(days=1)),
            (entry.hourly_limit, hour, hour + timedelta(hours=1)),
        )
        rooms: list[tuple[int, datetime | None]] = []
        for limit, since, until in limits:
            if limit is not None:
                left = limit - await tx.admissions.entered(script.id, since)
                rooms.append((max(0, left), until))
        room = min(left for left, _ in rooms)
        opens = [until for left, until in rooms if left == room]
        return room, None if None in opens else max(one for one in opens if one is not None)


def wish_of(script: SopScript, subject: str, key: str, at: datetime) -> Wish:
    """Return the wish that an event brings; its key counts where each event lets in anew."""
    anew = script.reentry.rule is ReentryRule.PER_ANCHOR
    return Wish(subject, key_of(key) if anew else "", happened_at=at)


def next_at(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """Return the next moment after now at which the bank's clocks show that time."""
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), at, tzinfo=zone)
    if today > local:
        return today
    return datetime.combine(local.date() + timedelta(days=1), at, tzinfo=zone)
