"""The AI bot and the group's message push are there where the settings ask for them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.channels.staff_side import StaffSide, open_staff_side
from bot.clock import FakeClock
from bot.config import Settings, require_aibot
from bot.config.parts import AibotSettings, StaffSettings, WeComSettings
from bot.errors import ConfigError
from bot.front import configurations
from bot.storage.db import Database
from bot.workspace import Workspace
from tests.make import NOON

TOKEN, AES_KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
WECOM = WeComSettings(callback_token=TOKEN, callback_aes_key=AES_KEY)
SOCKET = AibotSettings(mode="websocket", bot_id="b", secret="s")
WEBHOOK = AibotSettings(mode="webhook", token=TOKEN, aes_key=AES_KEY)
GROUP = StaffSettings(group_webhook="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k")


async def opened(tmp_path: Path, **settings: object) -> tuple[StaffSide, list[str]]:
    async with AsyncExitStack() as stack:
        database = await Database.open(f"sqlite:///{tmp_path / 'z.db'}", durable=False)
        stack.push_async_callback(database.close)
        made = Settings().model_copy(update=settings)
        side = open_staff_side(stack, made, Workspace(tmp_path), database, FakeClock(NOON))
        return side, [channel.name for channel in side.channels]


@pytest.mark.parametrize(
    ("settings", "names", "keeps_a_line"),
    [
        ({}, [], False),
        ({"aibot": SOCKET}, ["aibot"], True),
        ({"aibot": WEBHOOK}, ["aibot"], False),
        ({"staff": GROUP}, ["webhook"], False),
        ({"aibot": SOCKET, "staff": GROUP}, ["aibot", "webhook"], True),
    ],
)
async def test_each_part_is_there_where_it_is_set(
    tmp_path: Path, settings: dict[str, object], names: list[str], keeps_a_line: bool
) -> None:
    side, found = await opened(tmp_path, **settings)
    assert found == names
    assert (side.line is not None) == keeps_a_line
    assert (side.has_bot, side.has_group) == ("aibot" in names, "webhook" in names)


@pytest.mark.parametrize(
    ("bot", "missing"),
    [
        (AibotSettings(mode="websocket", bot_id="b"), "secret"),
        (AibotSettings(mode="webhook", token=TOKEN), "aes_key"),
    ],
)
def test_a_mode_without_its_keys_is_refused_in_a_sentence(bot: AibotSettings, missing: str) -> None:
    with pytest.raises(ConfigError, match=missing):
        require_aibot(Settings().model_copy(update={"aibot": bot}))
    require_aibot(Settings())


def test_only_the_webhook_has_a_callback() -> None:
    settings = Settings().model_copy(update={"wecom": WECOM, "aibot": WEBHOOK})
    assert set(configurations(settings)) == {"", "aibot"}
    silent = settings.model_copy(update={"aibot": SOCKET})
    assert set(configurations(silent)) == {""}
