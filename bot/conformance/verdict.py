"""What a scenario finds: the ideal, what was seen, and whether that is as it should be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bot.conformance.stage import Stage

Needs = Literal["", "restart", "model"]
WHY_NOT = {
    "restart": "要能重启被测的机器人：用 --start 给出启动命令",
    "model": "要能让大模型变慢：用 --llm-port，并让机器人用这个地址",
}


@dataclass(frozen=True)
class Seen:
    """What was seen, in words; ``met`` tells whether it is ideal, None where it was no trial."""

    words: str
    met: bool | None


@dataclass(frozen=True)
class Scenario:
    """One trial: its code, what is done, the ideal, and what the bot under test must allow."""

    code: str
    done: str
    ideal: str
    play: Callable[[Stage], Awaitable[Seen]]
    needs: Needs = ""


@dataclass(frozen=True)
class Verdict:
    """The outcome of one scenario; ``met`` is None where it could not be tried."""

    scenario: Scenario
    seen: str
    met: bool | None
    seconds: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Return the row as JSON fields."""
        return {
            "scenario": self.scenario.code,
            "done": self.scenario.done,
            "ideal": self.scenario.ideal,
            "seen": self.seen,
            "met": self.met,
            "seconds": round(self.seconds, 1),
        }
