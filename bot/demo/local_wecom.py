"""``zhilin emulator``: the local WeCom as a server of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from bot.channels.callback import PATH
from bot.clock import FakeClock
from bot.demo.town import (
    AGENT_ID,
    ARCHIVE_SECRET,
    CALLBACK_AES_KEY,
    CALLBACK_TOKEN,
    CORP_SECRET,
    build_town,
)
from bot.emulator import aibot_socket
from bot.emulator.aibot import AiBot
from bot.emulator.page import page_routes
from bot.emulator.server import build_app, serve_emulator
from bot.emulator.world import App, World
from bot.errors import ConfigError
from bot.workers.content import read_snapshot
from bot.workspace import Workspace

_BOT = "http://127.0.0.1:8080"
_SIDEBAR = f"{_BOT}/sidebar"
_AIBOT, _STAFF_GROUP = "aib-local", "staff-room"


async def run_local_wecom(
    workspace: Workspace,
    host: str,
    port: int,
    empty: bool,
    say: Callable[[str], None],
    stopping: asyncio.Event,
) -> None:
    """Serve a WeCom until told to stop; prints what a bot needs to reach it."""
    clock = FakeClock(datetime.now(UTC), running=True)
    if empty:
        world = World(clock)
        world.archive.secret = ARCHIVE_SECRET
        world.add_app(App(AGENT_ID, CORP_SECRET))
    else:
        bank = read_snapshot(workspace, clock.now().date()).bank
        world = build_town(bank, clock, seed=1, groups=4, members=80).world
    for name in ("app", "kf", "contact"):
        world.callbacks.configure(name, _BOT + PATH, CALLBACK_TOKEN, CALLBACK_AES_KEY)
    world.client.sidebars[AGENT_ID] = _SIDEBAR
    world.client.entrance = f"{_SIDEBAR}/login"
    world.aibots.add(AiBot(_AIBOT, CORP_SECRET))
    world.webhooks.add(_STAFF_GROUP, _STAFF_GROUP)
    application = build_app(world)
    application.add_routes(page_routes(world, desk=False))
    try:
        async with serve_emulator(world, host, port, app=application) as server:
            for line in _how_to_connect(server.base_url, world.corp_id):
                say(line)
            await stopping.wait()
    except OSError as error:
        raise ConfigError(
            f"{host} 的端口 {port} 用不了，多半已被占用。请换一个端口(--port)。"
        ) from error


def _how_to_connect(address: str, corp_id: str) -> list[str]:
    return [
        f"本机的企业微信在 {address}，用浏览器打开能看到三部手机。",
        "让知邻连过来，另开一个终端：",
        f"  export BOT_WECOM__API_BASE={address}",
        f"  export BOT_WECOM__CORP_ID={corp_id}",
        f"  export BOT_WECOM__SECRET={CORP_SECRET}",
        f"  export BOT_WECOM__AGENT_ID={AGENT_ID}",
        f"  export BOT_WECOM__CALLBACK_TOKEN={CALLBACK_TOKEN}",
        f"  export BOT_WECOM__CALLBACK_AES_KEY={CALLBACK_AES_KEY}",
        f"  export BOT_ARCHIVE__URL={address}",
        f"  export BOT_ARCHIVE__SECRET={ARCHIVE_SECRET}",
        f"  export BOT_SIDEBAR__URL={_SIDEBAR}",
        f"  export BOT_SIDEBAR__OAUTH_URL={address}/connect/oauth2/authorize",
        f"  export BOT_SIDEBAR__SDK_URL={address}/static/ww.js",
        f"  export BOT_AIBOT__MODE=websocket BOT_AIBOT__BOT_ID={_AIBOT}",
        f"  export BOT_AIBOT__SECRET={CORP_SECRET}",
        f"  export BOT_AIBOT__WS_URL={address.replace('http', 'ws', 1)}{aibot_socket.PATH}",
        f"  export BOT_STAFF__GROUP_WEBHOOK='{address}/cgi-bin/webhook/send?key={_STAFF_GROUP}'",
        "  zhilin serve",
        f"回调发到 {_BOT}{PATH}；要改，用 POST /emulator/callbacks/config。",
        "按 Ctrl+C 结束。",
    ]
