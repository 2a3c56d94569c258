"""Keeps groups in step with WeCom, and lets those enter a script that it is for."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.happening import EventKind, Happened
from bot.domain.ids import BranchId, GroupChatId
from bot.domain.people import GroupChat
from bot.errors import ChannelError
from bot.log import logger
from bot.ports import Clock, Directory
from bot.storage.db import Database, Tx
from bot.workers.content import Content
from bot.workers.entering import enter_by_tags
from bot.workers.happenings import Happenings
from bot.workers.newcomers import Newcomers
from bot.workers.owners import change_owner

log = logger(__name__)
_RETRY = timedelta(minutes=1)
_LAG = timedelta(seconds=5)
_LIST_EVERY = timedelta(hours=1)  # events can be missed: protocol §2.4 says to reconcile


class GroupLister:
    """Lists every group once an hour, in case an event was missed."""

    watches: tuple[str, ...] = ()

    def __init__(self, database: Database, directory: Directory, clock: Clock) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock
        self._listed_at: datetime | None = None

    async def step(self) -> int:
        """Have groups read that are not known yet; return how many there were."""
        now = self._clock.now()
        if self._listed_at is not None and now - self._listed_at < _LIST_EVERY:
            return 0
        self._listed_at = now
        try:
            chats = await self._directory.groups()
        except ChannelError as error:
            log.warning("groups_not_listed", reason=str(error))
            self._listed_at = now - _LIST_EVERY + _RETRY
            return 0
        async with self._database.begin() as tx:
            known = {group.id for group in await tx.people.groups()}
            fresh = [chat for chat in chats if chat not in known]
            for chat in fresh:
                await tx.people.mark_group(chat, now)
        return len(fresh)


class GroupWorker:
    """Reads groups that changed, and lets them enter scripts."""

    watches = ("groups",)

    def __init__(
        self, database: Database, directory: Directory, content: Content, clock: Clock
    ) -> None:
        self._database = database
        self._directory = directory
        self._content = content
        self._newcomers = Newcomers(content)
        self._happenings = Happenings(content.script)
        self._clock = clock

    async def step(self) -> int:
        """Read one batch of groups; return how many there were."""
        async with self._database.begin() as tx:
            claimed = await tx.people.claim_groups(self._clock.now())
        for chat, attempt in claimed:
            await self._read(chat, attempt)
        return len(claimed)

    async def _read(self, chat: GroupChatId, attempt: int) -> None:
        try:
            found = await self._directory.group(chat)
        except ChannelError as error:
            log.warning("group_not_read", reason=str(error))
            async with self._database.begin() as tx:
                await tx.people.finish_group(chat, attempt, self._clock.now() + _RETRY)
            return
        now = self._clock.now()
        async with self._database.begin() as tx:
            announced = await tx.people.announced(chat)
            if found is None:
                await dismiss(tx, chat, self._happenings, now)
            else:
                await self._keep(tx, found, now)
            # WeCom's answer may lag behind what it told (§5.1): then it is read once more.
            lags = found is not None and announced not in ("", found.version)
            await tx.people.finish_group(chat, attempt, now + _LAG if lags else None)

    async def _keep(self, tx: Tx, found: GroupChat, now: datetime) -> None:
        bank = self._content.bank
        known = await tx.people.group(found.id)
        owner = bank.member(found.owner)
        group = found.model_copy(
            update={
                "branch": BranchId(owner.branch) if owner and owner.branch else None,
                "tags": bank.tags_of_group(found.name) | (known.tags if known else frozenset()),
            }
        )
        await tx.people.put_group(group, now)
        if known is not None and known.owner:  # else it is read for the first time
            await self._compare(tx, known, group, now)
        await enter_by_tags(tx, group, self._content, now)

    async def _compare(self, tx: Tx, known: GroupChat, group: GroupChat, now: datetime) -> None:
        """Tell what changed, members by their ids: as many may have come as went."""
        before, after = known.customer_ids, group.customer_ids
        await self._newcomers.changed(tx, group, after - before, before - after, now)
        if known.owner != group.owner:
            await change_owner(tx, self._content, group, known.owner, now)


async def dismiss(tx: Tx, chat: GroupChatId, happenings: Happenings, now: datetime) -> None:
    """End everything of a group that is gone, whatever its script says."""
    group = await tx.people.group(chat)
    if group is None or group.dismissed:
        return
    await tx.people.put_group(group.model_copy(update={"dismissed": True}), now)
    gone = Happened(
        key=f"group_dismissed:{chat}", kind=EventKind.GROUP_DISMISSED, subject=chat, at=now
    )
    await happenings.tell(tx, [gone], now)
    await happenings.end_runs(tx, gone, now)
    await tx.ledger.add("group_dismissed", chat, now)
