"""Works on whatever may let somebody into a script: events, changes, lists, days, open gates."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime

from bot.domain.registry import TAGGED_CUSTOMER
from bot.domain.script import SopScript
from bot.domain.subject import OWN_ACTS, SubjectKind
from bot.errors import DatabaseFailed
from bot.log import logger
from bot.ports import Clock
from bot.storage.admissions import BY_HAND, ErrandName, Waiting
from bot.storage.db import Database, Tx
from bot.storage.occurrences import Asking
from bot.storage.work import POISON_ATTEMPTS, backoff
from bot.workers.content import Content, Snapshot, version_of
from bot.workers.entering import Entrance
from bot.workers.entry_errands import CHUNK, Errands, wish_of
from bot.workers.wishes import GOES_ON, Wish, kind_of, offered

log = logger(__name__)
_BY_EVENT, _BY_DATE, _BY_LIST = "事件", "日期", "名单快照"
_ERRAND_OF: Mapping[str, ErrandName] = {GOES_ON: "sweep", _BY_DATE: "dates", _BY_LIST: "list"}
_CHANGES = frozenset({"添加好友", TAGGED_CUSTOMER})  # after these anybody may be meant anew


class EntryPlanner:
    """Notes what each published script needs done by itself: its list, its sweeps, its days."""

    watches: tuple[str, ...] = ()

    def __init__(self, database: Database, content: Content, clock: Clock) -> None:
        self._database = database
        self._content = content
        self._clock = clock
        self._planned: Snapshot | None = None

    async def step(self) -> int:
        """Look at the files where they are others than before; return how many errands began."""
        snapshot = self._content.snapshot
        if snapshot is self._planned:
            return 0
        now = self._clock.now()
        begun = 0
        async with self._database.begin() as tx:
            there = await tx.admissions.all_errands()
            for script in offered(snapshot).values():
                for name, facts in self._wanted(script).items():
                    before = there.get((script.id, name))
                    if before is None or not facts.items() <= before.verdicts.items():
                        await tx.admissions.errand(script.id, name, now, now, **facts)
                        begun += 1
        self._planned = snapshot
        return begun

    def _wanted(self, script: SopScript) -> dict[ErrandName, dict[str, str]]:
        """Return a script's errands, each with what begins it anew when it changes."""
        entry = script.entry
        found: dict[ErrandName, dict[str, str]] = {}
        if entry.backfill_from is not None:
            found["backfill"] = {"from": entry.backfill_from.isoformat()}
        name = _ERRAND_OF.get(entry.by)
        if name == "list":
            # A list is frozen once, whatever is edited; it only grows with whom a pilot is for.
            pilot = self._content.snapshot.pilots.get(script.id)
            found[name] = {"for": f"{pilot.pilot.percent}:{pilot.pilot.groups}" if pilot else ""}
        elif name is not None:
            found[name] = {"version": version_of(script)}
        return found


class EntryWorker:
    """Asks scripts about those of whom something is new, ``CHUNK`` in a transaction."""

    watches = ("occurrences", "admissions")

    def __init__(self, database: Database, content: Content, clock: Clock) -> None:
        self._database = database
        self._content = content
        self._clock = clock
        self._entrance = Entrance(content)
        self._errands = Errands(content, self._entrance)

    async def step(self) -> int:
        """Work on one batch of events and one of what waits; return how many there were."""
        return await self._carefully(self._events) + await self._carefully(self._waiting)

    async def _carefully(self, batch: Callable[[int], Awaitable[int]]) -> int:
        """Work on a batch; where it stumbles, piece by piece, and put off what stumbles alone."""
        try:
            return await batch(CHUNK)
        except DatabaseFailed:
            raise
        except Exception:
            log.exception("entry_stumbled")
        return await batch(1)

    async def _events(self, limit: int) -> int:
        now = self._clock.now()
        found: list[Asking] = []
        try:
            async with self._database.begin() as tx:
                found += await tx.occurrences.take(now, limit=limit)
                await tx.occurrences.asked([one.id for one in found])
                await self._ask_by_events(tx, found, now)
        except DatabaseFailed:
            raise
        except Exception as error:
            if limit > 1 or not found:
                raise
            async with self._database.begin() as tx:
                await tx.occurrences.put_off(found[0], self._again(found[0].attempt, error))
        return len(found)

    async def _waiting(self, limit: int) -> int:
        now = self._clock.now()
        found: list[Waiting] = []
        try:
            async with self._database.begin() as tx:
                found += await tx.admissions.take(now, limit=limit)
                await self._work_on(tx, found, now)
        except DatabaseFailed:
            raise
        except Exception as error:
            if limit > 1 or not found:
                raise
            async with self._database.begin() as tx:
                await tx.admissions.put_off(found[0], self._again(found[0].attempt, error))
        return len(found)

    def _again(self, attempt: int, error: Exception) -> datetime | None:
        """Return when to try again what stumbled; after some tries it waits for a person."""
        log.error("entry_put_off", attempt=attempt, exc_info=error)
        tried = attempt + 1
        return self._clock.now() + backoff(tried) if tried < POISON_ATTEMPTS else None

    async def _ask_by_events(self, tx: Tx, found: Sequence[Asking], now: datetime) -> None:
        if not found:
            return
        groups = await tx.subjects.groups_among({one.subject for one in found})
        for script in offered(self._content.snapshot).values():
            kind = kind_of(script)
            mine = [one for one in found if (one.subject in groups) == (kind == "group")]
            wishes: dict[tuple[str, str], Wish] = {}
            if script.entry.by == _BY_EVENT:
                for one in await self._counting(tx, script, mine):
                    wish = wish_of(script, one.subject, one.key, one.at)
                    wishes.setdefault((wish.subject, wish.key), wish)
            elif script.entry.by == GOES_ON:
                for one in mine:
                    if self._changes(script, one.kind):
                        wishes.setdefault((one.subject, ""), Wish(one.subject))
            await self._errands.ask(tx, script.id, list(wishes.values()), now)

    async def _counting(self, tx: Tx, script: SopScript, found: Sequence[Asking]) -> list[Asking]:
        """Return the events by which a script is entered: not those of before it was there."""
        mine = [one for one in found if one.kind == script.entry.event]
        if not mine:
            return []
        since = await tx.admissions.published_at(script.id)
        zone = self._content.bank.zone
        return [
            one
            for one in mine
            if since is None
            or one.at >= since
            or script.entry.backfills(one.at.astimezone(zone).date())
        ]

    def _changes(self, script: SopScript, kind: str) -> bool:
        """Tell whether an event may change what 适用 says of somebody."""
        needs = self._entrance.rule(script).needs
        seen = needs.last_seen and kind in OWN_ACTS
        return kind in _CHANGES or kind in needs.names or seen

    async def _work_on(self, tx: Tx, found: Sequence[Waiting], now: datetime) -> None:
        """Work on what is due: changes and retries together, of errands one at a time."""
        errands = [row for row in found if row.state == "errand"]
        others = [row for row in found if row.state != "errand"]
        await tx.admissions.finish([row.id for row in others])
        kinds: tuple[SubjectKind, ...] = ("customer", "group")
        for kind in kinds:
            await self._changed(
                tx, kind, {r.subject for r in others if (r.state, r.key) == ("asked", kind)}, now
            )
        await self._by_hand(tx, [row for row in others if row.key == BY_HAND], now)
        retries: dict[str, list[Wish]] = {}
        for row in others:
            if row.state == "retry":
                wish = Wish.kept(row.subject, row.key, row.verdicts, row.at)
                retries.setdefault(row.script, []).append(wish)
        for script, wishes in retries.items():
            await self._errands.ask(tx, script, wishes, now)
        for row in errands[:1]:  # each is a transaction's work; the others stay due
            await self._errands.run(tx, row, now)

    async def _by_hand(self, tx: Tx, rows: Sequence[Waiting], now: datetime) -> None:
        """Ask for those whom a person wants in a script, and keep what that person is told."""
        for script in sorted({row.script for row in rows}):
            subjects = sorted(row.subject for row in rows if row.script == script)
            answers = dict.fromkeys(subjects, ("refused", "unpublished"))
            if self._errands.versions(script):
                wishes = [Wish(subject) for subject in subjects]
                asked = await self._errands.ask(tx, script, wishes, now)
                for one in asked.admissions:
                    state = "retry" if one.state == "missing" else one.state
                    answers[one.candidate.facts.id] = (state, one.reason)
            told = [(subject, *answer) for subject, answer in answers.items()]
            await tx.admissions.answer_by_hand(script, told, now)

    async def _changed(
        self, tx: Tx, kind: SubjectKind, subjects: Collection[str], now: datetime
    ) -> None:
        if not subjects:
            return
        wishes = [Wish(subject) for subject in sorted(subjects)]
        for script in offered(self._content.snapshot).values():
            if script.entry.by == GOES_ON and kind_of(script) == kind:
                await self._errands.ask(tx, script.id, wishes, now, manner="kept")
