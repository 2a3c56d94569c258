"""What was learnt from the outcomes of leads, and what it is learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.tables import lead_models, leads


class LearntModel(NamedTuple):
    """A model as it is kept: ``model`` says how it scores, ``figures`` how well it does."""

    id: int
    made_at: datetime
    outcomes: int
    model: dict[str, Any]
    figures: dict[str, float]
    in_use: bool
    note: str


class Outcome(NamedTuple):
    """What came of one lead, and the figures it was opened with."""

    lead: int
    need: str
    stage: str
    reason: str
    opened_at: datetime
    features: dict[str, float]


_COLUMNS = tuple(lead_models.c[name] for name in LearntModel._fields)


class LeadModels:
    """The models that were fitted, the newest in use of which scores."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def in_use(self) -> LearntModel | None:
        """Return the model that scores; None while the rules do."""
        rows = await self._connection.execute(
            select(*_COLUMNS)
            .where(lead_models.c.in_use.is_(True))
            .order_by(lead_models.c.id.desc())
            .limit(1)
        )
        row = rows.first()
        return None if row is None else LearntModel(*row)

    async def put(
        self,
        model: dict[str, Any],
        figures: dict[str, float],
        outcomes: int,
        now: datetime,
        *,
        in_use: bool,
        note: str = "",
    ) -> None:
        """Keep a model; one that is to be used takes the place of the one before."""
        if in_use:
            await self.retire()
        await self._connection.execute(
            lead_models.insert().values(
                made_at=now,
                outcomes=outcomes,
                model=model,
                figures=figures,
                in_use=in_use,
                note=note,
            )
        )

    async def retire(self) -> bool:
        """Let the rules score again; tell whether a model did."""
        done = await self._connection.execute(
            update(lead_models).where(lead_models.c.in_use.is_(True)).values(in_use=False)
        )
        return bool(done.rowcount)

    async def outcomes(self, needs: Sequence[str], stages: Sequence[str]) -> list[Outcome]:
        """Return the leads of these needs that ended so, in the order in which they were opened."""
        columns = ("id", "need", "stage", "outcome_reason", "opened_at", "features")
        rows = await self._connection.execute(
            select(*(leads.c[name] for name in columns))
            .where(
                leads.c.closed_at.is_not(None),
                leads.c.need.in_(needs),
                leads.c.stage.in_(stages),
            )
            .order_by(leads.c.opened_at, leads.c.id)
        )
        return [Outcome(*row) for row in rows if row.features]
