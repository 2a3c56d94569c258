"""What lies on whose desk, and who is away: one row each, changed by one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.assigning import Desk, hour_of, weight_of
from bot.domain.ids import RmId
from bot.domain.lead import Lead, Need
from bot.storage import work
from bot.storage.bulk import upsert_rows
from bot.storage.insert import insert_new
from bot.storage.tables import absences, desks, leads

_ALL = select(desks)
_OF = _ALL.where(desks.c.userid.in_(bindparam("userids", expanding=True)))
_AWAY = (
    select(absences.c.userid, absences.c.deputy)
    .where(absences.c.from_at <= bindparam("now"), absences.c.until_at > bindparam("now"))
    .order_by(absences.c.id)
)
_ON_A_DESK = ("new", "taken", "later")


class Absence(NamedTuple):
    """Somebody's leave, which has begun: his deputy takes over until it is over."""

    id: int
    userid: RmId
    deputy: RmId
    by: str


class Desks:
    """Rows ↔ desks."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> dict[RmId, Desk]:
        """Return every desk on which something ever lay."""
        rows = await self._connection.execute(_ALL)
        return {row.userid: Desk.model_validate(row._asdict()) for row in rows}

    async def of(self, userids: Sequence[RmId]) -> dict[RmId, Desk]:
        """Return the desks of some people, of those on which something ever lay."""
        if not userids:
            return {}
        rows = await self._connection.execute(_OF, {"userids": list(userids)})
        return {row.userid: Desk.model_validate(row._asdict()) for row in rows}

    async def hold(self) -> None:
        """Let nobody else give until the transaction ends: for whoever gives to several.

        Two who each wait for a desk that the other has changed would both have to begin anew.
        """
        await self._connection.execute(
            select(desks.c.userid).order_by(desks.c.userid).with_for_update()
        )

    async def reserve(
        self,
        userid: RmId,
        weight: int,
        now: datetime,
        *,
        capacity: int | None,
        per_hour: int | None,
    ) -> bool:
        """Put a lead on a desk if there is room; without limits there always is.

        One statement decides and writes, so that several workers never exceed what one may have.
        """
        await insert_new(self._connection, desks, [{"userid": userid}])
        hour = hour_of(now)
        this_hour = desks.c.hour == hour
        room = [desks.c.userid == userid]
        if capacity is not None:
            room.append(desks.c.load + weight <= capacity)
        if per_hour is not None:
            room.append(or_(desks.c.hour.is_(None), ~this_hour, desks.c.taken_in_hour < per_hour))
        result = await self._connection.execute(
            update(desks)
            .where(*room)
            .values(
                load=desks.c.load + weight,
                taken_in_hour=case((this_hour, desks.c.taken_in_hour + 1), else_=1),
                hour=hour,
                last_given_at=now,
            )
        )
        return bool(result.rowcount)

    async def shift(self, before: Lead | None, after: Lead | None) -> None:
        """Let the desks know that a lead moved, slept or ended; none where nothing changes."""
        gone, come = _lies_on(before), _lies_on(after)
        if gone == come:
            return
        for place, sign in ((gone, -1), (come, 1)):
            if place is not None:
                await self._add(place[0], sign * place[1])

    async def _add(self, userid: RmId, weight: int) -> None:
        if weight > 0:
            await insert_new(self._connection, desks, [{"userid": userid}])
        load = desks.c.load + weight
        await self._connection.execute(
            update(desks)
            .where(desks.c.userid == userid)
            .values(load=case((load < 0, 0), else_=load))
        )

    async def recount(self) -> int:
        """Count anew what lies on each desk; return on how many it was another sum."""
        # Whoever gives or takes changes a desk after its lead: nobody may do so while we count.
        held = await self._connection.execute(
            select(desks.c.userid, desks.c.load).order_by(desks.c.userid).with_for_update()
        )
        known = {row.userid: row.load for row in held}
        rows = await self._connection.execute(
            select(leads.c.rm, leads.c.need, func.count())
            .where(leads.c.closed_at.is_(None), leads.c.stage.in_(_ON_A_DESK), leads.c.rm != "")
            .group_by(leads.c.rm, leads.c.need)
        )
        counted = dict.fromkeys(known, 0)
        for userid, need, count in rows:
            counted[userid] = counted.get(userid, 0) + weight_of(Need(need)) * count
        wrong = [(load, userid) for userid, load in counted.items() if known.get(userid) != load]
        await upsert_rows(self._connection, desks, ("userid",), ("load",), wrong)
        return len(wrong)

    async def away(self, now: datetime) -> dict[RmId, RmId | None]:
        """Return who is away at a moment, each with the deputy that was named last."""
        rows = await self._connection.execute(_AWAY, {"now": now})
        return {row.userid: row.deputy or None for row in rows}

    async def absent(
        self,
        userid: RmId,
        from_at: datetime,
        until_at: datetime,
        now: datetime,
        *,
        deputy: str = "",
        by: str = "",
        hand_on_at: datetime | None = None,
    ) -> None:
        """Write down that somebody is away; what was said of the same time before is over.

        ``hand_on_at`` is when somebody is to see to what lies on the desk then.
        """
        await self._end(userid, from_at, before=until_at)
        row = {"userid": userid, "from_at": from_at, "until_at": until_at, "deputy": deputy}
        row |= {"set_by": by, "at": now, "due_at": hand_on_at}
        await self._connection.execute(absences.insert().values(**row))

    async def back(self, userid: RmId, at: datetime) -> int:
        """End somebody's absences at a moment, and those to come; return how many there were."""
        return await self._end(userid, at)

    async def _end(self, userid: RmId, at: datetime, before: datetime | None = None) -> int:
        """End the absences that reach beyond a moment, of those that begin ``before`` another."""
        mine = [absences.c.userid == userid, absences.c.until_at > at]
        mine += [absences.c.until_at > absences.c.from_at]
        mine += [absences.c.from_at < before] if before is not None else []
        result = await self._connection.execute(
            update(absences).where(*mine).values(until_at=at, due_at=None)
        )
        return int(result.rowcount)

    async def begun(self, now: datetime, *, lease: timedelta) -> Sequence[Absence]:
        """Take the absences whose desk is to be handed on; of who dies over one others take it."""
        statement = work.claim_statement(absences)
        rows = await work.claim(self._connection, statement, now, lease=lease, limit=8)
        return [Absence(row.id, RmId(row.userid), RmId(row.deputy), row.set_by) for row in rows]

    async def handed_on(self, absence: int) -> None:
        """Note that nothing of an absence is left to do."""
        await self._connection.execute(
            update(absences).where(absences.c.id == absence).values(due_at=None)
        )

    async def absences(self, now: datetime) -> Sequence[tuple[RmId, datetime, datetime, str]]:
        """Return who is away now or will be: from when, until when, and their deputies."""
        rows = await self._connection.execute(
            select(absences.c.userid, absences.c.from_at, absences.c.until_at, absences.c.deputy)
            .where(absences.c.until_at > now, absences.c.until_at > absences.c.from_at)
            .order_by(absences.c.from_at, absences.c.id)
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]


def _lies_on(lead: Lead | None) -> tuple[RmId, int] | None:
    """Return on whose desk a lead lies, and its weight; None where on nobody's."""
    if lead is None or lead.closed_at is not None or not lead.rm:
        return None
    return (lead.rm, weight_of(lead.need)) if lead.stage in _ON_A_DESK else None
