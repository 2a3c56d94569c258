"""How every script stands: its file, its versions and approval, its runs, what holds it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bot.config.parts import SopSettings
from bot.domain.approval import Decision, approved_until, substance
from bot.domain.hold import Standstill
from bot.domain.pilot import Pilot
from bot.domain.script import SopScript
from bot.domain.script_parts import Status
from bot.domain.steps import Step
from bot.domain.withdrawal import Withdrawn
from bot.errors import Problem
from bot.storage.db import Database
from bot.workers.files import Snapshot, inspect, mere_expiry, version_of
from bot.workers.orders import stored_scripts
from bot.workspace import Workspace

_LIMIT = 1000


async def overview(
    database: Database, workspace: Workspace, settings: SopSettings, today: date
) -> list[dict[str, Any]]:
    """Return one entry a script, those too whose file is broken or gone; last the files' rest."""
    snapshot, problems = await asyncio.to_thread(inspect, workspace, today)
    async with database.read() as tx:
        stored = await stored_scripts(tx)
        currents = await tx.scripts.currents()
        pilots = await tx.publications.all()
        saved = dict(snapshot.scripts) if snapshot else {}
        decisions = await tx.approvals.of(sorted({*stored, *saved}))
        counts = await tx.scopes.counts()
        holds = await tx.holds.in_force()
        gone = await tx.withdrawals.in_force()
    entries = []
    for script_id in sorted({*stored, *saved}):
        file = saved.get(script_id)
        script = file or stored[script_id]
        place = snapshot.places.get(script_id, "") if snapshot else ""
        current = currents.get(script_id)
        entry = _entry(script, file, current, counts.get(script_id, {}))
        entry |= _approval(script, settings, decisions, today)
        entry["pilot"] = _pilot(pilots.get(script_id))
        entry["holds"] = [_hold(one) for one in holds if _is_about(one, script_id)]
        entry["withdrawn"] = _withdrawn(stored.get(script_id, script), gone)
        entry["problems"] = [_problem(one) for one in problems if place and one.file == place]
        entries.append(entry)
    rest = _rest(snapshot, problems, holds)
    return [*entries, *([rest] if rest["problems"] or rest["holds"] else [])]


def _entry(
    script: SopScript, file: SopScript | None, current: str | None, counts: Mapping[str, int]
) -> dict[str, Any]:
    saved = version_of(file) if file is not None else None
    return {
        "script": script.id,
        "name": script.name,
        "status": str(script.status) if file is not None else "文件不能用",
        "version": (current or "")[:8],
        "saved": (saved or "")[:8],
        "running": counts.get("running", 0),
        "held_out": counts.get("held_out", 0),
        "done": counts.get("done", 0),
        "exited": counts.get("exited", 0),
    }


def _approval(
    script: SopScript,
    settings: SopSettings,
    decisions: Mapping[tuple[str, str], Decision],
    today: date,
) -> dict[str, Any]:
    decision = decisions.get((script.id, substance(script)))
    until = approved_until(settings.approval, script.approval, decision)
    if decision is not None and decision.state == "rejected":
        state = "rejected"
    elif script.status is not Status.PUBLISHED and until is None:
        state = "none"
    elif until is None:
        state = "asked"
    else:
        state = "approved" if until >= today else "expired"
    return {"approval": state, "approved_until": until.isoformat() if until else None}


def _pilot(pilot: Pilot | None) -> dict[str, Any] | None:
    if pilot is None:
        return None
    return {
        "version": pilot.version[:8],
        "percent": pilot.percent,
        "groups": list(pilot.groups),
        "since": pilot.since.isoformat(),
        "by": pilot.by,
    }


def _is_about(hold: Standstill, script_id: str) -> bool:
    return hold.scope in ("script", "step") and hold.target.partition("/")[0] == script_id


def _withdrawn(script: SopScript, gone: Withdrawn) -> list[str]:
    """Return the steps with a text that may be said no more, as the script in force has it."""
    return [
        part.id
        for part in script.parts
        if any(
            gone.covers(script.id, part, arm)
            for arm in ("", *(part.bodies or () if isinstance(part, Step) else ()))
        )
    ]


def _hold(hold: Standstill) -> dict[str, Any]:
    return hold.model_dump(mode="json", exclude={"id"})


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "key": problem.key,
        "what": problem.what,
        "mend": problem.mend,
        "stops_only_itself": mere_expiry(problem),
    }


def _rest(
    snapshot: Snapshot | None, problems: Sequence[Problem], holds: Sequence[Standstill]
) -> dict[str, Any]:
    """Return what belongs to no script: files that cannot be read, holds over many scripts."""
    known = set(snapshot.places.values()) if snapshot else set()
    return {
        "script": "",
        "problems": [_problem(one) for one in problems if one.file not in known],
        "holds": [_hold(one) for one in holds if one.scope not in ("script", "step")],
    }
