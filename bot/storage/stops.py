"""What customers' words and events take away from runs: all of them, a part, or their pace."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import Select, Text, and_, cast, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.happening import Concerned
from bot.domain.runs import StepState
from bot.storage.bulk import among
from bot.storage.calling_back import InHand, call_back, in_hand, tell_of_cards
from bot.storage.endings import take_back
from bot.storage.tables import customers, enrolments, groups, run_steps, send_tasks

_FEW = 3  # of whom each is looked for in the groups alone
Narrow = Literal["marketing_stopped", "product_stopped"]


class Flags(NamedTuple):
    """What is stopped of a run."""

    marketing_stopped: bool
    product_stopped: bool


class Stops:
    """Live runs by their subjects, and what is taken from them."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def live(self, subjects: Collection[str]) -> list[Concerned]:
        """Return every run under way of these customers and groups, oldest first."""
        if not subjects:
            return []
        statement = _live(self._on_sqlite)
        rows = await self._connection.execute(statement, {"among": sorted(subjects)})
        return [
            Concerned(
                id=row.id,
                script=row.script,
                version=row.version,
                subject=row.subject,
                of_group=row.subject_kind == "group",
                owner=row.owner,
                entered_at=row.entered_at,
            )
            for row in rows
        ]

    async def versions_in_groups(self) -> list[tuple[str, str]]:
        """Return each (script, version) that any group runs now."""
        rows = await self._connection.execute(
            select(enrolments.c.script, enrolments.c.version)
            .where(enrolments.c.state == "running", enrolments.c.subject_kind == "group")
            .distinct()
        )
        return sorted((row.script, row.version) for row in rows)

    async def groups_of(self, members: Collection[str]) -> dict[str, list[str]]:
        """Return the groups with a run under way that each of these customers is a member of.

        Lists of members are read whole, which takes a while in a large bank: for rare events.
        """
        found: dict[str, list[str]] = {member: [] for member in members}
        running = select(enrolments.c.subject).where(
            enrolments.c.state == "running", enrolments.c.subject_kind == "group"
        )
        statement = select(groups.c.id, groups.c.members).where(
            groups.c.id.in_(running), groups.c.dismissed.is_(False)
        )
        if len(found) <= _FEW:
            text = cast(groups.c.members, Text)
            named = (text.contains(f'"{member}"', autoescape=True) for member in sorted(found))
            statement = statement.where(or_(*named))
        rows = await self._connection.execute(statement.order_by(groups.c.id))
        for row in rows:
            for member in row.members:
                if member.get("id") in found and not member.get("staff"):
                    found[member["id"]].append(row.id)
        return found

    async def narrow(self, runs: Sequence[int], flag: Narrow, now: datetime) -> None:
        """Mark runs as going on without what sells, or without products; they are looked at now."""
        await self._connection.execute(
            update(enrolments)
            .where(among(enrolments.c.id, self._on_sqlite), enrolments.c.state == "running")
            .values({flag: True, "due_at": now}),
            {"among": list(runs)},
        )

    async def flags(self, runs: Collection[int]) -> dict[int, Flags]:
        """Return what is stopped of runs, of those only of which anything is."""
        stopped = or_(enrolments.c.marketing_stopped, enrolments.c.product_stopped)
        columns = (enrolments.c.marketing_stopped, enrolments.c.product_stopped)
        rows = await self._connection.execute(
            select(enrolments.c.id, *columns).where(
                among(enrolments.c.id, self._on_sqlite), stopped
            ),
            {"among": sorted(runs)},
        )
        return {row[0]: Flags(row[1], row[2]) for row in rows}

    async def widen(self, customer: str) -> None:
        """Let a customer's one-to-one runs sell again, with as many messages as others get."""
        await self.sell_again(customer)
        await self._connection.execute(
            update(customers).where(customers.c.id == customer).values(weekly_cap=None)
        )

    async def sell_again(self, customer: str) -> None:
        """Let a customer's one-to-one runs sell again, as far as the customer lets them."""
        await self._connection.execute(
            update(enrolments)
            .where(
                enrolments.c.subject == customer,
                enrolments.c.subject_kind != "group",
                enrolments.c.state == "running",
            )
            .values(marketing_stopped=False)
        )

    async def take_back_steps(
        self, parts: Mapping[int, Collection[str]], reason: str, now: datetime
    ) -> list[tuple[int, str]]:
        """Skip those steps of runs that wait for a press, and take back what people have in hand.

        Returns (run, step) of each. Whoever calls holds the runs: they are written before steps.
        """
        rows = await self._waiting(list(parts))
        mine = [row for row in rows if row.step in parts[row.enrolment]]
        held = await in_hand(self._connection, run_steps.c.id, {row.id for row in mine})
        await self._connection.execute(
            update(run_steps)
            .where(among(run_steps.c.id, self._on_sqlite))
            .values(state="skipped", reason=reason, changed_at=now),
            {"among": sorted({row.id for row in mine})},
        )
        tasks = [(row.msgid, row.chat) for row in mine if row.msgid is not None]
        if tasks:
            await take_back(self._connection, tasks, now)
        await call_back(self._connection, held, reason, now)
        return sorted({(row.enrolment, row.step) for row in mine})

    async def in_hand(self, steps: Collection[int], state: StepState = "waiting") -> list[InHand]:
        """Return which of these steps wait for whoever has a card, or a moment to post.

        Another ``state`` finds those whose card arrived when they stood so already.
        """
        return await in_hand(self._connection, run_steps.c.id, steps, state)

    async def call_back(self, steps: Sequence[InHand], reason: str, now: datetime) -> None:
        """Tell whoever has a card of these steps, which are over, that it is not to be sent.

        A moment for which no step waits any more is closed.
        """
        await call_back(self._connection, steps, reason, now)

    async def tell_of_cards(
        self, steps: Sequence[InHand], reason: str, now: datetime, but: str = ""
    ) -> None:
        """Tell whoever has a card of these steps, ``but`` one, that it is not to be sent."""
        await tell_of_cards(self._connection, steps, reason, now, but)

    async def _waiting(self, runs: Sequence[int]) -> Sequence[Any]:
        """Return the steps of runs that wait for a press, each with its task if it has one."""
        columns = (run_steps.c.id, run_steps.c.enrolment, run_steps.c.step, run_steps.c.round)
        of_step = and_(send_tasks.c.run_step == run_steps.c.id, send_tasks.c.state == "waiting")
        rows = await self._connection.execute(
            select(*columns, send_tasks.c.msgid, send_tasks.c.chat)
            .select_from(run_steps.outerjoin(send_tasks, of_step))
            .where(among(run_steps.c.enrolment, self._on_sqlite), run_steps.c.state == "waiting")
            .order_by(run_steps.c.id),
            {"among": list(runs)},
        )
        return rows.all()

    async def slow_down(self, subject: str, per_week: int, *, of_group: bool) -> None:
        """Keep that a subject wants so many messages a week at most, over every script (降频).

        A smaller number that was asked for before stays.
        """
        table = groups if of_group else customers
        cap = table.c.weekly_cap
        await self._connection.execute(
            update(table)
            .where(table.c.id == subject, or_(cap.is_(None), cap > per_week))
            .values(weekly_cap=per_week)
        )
        cap = enrolments.c.weekly_cap
        await self._connection.execute(
            update(enrolments)
            .where(
                enrolments.c.subject == subject,
                enrolments.c.state == "running",
                or_(cap.is_(None), cap > per_week),
            )
            .values(weekly_cap=per_week)
        )


@lru_cache(maxsize=2)
def _live(on_sqlite: bool) -> Select[Any]:
    return (
        select(
            enrolments.c.id,
            enrolments.c.script,
            enrolments.c.version,
            enrolments.c.subject,
            enrolments.c.subject_kind,
            enrolments.c.owner,
            enrolments.c.entered_at,
        )
        .where(among(enrolments.c.subject, on_sqlite), enrolments.c.state == "running")
        .order_by(enrolments.c.id)
    )
