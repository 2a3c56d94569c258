"""Proposed Q&A entries, and who allowed them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.teaching import NewEntry, Proposal, ProposalState, Role, Signature
from bot.storage.insert import insert_new
from bot.storage.tables import proposals, signatures

_FIELDS = tuple(Proposal.model_fields)


def _proposal(row: Row[Any]) -> Proposal:
    return Proposal.model_validate({name: getattr(row, name) for name in _FIELDS})


class Proposals:
    """Rows ↔ proposals."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, proposal: Proposal) -> int:
        """Store a new proposal; return its number."""
        row = proposal.model_dump(exclude={"id"}, mode="python")
        result = await self._connection.execute(
            insert(proposals).values(row).returning(proposals.c.id)
        )
        return int(result.scalar_one())

    async def get(self, proposal: int, *, hold: bool = False) -> Proposal | None:
        """Return a proposal; ``hold`` keeps others from changing it meanwhile."""
        statement = select(proposals).where(proposals.c.id == proposal)
        if hold:
            statement = statement.with_for_update()
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _proposal(row)

    async def in_states(self, states: Collection[ProposalState]) -> list[Proposal]:
        """Return the proposals in some states, the oldest first."""
        rows = await self._connection.execute(
            select(proposals).where(proposals.c.state.in_(list(states))).order_by(proposals.c.id)
        )
        return [_proposal(row) for row in rows]

    async def draft(self, proposal: int, draft: NewEntry) -> None:
        """Write what is proposed; approvals of other content are worth nothing from here on."""
        values = {"draft": draft.model_dump(mode="json"), "state": "drafted"}
        await self._connection.execute(
            update(proposals).where(proposals.c.id == proposal).values(values)
        )

    async def close(self, proposal: int, state: ProposalState, why: str, now: datetime) -> None:
        """Write how a proposal ended."""
        await self._connection.execute(
            update(proposals)
            .where(proposals.c.id == proposal)
            .values(state=state, why=why, closed_at=now)
        )

    async def sign(self, proposal: int, signature: Signature) -> bool:
        """Write that somebody allowed a content; False where it was allowed in this role before."""
        row = {
            "proposal": proposal,
            "content": signature.content,
            "role": signature.role,
            "signer": signature.by,
            "at": signature.at,
        }
        return bool(await insert_new(self._connection, signatures, [row]))

    async def signatures(self, proposal: int) -> list[Signature]:
        """Return who allowed what of a proposal, the first first."""
        rows = await self._connection.execute(
            select(signatures).where(signatures.c.proposal == proposal).order_by(signatures.c.id)
        )
        return [_signature(row) for row in rows]


def _signature(row: Row[Any]) -> Signature:
    role: Role = "业务" if row.role == "业务" else "合规"
    return Signature(role, row.signer, row.content, row.at)
