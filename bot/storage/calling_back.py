"""Cards and moments in people's hands for steps that are over: whoever has one is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.calling_back import call_back_words
from bot.domain.delivery import Terms
from bot.domain.ids import RmId, digest
from bot.domain.runs import StepState, slot_key
from bot.domain.staff_messages import StaffText
from bot.domain.steps import SendBy
from bot.storage.bulk import among
from bot.storage.letters import Letter, put_many, seal
from bot.storage.moments import Moments
from bot.storage.tables import enrolments, moments, outbox, quota, run_steps
from bot.storage.taking_back import names_of

_NAMELESS = {"group": "一个群", "customer": "一位客户"}
_BY_TASK = (SendBy.BROADCAST.value, SendBy.KF.value)  # of which nobody has a card


class InHand(NamedTuple):
    """A step that waits for the hand of whoever has its card, or its moment to post."""

    id: int
    run: int
    step: str
    round: int
    iteration: int
    way: str
    subject: str
    subject_kind: str

    @property
    def place(self) -> str:
        """Return the key of its place among the subject's messages."""
        return slot_key(self.run, self.step, self.round)


_COLUMNS = (
    run_steps.c.id,
    run_steps.c.enrolment,
    *(run_steps.c[name] for name in ("step", "round", "iteration", "way")),
    enrolments.c.subject,
    enrolments.c.subject_kind,
)


class _Card(NamedTuple):
    """A card that was given, and to whom."""

    owner: str
    key: str
    of: InHand


async def in_hand(
    connection: AsyncConnection,
    column: ColumnElement[int],
    these: Collection[int],
    state: StepState = "waiting",
) -> list[InHand]:
    """Return the steps that wait for a hand and have no task, of these runs or these steps."""
    on_sqlite = connection.dialect.name == "sqlite"
    rows = await connection.execute(
        select(*_COLUMNS)
        .join(enrolments, enrolments.c.id == run_steps.c.enrolment)
        .where(
            among(column, on_sqlite),
            run_steps.c.state == state,
            run_steps.c.way.not_in(_BY_TASK),
        )
        .order_by(run_steps.c.id),
        {"among": sorted(these)},
    )
    return [InHand(*row) for row in rows]


async def call_back(
    connection: AsyncConnection, steps: Sequence[InHand], reason: str, now: datetime
) -> None:
    """Tell whoever has a card of these steps not to send it; close moments nobody waits for.

    Whoever calls has written the steps' end. The places of cards are given back, and taken again
    where it turns out that one was sent; those of moments wait for what becomes of them.
    """
    if not steps:
        return
    by_key = {f"{one.place}:{one.iteration}": one for one in steps}
    keys = [*by_key, *(f"{key}:card" for key in by_key)]
    given = await _given(connection, keys)
    cards = [
        _Card(row.body["to"], row.key, by_key[row.key.removesuffix(":card")])
        for row in given
        if row.bucket == "staff_card"
    ]
    await _tell(connection, cards, reason, now)
    await _release(connection, [card.of.place for card in cards])
    await _close(connection, sorted({row.ref for row in given if row.bucket == "moment"}), now)


async def tell_of_cards(
    connection: AsyncConnection,
    steps: Sequence[InHand],
    reason: str,
    now: datetime,
    but: str = "",
) -> None:
    """Tell whoever has a card of these steps, ``but`` one, not to send it; nothing else changes."""
    by_key = {f"{one.place}:{one.iteration}": one for one in steps}
    given = await _given(connection, by_key)
    cards = [
        _Card(row.body["to"], row.key, by_key[row.key])
        for row in given
        if row.bucket == "staff_card" and row.body["to"] != but
    ]
    await _tell(connection, cards, reason, now)


async def _given(connection: AsyncConnection, keys: Collection[str]) -> Sequence[Any]:
    """Return what has left of these cards and moments."""
    on_sqlite = connection.dialect.name == "sqlite"
    rows = await connection.execute(
        select(outbox.c.key, outbox.c.bucket, outbox.c.ref, outbox.c.body).where(
            among(outbox.c.key, on_sqlite),
            outbox.c.bucket.in_(("staff_card", "moment")),
            outbox.c.state == "sent",
        ),
        {"among": sorted(keys)},
    )
    return rows.all()


async def _tell(
    connection: AsyncConnection, cards: Sequence[_Card], reason: str, now: datetime
) -> None:
    """Write to each member of staff once for all the cards; the same is told once."""
    names = await names_of(connection, {card.of.subject for card in cards}) if cards else {}
    piles: dict[tuple[str, bool], list[_Card]] = {}
    for card in cards:
        task = card.of.way == SendBy.TASK_FOR_MANAGER
        piles.setdefault((card.owner, task), []).append(card)
    letters = [
        _letter(owner, pile, names, reason, task=task)
        for (owner, task), pile in sorted(piles.items())
    ]
    await put_many(connection, letters, now)


def _letter(
    owner: str, pile: Sequence[_Card], names: Mapping[str, str], reason: str, *, task: bool
) -> Letter:
    about = {one.of.subject: one.of.subject_kind for one in pile}
    said = [names.get(subject) or _NAMELESS[kind] for subject, kind in sorted(about.items())]
    message = StaffText(to=(RmId(owner),), text=call_back_words(said, reason, task=task))
    key = f"called-back:{digest(reason, *sorted(card.key for card in pile))}"
    return seal(key, message, Terms(purpose="staff", subject=owner))


async def _release(connection: AsyncConnection, places: Sequence[str]) -> None:
    if places:
        mine = among(quota.c.key, connection.dialect.name == "sqlite")
        await connection.execute(quota.delete().where(mine), {"among": sorted(places)})


async def _close(connection: AsyncConnection, refs: Sequence[str], now: datetime) -> None:
    """Have moments taken back for which no step waits any more and which nobody has posted."""
    rows = Moments(connection)
    idle = [ref for ref in refs if not await rows.waiting_steps(ref)]
    if idle:
        await connection.execute(
            update(moments)
            .where(moments.c.ref.in_(idle), moments.c.state == "waiting")
            .values(closes_at=now, due_at=now)
        )
