"""Works on what 客户联系 tells: customers, groups and tags that changed."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from bot.domain.events import CustomerChanged, GroupChanged, TagsChanged
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.groups import dismiss
from bot.workers.happenings import Happenings
from bot.workers.newcomers import Newcomers
from bot.workers.relations import Relations

_LEFT = "del_member"


class PeopleDesk:
    """Records changes, inside the transaction that ends their event."""

    def __init__(self, content: Content) -> None:
        self._relations = Relations(content)
        self._newcomers = Newcomers(content)
        self._happenings = Happenings(content.script)

    async def record(
        self, tx: Tx, event: CustomerChanged | GroupChanged | TagsChanged, now: datetime
    ) -> None:
        """Carry out one change."""
        match event:
            case CustomerChanged():
                await self._relations.changed(tx, event, now)
            case GroupChanged():
                await self._group(tx, event, now)
            case TagsChanged():
                await self._relations.tags_changed(tx, event, now)
            case _:
                assert_never(event)

    async def _group(self, tx: Tx, event: GroupChanged, now: datetime) -> None:
        """Take members out who left; for everything else the group is read again."""
        if event.change == "dismissed":
            await dismiss(tx, event.chat, self._happenings, now)
            return
        known = await tx.people.group(event.chat)
        if known is not None and event.version and event.version == known.version:
            return  # it was read after this change already
        if known is not None and event.detail == _LEFT and event.members:
            rest = known.left_by(event.members, event.last_version, event.version)
            if rest is not None:
                await tx.people.put_group(rest, now)
                went = known.customer_ids.intersection(event.members)
                await self._newcomers.changed(tx, rest, (), went, now)
                return
        await tx.people.mark_group(event.chat, now, announced=event.version)
