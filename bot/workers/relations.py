"""Customers who come, change, go or are handed on: what events tell, and what lists show."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

from bot.domain.delivery import Terms
from bot.domain.events import CustomerChanged, TagsChanged
from bot.domain.happening import EventKind, Happened
from bot.domain.ids import CustomerId, RmId, digest
from bot.domain.messages import TagChange
from bot.domain.people import Customer, Follow
from bot.storage.db import Tx
from bot.storage.people import tag_lane
from bot.workers.content import Content
from bot.workers.greeting import NO_WORDS, Greeting
from bot.workers.happenings import Happenings

_FAILS = {"customer_refused": "refused", "customer_limit_exceed": "limit"}


class Relations:
    """Keeps who knows whom, inside the caller's transaction."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._greeting = Greeting(content)
        self._happenings = Happenings(content.script)

    async def changed(self, tx: Tx, event: CustomerChanged, now: datetime) -> None:
        """Work on what an event tells of one customer and one manager."""
        customer, manager = event.customer, event.manager
        match event.change:
            case "added":
                await self._added(tx, event, now)
            case "edited":
                await tx.people.mark_customers([customer], now)
            case "lost":
                await self._lost(tx, event, now)
            case "handed_on":
                friends = await tx.follows.remove(customer, manager)
                await tx.people.refresh({customer: ""}, now)
                await tx.people.mark_customers([customer], now)
                if friends:
                    await self._handed_on(tx, customer, manager, now)
            case "transfer_failed":
                state = _FAILS.get(event.reason, "failed")
                await tx.transfers.end(customer, manager, state, event.reason, now)
                await tx.ledger.add(
                    "transfer_failed", customer, now, by=manager, reason=event.reason
                )
            case "agreed":
                await tx.ledger.add("archive_agreed", customer, now, by=manager)
                await self._greet(tx, event, now)
            case _:
                assert_never(event.change)

    async def _added(self, tx: Tx, event: CustomerChanged, now: datetime) -> None:
        customer = event.customer
        follow = Follow(manager=event.manager, since=event.at, state=event.state)
        new = await tx.follows.add(customer, follow, now)
        await tx.people.refresh({customer: ""}, now)
        await tx.people.mark_customers([customer], now)  # the name is not in the event
        await self._greet(tx, event, now)
        if new:
            await self._came(tx, customer, follow, now, half=event.half)

    async def _came(
        self, tx: Tx, customer: CustomerId, follow: Follow, now: datetime, **facts: object
    ) -> None:
        told = {"by": follow.manager, "way": follow.state, **facts}
        await tx.ledger.add("customer_added", customer, now, **told)
        way = self._content.bank.contact_way(follow.state)
        added = _happened(EventKind.FRIEND_ADDED, customer, follow.manager, follow.since)
        await self._happenings.tell(tx, [added], now)
        if way is not None and way.tags:
            occasion = f"{follow.state}:{follow.since.isoformat()}"
            await change_tags(tx, customer, [follow.manager], now, add=way.tags, occasion=occasion)

    async def _greet(self, tx: Tx, event: CustomerChanged, now: datetime) -> None:
        reason = await self._greeting.put(tx, event, now)
        if reason and reason != NO_WORDS:
            await tx.ledger.add("welcome_skipped", event.customer, now, reason=reason)

    async def _lost(self, tx: Tx, event: CustomerChanged, now: datetime) -> None:
        customer, manager = event.customer, event.manager
        if event.by == "customer":
            friends = await tx.follows.lose(customer, manager, event.at)
        else:
            friends = await tx.follows.remove(customer, manager) == "friends"
        await tx.people.refresh({customer: ""}, now)
        if friends:
            await self._gone(tx, customer, manager, event.by, now)

    async def _gone(
        self, tx: Tx, customer: CustomerId, manager: RmId, who: str, now: datetime
    ) -> None:
        """Record a loss; a customer whom nobody serves any more leaves every script."""
        await tx.ledger.add("customer_lost", customer, now, by=manager, who=who)
        lost = _happened(EventKind.FRIEND_LOST, customer, manager, now)
        await self._happenings.tell(tx, [lost], now)
        known = await tx.people.customer(customer)
        if known is None or not known.managers:
            await self._happenings.end_runs(tx, lost, now, "customer_lost")

    async def learned(
        self, tx: Tx, found: Customer, read_at: datetime, since: datetime | None, now: datetime
    ) -> None:
        """Keep what WeCom says of a customer; what changed without an event counts as one.

        ``since`` is when the last complete reading of everybody began: who came before it was
        found, not added.
        """
        difference = await tx.people.learn(found, read_at)
        for follow in difference.new:
            await self.found(tx, found.id, follow, since, now)
        for manager in difference.gone:
            if await tx.transfers.is_handed_on(found.id, manager):
                await self._handed_on(tx, found.id, manager, now)
            else:
                await self._gone(tx, found.id, manager, "", now)

    async def _handed_on(self, tx: Tx, customer: CustomerId, manager: RmId, now: datetime) -> None:
        """Record that a customer went from one manager to another: that is no loss."""
        await tx.transfers.end(customer, manager, "done", "", now)
        await tx.ledger.add("customer_handed_on", customer, now, by=manager)

    async def found(
        self,
        tx: Tx,
        customer: CustomerId,
        follow: Follow,
        since: datetime | None,
        now: datetime,
    ) -> None:
        """Count a relation that a list shows and no event told, if it is a new one."""
        if since is not None and follow.since > since:
            await self._came(tx, customer, follow, now, via="poll")

    async def tags_changed(self, tx: Tx, event: TagsChanged, now: datetime) -> None:
        """A tag that has another name now, or is gone, is so for every customer who bore it."""
        if event.change in ("update", "delete"):
            await tx.polls.hasten(now)
        await tx.ledger.add("tags_changed", event.id, now, change=event.change, of=event.of)


def _happened(kind: EventKind, customer: str, manager: str, at: datetime) -> Happened:
    which = digest(customer, manager, at.isoformat(), size=12)
    key = f"{kind.name.lower()}:{which}"
    return Happened(key=key, kind=kind, subject=customer, at=at, manager=manager)


async def change_tags(
    tx: Tx,
    customer: CustomerId,
    managers: Iterable[RmId],
    now: datetime,
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    occasion: str,
) -> None:
    """Put tags on a customer or take them off, here at once and in WeCom by the outbox.

    In WeCom each manager has tags of his own on a customer: those to take off go to all of them.
    """
    more, less = tuple(add), tuple(remove)
    await tx.people.tag(customer, more, less, now)
    for tag in more:
        await tx.ledger.add("tag_put", customer, now, tag=tag)
    for tag in less:
        await tx.ledger.add("tag_taken", customer, now, tag=tag)
    terms = Terms(purpose="control", subject=customer)
    for manager in managers:
        change = TagChange(manager=manager, customer=customer, add=more, remove=less)
        key = f"tag:{digest(manager, customer, *more, '-', *less, occasion)}"
        await tx.outbox.put(key, change, terms, now, lane=tag_lane(customer))
