"""The demo's feed says each thing once: a row of the same is one sentence with a number."""

from __future__ import annotations

from bot.demo.feed import feed_of
from bot.demo.people import what_a_bank_knows
from bot.storage.ledger import Entry
from tests.make import NOON


def test_a_row_of_the_same_is_one_sentence() -> None:
    kinds = ["opted_in", *["script_published"] * 12, "opted_in", "customer_shown", "opted_in"]
    entries = [Entry(99 - at, NOON, kind, "wmA", {}) for at, kind in enumerate(kinds)]
    told = feed_of(entries, {})
    back = "有人恢复接收消息"
    assert [one["text"] for one in told] == [back, "剧本生效了（12 次）", f"{back}（2 次）"]
    assert [one["id"] for one in told] == [99, 98, 86]


def test_what_a_bank_knows_agrees_with_how_old_somebody_is() -> None:
    known = [what_a_bank_knows(number, 84, NOON.date()) for number in range(4)]
    assert [one.get("年龄") for one in known] == [84, 84, 84, None]
    assert what_a_bank_knows(0, None, NOON.date()) == {}
