"""Several workers on one PostgreSQL never pull one account at once, and each message comes once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from sqlalchemy import select

from bot.channels.kf import KfChannel
from bot.clock import SystemClock
from bot.emulator.server import build_app, serve_emulator
from bot.emulator.world import App, Customer, World
from bot.front import listening
from bot.storage.db import Database
from bot.storage.tables import events
from bot.storage.tokens import DatabaseTokens
from bot.wecom.client import WeComClient
from bot.wecom.kf import KfApi
from bot.workers.inbox import InboxWorker
from bot.workers.loop import run_for_ever
from tests.make import notice
from tests.processes.conftest import Open
from tests.waiting import until

_MESSAGES, _ACCOUNTS, _WORKERS = 40, 2, 3


class Counted:
    """A local WeCom that counts how many sync_msg calls of one account run at the same time."""

    def __init__(self, clock: SystemClock) -> None:
        self.world = World(clock)
        self.world.add_app(App(1000002, "secret"))
        self.world.limits.sync_without_token_per_minute = 10_000
        self.at_once: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.address = ""

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        application = build_app(self.world)
        application.middlewares.append(self._count())
        async with serve_emulator(self.world, app=application, live=False) as server:
            self.address = server.base_url
            yield

    def _count(self) -> Callable[..., Awaitable[web.StreamResponse]]:
        @web.middleware
        async def count(request: web.Request, handler: Callable) -> web.StreamResponse:  # type: ignore[type-arg]
            if not request.path.endswith("kf/sync_msg"):
                return await handler(request)
            account = (await request.json())["open_kfid"]
            self.at_once[account] += 1
            self.most[account] = max(self.most[account], self.at_once[account])
            try:
                await asyncio.sleep(0.01)  # a real answer takes its time
                return await handler(request)
            finally:
                self.at_once[account] -= 1

        return count


@asynccontextmanager
async def working(
    database: Database, wecom: Counted, clock: SystemClock
) -> AsyncIterator[WeComClient]:
    """Run the worker that pulls, as a process of its own would."""
    tokens = DatabaseTokens(database, clock)
    client = WeComClient(wecom.address, wecom.world.corp_id, "secret", tokens, clock)
    worker = InboxWorker(database, {"kf": KfChannel(KfApi(client), clock, 40058)}, clock)
    database.share_news(ring=True)
    stopping = asyncio.Event()
    running = asyncio.create_task(run_for_ever([worker], database, clock, stopping))
    try:
        yield client
    finally:
        stopping.set()
        await running
        await client.close()


async def test_three_workers_pull_each_account_by_one_hand_and_store_each_message_once(
    another: Open, clock: SystemClock
) -> None:
    wecom = Counted(clock)
    customer = wecom.world.add_customer(Customer("wmLi", "李女士")).external_userid
    accounts = [wecom.world.kf.add_account(f"小安{n}").open_kfid for n in range(_ACCOUNTS)]
    door = await another()
    door.share_news(ring=True)

    async def ring(number: int) -> None:
        """Let a customer write to each account, and store the doorbells as the web half does."""
        for account in accounts:
            wecom.world.kf.customer_says(account, customer, f"第{number}句")
            body = f"<xml><OpenKfId>{account}</OpenKfId><Token></Token></xml>"
            lane = f"kf:{account}"
            async with door.begin() as tx:
                await tx.inbox.add_notices(
                    [notice(f"{account}:{number}", body=body, lane=lane)], clock.now()
                )

    async def all_there() -> bool:
        async with door.read() as tx:
            due = await tx.next_due(["notices"])
            keys = (await tx.connection.execute(select(events.c.key))).all()
        return due is None and len(keys) >= _MESSAGES * _ACCOUNTS

    async with wecom.served():
        databases = [await another() for _ in range(_WORKERS)]
        async with (
            working(databases[0], wecom, clock),
            working(databases[1], wecom, clock),
            working(databases[2], wecom, clock),
        ):
            for number in range(_MESSAGES):
                await ring(number)
            await until(all_there, within_s=20)
    async with door.read() as tx:
        keys = [row.key for row in await tx.connection.execute(select(events.c.key))]
    assert len(keys) == _MESSAGES * _ACCOUNTS
    assert dict(wecom.most) == dict.fromkeys(accounts, 1)


async def test_two_processes_with_a_cold_token_ask_for_one(
    another: Open, clock: SystemClock
) -> None:
    calls = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal calls
        if request.path.endswith("gettoken"):
            calls += 1
            await asyncio.sleep(0.05)  # time enough for the other to ask as well
            return web.json_response({"errcode": 0, "access_token": "t", "expires_in": 7200})
        return web.json_response({"errcode": 0})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    async with listening(application, "127.0.0.1", 0) as address:
        clients = [
            WeComClient(address, "ww1", "s", DatabaseTokens(await another(), clock), clock)
            for _ in range(3)
        ]
        await asyncio.gather(*(client.get("user/get") for client in clients for _ in range(5)))
        for client in clients:
            await client.close()
    assert calls == 1


async def test_what_one_process_stores_another_works_on_at_once(
    another: Open, clock: SystemClock
) -> None:
    """Without the bell this would take up to a second."""
    web_half, workers = await another(), await another()
    web_half.share_news(ring=True)
    workers.share_news(ring=False)
    await workers.hears()
    await web_half.hears()
    seen: list[float] = []
    loop = asyncio.get_running_loop()

    class Reader:
        watches = ("notices",)

        async def step(self) -> int:
            async with workers.begin() as tx:
                claimed = await tx.inbox.claim_notices(clock.now())
                for item in claimed:
                    await tx.inbox.finish_notice(item)
            seen.extend(loop.time() for _ in claimed)
            return len(claimed)

    stopping = asyncio.Event()
    running = asyncio.create_task(run_for_ever([Reader()], workers, clock, stopping))
    waits = []
    for number in range(8):
        began = loop.time()
        async with web_half.begin() as tx:
            await tx.inbox.add_notices([notice(str(number))], clock.now())
        await until(lambda wanted=number + 1: len(seen) == wanted)
        waits.append(seen[-1] - began)
    stopping.set()
    await running
    assert sorted(waits)[len(waits) // 2] < 0.3
