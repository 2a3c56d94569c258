"""Memory is flat: a bot that was closed is let go, whatever it did and whoever called it."""

from __future__ import annotations

import gc
import weakref

from bot.workspace import Workspace
from tests.journeys.town import live


async def test_nobody_holds_a_bot_that_has_closed(workspace: Workspace) -> None:
    async with live(workspace, groups=1, members=3) as life:
        assert await life.asks("存折还能用吗")
        before = weakref.ref(life.demo.bot.database)
        await life.demo.restart()
        after = weakref.ref(life.demo.bot.database)
        assert after() is not before()
    del life
    gc.collect()
    assert before() is None
    assert after() is None
