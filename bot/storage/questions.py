"""Questions that the bot should know the answer to, as they were asked; and what they rest on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, distinct, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.teaching import Asked, QuestionState
from bot.storage.conversations import Turn
from bot.storage.insert import insert_and_tell
from bot.storage.ledger import Entry
from bot.storage.tables import enrolments, ledger, questions, run_steps, turns

_FIELDS = tuple(Asked.model_fields)
_OLD = "_old"


def _asked(row: Row[Any]) -> Asked:
    return Asked.model_validate({name: getattr(row, name) for name in _FIELDS})


@dataclass(frozen=True, slots=True)
class Delivered:
    """A step that reached a subject."""

    script: str
    step: str
    at: datetime


class Questions:
    """Rows ↔ questions; a key that was ever there is passed over."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def entries_after(
        self, after: int, kinds: Collection[str], until: datetime, limit: int
    ) -> list[Entry]:
        """Return the next ledger entries of some kinds that were written before a moment."""
        rows = await self._connection.execute(
            select(ledger)
            .where(ledger.c.id > after, ledger.c.kind.in_(list(kinds)), ledger.c.at < until)
            .order_by(ledger.c.id)
            .limit(limit)
        )
        return [Entry(row.id, row.at, row.kind, row.subject, row.facts) for row in rows]

    async def entries_of(
        self, subjects: Collection[str], kinds: Collection[str], since: datetime, until: datetime
    ) -> list[Entry]:
        """Return some subjects' entries of some kinds in a time, oldest first."""
        rows = await self._connection.execute(
            select(ledger)
            .where(
                ledger.c.subject.in_(list(subjects)),
                ledger.c.kind.in_(list(kinds)),
                ledger.c.at >= since,
                ledger.c.at <= until,
            )
            .order_by(ledger.c.id)
        )
        return [Entry(row.id, row.at, row.kind, row.subject, row.facts) for row in rows]

    async def turns_of(
        self, subjects: Collection[str], since: datetime, until: datetime
    ) -> dict[str, list[Turn]]:
        """Return what was said to and by some subjects in a time, in the order it was said."""
        rows = await self._connection.execute(
            select(turns.c.subject, turns.c.speaker, turns.c.text, turns.c.at)
            .where(turns.c.subject.in_(list(subjects)), turns.c.at >= since, turns.c.at <= until)
            .order_by(turns.c.at, turns.c.id)
        )
        found: dict[str, list[Turn]] = {subject: [] for subject in subjects}
        for row in rows:
            found[row.subject].append(Turn(row.speaker, row.text, row.at))
        return found

    async def steps_of(
        self, subjects: Collection[str], since: datetime, until: datetime
    ) -> dict[str, list[Delivered]]:
        """Return the steps that reached some subjects in a time, oldest first."""
        rows = await self._connection.execute(
            select(
                enrolments.c.subject, enrolments.c.script, run_steps.c.step, run_steps.c.changed_at
            )
            .join(enrolments, enrolments.c.id == run_steps.c.enrolment)
            .where(
                enrolments.c.subject.in_(list(subjects)),
                run_steps.c.state == "confirmed",
                run_steps.c.changed_at >= since,
                run_steps.c.changed_at <= until,
            )
            .order_by(run_steps.c.changed_at)
        )
        found: dict[str, list[Delivered]] = {subject: [] for subject in subjects}
        for row in rows:
            found[row.subject].append(Delivered(row.script, row.step, row.changed_at))
        return found

    async def add(self, asked: Sequence[Asked]) -> int:
        """Store questions; return how many were new."""
        rows = [one.model_dump(exclude={"id"}) for one in asked]
        return len(await insert_and_tell(self._connection, questions, rows, questions.c.id))

    async def reply(self, replies: Mapping[str, str]) -> None:
        """Write what people answered, by the questions' keys."""
        if not replies:
            return
        await self._connection.execute(
            update(questions)
            .where(questions.c.key == bindparam(f"key{_OLD}"))
            .values(reply=bindparam("said")),
            [{f"key{_OLD}": key, "said": said} for key, said in replies.items()],
        )

    async def in_state(
        self, state: QuestionState, *, after: int = 0, limit: int = 500
    ) -> list[Asked]:
        """Return questions in a state, the oldest first."""
        rows = await self._connection.execute(
            select(questions)
            .where(questions.c.state == state, questions.c.id > after)
            .order_by(questions.c.id)
            .limit(limit)
        )
        return [_asked(row) for row in rows]

    async def newest_in(self, state: QuestionState, limit: int) -> list[Asked]:
        """Return the newest questions in a state, the oldest of them first."""
        rows = await self._connection.execute(
            select(questions)
            .where(questions.c.state == state)
            .order_by(questions.c.id.desc())
            .limit(limit)
        )
        return [_asked(row) for row in rows][::-1]

    async def of_proposals(
        self, proposals: Collection[int], since: datetime | None = None
    ) -> dict[int, list[Asked]]:
        """Return each proposal's questions, the oldest first."""
        statement = select(questions).where(questions.c.proposal.in_(list(proposals)))
        if since is not None:
            statement = statement.where(questions.c.asked_at >= since)
        found: dict[int, list[Asked]] = {number: [] for number in proposals}
        for row in await self._connection.execute(statement.order_by(questions.c.id)):
            found[row.proposal].append(_asked(row))
        return found

    async def place(self, placed: Sequence[Asked]) -> None:
        """Write where questions were put: state, proposal, and what was found for them."""
        if not placed:
            return
        names = ("state", "proposal", "found", "probability")
        await self._connection.execute(
            update(questions)
            .where(questions.c.id == bindparam(f"id{_OLD}"))
            .values({name: bindparam(f"new_{name}") for name in names}),
            [
                {f"id{_OLD}": one.id} | {f"new_{name}": getattr(one, name) for name in names}
                for one in placed
            ],
        )

    async def release(self, proposal: int, state: QuestionState) -> None:
        """Take a proposal's questions out of it."""
        await self._connection.execute(
            update(questions).where(questions.c.proposal == proposal).values(state=state)
        )

    async def after_steps(self, script: str, since: datetime) -> list[Asked]:
        """Return what was asked within a day after a script's steps; of all scripts for ""."""
        statement = select(questions).where(questions.c.asked_at >= since, questions.c.step != "")
        if script:
            statement = statement.where(questions.c.script == script)
        rows = await self._connection.execute(statement.order_by(questions.c.id))
        return [_asked(row) for row in rows]

    async def delivered(self, script: str, since: datetime) -> dict[tuple[str, str], int]:
        """Count how often each step of a script, of all scripts for "", reached somebody."""
        statement = (
            select(enrolments.c.script, run_steps.c.step, func.count())
            .join(enrolments, enrolments.c.id == run_steps.c.enrolment)
            .where(run_steps.c.state == "confirmed", run_steps.c.changed_at >= since)
            .group_by(enrolments.c.script, run_steps.c.step)
        )
        if script:
            statement = statement.where(enrolments.c.script == script)
        return {(row[0], row[1]): row[2] for row in await self._connection.execute(statement)}

    async def counts(self, since: datetime, until: datetime) -> dict[str, int]:
        """Count questions by reason, and the people who asked them under "people"."""
        within = (questions.c.asked_at >= since, questions.c.asked_at < until)
        rows = await self._connection.execute(
            select(questions.c.reason, func.count()).where(*within).group_by(questions.c.reason)
        )
        found = {row[0]: row[1] for row in rows}
        people = select(func.count(distinct(questions.c.person))).where(*within)
        return {**found, "people": (await self._connection.execute(people)).scalar_one()}
