"""What happens is kept for those who wait for it, and stops at once what it is to stop (出口)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime

from bot.domain.happening import (
    EVERYWHERE,
    Concerned,
    Happened,
    Part,
    Stopped,
    is_late_enough,
    is_sold_by,
    reason_of,
    stops_person,
    stops_run,
    wider,
)
from bot.domain.script import SopScript, from_json
from bot.domain.subject import Occurrence
from bot.storage.db import Tx
from bot.storage.stops import Narrow

ScriptOf = Callable[[Tx, str, str], Awaitable[SopScript | None]]
_FLAGS: dict[Part, tuple[Narrow, str]] = {
    "营销类": ("marketing_stopped", "marketing_refused"),
    "产品类": ("product_stopped", "product_stopped"),
}


class Happenings:
    """Tells the runs what happened, inside the caller's transaction.

    ``script_of`` gives the very version that a run is bound to.
    """

    def __init__(self, script_of: ScriptOf) -> None:
        self._script_of = script_of

    async def tell(self, tx: Tx, happened: Sequence[Happened], now: datetime) -> None:
        """Keep events and carry out every 出口 that they meet, whatever their number."""
        if not happened:
            return
        await tx.occurrences.add([row for one in happened for row in _rows(one)], now)
        stopped = await self._stopped(tx, happened)
        await self._end(tx, [one for one in stopped if one.part == "全部"], now)
        for part in _FLAGS:
            await self._narrow(tx, part, [one for one in stopped if one.part == part], now)

    async def narrow_person(self, tx: Tx, happened: Happened, now: datetime) -> None:
        """Stop what sells in every one-to-one run of a customer; nothing else changes."""
        own = [run for run in await tx.stops.live([happened.subject]) if not run.of_group]
        stopped = [Stopped(run=run, part="营销类", happened=happened) for run in own]
        await self._narrow(tx, "营销类", stopped, now)

    async def end_runs(self, tx: Tx, happened: Happened, now: datetime, reason: str = "") -> None:
        """End every run of an event's subject, whatever their scripts say."""
        runs = await tx.stops.live([happened.subject])
        stopped = [Stopped(run=run, part="全部", happened=happened) for run in runs]
        await self._end(tx, stopped, now, reason)

    async def _stopped(self, tx: Tx, happened: Sequence[Happened]) -> list[Stopped]:
        """Judge every live run that the events may concern, each by its widest stop."""
        chats = await self._chats(tx, happened)
        subjects = {one.subject for one in happened}.union(*chats.values())
        runs: dict[str, list[Concerned]] = {}
        for run in await tx.stops.live(subjects):
            runs.setdefault(run.subject, []).append(run)
        widest: dict[int, Stopped] = {}
        if not runs:
            return []
        for one in happened:
            for run, part in await self._judge(tx, one, chats[one.key], runs):
                before = widest.get(run.id)
                both = wider(before.part if before else None, part)
                if both is not None and (before is None or both != before.part):
                    widest[run.id] = Stopped(run=run, part=both, happened=one)
        return [widest[run] for run in sorted(widest)]

    async def _judge(
        self,
        tx: Tx,
        one: Happened,
        chats: Collection[str],
        runs: Mapping[str, Sequence[Concerned]],
    ) -> list[tuple[Concerned, Part]]:
        judged: list[tuple[Concerned, Part]] = []
        person: Part | None = None
        in_groups = [run for chat in chats for run in runs.get(chat, ())]
        for run in in_groups:
            script = await self._script_of(tx, run.script, run.version)
            if script is None:
                continue
            part = stops_run(one, run, script)
            person = wider(person, stops_person(one, script))
            if part is not None:
                judged.append((run, part))
        for run in runs.get(one.subject, ()):
            if run in in_groups or not is_late_enough(one, run):
                continue
            script = await self._script_of(tx, run.script, run.version)
            part = wider(person, stops_run(one, run, script) if script else None)
            if part is not None:
                judged.append((run, part))
        return judged

    async def _chats(self, tx: Tx, happened: Sequence[Happened]) -> dict[str, set[str]]:
        """Return for each event, by its key, the groups that it concerns."""
        chats = {one.key: {one.chat} - {""} for one in happened}
        everywhere = [one for one in happened if one.kind in EVERYWHERE]
        if everywhere and await self._groups_care(tx):
            found = await tx.stops.groups_of({one.subject for one in everywhere})
            for one in everywhere:
                chats[one.key].update(found[one.subject])
        return chats

    async def _groups_care(self, tx: Tx) -> bool:
        """Tell whether a script that groups run says what such an event stops."""
        for version in await tx.stops.versions_in_groups():
            script = await self._script_of(tx, *version)
            if script is not None and any(
                row.event in EVERYWHERE or row.event == "成员拒收" for row in script.exits
            ):
                return True
        return False

    async def _end(
        self, tx: Tx, stopped: Sequence[Stopped], now: datetime, reason: str = ""
    ) -> None:
        why = {one.run.id: reason or reason_of(one.happened.kind) for one in stopped}
        for each in sorted(set(why.values())):
            runs = [run for run, reason in why.items() if reason == each]
            await tx.runs.end_all(runs, "exited", each, now)
        for one in stopped:
            await _note(tx, "exited", one, now, reason=why[one.run.id])

    async def _narrow(self, tx: Tx, part: Part, stopped: Sequence[Stopped], now: datetime) -> None:
        """Mark runs; what waits in managers' lists that may not go any more is taken back."""
        if not stopped:
            return
        flag, reason = _FLAGS[part]
        await tx.stops.narrow([one.run.id for one in stopped], flag, now)
        sold: dict[int, list[str]] = {}
        for one in stopped:
            script = await self._script_of(tx, one.run.script, one.run.version)
            steps = script.steps if script is not None else ()
            sold[one.run.id] = [step.id for step in steps if is_sold_by(step, part)]
        taken = await tx.stops.take_back_steps(sold, reason, now)
        for one in stopped:
            steps_taken = [step for run, step in taken if run == one.run.id]
            await _note(tx, flag, one, now, taken_back=steps_taken)


def _rows(one: Happened) -> Iterator[Occurrence]:
    """Return an event as it is kept: of the customer, and of the group in which it happened."""
    facts = one.facts | ({"manager": one.manager} if one.manager else {})
    within = {"chat": one.chat} if one.chat and one.chat != one.subject else {}
    yield Occurrence(one.key, one.subject, one.kind, one.at, {**facts, **within})
    if within:
        by = {**facts, "member": one.subject}
        yield Occurrence(f"{one.key}@group", one.chat, one.kind, one.at, by)


async def _note(tx: Tx, kind: str, one: Stopped, now: datetime, **facts: object) -> None:
    run, event = one.run, one.happened.kind
    about = {"script": run.script, "version": run.version, "run": run.id, "event": event}
    await tx.ledger.add(kind, run.subject, now, **about, **facts)


class StoredScripts:
    """The versions that runs are bound to, read from the database: for who has no files open."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], SopScript | None] = {}

    async def script(self, tx: Tx, script: str, version: str) -> SopScript | None:
        """Return a version of a script as it was published; None where there is none."""
        key = (script, version)
        if key not in self._known:
            text = await tx.scripts.text(script, version)
            self._known[key] = from_json(text) if text is not None else None
        return self._known[key]
