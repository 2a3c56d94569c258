"""How a script comes into force by people's hands: approved, tried out, for a part, for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from bot.config.parts import SopSettings
from bot.domain.approval import Decision, may_not_approve, substance
from bot.domain.bank import Bank
from bot.domain.pilot import TAG, Pilot
from bot.domain.script import SopScript, to_json
from bot.domain.script_parts import Status
from bot.errors import ConfigError, Problem
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.workers.files import Snapshot, Waiting, version_of
from bot.workers.in_force import SWEEP_RUNS, WAKE, Press


@dataclass(frozen=True)
class Part:
    """For whom a version is: everybody, nobody any more, or groups and a share."""

    of: Literal["all", "none", "part"]
    groups: tuple[str, ...] = ()
    percent: int = 0


@dataclass(frozen=True)
class Released:
    """What came of a publication; ``waits`` is why it was not one."""

    version: str
    before: str | None
    pilot: Pilot | None = None
    waits: Waiting | None = None
    problems: tuple[Problem, ...] = ()


class Releases:
    """Decides and publishes by a file as it is saved now."""

    def __init__(
        self, database: Database, files: Snapshot, settings: SopSettings, clock: Clock, by: str
    ) -> None:
        self._database = database
        self._files = files
        self._settings = settings
        self._clock = clock
        self._by = by

    async def approve(
        self, script: SopScript, expires_on: date | None, content_id: str
    ) -> Decision:
        """Allow the saved content until a day; raise ``ConfigError`` where that may not be."""
        claim, now = script.approval, self._clock.now()
        if script.status is Status.DRAFT:
            raise ConfigError(f"{script.id} 还是草稿：请作者先把 状态 改成 待审 或 已发布。")
        until = expires_on or (claim.expires_on if claim else None)
        if until is None:
            raise ConfigError("文件里没有「审批」一节，请用 --expires 写明有效到哪天。")
        if until < now.astimezone(self._files.bank.zone).date():
            raise ConfigError(f"有效期 {until} 已经过去，请写一个以后的日子。")
        if claim is not None and claim.approver != self._by:
            raise ConfigError(
                f"文件里的审批人是「{claim.approver}」，--by 写的是「{self._by}」：两处要一样。"
            )
        if claim is not None and claim.expires_on != until:
            raise ConfigError(
                f"文件里的有效期至是 {claim.expires_on}，--expires 写的是 {until}：两处要一样。"
            )
        content_id = content_id or (claim.content_id if claim else "")
        if claim is not None and claim.content_id != content_id:
            raise ConfigError(f"文件里的内容编号是「{claim.content_id}」，要和 --number 一样。")
        return await self._decide(script, "approved", until, content_id, "")

    async def reject(self, script: SopScript, why: str) -> Decision:
        """Refuse the saved content: nothing of it is sent, whatever its file claims."""
        return await self._decide(script, "rejected", None, "", why)

    async def _decide(
        self,
        script: SopScript,
        state: Literal["approved", "rejected"],
        until: date | None,
        content_id: str,
        why: str,
    ) -> Decision:
        its, now, by = substance(script), self._clock.now(), self._by
        async with self._database.begin() as tx:
            text = to_json(script)
            await tx.approvals.ask(script.id, its, author=script.owner, text=text, now=now)
            asked = await tx.approvals.get(script.id, its)
            author = asked.author if asked else ""
            if state == "approved" and (no := may_not_approve((script.owner, author), by)):
                raise ConfigError(f"{no}，请换一位审批。")
            await tx.approvals.decide(
                script.id,
                its,
                state,
                approver=by,
                now=now,
                content_id=content_id,
                expires_on=until,
                why=why,
            )
            facts = {"substance": its, "by": by, "until": str(until or ""), "why": why}
            await tx.ledger.add(f"script_{state}", script.id, now, **facts)
            await tx.moving.begin(f"{WAKE}script:{script.id}")  # what waited for this
            decided = await tx.approvals.get(script.id, its)
        if decided is None:
            raise LookupError(script.id)
        return decided

    async def publish(self, script: SopScript, part: Part) -> Released:
        """Put the saved content in force for all or a part; not where it may not be sent."""
        if part.of == "none":
            return await self._end_pilot(script)
        if script.status is not Status.PUBLISHED:
            raise ConfigError(f"{script.id} 的状态是 {script.status}：先改成 已发布 再发布。")
        now, version = self._clock.now(), version_of(script)
        async with self._database.begin() as tx:
            press = Press(tx, self._files, self._settings, now)
            await press.read()
            before = await tx.scripts.current(script.id)
            pilot = (await tx.publications.all()).get(script.id)
            waits = await press.waits(script, version, pilot)
            await tx.approvals.signed(script.id, substance(script), self._by)
            if waits in ("approval", "rejected", "experiment"):
                return Released(version, before, pilot, waits, tuple(press.problems))
            if part.of == "all":
                await press.for_all(script)
                return Released(version, before)
            pilot = await self._pilot(tx, script, part, pilot, version, now)
            await press.keep(script, pilot)
        return Released(version, before, pilot)

    async def _pilot(
        self,
        tx: Tx,
        script: SopScript,
        part: Part,
        pilot: Pilot | None,
        version: str,
        now: datetime,
    ) -> Pilot:
        """Begin a pilot, or widen the one there is: who runs the new version keeps it."""
        wanted = await self._groups(tx, part.groups)
        if pilot is None or pilot.of_nobody:
            return Pilot(
                script=script.id,
                version=version,
                groups=wanted,
                percent=part.percent,
                since=now,
                by=self._by,
            )
        if part.percent and part.percent < pilot.percent:
            raise ConfigError(
                f"试点已经到 {pilot.percent}%，只能放宽。要收回，用 --stop；给所有人，用 --all。"
            )
        return pilot.model_copy(
            update={
                "version": version,
                "groups": tuple(dict.fromkeys((*pilot.groups, *wanted))),
                "percent": max(pilot.percent, part.percent),
                "by": self._by,
            }
        )

    async def _groups(self, tx: Tx, words: Sequence[str]) -> tuple[str, ...]:
        """Return groups' ids and tags by what people call them; raise ``ConfigError`` in doubt."""
        found = []
        for word in words:
            if self._files.bank.knows_tag(word.removeprefix(TAG), "客户群"):
                found.append(TAG + word.removeprefix(TAG))
                continue
            groups = await tx.scopes.groups_called(word)
            if not groups:
                raise ConfigError(f"没有叫「{word}」的群，也没有登记过这个群标签。")
            if len(groups) > 1:
                ids = "、".join(id for id, _ in groups[:8])
                raise ConfigError(f"叫「{word}」的群有 {len(groups)} 个，请写群 id：{ids}。")
            found.append(groups[0][0])
        return tuple(found)

    async def _end_pilot(self, script: SopScript) -> Released:
        """Take the new version back from its part; nobody gets it until it is published anew."""
        now, version = self._clock.now(), version_of(script)
        async with self._database.begin() as tx:
            pilot = (await tx.publications.all()).get(script.id)
            if pilot is None or pilot.of_nobody:
                raise ConfigError(f"{script.id} 没有在试点。")
            # The row stays: else the file, which still says so, would be for everybody at once.
            over = pilot.model_copy(update={"groups": (), "percent": 0, "by": self._by})
            await tx.publications.put(over)
            await tx.moving.begin(SWEEP_RUNS + script.id)
            await tx.ledger.add("pilot_ended", script.id, now, by=self._by)
            return Released(version, await tx.scripts.current(script.id), over)


def member_of(bank: Bank, userid: str) -> str:
    """Return a member of staff; raise ``ConfigError`` for anybody else."""
    if bank.member(userid) is None:
        raise ConfigError(f"员工里没有「{userid}」：试发只发给本行同事，写他们的 userid。")
    return userid
