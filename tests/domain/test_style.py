"""What is hard to read for old people is seen, and what is easy is left alone."""

from __future__ import annotations

from datetime import date

import pytest

from bot.domain.style import Limits, long_sentences, slips
from bot.sop.wording import texts
from bot.workers.content import read_snapshot
from bot.workspace import Workspace, starter_root
from tests.domain.builders import starter_rules

EASY = Limits(sentence=27)


def kinds(text: str, limits: Limits = EASY) -> list[str]:
    return [slip.kind for slip in slips(text, limits, starter_rules().jargon)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("您需要先到网点的柜台带着身份证和银行卡找大堂经理取号再去办理这项业务", "long_sentence"),
        ("这款每天公布净值。", "jargon"),
        ("封闭期半年。", "jargon"),
        ("到账要T+1。", "jargon"),
        ("费用按 APR 算。", "shorthand"),
        ("一共 1.5e4 元。", "figure"),
        ("利率 1.23456。", "figure"),
        ("一共 200000 元。", "figure"),
        ("存折能用。另外，小课堂改到周四了。", "two_ideas"),
        ("好的😊😊", "emoji"),
        ("好的[微笑][玫瑰]", "emoji"),
    ],
)
def test_what_is_hard_to_read_is_named(text: str, kind: str) -> None:
    assert kinds(text) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "存折能用。带上存折和身份证，来网点就行😊",
        "净值就是每一份值多少钱，有涨有跌。",
        "赎回，也就是把钱取回来，两天到账。",
        "每份值多少，行话叫「净值」。",
        "什么是净值？您可以这么想。",
        "打 96110 或 400-000-95550。",
        "看 https://bank.example/help/very/long/path/to/the/page 就会了。",
        "{网点.名称}的{经理.称呼}会给{客户.称呼}打电话。",
        "一共 20 万元，利率 1.25%。",
    ],
)
def test_what_is_easy_is_left_alone(text: str) -> None:
    assert kinds(text) == []


def test_a_message_has_its_length_for_each_place() -> None:
    assert kinds("好。" * 70, Limits(sentence=27, message=120)) == ["long_message"]
    assert kinds("好。" * 70, Limits(sentence=27, message=220)) == []


def test_people_pause_at_every_mark() -> None:
    assert long_sentences("一二三四五，六七八九十、一二三四五：六七八九十", 5) == []
    assert long_sentences("一二三四五六，七", 5) == ["一二三四五六"]


def test_all_that_the_starter_says_to_customers_is_easy() -> None:
    snapshot = read_snapshot(Workspace(starter_root()), date(2026, 10, 12))
    said = [one.text for file in snapshot.scripts.values() for one in texts(file)]
    said += [
        section.text
        for document in snapshot.documents()
        if document.audience.shown_on("kf")
        for section in document.sections
    ]
    most = min(one.speech.sentence_chars for one in snapshot.personas.values())
    hard = {
        slip.words: slip.what
        for text in said
        for slip in slips(text, Limits(sentence=most), starter_rules().jargon)
        if slip.kind != "two_ideas"
    }
    assert len(said) > 200
    assert hard == {}
