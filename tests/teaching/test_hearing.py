"""What of a talk is a question worth keeping, in clean words, with what a person said to it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.compliance import Rules
from bot.domain.teaching import Reason
from bot.sop.listen import sounds_like_question
from bot.teaching.cleaning import alike, cleaned
from bot.teaching.hearing import Line, Mark, questions_in
from bot.workspace import starter_root
from bot.yamlfile import load
from tests.make import MINUTE, NOON

CUSTOMER, BOT = "客户", "小安"


@pytest.fixture(scope="module")
def rules() -> Rules:
    path = starter_root() / "sop" / "rules.yaml"
    found, problems = load(path.read_text("utf-8"), "rules.yaml", Rules)
    assert found is not None, problems
    return found


def heard(lines: list[Line], marks: list[Mark], plane: str = "kf"):  # type: ignore[no-untyped-def]
    return questions_in(lines, marks, plane, sounds_like_question, lambda text: "卡里" in text)


def test_what_was_declined_is_kept_with_the_persons_answer() -> None:
    lines = [
        Line(CUSTOMER, "保管箱怎么租", NOON),
        Line(BOT, "这个我没有把握", NOON + MINUTE),
        Line("li.min", "一年三百。", NOON + 5 * MINUTE, staff=True),
        Line("li.min", "带身份证来。", NOON + 6 * MINUTE, staff=True),
        Line(CUSTOMER, "好的谢谢", NOON + 7 * MINUTE),
        Line("li.min", "不客气", NOON + 8 * MINUTE, staff=True),
    ]
    (one,) = heard(lines, [Mark(NOON + MINUTE, False, "no_evidence")])
    assert (one.reason, one.text) == (Reason.DECLINED, "保管箱怎么租")
    assert one.reply == "一年三百。\n带身份证来。"


def test_the_messages_of_one_question_are_one_and_a_later_one_is_not_in_it() -> None:
    lines = [
        Line(CUSTOMER, "我想问一下", NOON),
        Line(CUSTOMER, "保管箱怎么租", NOON + timedelta(seconds=4)),
        Line(CUSTOMER, "还有停车在哪儿停", NOON + timedelta(seconds=20)),
    ]
    until = NOON + timedelta(seconds=8)
    first = Mark(NOON + MINUTE, False, "no_evidence", messages=2, until=until)
    second = Mark(NOON + 2 * MINUTE, False, "no_evidence", messages=1)
    texts = [one.text for one in heard(lines, [first, second])]
    assert texts == ["我想问一下，保管箱怎么租", "还有停车在哪儿停"]


def test_the_same_asked_again_within_a_day_after_an_answer_is_kept() -> None:
    lines = [
        Line(CUSTOMER, "大额取现要提前几天预约", NOON),
        Line(CUSTOMER, "大额取现到底提前几天预约", NOON + timedelta(hours=3)),
        Line(CUSTOMER, "国债什么时候开始卖", NOON + timedelta(hours=4)),
        Line(CUSTOMER, "大额取现要提前几天预约", NOON + timedelta(hours=40)),
    ]
    marks = [Mark(line.at + MINUTE, True, "", source="qa-11", messages=1) for line in lines]
    found = heard(lines, marks)
    assert [(one.reason, one.at) for one in found] == [
        (Reason.ASKED_AGAIN, NOON + timedelta(hours=3))
    ]


def test_a_question_that_a_person_answered_is_kept_and_chatter_is_not() -> None:
    lines = [
        Line(CUSTOMER, "您好", NOON),
        Line(CUSTOMER, "外地能补卡吗", NOON + MINUTE),
        Line("li.min", "能，本人带身份证。", NOON + 2 * MINUTE, staff=True),
        Line(CUSTOMER, "你们几点关门呀", NOON + 9 * MINUTE),
    ]
    (one,) = heard(lines, [])
    assert (one.reason, one.text, one.reply) == (
        Reason.PERSON,
        "外地能补卡吗",
        "能，本人带身份证。",
    )


def test_in_a_group_the_mark_belongs_to_who_asked() -> None:
    lines = [
        Line("wmA", "保管箱怎么租呀", NOON),
        Line("wmB", "今天天气怎么样", NOON + timedelta(seconds=1)),
        Line("li.min", "张阿姨，一年三百", NOON + 3 * MINUTE, staff=True),
    ]
    mark = Mark(NOON + MINUTE, False, "no_evidence", until=NOON, asker="wmA")
    other = Mark(NOON + MINUTE, False, "out_of_scope", until=NOON + MINUTE, asker="wmB")
    found = heard(lines, [mark, other], "group")
    assert [(one.speaker, one.reason) for one in found] == [
        ("wmA", Reason.DECLINED),
        ("wmB", Reason.OUTSIDE),
    ]


@pytest.mark.parametrize("reason", ["search_failed", "unsuitable", "own_account"])
def test_trouble_of_the_moment_and_one_customers_own_affairs_are_no_gap(reason: str) -> None:
    lines = [Line(CUSTOMER, "我卡里还有多少钱", NOON)]
    assert heard(lines, [Mark(NOON + MINUTE, False, reason)]) == []


def test_what_only_sounds_like_another_kind_is_a_gap() -> None:
    lines = [Line(CUSTOMER, "租保管箱一年多少钱", NOON)]
    (one,) = heard(lines, [Mark(NOON + MINUTE, False, "own_account")])
    assert one.reason is Reason.DECLINED


@pytest.mark.parametrize(
    ("said", "without", "keeps"),
    [
        ("我卡号6222020200112233445怎么挂失", "6222", "怎么挂失"),
        ("打13812345678没人接怎么办", "1381234", "没人接怎么办"),
        ("我存5万块三年能拿多少", "5万", "三年能拿多少"),
        ("10月12日到期的怎么取", "10月12日", "到期的怎么取"),
        ("我叫王秀英，养老金去哪领", "王秀英", "养老金去哪领"),
    ],
)
def test_nothing_that_belongs_to_a_person_is_kept(
    said: str, without: str, keeps: str, rules: Rules
) -> None:
    text = cleaned(said, rules)
    assert without not in text
    assert keeps in text
    assert "*" not in text


def test_likeness_is_of_the_words_alone() -> None:
    assert alike("取款，要预约吗？", "取款要预约吗") == 1.0
    assert alike("取款要预约吗", "国债几号发") == 0.0
