"""Notices that anything on the stage changed, so that an open page hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from bot.emulator.broadcast_book import Broadcast
from bot.emulator.page_staff import SHOWN_ITEMS

if TYPE_CHECKING:
    from bot.emulator.world import World

LOOK_EVERY_S = 0.08
"""A page must react within 200 ms."""
WAIT_AT_MOST_S = 20.0


class Watch:
    """A version number of one world that grows when anything a page shows has changed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._version = 0
        self._marks: tuple[object, ...] = ()

    def version(self) -> int:
        """Look at the world and return its version, 1 at the first look."""
        marks = _marks(self._world)
        if marks != self._marks:
            self._marks = marks
            self._version += 1
        return self._version

    async def later_than(
        self, known: int, gone: Callable[[], bool], at_most_s: float = WAIT_AT_MOST_S
    ) -> int:
        """Return the version as soon as it is not ``known``, or when the time is over.

        ``gone`` tells that whoever asked has left. Only while a page is open is the world
        looked at again and again.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + at_most_s
        while self.version() == known and loop.time() < until and not gone():  # noqa: ASYNC110
            # No book of a world tells of its changes, so there is nothing to wait for.
            await asyncio.sleep(LOOK_EVERY_S)
        return self._version


def _marks(world: World) -> tuple[object, ...]:
    """Return a few numbers and words that differ whenever the page would."""
    return (
        world.timestamp() // 60,
        len(world.deliveries),
        len(world.customers),
        len(world.contacts.lines),
        tuple(_kf_marks(world)),
        tuple(
            (group.chat_id, group.name, group.owner, len(group.lines), len(group.members))
            for group in world.groups.living()
        ),
        tuple(_inbox_marks(world)),
        tuple(
            (item.cancelled_at, len(item.reminded_at), _confirmed(item))
            for item in world.broadcasts.items.values()
        ),
    )


def _kf_marks(world: World) -> list[object]:
    return [
        (
            len(account.log.entries),
            tuple((item.stored_state, item.servicer) for item in account.conversations.values()),
        )
        for account in world.kf.accounts.values()
    ]


def _inbox_marks(world: World) -> list[object]:
    return [
        (userid, item.msgid, item.replaced, len(item.pressed), item.text)
        for userid in world.members
        for item in world.app_messages.inbox(userid)[-SHOWN_ITEMS:]
    ]


def _confirmed(broadcast: Broadcast) -> tuple[datetime | None, ...]:
    return tuple(task.confirmed_at for task in broadcast.tasks.values())
