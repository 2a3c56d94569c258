"""Hands customers and groups on to another manager, and asks after what became of it (§5.10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.domain.ids import CustomerId, GroupChatId
from bot.errors import ChannelError, Retryable
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.storage.transfers import DONE, FAILED, PLANNED, WAITING, Transfer

log = logger(__name__)
_ASK_AFTER = timedelta(hours=1)  # a customer has 24 h to refuse
_AT_ONCE = 100
_RESIGNED = "resigned"  # a group's owner has left: it is asked for by the other interface
_TOMORROW = timedelta(hours=24)
_SHORTEST_REST = timedelta(seconds=30)
Verdicts = Mapping[str, tuple[str, str]]


class Inheritance(Protocol):
    """Where customers and groups are handed on; raises ``ChannelError``."""

    async def ask(
        self, giver: str, taker: str, customers: Sequence[str], *, resigned: bool, words: str
    ) -> dict[str, tuple[str, str]]:
        """Ask customers over; say of each its state and the reason."""

    async def hand_over(
        self, chats: Sequence[str], taker: str, *, resigned: bool
    ) -> dict[str, tuple[str, str]]:
        """Give groups another owner."""

    async def outcomes(self, giver: str, taker: str, *, resigned: bool) -> dict[str, str]:
        """Return what became of every customer who was asked from one member to the other."""


class TransferWorker:
    """Works on what ``zhilin transfer`` planned; what WeCom refuses is written down."""

    watches = ("transfers",)

    def __init__(self, database: Database, inheritance: Inheritance, clock: Clock) -> None:
        self._database = database
        self._inheritance = inheritance
        self._clock = clock

    async def step(self) -> int:
        """Ask for, or after, one batch; return how many it held."""
        async with self._database.begin() as tx:
            claimed = await tx.transfers.claim(self._clock.now(), limit=_AT_ONCE)
        together: dict[tuple[object, ...], list[Transfer]] = {}
        for item in claimed:
            together.setdefault(item.together_with, []).append(item)
        for batch in together.values():
            try:
                verdicts = await self._ask(batch)
            except ChannelError as error:
                await self._put_off(batch, error)
            else:
                await self._write(batch, verdicts)
        return len(claimed)

    async def _ask(self, batch: Sequence[Transfer]) -> Verdicts:
        one, subjects = batch[0], [item.subject for item in batch]
        if one.state == WAITING and one.kind == "group":
            return await self._owners(batch)
        if one.state == WAITING:
            found = await self._inheritance.outcomes(one.giver, one.taker, resigned=one.resigned)
            return {subject: (found.get(subject, WAITING), "") for subject in subjects}
        if one.kind == "group":
            return await self._inheritance.hand_over(subjects, one.taker, resigned=one.resigned)
        return await self._inheritance.ask(
            one.giver, one.taker, subjects, resigned=one.resigned, words=one.words
        )

    async def _owners(self, batch: Sequence[Transfer]) -> Verdicts:
        """See whether groups of one who left have their new owner; WeCom takes its time."""
        async with self._database.begin() as tx:
            owners = {item.subject: await tx.people.owner_of(item.subject) for item in batch}
            for item in batch:
                if owners[item.subject] != item.taker:
                    await tx.people.mark_group(GroupChatId(item.subject), self._clock.now())
        return {
            item.subject: (DONE if owners[item.subject] == item.taker else WAITING, "")
            for item in batch
        }

    async def _write(self, batch: Sequence[Transfer], verdicts: Verdicts) -> None:
        now = self._clock.now()
        async with self._database.begin() as tx:
            for item in batch:
                state, reason = verdicts.get(item.subject, (FAILED, "not_answered"))
                more: dict[str, Any] = {"asked_at": now} if item.state == PLANNED else {}
                if state == _RESIGNED:
                    state, more = PLANNED, {"resigned": True}
                mine = await tx.transfers.finish(
                    item, now, state, reason=reason, due_at=_again(state, reason, now), **more
                )
                if mine and state != item.state:
                    await self._tell(tx, item, state, reason, now)

    async def _tell(self, tx: Tx, item: Transfer, state: str, reason: str, now: datetime) -> None:
        """Record an outcome; who was handed on is looked at again."""
        await tx.ledger.add(
            f"transfer_{state}",
            item.subject,
            now,
            giver=item.giver,
            taker=item.taker,
            reason=reason,
        )
        if state == DONE and item.kind == "group":
            await tx.people.mark_group(GroupChatId(item.subject), now)
        elif state == DONE:
            await tx.people.mark_customers([CustomerId(item.subject)], now)

    async def _put_off(self, batch: Sequence[Transfer], error: ChannelError) -> None:
        """Try again later; asking for the same once more is refused by WeCom, not done twice."""
        now = self._clock.now()
        log.warning("transfer_not_made", giver=batch[0].giver, reason=str(error))
        async with self._database.begin() as tx:
            for item in batch:
                if isinstance(error, Retryable):
                    again = now + max(_SHORTEST_REST, timedelta(seconds=error.after))
                    await tx.transfers.finish(
                        item, now, item.state, reason=error.reason, due_at=again
                    )
                else:
                    await tx.transfers.finish(item, now, FAILED, reason=str(error))


def _again(state: str, reason: str, now: datetime) -> datetime | None:
    if state == WAITING:
        return now + _ASK_AFTER
    if state == PLANNED:  # refused for today, or to be asked for in another way at once
        return now + _TOMORROW if reason else now
    return None
