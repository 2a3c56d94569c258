"""A welcome is good for 20 seconds: it waits neither behind other events nor behind slow sends."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, suppress

from sqlalchemy import func, select

from bot.app import App, assemble, listening
from bot.channels.callback import PATH
from bot.demo.running import open_demo
from bot.demo.town import CALLBACK_AES_KEY, CALLBACK_TOKEN
from bot.domain.delivery import Terms
from bot.domain.events import Arrival, MessageReceived
from bot.domain.ids import CustomerId, KfAccountId, RmId
from bot.domain.messages import StaffText
from bot.emulator import contact
from bot.storage.tables import events
from bot.workspace import Workspace
from tests.journeys.town import START, edit

WELCOME = "\n好友欢迎语:\n  - 正文: 您好，我是{经理.称呼}。\n\n隐私:\n"
QUEUED = 500
SLOW_S = 4.0
IN_TIME_S = 5.0  # of the 20; on an idle machine it takes some tens of milliseconds


async def crowd(app: App, account: str) -> None:
    """Put questions of customers nobody knows, and words to staff, in front of the welcome."""
    now = app.clock.now()
    arrivals = [
        Arrival(
            key=f"crowd:{number}",
            lane=f"kf:wmCrowd{number}",
            event=MessageReceived(
                account=KfAccountId(account),
                customer=CustomerId(f"wmCrowd{number}"),
                msgid=f"crowd{number}",
                text="存折还能用吗",
                sent_at=now,
            ),
        )
        for number in range(QUEUED)
    ]
    async with app.database.begin() as tx:
        await tx.inbox.add_events(arrivals, now)
        for number in range(100):
            text = StaffText(to=(RmId("li.min"),), text=f"通知 {number}")
            await tx.outbox.put(f"slow:{number}", text, Terms(purpose="staff"), now)


async def unfinished(app: App) -> int:
    async with app.database.read() as tx:
        found = await tx.connection.execute(
            select(func.count()).where(events.c.key.startswith("crowd:"), events.c.state != "done")
        )
        return int(found.scalar_one())


async def test_with_500_events_and_slow_sends_before_it_the_welcome_leaves_in_time(
    workspace: Workspace,
) -> None:
    async with AsyncExitStack() as stack:
        demo = await stack.enter_async_context(
            open_demo(workspace, START, groups=1, members=3, running=True)
        )
        world = demo.town.world
        edit(demo.workspace, "sop/_workspace.yaml", "\n隐私:\n", WELCOME)
        await demo.stop()
        app = await stack.enter_async_context(assemble(demo.settings, demo.workspace, demo.clock))
        address = await stack.enter_async_context(listening(app.web(), "127.0.0.1", 0))
        for name in ("app", "kf", "contact"):
            world.callbacks.configure(name, address + PATH, CALLBACK_TOKEN, CALLBACK_AES_KEY)
        await crowd(app, demo.town.kf_account)
        world.faults.plan("externalcontact/get", "slow", seconds=SLOW_S, times=10_000)
        world.faults.plan("message/send", "slow", seconds=SLOW_S, times=10_000)
        running = asyncio.create_task(app.run(asyncio.Event()))
        await asyncio.sleep(0.2)  # let every hand be full
        customer = world.settle_customer("", "王阿姨")
        contact.befriend(world, "li.min", customer)
        began = time.monotonic()
        await world.callbacks.flush()
        while not world.deliveries.select("welcome", customer):
            assert time.monotonic() - began < IN_TIME_S
            await asyncio.sleep(0.01)
        took = time.monotonic() - began
        left = await unfinished(app)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert took < IN_TIME_S, took
    assert left > QUEUED - 100
