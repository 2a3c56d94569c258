"""Drafted replies, what their owners made of them, and until when they wait."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.draft import LIVES_FOR, Asker, Draft, DraftState
from bot.storage import work
from bot.storage.insert import insert_new
from bot.storage.tables import drafts, enrolments, groups, run_steps

_USED = ("sent", "edited")
_NEWEST = 20  # of a group: an older one is not meant by what is said now


def _draft(row: Row[Any]) -> Draft:
    return Draft.model_validate({name: getattr(row, name) for name in Draft.model_fields})


class Drafts:
    """Rows ↔ drafts."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(
        self,
        *,
        key: str,
        chat: str,
        owner: str,
        asker: Asker,
        question: str,
        text: str,
        citations: tuple[str, ...],
        now: datetime,
    ) -> Draft | None:
        """Store a draft; None where one of this key exists."""
        row = {
            "key": key,
            "chat": chat,
            "owner": owner,
            "asker": asker.id,
            "askers": [asker.model_dump()],
            "question": question,
            "text": text,
            "citations": list(citations),
            "state": "waiting",
            "at": now,
            "due_at": now + LIVES_FOR,
        }
        if not await insert_new(self._connection, drafts, [row]):
            return None
        return (await self._find(drafts.c.key == key))[0]

    async def _find(self, *conditions: Any, limit: int = _NEWEST) -> list[Draft]:
        """Return drafts, newest first."""
        rows = await self._connection.execute(
            select(drafts).where(*conditions).order_by(drafts.c.id.desc()).limit(limit)
        )
        return [_draft(row) for row in rows]

    async def get(self, draft: int) -> Draft | None:
        """Return a draft by its number."""
        found = await self._find(drafts.c.id == draft)
        return found[0] if found else None

    async def of_key(self, key: str) -> Draft | None:
        """Return the draft of a key."""
        found = await self._find(drafts.c.key == key)
        return found[0] if found else None

    async def made_by_key(
        self, beginning: str, owners: Collection[str], since: datetime
    ) -> dict[str, int]:
        """Return how many drafts whose key begins so each of these people got since a moment."""
        rows = await self._connection.execute(
            select(drafts.c.owner, func.count())
            .where(
                drafts.c.at >= since,
                drafts.c.owner.in_(sorted(owners)),
                drafts.c.key.startswith(beginning, autoescape=True),
            )
            .group_by(drafts.c.owner)
        )
        return {owner: int(count) for owner, count in rows}

    async def hold_chat(self, chat: str) -> None:
        """Let nobody else look at this group's drafts until the end of the transaction.

        Else a question and a person's answer to it, read at the same moment, miss each other.
        """
        await self._connection.execute(
            select(groups.c.id).where(groups.c.id == chat).with_for_update()
        )

    async def waiting(self, chat: str) -> list[Draft]:
        """Return a chat's drafts that nobody has used, newest first."""
        return await self._find(drafts.c.chat == chat, drafts.c.state == "waiting")

    async def unseen(self, chat: str, since: datetime, marked_since: datetime) -> list[Draft]:
        """Return a chat's drafts made since then of which no use was seen yet, newest first.

        Of those that were marked as sent by hand only what was marked since ``marked_since``.
        """
        marked = and_(
            drafts.c.state == "sent",
            drafts.c.said == "",
            drafts.c.settled_at >= marked_since,
        )
        return await self._find(
            drafts.c.chat == chat,
            drafts.c.at >= since,
            or_(drafts.c.state == "waiting", marked),
        )

    async def since(self, chat: str, since: datetime) -> list[Draft]:
        """Return a chat's drafts made since then, whatever became of them, newest first."""
        return await self._find(drafts.c.chat == chat, drafts.c.at >= since)

    async def was_sent(self, chat: str, asker: str, since: datetime) -> bool:
        """Tell whether an owner has sent a reply that was drafted for this person since then."""
        statement = (
            select(drafts.c.id)
            .where(
                drafts.c.chat == chat,
                drafts.c.asker == asker,
                drafts.c.state.in_(_USED),
                drafts.c.at >= since,
            )
            .limit(1)
        )
        return (await self._connection.execute(statement)).first() is not None

    async def planned(self, chat: str, since: datetime) -> list[str]:
        """Return the words of a chat's steps that went out, or may have, since then."""
        rows = await self._connection.execute(
            select(run_steps.c.text)
            .join(enrolments, enrolments.c.id == run_steps.c.enrolment)
            .where(
                enrolments.c.subject == chat,
                run_steps.c.changed_at >= since,
                run_steps.c.text != "",
            )
        )
        return [row.text for row in rows]

    async def settle(
        self,
        draft: int,
        state: DraftState,
        now: datetime,
        *,
        said: str = "",
        reason: str = "",
        marked: bool = False,
    ) -> bool:
        """Write what became of a draft; False where it was settled before.

        ``marked`` also changes one that was only marked as sent: what was said is known by now.
        """
        open_states = ("waiting", "sent") if marked else ("waiting",)
        values = {"state": state, "said": said, "reason": reason, "due_at": None}
        result = await self._connection.execute(
            update(drafts)
            .where(
                drafts.c.id == draft,
                drafts.c.state.in_(open_states),
                drafts.c.said == "",
            )
            .values(settled_at=now, **values)
        )
        return bool(result.rowcount)

    async def join(self, draft: Draft, asker: Asker) -> Draft:
        """Add somebody who asked the same; return the draft as it is then."""
        askers = (*draft.askers, asker)
        await self._connection.execute(
            update(drafts)
            .where(drafts.c.id == draft.id)
            .values(askers=[one.model_dump() for one in askers])
        )
        return draft.model_copy(update={"askers": askers})

    async def card_given(self, draft: int, code: str) -> None:
        """Write down the code that changes a draft's card once; "" when it was used."""
        await self._connection.execute(update(drafts).where(drafts.c.id == draft).values(code=code))

    async def claim_old(self, now: datetime, *, limit: int = 100) -> list[Draft]:
        """Take the drafts that have waited for their time."""
        rows = await work.claim(
            self._connection,
            work.claim_statement(drafts),
            now,
            lease=timedelta(seconds=60),
            limit=limit,
        )
        return [_draft(row) for row in rows]

    async def counts(
        self, since: datetime | None = None, until: datetime | None = None, owner: str = ""
    ) -> dict[str, int]:
        """Count drafts by state; of a time, and of one person, at will."""
        return dict(await self._counted([drafts.c.state], since=since, until=until, owner=owner))

    async def counts_by_owner(
        self, since: datetime, until: datetime | None = None
    ) -> dict[str, dict[str, int]]:
        """Count each person's drafts by state."""
        found: dict[str, dict[str, int]] = {}
        rows = await self._counted([drafts.c.owner, drafts.c.state], since=since, until=until)
        for owner, state, count in rows:
            found.setdefault(owner, {})[state] = count
        return found

    async def reasons(self, since: datetime) -> dict[str, int]:
        """Count why drafts were not wanted."""
        rows = await self._connection.execute(
            select(drafts.c.reason, func.count())
            .where(drafts.c.state == "dropped", drafts.c.at >= since)
            .group_by(drafts.c.reason)
        )
        return {row[0]: row[1] for row in rows}

    async def _counted(
        self,
        columns: Sequence[Any],
        *,
        since: datetime | None,
        until: datetime | None,
        owner: str = "",
    ) -> list[tuple[Any, ...]]:
        statement = select(*columns, func.count()).group_by(*columns)
        if since is not None:
            statement = statement.where(drafts.c.at >= since)
        if until is not None:
            statement = statement.where(drafts.c.at < until)
        if owner:
            statement = statement.where(drafts.c.owner == owner)
        return [tuple(row) for row in await self._connection.execute(statement)]
