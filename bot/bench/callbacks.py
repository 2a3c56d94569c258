"""Callback to 200 at a steady rate on the whole bot, and how many a second the door can take."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.bench.figures import Progress, spread
from bot.bench.load import Order
from bot.bench.processes import python, server
from bot.bench.scene import SMALL_BOT, Scene, open_scene
from bot.channels.callback import PATH
from bot.wecom.crypto import CallbackCrypto, open_envelope, parse_xml
from bot.workspace import Workspace

BAR_P99_MS = 50.0
RATE = 200
_STEADY_S, _CEILING_S = 15.0, 5.0
_STEADY_LINES, _CEILING_LINES = 16, 32
_ENOUGH = 60_000  # more than any receiver takes in the time


async def measure(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Measure 200 callbacks a second for 15 s, then the ceiling beside a bare handler."""
    async with open_scene(workspace, settings=SMALL_BOT) as scene:
        progress(f"  每秒 {RATE} 个回调，{_STEADY_S:.0f} 秒")
        doorbell = await _doorbell(scene)
        steady = await _generate(
            _order(
                scene.bot.address + PATH,
                scene.wecom,
                int(RATE * _STEADY_S),
                _STEADY_S + 5,
                _STEADY_LINES,
                RATE,
                doorbell,
            )
        )
        wecom = scene.wecom
    figures = spread(steady["latencies_ms"])
    return {
        "what": "whole bot (web and workers, SQLite synchronous=FULL), half kf doorbells",
        "rate_per_s": RATE,
        "accepted": steady["accepted"],
        "refused": steady["refused"],
        **figures,
        "bar_p99_ms": BAR_P99_MS,
        "met": steady["accepted"] == steady["posted"] and figures["p99_ms"] <= BAR_P99_MS,
        "ceiling": await _ceilings(wecom, progress),
    }


async def _ceilings(wecom: Any, progress: Progress) -> dict[str, Any]:
    """Measure how many callbacks the door takes, beside a bare handler in the same run."""
    ceilings: dict[str, list[int]] = {}
    for kind in ("null", "bare", "endpoint", "bare"):
        progress(f"  上限：{kind}")
        ceilings.setdefault(kind, []).append(await _ceiling(kind, wecom))
    bare, ours = ceilings["bare"], ceilings["endpoint"][0]
    return {
        "what": f"{_CEILING_LINES} connections as fast as they go, the door without workers",
        "endpoint_per_s": ours,
        "reference_bare_aiohttp_per_s": bare,
        "ratio": round(ours / (sum(bare) / len(bare)), 2),
        "generator_per_s": ceilings["null"][0],
    }


async def _doorbell(scene: Scene) -> dict[str, str]:
    """Let one customer write, and take the account and token from the doorbell that follows."""
    scene.relay.holding = True
    [customer] = await scene.town.customers(1)
    await scene.town.ask(customer, scene.questions[0])
    [posted] = await scene.relay.held(1)
    wecom = scene.wecom
    crypto = CallbackCrypto(
        wecom["BOT_WECOM__CALLBACK_TOKEN"],
        wecom["BOT_WECOM__CALLBACK_AES_KEY"],
        wecom["BOT_WECOM__CORP_ID"],
    )
    fields = parse_xml(open_envelope(posted.body, posted.query, crypto, datetime.now(UTC)))
    scene.relay.holding = False
    return {name: str(fields[name]) for name in ("Token", "OpenKfId")}


async def _ceiling(kind: str, wecom: Mapping[str, str]) -> int:
    with tempfile.TemporaryDirectory(prefix="zhilin-bench-") as folder:
        keys = {
            "token": wecom["BOT_WECOM__CALLBACK_TOKEN"],
            "aes_key": wecom["BOT_WECOM__CALLBACK_AES_KEY"],
            "corp_id": wecom["BOT_WECOM__CORP_ID"],
            "database": f"sqlite:///{Path(folder) / 'door.db'}",
        }
        async with server(["-m", "bot.bench.receiver", kind, json.dumps(keys)]) as address:
            order = _order(address + PATH, wecom, _ENOUGH, _CEILING_S, _CEILING_LINES, 0, {})
            ran = await _generate(order)
    return int(ran["accepted"] / ran["seconds"])


def _order(
    url: str,
    wecom: Mapping[str, str],
    count: int,
    seconds: float,
    connections: int,
    rate: float,
    doorbell: dict[str, str],
) -> Order:
    return Order(
        url=url,
        corp_id=wecom["BOT_WECOM__CORP_ID"],
        token=wecom["BOT_WECOM__CALLBACK_TOKEN"],
        aes_key=wecom["BOT_WECOM__CALLBACK_AES_KEY"],
        count=count,
        seconds=seconds,
        connections=connections,
        rate=rate,
        doorbell=doorbell,
    )


async def _generate(order: Order) -> dict[str, Any]:
    output, code = await python(["-m", "bot.bench.load"], json.dumps(asdict(order)).encode())
    if code:
        raise RuntimeError(f"the generator ended with code {code}")
    report: dict[str, Any] = json.loads(output)
    return report
