"""Who looked at whom: written down for audit, once in a while for the same look."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from bot.console.room import Room, Sight

_AGAIN_AFTER = timedelta(minutes=10)
_MOST = 4096


class Looks:
    """Keeps in the ledger which member was shown, or refused, which customer or group.

    An open page asks again and again; that is one look.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._last: OrderedDict[tuple[str, str, str], datetime] = OrderedDict()

    async def note(self, kind: str, subject: str, sight: Sight) -> None:
        """Write a look down, unless the same one was written a moment ago."""
        key = (kind, sight.me.userid, subject)
        last = self._last.get(key)
        if last is not None and timedelta(0) <= sight.now - last < _AGAIN_AFTER:
            return
        async with self._room.database.begin() as tx:
            await tx.ledger.add(kind, subject, sight.now, by=sight.me.userid, via="sidebar")
        self._last[key] = sight.now
        self._last.move_to_end(key)
        while len(self._last) > _MOST:
            self._last.popitem(last=False)
