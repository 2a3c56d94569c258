"""People's orders about scripts: pause, drain, go on, terminate, take a text out of use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.bank import Bank
from bot.domain.hold import TERMINATED, Verb
from bot.domain.messages import SWITCH_OF
from bot.domain.script import SopScript, from_json
from bot.domain.targets import Known, Target, find, split
from bot.domain.withdrawal import texts_of
from bot.errors import ConfigError
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.storage.scopes import Extent, Found
from bot.storage.withdrawals import Placed
from bot.workers.content import StoredVersions
from bot.workers.in_force import SWEEP_GROUPS, WAKE
from bot.workers.sweeps import CLOSE, WITHDRAW, Closings, Recalls, Wakes, carry_out, says

PAUSED = "paused"  # the gate's word for a message that waits
_NOTED: dict[Verb, str] = {
    "pause": "sop_paused",
    "drain": "sop_drained",
    "skip": "sop_step_closed",
}
_AT_ONCE = 200  # runs ended in one transaction: each may have steps and tasks
_SOON = timedelta(days=1)
_MOST_NAMED = 8
_STEPS = [kind for kind, plane in SWITCH_OF.items() if plane == "sop"]
_ENTERS = ("script", "branch", "manager", "group")
_WRITE = (
    "写剧本编号、剧本/步骤、网点编号、客户经理的 userid、群名或群 id、客户 id，"
    "例如 senior-21d、网点:b01、群:安心群3"
)


@dataclass(frozen=True)
class Delivered:
    """One who had a text that was withdrawn."""

    subject: str
    name: str
    at: datetime
    state: str


@dataclass(frozen=True)
class Recalled:
    """What became of a text: taken back unsent, or delivered already; other texts of the step."""

    step: str
    hashes: tuple[str, ...]
    taken_back: int
    delivered: tuple[Delivered, ...]
    others: dict[str, str]


class Orders:
    """Carries out what somebody orders; everything is in the ledger, with who and why."""

    def __init__(self, database: Database, bank: Bank, clock: Clock, by: str, why: str) -> None:
        self._database = database
        self._bank = bank
        self._clock = clock
        self._by = by
        self._why = why

    async def meant(self, words: Sequence[str]) -> list[Target]:
        """Return what each of the words means; raise ``ConfigError`` with the choices in doubt."""
        async with self._database.read() as tx:
            scripts = await stored_scripts(tx)
            return [await self._one(tx, each, scripts) for each in words]

    async def _one(self, tx: Tx, words: str, scripts: dict[str, SopScript]) -> Target:
        plain = split(words)[1]
        known = Known(
            scripts=scripts,
            bank=self._bank,
            groups=await tx.scopes.groups_called(plain),
            customers=(plain,) if await tx.scopes.knows_customer(plain) else (),
        )
        found = find(words, known)
        if not found:
            raise ConfigError(f"没有找到「{words}」。请{_WRITE}。")
        if len(found) > 1:
            choices = "、".join(f"{one.written}({one.name})" for one in found[:_MOST_NAMED])
            raise ConfigError(f"「{words}」可能是 {len(found)} 样东西，请写明是哪一个：{choices}。")
        return found[0]

    async def extent(self, target: Target) -> Extent:
        """Count what an order is about; steps are those of the next 24 hours."""
        async with self._database.read() as tx:
            until = self._clock.now() + _SOON
            return await tx.scopes.extent(target.scope, target.target, until)

    async def hold(self, target: Target, verb: Verb) -> bool:
        """Let something stand still, in every process from the next look on; False if it does."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            return await self._hold(tx, target, verb, now)

    async def _hold(self, tx: Tx, target: Target, verb: Verb, now: datetime) -> bool:
        new = await tx.holds.begin(verb, target.scope, target.target, self._by, self._why, now)
        if new:
            await self._note(tx, _NOTED[verb], target, now)
        return new

    async def resume(self, target: Target) -> list[Verb]:
        """Let it go on, and have looked at what waited; return what is no longer in force."""
        now = self._clock.now()
        scope, script = target.scope, target.target
        if scope == "step":
            scope, script = "script", target.target.partition("/")[0]
        sweep = f"{WAKE}{scope}:{script}"
        async with self._database.begin() as tx:
            ended = await tx.holds.end(target.scope, target.target, self._by, now)
            if ended:
                await self._note(tx, "sop_resumed", target, now)
                await tx.moving.begin(sweep)
                if target.scope in _ENTERS:
                    await tx.moving.begin(SWEEP_GROUPS)  # some may have come meanwhile
                await self._open_gates(tx, target, now)
        if ended:
            await carry_out(self._database, self._clock, sweep, Wakes(sweep))
            await self._wake_messages()
        return ended

    async def _open_gates(self, tx: Tx, target: Target, now: datetime) -> None:
        """Let those in at once who waited meanwhile to enter; a paused step keeps nobody out."""
        if target.scope == "step":
            return
        for script, name in await tx.admissions.all_errands():
            meant = target.scope != "script" or script == target.target
            if meant and name == "gate":
                await tx.admissions.hurry(script, "gate", now, now)

    async def _wake_messages(self) -> None:
        """Let what waits in the outbox be judged again, in pieces: callbacks never wait long."""
        woken = 1
        while woken:
            async with self._database.begin() as tx:
                woken = await tx.outbox.wake(PAUSED, _STEPS, self._clock.now())

    async def terminate(self, target: Target, progress: Callable[[int], None]) -> int:
        """End every run of a target now, and let nobody in until it is resumed.

        A step is taken back from every run, and passed over from now on: its runs go on behind it.
        Returns how many runs ended, or from how many the step was taken.
        """
        if target.scope == "step":
            return await self._close(target, progress)
        now, after, ended = self._clock.now(), 0, 0
        async with self._database.begin() as tx:
            await self._hold(tx, target, "drain", now)
            await self._note(tx, "sop_terminated", target, now)
            # All at once, since WeCom takes a task back as a whole or not at all.
            tasks = await tx.scopes.tasks_in(target.scope, target.target)
            if tasks:
                await tx.runs.take_back(tasks, now)
        while True:
            async with self._database.begin() as tx:
                runs = await tx.scopes.runs_in(
                    target.scope, target.target, after=after, limit=_AT_ONCE
                )
                if not runs:
                    return ended
                await self._end(tx, runs, self._clock.now())
            after, ended = runs[-1].id, ended + len(runs)
            progress(ended)

    async def _close(self, target: Target, progress: Callable[[int], None]) -> int:
        now, close = self._clock.now(), f"{CLOSE}{target.target}"
        wake = f"{WAKE}script:{target.target.partition('/')[0]}"
        async with self._database.begin() as tx:
            await self._hold(tx, target, "skip", now)
            await self._note(tx, "sop_terminated", target, now)
            await tx.moving.begin(close)
            await tx.moving.begin(wake)  # some wait at the step, and go on
        taken = await carry_out(self._database, self._clock, close, Closings(close))
        progress(taken)
        await carry_out(self._database, self._clock, wake, Wakes(wake))
        return taken

    async def _end(self, tx: Tx, runs: Sequence[Found], now: datetime) -> None:
        await tx.runs.end_all([run.id for run in runs], "exited", TERMINATED, now)
        entries = [
            (
                "exited",
                run.subject,
                {"reason": TERMINATED, "run": run.id, "script": run.script, "version": run.version},
            )
            for run in runs
        ]
        await tx.planning.note(entries, now)

    async def withdraw(self, script: SopScript, step: str, hashes: Sequence[str]) -> Recalled:
        """Take texts of a step out of use everywhere, in whatever version they stand."""
        now, versions = self._clock.now(), StoredVersions()
        sweeps, every = [], {}
        async with self._database.begin() as tx:
            every = await texts_known(tx, script, step)
            for its in hashes:
                number, new = await tx.withdrawals.add(
                    script.id, step, its, self._by, self._why, now
                )
                sweeps.append(f"{WITHDRAW}{number}")
                await tx.moving.begin(sweeps[-1])
                if new:
                    facts = {"step": step, "text": its, "by": self._by, "why": self._why}
                    await tx.ledger.add("text_withdrawn", script.id, now, **facts)
        back = 0
        for sweep in sweeps:
            recalls = Recalls(sweep, versions)
            back += await carry_out(self._database, self._clock, sweep, recalls)
        delivered = await self._delivered(script.id, step, hashes, versions)
        others = {its: text for its, text in every.items() if its not in hashes}
        return Recalled(step, tuple(hashes), back, tuple(delivered), others)

    async def _delivered(
        self, script: str, step: str, hashes: Sequence[str], versions: StoredVersions
    ) -> list[Delivered]:
        found: list[Placed] = []
        after = 0
        async with self._database.read() as tx:
            while rows := await tx.withdrawals.placed(script, step, ("confirmed",), after=after):
                after = rows[-1].id
                for row in rows:
                    if any([await says(tx, versions, script, row, its) for its in hashes]):
                        found.append(row)
            names = await tx.withdrawals.names_of([row.subject for row in found])
        return [
            Delivered(row.subject, names.get(row.subject, ""), row.changed_at, row.state)
            for row in found
        ]

    async def _note(self, tx: Tx, kind: str, target: Target, now: datetime) -> None:
        facts = {"scope": target.scope, "target": target.target, "by": self._by, "why": self._why}
        await tx.ledger.add(kind, target.target[:64], now, **facts)


async def stored_scripts(tx: Tx) -> dict[str, SopScript]:
    """Return every script's current version, or a pilot's where there is no other."""
    versions = {script: each.version for script, each in (await tx.publications.all()).items()}
    versions |= await tx.scripts.currents()
    found = {}
    for script, version in versions.items():
        text = await tx.scripts.text(script, version)
        if text is not None:
            found[script] = from_json(text)
    return found


async def texts_known(tx: Tx, script: SopScript, step: str) -> dict[str, str]:
    """Return a step's texts by their hash: as in force, and in versions that runs are bound to."""
    texts: dict[str, str] = {}
    pilot = (await tx.publications.all()).get(script.id)
    versions = {*await tx.scopes.versions_of(script.id), *([pilot.version] if pilot else [])}
    for version in sorted(versions):
        text = await tx.scripts.text(script.id, version)
        part = from_json(text).part(step) if text is not None else None
        texts |= texts_of(part) if part is not None else {}
    part = script.part(step)
    return texts | (texts_of(part) if part is not None else {})
