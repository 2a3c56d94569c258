"""Callback to 200 at a steady rate on the whole bot, and how many a second the door can take."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bot.bench.figures import Progress, spread
from bot.bench.load import Order
from bot.bench.processes import python, server
from bot.bench.scene import SMALL_BOT, Scene, open_scene
from bot.channels.callback import PATH
from bot.wecom.crypto import CallbackCrypto, open_envelope, parse_xml
from bot.workspace import Workspace

BAR_P99_MS = 50.0
BAR_RATIO = 0.8
BAR_PER_S, BARE_PER_S = 3000, 3750  # the first is asked where the second is exceeded
BAR_HALF_P99_MS = 30.0
RATE = 200
_STEADY_S, _STEADY_LINES = 10.0, 16
_LINES = 128
_TURN_S, _TURNS = 0.5, 12  # short turns: whatever else the machine does weighs on both alike
_HALF_S, _HALF_TURNS = 1.0, 3
_ENOUGH_PER_S = 16_000  # more than an aiohttp handler takes


async def measure(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Measure 200 callbacks a second on the whole bot, then the door beside a bare handler."""
    async with open_scene(workspace, settings=SMALL_BOT) as scene:
        progress(f"  每秒 {RATE} 个回调，{_STEADY_S:.0f} 秒")
        sender = Sender(scene.wecom, await _doorbell(scene))
        [steady] = await sender.send([scene.bot.address], RATE, _STEADY_S, lines=_STEADY_LINES)
    figures = spread(steady["latencies_ms"])
    return {
        "what": "whole bot (web and workers, SQLite synchronous=FULL), half kf doorbells",
        "rate_per_s": RATE,
        "accepted": steady["accepted"],
        "refused": steady["refused"],
        **figures,
        "bar_p99_ms": BAR_P99_MS,
        "met": steady["accepted"] == steady["posted"] and figures["p99_ms"] <= BAR_P99_MS,
        "ceiling": await measure_door(sender, progress),
    }


class Sender:
    """Runs the generator, a process of its own each time."""

    def __init__(self, wecom: Mapping[str, str], doorbell: dict[str, str]) -> None:
        self.keys = {
            "token": wecom["BOT_WECOM__CALLBACK_TOKEN"],
            "aes_key": wecom["BOT_WECOM__CALLBACK_AES_KEY"],
            "corp_id": wecom["BOT_WECOM__CORP_ID"],
        }
        self._doorbell = doorbell

    async def send(
        self, addresses: list[str], rate: float, seconds: float, *, lines: int, turns: int = 1
    ) -> list[dict[str, Any]]:
        """Post ``rate`` callbacks a second to each address in turn; 0 is as fast as it goes."""
        order = Order(
            urls=tuple(address + PATH for address in addresses),
            count=int((rate or _ENOUGH_PER_S) * seconds),
            seconds=seconds + 5 if rate else seconds,
            connections=lines,
            rate=rate,
            doorbell=self._doorbell,
            turns=turns,
            **self.keys,
        )
        output, code = await python(["-m", "bot.bench.load"], json.dumps(asdict(order)).encode())
        if code:
            raise RuntimeError(f"the generator ended with code {code}")
        reports: list[dict[str, Any]] = json.loads(output)
        return reports


async def measure_door(sender: Sender, progress: Progress) -> dict[str, Any]:
    """Measure how many callbacks the door takes, turn by turn with a bare handler."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="zhilin-bench-"))
        file = Path(folder) / "door.db"
        null, bare, door = [
            await stack.enter_async_context(_receiver(kind, sender.keys, file))
            for kind in ("null", "bare", "endpoint")
        ]
        progress("  上限：发送端空转，再是只解密的和入库的，轮流测")
        [alone] = await sender.send([null], 0, _TURN_S, lines=_LINES)
        turns = await sender.send([bare, door], 0, _TURN_S, lines=_LINES, turns=_TURNS)
        found = _judged(turns[0::2], turns[1::2]) | {"generator_per_s": _per_s(alone)}
        rate = found["endpoint_per_s"] / 2
        progress(f"  每秒 {rate:.0f} 个回调，上限的一半")
        half = await sender.send([bare, door], rate, _HALF_S, lines=_LINES, turns=_HALF_TURNS)
        accepted = sum(report["accepted"] for report in turns[1::2] + half[1::2])
        found |= {"accepted": accepted, "stored": _stored(file)}
    found["met"] = found["met"] and found["accepted"] == found["stored"]
    return found | {"half": _at_half(rate, half[0::2], half[1::2])}


def _receiver(kind: str, keys: dict[str, str], file: Path) -> AbstractAsyncContextManager[str]:
    order = keys | {"database": f"sqlite:///{file}"}
    return server(["-m", "bot.bench.receiver", kind, json.dumps(order)])


def _stored(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        count: int = connection.execute("SELECT count(*) FROM notices").fetchone()[0]
    return count


def _per_s(report: dict[str, Any]) -> int:
    if report["refused"]:
        raise RuntimeError(f"a receiver refused {report['refused']} callbacks")
    return int(report["accepted"] / report["seconds"])


def _judged(references: list[dict[str, Any]], ours: list[dict[str, Any]]) -> dict[str, Any]:
    """Judge the turns: each of ours stands beside one of the reference."""
    bare, door = [_per_s(one) for one in references], [_per_s(one) for one in ours]
    ratios = [round(own / other, 2) for own, other in zip(door, bare, strict=True)]
    ratio, bare_per_s, per_s = median(ratios), int(median(bare)), int(median(door))
    return {
        "what": f"{_LINES} connections as fast as they go, the web half, fsync FULL and dedupe",
        "endpoint_per_s": per_s,
        "reference_bare_aiohttp_per_s": bare_per_s,
        "ratio": round(ratio, 2),
        "turns": {"endpoint_per_s": door, "reference_bare_aiohttp_per_s": bare, "ratios": ratios},
        "bar_ratio": BAR_RATIO,
        "bar_per_s": BAR_PER_S if bare_per_s > BARE_PER_S else None,
        "met": ratio >= BAR_RATIO and (bare_per_s <= BARE_PER_S or per_s >= BAR_PER_S),
    }


def _at_half(
    rate: float, references: list[dict[str, Any]], ours: list[dict[str, Any]]
) -> dict[str, Any]:
    bare, door = (
        spread([took for report in reports for took in report["latencies_ms"]])
        for reports in (references, ours)
    )
    return {
        "rate_per_s": int(rate),
        "endpoint": door,
        "reference_bare_aiohttp": bare,
        "bar_p99_ms": BAR_HALF_P99_MS,
        "met": door["p99_ms"] <= BAR_HALF_P99_MS,
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
