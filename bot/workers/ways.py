"""Makes the codes that the file asks for (渠道活码, 入群活码), each once, and keeps them so."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from bot.channels.ways import FoundWay
from bot.domain.bank import Bank
from bot.domain.ways import WantedWay
from bot.errors import ChannelError, Retryable, Undeliverable
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.storage.ways import FAILED, MAKING, PLANNED, READY, UNKNOWN, MadeWay
from bot.workers.content import Content

log = logger(__name__)
_LOOK_AGAIN = timedelta(days=1)  # somebody may have changed or deleted it in the console
_NO_GROUP = timedelta(minutes=10)
_SHORTEST_REST = timedelta(seconds=30)


class WeComWays(Protocol):
    """Where codes are made, found and changed; raises ``ChannelError``."""

    async def make(self, way: WantedWay) -> tuple[str, str]:
        """Make a code and return its config_id, with the address of its picture if told."""

    async def change(self, config_id: str, way: WantedWay) -> None:
        """Make a code lead where it should."""

    async def look(self, config_id: str, way: WantedWay) -> FoundWay | None:
        """Return a code as WeCom has it; None where somebody deleted it."""

    async def made_since(self, begun_at: datetime, now: datetime, way: WantedWay) -> str | None:
        """Return the config_id of a code with this state that was made since then."""


class WayPlanner:
    """Notes what the file wants, whenever it was read anew."""

    watches: tuple[str, ...] = ()

    def __init__(self, database: Database, content: Content, clock: Clock) -> None:
        self._database = database
        self._content = content
        self._clock = clock
        self._planned: Bank | None = None

    async def step(self) -> int:
        """Plan what changed; return how many codes that were."""
        bank = self._content.bank
        if bank is self._planned:
            return 0
        async with self._database.begin() as tx:
            planned = await tx.ways.want(bank.wanted_ways(), self._clock.now())
        self._planned = bank
        return planned


class WayWorker:
    """Makes planned codes, and looks at each once a day."""

    watches = ("contact_ways",)

    def __init__(self, database: Database, ways: WeComWays, clock: Clock) -> None:
        self._database = database
        self._ways = ways
        self._clock = clock

    async def step(self) -> int:
        """Work on a few codes, one after the other; return how many there were."""
        async with self._database.begin() as tx:
            claimed = await tx.ways.claim(self._clock.now())
        for way in claimed:
            await self._work(way)
        return len(claimed)

    async def _work(self, way: MadeWay) -> None:
        try:
            wanted, missing = await self._with_ids(way.wanted)
            if missing:
                reason = f"没有叫「{missing}」的客户群"
                await self._finish(way, _NO_GROUP, reason=reason)
            elif way.config_id:
                await self._keep(way, wanted)
            else:
                await self._make(way, wanted)
        except Undeliverable as error:
            log.error("way_refused", way=way.id, reason=error.reason)
            await self._finish(way, None, status=FAILED, reason=error.reason)
        except Retryable as error:
            log.warning("way_put_off", way=way.id, reason=error.reason)
            rest = max(_SHORTEST_REST, timedelta(seconds=error.after))
            # Where the call may have arrived the row stays in the making, and is looked for.
            status = {} if error.may_have_arrived else {"status": _before(way)}
            await self._finish(way, rest, reason=error.reason, **status)
        except ChannelError as error:
            await self._finish(way, None, status=FAILED, reason=str(error))

    async def _keep(self, way: MadeWay, wanted: WantedWay) -> None:
        """See to it that a code is as the file wants it; one that was deleted is made again."""
        found = await self._ways.look(way.config_id, wanted)
        if found is None:
            log.warning("way_gone", way=way.id)
            await self._finish(way, timedelta(0), status=PLANNED, config_id="", link="", reason="")
            return
        if not found.as_wanted:
            await self._ways.change(way.config_id, wanted)
        await self._ready(way, way.config_id, found.link)

    async def _make(self, way: MadeWay, wanted: WantedWay) -> None:
        now = self._clock.now()
        if way.status == MAKING and way.begun_at is not None:
            config_id = await self._ways.made_since(way.begun_at, now, wanted)
            if config_id is not None:
                await self._adopt(way, config_id, wanted)
                return
            if wanted.kind == "join":  # WeCom has no list of these: nobody can tell
                await self._finish(way, None, status=UNKNOWN, reason="创建时中断，不知道成没成")
                return
        if way.status in (UNKNOWN, FAILED):
            await self._finish(way, None, reason=way.reason)
            return
        async with self._database.begin() as tx:
            if not await tx.ways.mark(way, now, status=MAKING, begun_at=now):
                return
        config_id, link = await self._ways.make(wanted)
        await self._adopt(way, config_id, wanted, link)

    async def _adopt(self, way: MadeWay, config_id: str, wanted: WantedWay, link: str = "") -> None:
        """Remember a code that was made; a row without its config_id would be made again."""
        async with self._database.begin() as tx:
            await tx.ways.mark(way, self._clock.now(), config_id=config_id, status=READY)
        if not link:
            found = await self._ways.look(config_id, wanted)
            link = found.link if found is not None else ""
        await self._ready(way, config_id, link)

    async def _ready(self, way: MadeWay, config_id: str, link: str) -> None:
        now = self._clock.now()
        async with self._database.begin() as tx:
            mine = await tx.ways.finish(
                way,
                now,
                due_at=now + _LOOK_AGAIN,
                status=READY,
                reason="",
                config_id=config_id,
                link=link,
            )
            if mine and way.status != READY:
                await tx.ledger.add("way_made", way.wanted.state, now, way=way.id)

    async def _finish(self, way: MadeWay, rest: timedelta | None, **values: str) -> None:
        now = self._clock.now()
        due_at = None if rest is None else now + rest
        async with self._database.begin() as tx:
            await tx.ways.finish(way, now, due_at=due_at, **values)

    async def _with_ids(self, way: WantedWay) -> tuple[WantedWay, str]:
        """Name groups by their ids; say which one there is none of."""
        if way.kind == "contact":
            return way, ""
        async with self._database.read() as tx:
            chats = await _chats_by_name(tx)
        found = [chats.get(name, "") for name in way.targets]
        missing = [name for name, chat in zip(way.targets, found, strict=True) if not chat]
        return way.model_copy(update={"targets": tuple(found)}), "、".join(missing)


async def _chats_by_name(tx: Tx) -> dict[str, str]:
    """Return the living groups' ids by name and by id; of two with one name the older one."""
    living = [group for group in await tx.people.groups() if not group.dismissed and group.owner]
    by_name = {group.name: str(group.id) for group in reversed(living)}
    return by_name | {str(group.id): str(group.id) for group in living}


def _before(way: MadeWay) -> str:
    return READY if way.config_id else PLANNED
