"""Which version of each script is in force, for everybody or for a part; the rest waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.config.parts import SopSettings
from bot.domain.approval import Decision, approved_until, substance
from bot.domain.delivery import Terms
from bot.domain.pilot import Pilot
from bot.domain.script import SopScript, from_json, to_json
from bot.domain.script_parts import OnEdit, Status
from bot.domain.staff_messages import StaffText
from bot.errors import Problem
from bot.sop.diff import blocks
from bot.storage.db import Tx
from bot.workers.files import Piloted, Snapshot, Waiting, version_of
from bot.workers.people_in_charge import consumer_protection

SWEEP_GROUPS = "groups"
SWEEP_RUNS = "runs:"
WAKE = "wake:"


class Press:
    """Puts what the files say in force, as far as people have allowed it, in one transaction."""

    def __init__(self, tx: Tx, files: Snapshot, settings: SopSettings, now: datetime) -> None:
        self._tx = tx
        self._files = files
        self._settings = settings
        self._now = now
        self._current: dict[str, str] = {}
        self._pilots: dict[str, Pilot] = {}
        self._decisions: dict[tuple[str, str], Decision] = {}
        self._in_force: dict[str, SopScript] = {}
        self._piloted: dict[str, Piloted] = {}
        self._waiting: dict[str, Waiting] = {}
        self.fresh: list[str] = []
        self.problems: list[Problem] = []

    async def press(self) -> Snapshot:
        """Decide about each script; return what is in force then."""
        await self.read()
        for script in self._files.scripts.values():
            await self._place(script)
        return replace(
            self._files,
            scripts=self._in_force,
            pilots=self._piloted,
            waiting=self._waiting,
            silent=frozenset(filter(self._is_silent, self._in_force)),
            withdrawn=await self._tx.withdrawals.in_force(),
        )

    async def read(self) -> None:
        """Read what is in force until now, and what people decided."""
        self._current = await self._tx.scripts.currents()
        self._pilots = await self._tx.publications.all()
        self._decisions = await self._tx.approvals.of(list(self._files.scripts))

    async def _place(self, script: SopScript) -> None:
        version, pilot = version_of(script), self._pilots.get(script.id)
        waits = await self.waits(script, version, pilot)
        if waits:
            self._waiting[script.id] = waits
        if script.status is not Status.PUBLISHED:  # to stop needs nobody's leave
            await self.for_all(script)
        elif pilot is not None and not (
            pilot.of_nobody and version == self._current.get(script.id)
        ):
            await self._for_a_part(script, pilot, waits)
        elif waits:
            await self._as_it_was(script)
        else:
            await self.for_all(script)

    async def waits(self, script: SopScript, version: str, pilot: Pilot | None) -> Waiting | None:
        """Say for what a content still has to wait."""
        if script.status is not Status.PUBLISHED:
            return None
        its = substance(script)
        decision = self._decisions.get((script.id, its))
        if decision is not None and decision.state == "rejected":
            return "rejected"
        if approved_until(self._settings.approval, script.approval, decision) is None:
            await self._ask(script, its)
            return "approval"
        known = {self._current.get(script.id), pilot.version if pilot else None}
        if await self._breaks_an_experiment(script, version):
            return "experiment"
        if self._settings.publish == "command" and version not in known:
            return "command"
        return None

    async def _breaks_an_experiment(self, script: SopScript, version: str) -> bool:
        """Tell whether a content would change an experiment that runs (sop_semantics 2.13 V3)."""
        current = self._current.get(script.id)
        if current in (None, version):
            return False
        before = await self._read(script.id, str(current))
        if before is None:
            return False
        found = blocks(before, script, await self._tx.runs.any_running(script.id))
        file = self._files.places.get(script.id)
        self.problems += [replace(each, file=file or each.file) for each in found]
        return bool(found)

    async def _ask(self, script: SopScript, its: str) -> None:
        """Ask once for a content's approval: a row, and words to those who decide."""
        tx, now, claim = self._tx, self._now, script.approval
        fresh = await tx.approvals.ask(
            script.id,
            its,
            author=script.owner,
            text=to_json(script),
            content_id=claim.content_id if claim else "",
            now=now,
        )
        heads = consumer_protection(self._files.bank)
        if not fresh:
            return
        await tx.ledger.add("approval_asked", script.id, now, substance=its)
        if heads:
            text = (
                f"剧本「{script.name}」({script.id})改了，等您审批：{script.owner} 提交，"
                f"内容指纹 {its}。\n看文字：zhilin sop show {script.id}\n"
                f"批准：zhilin sop approve {script.id} --by 您的名字\n"
                "没批之前，这一版一个字也不会发。"
            )
            message, terms = StaffText(to=heads, text=text), Terms(purpose="staff")
            await tx.outbox.put(f"approve:{script.id}:{its}", message, terms, now)

    async def for_all(self, script: SopScript) -> None:
        """Make a content the version for everybody; a pilot of it is over then."""
        tx, version = self._tx, version_of(script)
        self._in_force[script.id] = script
        over = await tx.publications.end(script.id) if script.id in self._pilots else False
        stood_still = await self._stands_still(script.id, version)
        new = await tx.scripts.publish(script.id, version, to_json(script), self._now)
        if not new and not over:
            return
        if stood_still:
            await tx.moving.begin(f"{WAKE}script:{script.id}")
        self.fresh.append(script.id)
        await tx.ledger.add("script_published", script.id, self._now, version=version)
        await self._sweep(script)

    async def _stands_still(self, script: str, version: str) -> bool:
        """Tell whether runs wait because what was in force until now may not be sent."""
        current = self._current.get(script)
        if current in (None, version):
            return False
        before = await self._read(script, str(current))
        if before is None:
            return False
        decision = self._decisions.get((script, substance(before)))
        until = approved_until(self._settings.approval, before.approval, decision)
        return until is None or until < self._now.astimezone(self._files.bank.zone).date()

    async def _for_a_part(self, script: SopScript, pilot: Pilot, waits: Waiting | None) -> None:
        """Let the part run what the file says; the rest goes on as it was."""
        version = version_of(script)
        if waits is None and version != pilot.version:
            await self.keep(script, pilot.model_copy(update={"version": version}))
        elif waits is not None:
            piloted = await self._read(script.id, pilot.version)
            if piloted is not None:
                self._piloted[script.id] = Piloted(pilot, piloted)
        else:
            self._piloted[script.id] = Piloted(pilot, script)
        await self._as_it_was(script)

    async def keep(self, script: SopScript, pilot: Pilot) -> None:
        """Begin a pilot of a content, widen one, or give it a new content."""
        tx, version = self._tx, version_of(script)
        await tx.scripts.keep(script.id, version, to_json(script), self._now)
        await tx.publications.put(pilot)
        part: dict[str, Any] = {"groups": list(pilot.groups), "percent": pilot.percent}
        await tx.ledger.add("script_piloted", script.id, self._now, version=version, **part)
        self._piloted[script.id] = Piloted(pilot, script)
        self.fresh.append(script.id)
        await self._sweep(script)

    async def _sweep(self, script: SopScript) -> None:
        """Have carried out what a publication means for groups and runs that are there."""
        if script.status is not Status.PUBLISHED:
            return
        await self._tx.moving.begin(SWEEP_GROUPS)  # it may be for groups that are known already
        if script.on_edit is OnEdit.UNDUE_STEPS:
            await self._tx.moving.begin(SWEEP_RUNS + script.id)

    async def _as_it_was(self, script: SopScript) -> None:
        current = self._current.get(script.id)
        before = await self._read(script.id, current) if current else None
        if before is not None:
            self._in_force[script.id] = before

    async def _read(self, script: str, version: str) -> SopScript | None:
        own = self._files.scripts[script]
        if version == version_of(own):
            return own
        text = await self._tx.scripts.text(script, version)
        return None if text is None else from_json(text)

    def _is_silent(self, script_id: str) -> bool:
        """Tell whether a script in force lacks an approval: nothing of it is said."""
        script = self._in_force[script_id]
        decision = self._decisions.get((script_id, substance(script)))
        mode = self._settings.approval
        return approved_until(mode, script.approval, decision) is None


async def stamp(tx: Tx) -> tuple[object, ...]:
    """Return what changes whenever people decide something about scripts, in any process."""
    pilots = await tx.publications.all()
    return (
        tuple(sorted((await tx.scripts.currents()).items())),
        tuple(pilots.values()),
        await tx.approvals.mark(),
        await tx.withdrawals.mark(),
    )
