"""A bank in a database, its clock by hand, and a WeCom in memory that people use by a hash."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from bot.bench.ground import content_of
from bot.clock import FakeClock
from bot.domain.audience import bucket
from bot.domain.contents import Text
from bot.domain.mass_messages import Broadcast, CustomerBroadcast, Moment, MomentCancel
from bot.domain.messages import BroadcastCancel, KfTouch, Outbound, Receipt, StaffCard
from bot.domain.polling import Answer, Status
from bot.domain.runs import Run, RunStep
from bot.domain.script import SopScript, to_json
from bot.domain.subject import Occurrence
from bot.sop.enrol import plan_steps, start_day
from bot.storage import tables
from bot.storage.bulk import insert_rows
from bot.storage.db import Database, Tx
from bot.workers.content import Snapshot, version_of
from bot.workers.entering import Entrance
from bot.workers.loop import one_by_one
from bot.workers.moments import MomentWorker
from bot.workers.outbox import OutboxWorker
from bot.workers.replanning import reserve
from bot.workers.runs import RunWorker
from bot.workers.tasks import TaskWorker
from bot.workers.wishes import Asked, Wish
from bot.workspace import Workspace

_GROUP = ("id", "name", "owner", "branch", "tags", "members", "seen_at", "attempt")
_CUSTOMER = ("id", "name", "managers", "tags", "facts", "facts_as_of", "seen_at", "attempt")
_RUN = (
    *("script", "version", "subject", "subject_kind", "owner", "branch", "anchor"),
    *("state", "entered_at", "expires_at", "due_at", "attempt"),
)
_WORK = ("enrolments", "outbox", "send_tasks", "moments")


@dataclass
class Wire:
    """What left for WeCom, and whether its person presses: by a hash of the message."""

    clock: FakeClock
    name: str = "contact"
    confirm: float = 1.0
    seed: str = "wire"
    prompt: bool = False
    sent: list[tuple[datetime, Outbound]] = field(default_factory=list)
    tasks: dict[str, tuple[datetime, Outbound]] = field(default_factory=dict)
    cancelled: dict[str, datetime] = field(default_factory=dict)
    cards: list[tuple[datetime, StaffCard]] = field(default_factory=list)

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        now = self.clock.now()
        self.sent.append((now, message))
        ref = f"msg{len(self.sent)}"
        match message:
            case Broadcast() | CustomerBroadcast() | Moment():
                self.tasks[ref] = (now, message)
            case BroadcastCancel(task=task) | MomentCancel(moment=task):
                self.cancelled.setdefault(task, now)
            case StaffCard():
                self.cards.append((now, message))
            case _:
                pass
        return Receipt(ref=ref)

    def pressed_at(self, msgid: str) -> datetime | None:
        """Return when a task's person presses send; None for never."""
        made_at, message = self.tasks[msgid]
        if self.prompt:
            return made_at + timedelta(minutes=1)
        about = f"{made_at.date()} {words_of(message)}"  # the same however calls are grouped
        if bucket(f"{self.seed}:presses", about) >= self.confirm:
            return None
        delay = timedelta(minutes=int(1 + 40 * bucket(f"{self.seed}:delay", about)))
        at, cancelled = made_at + delay, self.cancelled.get(msgid)
        return None if cancelled is not None and cancelled <= at else at

    async def all(self, msgid: str, owner: str) -> Mapping[str, Answer]:
        """Return what became of each receiver of a task."""
        at = self.pressed_at(msgid)
        if at is None or at > self.clock.now():
            return {}
        return dict.fromkeys(_receivers(self.tasks[msgid][1]), Answer(Status.SENT, at))

    async def made(self, job: str) -> str:
        """Return the id of the moment that a job makes."""
        return job

    async def posted(self, moment: str, manager: str) -> bool:
        """Tell whether a manager has posted."""
        at = self.pressed_at(moment)
        return at is not None and at <= self.clock.now()

    def delivered(self) -> list[tuple[datetime, str, str]]:
        """Return what reached whom and when: moment, receiver, words."""
        found = []
        for msgid, (_, message) in self.tasks.items():
            at = self.pressed_at(msgid)
            if at is not None and at <= self.clock.now():
                found += [(at, who, words_of(message)) for who in _receivers(message)]
        for at, message in self.sent:
            if isinstance(message, KfTouch):
                found.append((at, message.customer, words_of(message)))
        return sorted(found)


def words_of(message: Outbound) -> str:
    contents = getattr(message, "contents", ())
    return next((one.text for one in contents if isinstance(one, Text)), "")


def _receivers(message: Outbound) -> tuple[str, ...]:
    if isinstance(message, Broadcast):
        return message.chats
    return message.customers if isinstance(message, CustomerBroadcast) else ()


class World:
    """The workers that move runs, on one database."""

    watched: tuple[str, ...] = _WORK

    def __init__(
        self, database: Database, workspace: Workspace, snapshot: Snapshot, clock: FakeClock
    ) -> None:
        self.database = database
        self.clock = clock
        self.content = content_of(workspace, replace(snapshot, scripts={}), clock.now())
        self.wire = Wire(clock)
        self.owner = next(m for m in self.content.bank.staff if m.branch and m.on_duty)
        self.begin()

    def begin(self) -> None:
        """Start the workers anew, as after a crash."""
        channels: Any = dict.fromkeys(("contact", "app", "kf"), self.wire)
        database, content, clock = self.database, self.content, self.clock
        self.runs = RunWorker(database, content, clock)
        self.outbox = OutboxWorker(database, channels, content, clock, manner=one_by_one)
        self.tasks = TaskWorker(database, self.wire, content, clock)
        self.moments = MomentWorker(database, self.wire, clock)

    async def publish(self, *scripts: SopScript) -> None:
        """Put versions in force."""
        async with self.database.begin() as tx:
            for script in scripts:
                await tx.scripts.publish(
                    script.id, version_of(script), to_json(script), self.clock.now()
                )
        known = {**self.content.snapshot.scripts, **{script.id: script for script in scripts}}
        self.content.snapshot = replace(self.content.snapshot, scripts=known)

    async def people(self, *ids: str, facts: Mapping[str, Any] | None = None) -> None:
        """Let customers be known, each a friend of the owner's."""
        now, owner = self.clock.now(), self.owner.userid
        data = json.dumps({"营销同意": True, **(facts or {})}, ensure_ascii=False)
        rows = [(id, f"客户{id}", json.dumps([owner]), "[]", data, now, now, 0) for id in ids]
        follows = [(id, owner, "", "[]", now, now) for id in ids]
        async with self.database.begin() as tx:
            await insert_rows(tx.connection, tables.customers, _CUSTOMER, rows)
            columns = ("customer", "manager", "state", "tags", "since", "seen_at")
            await insert_rows(tx.connection, tables.follows, columns, follows)

    async def groups(self, *ids: str) -> None:
        """Let groups be known, each the owner's."""
        now, who = self.clock.now(), (self.owner.userid, self.owner.branch)
        members = json.dumps([{"id": f"m{n}", "name": "街坊", "staff": False} for n in range(20)])
        rows = [(id, f"群{id}", *who, "[]", members, now, 0) for id in ids]
        async with self.database.begin() as tx:
            await insert_rows(tx.connection, tables.groups, _GROUP, rows)

    async def enrol(
        self, script: SopScript, *subjects: str, anchor: date | None = None
    ) -> dict[str, int]:
        """Begin runs now; return their numbers by subject."""
        now, bank = self.clock.now(), self.content.bank
        kind = "customer" if script.subject == "客户" else "group"
        day = anchor or start_day(bank, now)
        until = now + timedelta(days=script.max_days)
        head = (script.id, version_of(script))
        who = (kind, self.owner.userid, self.owner.branch, day)
        rows = [(*head, one, *who, "running", now, until, now, 0) for one in subjects]
        async with self.database.begin() as tx:
            await insert_rows(tx.connection, tables.enrolments, _RUN, rows)
            runs = [run for run in await tx.runs.of_script(script.id) if run.subject in subjects]
            if not script.flows:
                await self._plan(tx, script, runs, day, now)
        return {run.subject: run.id for run in runs}

    async def enter(self, script: SopScript, *subjects: str) -> Asked:
        """Ask whether subjects may enter now, as whatever brings them does."""
        entrance, now = Entrance(self.content), self.clock.now()
        async with self.database.begin() as tx:
            return await entrance.ask(tx, script, [Wish(one) for one in subjects], now)

    async def _plan(
        self, tx: Tx, script: SopScript, runs: Iterable[Run], day: date, now: datetime
    ) -> None:
        bank = self.content.bank
        steps = plan_steps(script, day, self.owner.branch or "", bank, self.content.tables)
        for run in runs:
            await tx.runs.add_steps(run.id, steps, now)
            await reserve(tx, [(run, script, steps)], self.content)

    async def happens(self, subject: str, kind: str, at: datetime, key: str = "") -> None:
        """Let something happen to a subject."""
        row = Occurrence(key or f"{kind}:{subject}:{at}", subject, kind, at)
        async with self.database.begin() as tx:
            await tx.occurrences.add([row], self.clock.now())

    async def work(self) -> None:
        """Do all that is due now."""
        while sum([await self._one_round()]):
            pass

    async def _one_round(self) -> int:
        done = await self.runs.step()
        done += await self.outbox.step()
        await self.outbox.drain()
        return done + await self.tasks.step() + await self.moments.step()

    async def until(self, moment: datetime) -> None:
        """Let the time pass up to a moment, stopping wherever work falls due."""
        await self.work()
        while True:
            async with self.database.read() as tx:
                due = await tx.next_due(self.watched)
            if due is None or due > moment:
                break
            self.clock.jump(max(due, self.clock.now()))
            await self.work()
        self.clock.jump(max(moment, self.clock.now()))

    async def run(self, subject: str) -> Run:
        """Return a subject's newest run."""
        async with self.database.read() as tx:
            return (await tx.runs.of_subject(subject, state=None))[-1]

    async def steps(self, subject: str) -> list[RunStep]:
        """Return the steps of a subject's newest run."""
        run = await self.run(subject)
        async with self.database.read() as tx:
            return await tx.runs.steps(run.id)

    async def outcome(self, subject: str) -> dict[str, str]:
        """Return what became of each step of a subject's run."""
        return {
            step.step if step.round == 1 else f"{step.step}~{step.round}": step.reason or step.state
            for step in await self.steps(subject)
        }

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database."""
        async with self.database.read() as tx:
            found = await tx.connection.exec_driver_sql(statement)
            return [tuple(row) for row in found.all()]

    async def noted(self, kind: str) -> list[dict[str, Any]]:
        """Return the facts of the ledger's entries of a kind, in their order."""
        found = await self.rows(f"SELECT facts FROM ledger WHERE kind = '{kind}' ORDER BY id")
        return [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in found]

    async def keys(self) -> Counter[str]:
        """Count the keys of messages to customers in the outbox."""
        return Counter(row[0] for row in await self.rows("SELECT key FROM outbox"))
