"""Runs of scripts, their steps, and the mass-send tasks that wait for owners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Row, Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.funnel import Funnel, funnel_of
from bot.domain.runs import NewStep, Run, RunState, RunStep, SendTask
from bot.domain.value import Value
from bot.storage.endings import end_runs, take_back
from bot.storage.insert import insert_new
from bot.storage.prepared import change
from bot.storage.tables import enrolments, run_steps, send_tasks

V = TypeVar("V", bound=Value)
_RUN = tuple(Run.model_fields)
_STEP = tuple(RunStep.model_fields)
# Of a run that is planned ahead nothing else is asked: its token is read by who moves it on.
_TOKEN = frozenset({"key", "node_at", "round", "arms", "shifted", "been"})
_TAKEN = tuple(name for name in _RUN if name not in _TOKEN)
_UNREAD = {name: Run.model_fields[name].get_default(call_default_factory=True) for name in _TOKEN}
_EVERY: dict[type[Value], set[str]] = {Run: set(_RUN), RunStep: set(_STEP)}  # nobody changes them
_set = object.__setattr__
TAKEN_COLUMNS = tuple(enrolments.c[name] for name in _TAKEN)
RUN_COLUMNS = tuple(enrolments.c[name] for name in _RUN)
STEP_COLUMNS = tuple(run_steps.c["enrolment" if name == "run" else name] for name in _STEP)


def run_of(row: Sequence[Any]) -> Run:
    """Return a row of ``RUN_COLUMNS`` as a run."""
    return Run.model_validate(dict(zip(_RUN, row, strict=True)))


def taken_of(row: Sequence[Any]) -> Run:
    """Return a row of ``TAKEN_COLUMNS`` as a run without its token's particulars."""
    return _as_stored(Run, _UNREAD | dict(zip(_TAKEN, row, strict=True)))


def with_token(run: Run, token: dict[str, Any]) -> Run:
    """Return a run as ``taken_of`` gives it with the values of its token's columns."""
    return _as_stored(Run, vars(run) | token)


def step_of(row: Sequence[Any]) -> RunStep:
    """Return a row of ``STEP_COLUMNS`` as a step."""
    return _as_stored(RunStep, dict(zip(_STEP, row, strict=True)))


def _as_stored(model: type[V], values: dict[str, Any]) -> V:
    """Make a value of columns whose types are its fields', as they were checked when written.

    A batch makes two of these for each step: to check them again took a fifth of its time.
    """
    value = model.__new__(model)
    _set(value, "__dict__", values)
    _set(value, "__pydantic_fields_set__", _EVERY[model])
    _set(value, "__pydantic_extra__", None)
    _set(value, "__pydantic_private__", None)
    return value


def _task(row: Row[Any]) -> SendTask:
    return SendTask.model_validate({name: getattr(row, name) for name in SendTask.model_fields})


class Runs:
    """Enrolments by subject; one live run per script and subject at most."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def enrol(
        self,
        *,
        script: str,
        version: str,
        subject: str,
        owner: str,
        branch: str,
        anchor: date,
        state: RunState,
        now: datetime,
        rotation: int = 1,
    ) -> int | None:
        """Begin a run; None where this subject is in this rotation already."""
        row = {
            "script": script,
            "version": version,
            "subject": subject,
            "owner": owner,
            "branch": branch,
            "rotation": rotation,
            "anchor": anchor,
            "state": state,
            "entered_at": now,
            "due_at": now if state == "running" else None,
            "attempt": 0,
        }
        if not await insert_new(self._connection, enrolments, [row]):
            return None
        statement = select(enrolments.c.id).where(
            enrolments.c.script == script,
            enrolments.c.subject == subject,
            enrolments.c.rotation == rotation,
        )
        return int((await self._connection.execute(statement)).scalar_one())

    async def add_steps(self, run: int, steps: Sequence[NewStep], now: datetime) -> None:
        """Write a run's plan; steps that stand there already are left alone."""
        rows = [
            {
                "enrolment": run,
                "step": step.step,
                "round": step.round,
                "kind": step.kind,
                "way": step.way,
                "variant": step.variant,
                "priority": step.priority,
                "planned_on": step.planned_on,
                "opens_at": step.opens_at,
                "closes_at": step.closes_at,
                "iteration": 0,
                "state": "skipped" if step.skip else "planned",
                "reason": step.skip,
                "changed_at": now,
            }
            for step in steps
        ]
        await insert_new(self._connection, run_steps, rows)

    async def find(self, *conditions: Any) -> list[Run]:
        """Return the runs that fulfil SQL conditions on the enrolments table."""
        rows = await self._connection.execute(
            select(*RUN_COLUMNS).where(*conditions).order_by(enrolments.c.id)
        )
        return [run_of(row) for row in rows]

    async def of_subject(self, subject: str, *, state: RunState | None = "running") -> list[Run]:
        """Return a subject's runs, by default those that are under way."""
        statement = _of_subject(state is not None)
        rows = await self._connection.execute(statement, {"subject": subject, "state": state})
        return [run_of(row) for row in rows]

    async def of_script(self, script: str) -> list[Run]:
        """Return every run of a script, ended and held out ones too."""
        return await self.find(enrolments.c.script == script)

    async def running(self) -> list[Run]:
        """Return every run that is under way."""
        return await self.find(enrolments.c.state == "running")

    async def any_running(self, script: str) -> bool:
        """Tell whether a script has a run that is under way."""
        statement = (
            select(enrolments.c.id)
            .where(enrolments.c.script == script, enrolments.c.state == "running")
            .limit(1)
        )
        return (await self._connection.execute(statement)).first() is not None

    async def get(self, run: int) -> Run | None:
        """Return a run by its number."""
        found = await self.find(enrolments.c.id == run)
        return found[0] if found else None

    async def hold(self, run: int) -> Run | None:
        """Return a run that nobody else moves on or ends until this transaction is over."""
        statement = select(*RUN_COLUMNS).where(enrolments.c.id == run).with_for_update()
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else run_of(row)

    async def set_due(self, run: int, due_at: datetime) -> None:
        """Wake a run that nobody holds."""
        await self._connection.execute(
            update(enrolments)
            .where(enrolments.c.id == run, enrolments.c.state == "running")
            .values(due_at=due_at)
        )

    async def change(self, run: int, **values: Any) -> None:
        """Change columns of a run."""
        await change(self._connection, enrolments, {"id": run}, values)

    async def end(self, run: int, state: RunState, reason: str, now: datetime) -> None:
        """End a run; see ``end_all``."""
        await self.end_all([run], state, reason, now)

    async def end_all(
        self, runs: Sequence[int], state: RunState, reason: str, now: datetime
    ) -> None:
        """End runs; of those that left, what was planned or waited is skipped for that reason.

        Mass-send tasks that still wait for an owner's press are taken back at once.
        """
        await end_runs(self._connection, runs, state, reason, now)

    async def steps(self, run: int) -> list[RunStep]:
        """Return a run's steps in the order in which they fall due."""
        return await self._steps(
            select(*STEP_COLUMNS)
            .where(run_steps.c.enrolment == run)
            .order_by(run_steps.c.opens_at, run_steps.c.id)
        )

    async def step(self, step: int) -> RunStep:
        """Return a step by its number."""
        return (await self._steps(select(*STEP_COLUMNS).where(run_steps.c.id == step)))[0]

    async def find_step(self, step: int) -> RunStep | None:
        """Return a step by its number; None where there is none."""
        found = await self._steps(select(*STEP_COLUMNS).where(run_steps.c.id == step))
        return found[0] if found else None

    async def all_steps(self, script: str) -> list[RunStep]:
        """Return every step of every run of a script."""
        mine = select(enrolments.c.id).where(enrolments.c.script == script)
        return await self._steps(
            select(*STEP_COLUMNS).where(run_steps.c.enrolment.in_(mine)).order_by(run_steps.c.id)
        )

    async def _steps(self, statement: Select[Any]) -> list[RunStep]:
        return [step_of(row) for row in await self._connection.execute(statement)]

    async def set_step(self, step: int, now: datetime, **values: Any) -> None:
        """Change a step: its state with its reason, its text, its next opening."""
        await change(self._connection, run_steps, {"id": step}, {"changed_at": now, **values})

    async def is_done(self, step: int) -> bool:
        """Tell whether somebody said that they did a step, whatever becomes of its message."""
        statement = select(run_steps.c.state).where(run_steps.c.id == step)
        return (await self._connection.execute(statement)).scalar_one_or_none() == "confirmed"

    async def outcomes(self) -> dict[tuple[str, str], int]:
        """Count steps by (state, reason) over every run."""
        rows = await self._connection.execute(
            select(run_steps.c.state, run_steps.c.reason, func.count()).group_by(
                run_steps.c.state, run_steps.c.reason
            )
        )
        return {(row[0], row[1]): row[2] for row in rows}

    async def funnel(self, script: str) -> Funnel:
        """Return what became of every step of a script's runs (I13)."""
        mine = select(enrolments.c.id).where(enrolments.c.script == script)
        rows = await self._connection.execute(
            select(run_steps.c.state, run_steps.c.reason, func.count())
            .where(run_steps.c.enrolment.in_(mine))
            .group_by(run_steps.c.state, run_steps.c.reason)
        )
        return funnel_of((row[0], row[1], row[2]) for row in rows)

    async def add_task(self, task: dict[str, Any]) -> None:
        """Remember a mass-send task that was created."""
        await insert_new(self._connection, send_tasks, [task | {"state": "waiting", "attempt": 0}])

    async def wake_tasks(self, chat: str, now: datetime) -> None:
        """Ask after a group's waiting tasks at once: its owner has just posted something."""
        await self._connection.execute(
            update(send_tasks)
            .where(
                send_tasks.c.chat == chat,
                send_tasks.c.state == "waiting",
                send_tasks.c.due_at.is_not(None),
            )
            .values(due_at=now)
        )

    async def take_back(self, tasks: Sequence[tuple[str, str]], now: datetime) -> list[str]:
        """Cancel tasks (msgid, receiver) now that wait for their owner's press.

        Returns the msgids that are cancelled; of the others the owner is asked to leave some out.
        """
        return await take_back(self._connection, tasks, now)

    async def waiting_tasks(self, owner: str | None = None) -> list[SendTask]:
        """Return tasks that still wait for their owner."""
        statement = select(send_tasks).where(send_tasks.c.state == "waiting")
        if owner is not None:
            statement = statement.where(send_tasks.c.owner == owner)
        return [_task(row) for row in await self._connection.execute(statement)]


@lru_cache(maxsize=2)
def _of_subject(in_state: bool) -> Select[Any]:
    conditions = [enrolments.c.subject == bindparam("subject")]
    if in_state:
        conditions.append(enrolments.c.state == bindparam("state"))
    return select(*RUN_COLUMNS).where(*conditions).order_by(enrolments.c.id)
