"""How long after a customer's words the card lies in somebody's hand, over the local WeCom."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.bench.figures import spread
from bot.bench.questions import read_window
from bot.bench.scene import open_scene
from bot.bench.town import Town
from bot.workspace import Workspace

BAR_CARD_P95_MS, BAR_RED_FLAG_MS = 2000.0, 1000.0
_WISHES = ("我想买点理财", "我想办房贷", "存单到期了，帮我转存")
_DANGER = ("有人让我把钱转到安全账户", "我刚把钱转给陌生人了，怎么办", "对方让我共享屏幕输验证码")
_PEOPLE = 40
_AT_ONCE = 4
_PATIENCE_S = 15.0
_POLL_S = 0.02


async def measure_cards(workspace: Workspace) -> dict[str, Any]:
    """Let 40 customers wish for something and 40 be in danger, four at once of each.

    A wish counts from the end of the window in which the rest of it may come, danger from the
    words themselves.
    """
    window_ms = read_window(workspace).total_seconds() * 1e3
    async with open_scene(workspace) as scene:
        hand = _Hand(scene.town)
        await hand.waits(_WISHES, 1)  # to warm everything
        wishes = [wait - window_ms for wait in await hand.waits(_WISHES, _PEOPLE)]
        danger = await hand.waits(_DANGER, _PEOPLE)
    return {
        "counted_after_window_s": window_ms / 1e3,
        "wish_to_card": spread(wishes) if wishes else {},
        "danger_to_card": spread(danger) if danger else {},
        "without_a_card": 2 * _PEOPLE - len(wishes) - len(danger),
        "bar_wish_p95_ms": BAR_CARD_P95_MS,
        "bar_danger_ms": BAR_RED_FLAG_MS,
        "met": len(wishes) == len(danger) == _PEOPLE
        and spread(wishes)["p95_ms"] <= BAR_CARD_P95_MS
        and spread(danger)["p95_ms"] <= BAR_RED_FLAG_MS,
    }


class _Hand:
    """Watches what cards come, by the local WeCom's own clock, which runs with ours."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._seen = 0
        self._came: dict[str, float] = {}
        self._people = 0

    async def waits(self, words: Sequence[str], people: int) -> list[float]:
        """Let so many new customers write; return how long each card took, in milliseconds."""
        customers = await self._town.customers(people)
        # Cards name nobody whom WeCom's contact list does not name: who it is stands in the words.
        marks = [f"我是{self._people + number}号" for number in range(people)]
        self._people += people
        left = list(zip(customers, marks, range(people), strict=True))
        found: list[float] = []

        async def one_after_another() -> None:
            while left:
                customer, mark, number = left.pop()
                at = await self._town.ask(customer, f"{words[number % len(words)]}，{mark}")
                came = await self._card_for(mark, at)
                if came is not None:
                    found.append((came - at) * 1e3)

        await asyncio.gather(*(one_after_another() for _ in range(min(people, _AT_ONCE))))
        return found

    async def _card_for(self, mark: str, since: float) -> float | None:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            for delivery in await self._town.deliveries(self._seen):
                self._seen = max(self._seen, delivery["seq"])
                if delivery["kind"] == "member":
                    at = datetime.fromisoformat(delivery["at"]).timestamp()
                    self._came.setdefault(delivery["text"], at)
            hits = [at for text, at in self._came.items() if mark in text and at >= since]
            if hits:
                return min(hits)
            await asyncio.sleep(_POLL_S)
        return None
