"""The power goes at a chosen moment: around a transaction, or around a call of WeCom's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any
from unittest.mock import patch

from bot.storage.db import Database, Tx
from bot.wecom.client import WeComClient
from bot.wecom.transport import Reply, Transport


class PowerCut(BaseException):
    """Nothing runs on from here; no code of the bot's catches it."""


class Power:
    """Counts the moments at which a process can die, and lets it die at one of them."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.strike: Callable[[], None] | None = None
        """What happens instead of death, once."""
        self.dead = False
        self.cuts = 0

    def cut_after(self, moments: int) -> None:
        """Let the power go after so many further moments."""
        self.left = moments

    def back(self) -> None:
        """Have power again."""
        self.left, self.dead = None, False

    def moment(self) -> None:
        """Go on, or die; a dead process does nothing more, whatever its code would."""
        if self.left is not None and not self.dead:
            self.left -= 1
            if self.left < 0 and self.strike is not None:
                self.left = None
                self.cuts += 1
                self.strike()
            elif self.left < 0:
                self.dead = True
                self.cuts += 1
        if self.dead:
            raise PowerCut


@contextmanager
def wired(power: Power) -> Iterator[None]:
    """Have every transaction and every call pass by the switch, before and after."""
    begin, read, run_alone = Database.begin, Database.read, Database.run_alone
    exchange = Transport.exchange

    @asynccontextmanager
    async def fragile_begin(self: Database) -> AsyncIterator[Tx]:
        power.moment()
        async with begin(self) as tx:
            yield tx
            power.moment()  # all is written, nothing is committed
        power.moment()

    @asynccontextmanager
    async def fragile_read(self: Database) -> AsyncIterator[Tx]:
        power.moment()
        async with read(self) as tx:
            yield tx

    async def fragile_run(self: Database, statement: str, values: tuple[Any, ...]) -> None:
        power.moment()
        await run_alone(self, statement, values)
        power.moment()

    async def fragile_exchange(self: Transport, *args: Any, **more: Any) -> Reply:
        power.moment()
        reply = await exchange(self, *args, **more)
        power.moment()  # it was done, and nobody has heard of it
        return reply

    quick = {"quick_pauses_s": (0.0, 0.0, 0.0)}  # in the machine's time, which no story waits for
    with ExitStack() as stack:
        stack.enter_context(patch.dict(WeComClient.__init__.__kwdefaults__, quick))
        stack.enter_context(patch.object(Database, "begin", fragile_begin))
        stack.enter_context(patch.object(Database, "read", fragile_read))
        stack.enter_context(patch.object(Database, "run_alone", fragile_run))
        stack.enter_context(patch.object(Transport, "exchange", fragile_exchange))
        yield
