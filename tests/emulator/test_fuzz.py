"""Whatever a caller sends, the local WeCom answers with a code of WeCom's and never breaks."""

from __future__ import annotations

import inspect
import random
import re

import pytest

from bot.emulator import contact, groups
from bot.emulator.server import APIS, CONTROLS
from bot.emulator.wire import Api as Route
from bot.emulator.world import World

from .conftest import AGENT, KF, LI, MANAGER, OTHER, SECRET, Api

ROUNDS = 8
WAITS = {"clock", "callbacks/config", "callbacks/flush", "aibots/flush", "media/upload_by_url"}
"""These move the clock or call somebody else."""
VALUES: list[object] = [None, "", 0, -1, 2, 10**15, 1.5, True, "x", "中" * 60, [], ["x"], [{}], {}]
KNOWN: dict[str, list[object]] = {
    "userid": [MANAGER],
    "external_userid": [LI, [LI]],
    "open_kfid": [KF],
    "chat_id": ["wrONE"],
    "chat_id_list": [["wrONE"]],
    "touser": [LI, MANAGER],
    "agentid": [AGENT],
    "sender": [MANAGER],
    "msgtype": ["text", "link", "msgmenu", "location", "template_card"],
    "text": [{"content": "x"}, "x"],
    "takeover_userid": [OTHER],
    "handover_userid": [MANAGER],
    "new_owner": [OTHER],
    "service_state": [1, 2, 3, 4],
    "user": [[MANAGER]],
    "chat_type": ["single", "group"],
    "attachments": [[{"msgtype": "link", "link": {"title": "x", "url": "https://x/"}}]],
    "owner_filter": [{"userid_list": [MANAGER]}],
    "range": [{"user_list": [MANAGER]}],
}


def body(route: Route, dice: random.Random) -> dict[str, object]:
    """Return some of the fields the handler reads, right ones and wrong ones."""
    keys = dict.fromkeys(re.findall(r'"(\w+)"', inspect.getsource(route.handler)))
    return {
        key: dice.choice(KNOWN[key] if key in KNOWN and dice.random() < 0.7 else VALUES)
        for key in keys
        if dice.random() < 0.85
    }


@pytest.mark.parametrize(("base", "routes"), [("cgi-bin", APIS), ("emulator", CONTROLS)])
async def test_nothing_that_is_sent_breaks_it(
    api: Api, world: World, base: str, routes: tuple[Route, ...]
) -> None:
    contact.befriend(world, MANAGER, LI, quiet=True)
    groups.create(world, MANAGER, "群", [LI], chat_id="wrONE", quiet=True)
    dice = random.Random(7)
    for route in routes:
        if route.path in WAITS:
            continue
        for _ in range(ROUNDS):
            world.faults.clear()
            world.tokens.issue(world.corp_id, SECRET)
            sent = body(route, dice)
            params = {"access_token": api.token}
            if route.method == "GET":
                params |= {key: str(value) for key, value in sent.items() if value}
            url = f"{api.base_url}/{base}/{route.path}"
            data = sent if route.method == "POST" else None
            async with api.session.request(route.method, url, params=params, json=data) as answer:
                assert answer.status < 500, (route.path, sent)
