"""How the people of the town behave: what they read, how they reply, when they press.

Chance comes from a hash of who and what, never from the order in which things happen, so that
the same seed gives the same story.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from bot.domain.registry import AGE, ASSESSED_ON, CONSENT, GRADE, MATURITY
from bot.domain.subject import Raw

_QUOTED = re.compile(r"(?:回复|回个|回|或|、|没有回|用回|般回)「([^」]{1,6})」")
_CHOICES = re.compile(r"回复 ([A-Z]) 或 ([A-Z])")
_LEADS = frozenset({"报名", "上门", "三笔钱", "国债", "没到账", "大字", "想了解"})
_NEVER_BY_CHANCE = frozenset({"退订", "少发点", "恢复"})


class Habit(Enum):
    """How an owner deals with tasks."""

    PROMPT = "prompt"
    LATE = "late"
    NEVER = "never"


@dataclass(frozen=True)
class Chance:
    """Chances that depend on the seed and on names only."""

    seed: int

    def of(self, *parts: str) -> float:
        """Return a number in [0, 1) for these names."""
        text = "\x1f".join((str(self.seed), *parts))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest()) / 2**48

    def on_grid(self, low: int, high: int, *parts: str) -> timedelta:
        """Return a span in whole five minutes: people answer in bursts."""
        return timedelta(minutes=5 * round(self.minutes(low, high, *parts) / timedelta(minutes=5)))

    def minutes(self, low: float, high: float, *parts: str) -> timedelta:
        """Return a span between two bounds in minutes."""
        return timedelta(minutes=low + (high - low) * self.of("minutes", *parts))


def what_a_bank_knows(number: int, age: int | None, today: date) -> dict[str, Raw]:
    """Return what a bank's systems tell of a customer: some are well known, some not at all."""

    def on(days: int) -> str:
        return (today + timedelta(days=days)).isoformat()

    if age is None:
        return {}
    known: tuple[dict[str, Raw], ...] = (
        {AGE: age, GRADE: "C2", ASSESSED_ON: on(-80), CONSENT: True, MATURITY: on(75)},
        {AGE: age, GRADE: "C1", ASSESSED_ON: on(-500), CONSENT: False},
        {AGE: age, GRADE: "C3", ASSESSED_ON: on(-20), CONSENT: True},
        {},
    )
    return known[number % len(known)]


def replies_hoped_for(text: str) -> list[str]:
    """Read out of a message which words its readers are asked to reply."""
    words = _QUOTED.findall(text)
    for pair in _CHOICES.findall(text):
        words += pair
    return [word for word in dict.fromkeys(words) if word not in _NEVER_BY_CHANCE]


def asks_for_yes(text: str) -> bool:
    """Tell whether somebody is asked alone for a yes: 回「好」就行."""
    return "回「好」" in text or "回「可以」" in text


def reply_of(chance: Chance, member: str, text: str) -> str | None:
    """Return what a member replies to a message; None for most members and messages."""
    words = replies_hoped_for(text)
    if not words:
        return None
    luck = chance.of("reply", member, text)
    easy = [word for word in words if word not in _LEADS]
    if easy and luck < 0.75:
        return easy[int(chance.of("which", member, text) * len(easy))]
    eager = [word for word in words if word in _LEADS]
    if eager and luck > 0.97:
        return eager[int(chance.of("which", member, text) * len(eager))]
    return None
