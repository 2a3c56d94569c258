"""Which need words tell of: against labelled sentences, half of which no rule was made by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.lead import Need
from bot.leads.intents import CURIOUS, INTEREST, WISH, Intent, intent_of

SAID = Path(__file__).parent / "said"
LEVELS = {WISH: "W", INTEREST: "I", CURIOUS: "C"}


def lines(name: str) -> Iterator[tuple[str, str]]:
    for line in (SAID / f"{name}.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            label, _, text = line.partition("|")
            yield label, text


def heard(text: str) -> str:
    intent = intent_of(text)
    return "-" if intent is None else f"{LEVELS[intent.points]} {intent.need.value}"


@pytest.mark.parametrize(("label", "text"), list(lines("dev")), ids=str)
def test_what_the_rules_were_made_by_is_heard(label: str, text: str) -> None:
    assert heard(text) == label


def test_of_what_they_were_not_made_by_nearly_all_is_heard_and_nothing_is_made_up() -> None:
    said = list(lines("held_out"))
    found = [(label, heard(text)) for label, text in said]
    assert len(said) >= 60
    assert sum(label == got for label, got in found) / len(said) >= 0.9
    assert [pair for pair in found if pair[0] == "-" and pair[1] != "-"] == []
    outright = [pair for pair in found if pair[1].startswith("W")]
    assert all(label.startswith("W") for label, _ in outright)


@pytest.mark.parametrize(
    ("text", "product"),
    [("我想买国债", "国债"), ("我要办个房贷", "房贷"), ("想办张信用卡", "信用卡")],
)
def test_the_class_of_product_is_told(text: str, product: str) -> None:
    intent = intent_of(text)
    assert isinstance(intent, Intent)
    assert (intent.product, intent.explicit) == (product, True)


def test_a_long_story_and_silence_ask_for_nothing() -> None:
    assert intent_of("我想买理财" + "，说来话长" * 60) is None
    assert intent_of("") is None
    assert intent_of("？？？") is None


def test_a_day_that_is_past_for_an_identity_card_is_no_maturity() -> None:
    assert intent_of("身份证到期了，我的存单能取吗") is None
    assert intent_of("存单到期了怎么办") == Intent(Need.MATURITY, "", False, INTEREST)
