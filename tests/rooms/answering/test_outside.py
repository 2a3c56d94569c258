"""What is not hers to answer is known by its words, and what the bank answers is left alone."""

from __future__ import annotations

import pytest

from bot.answering.outside import Outside, outside, perhaps_outside
from bot.answering.pieces import NEVER_SEARCHED
from bot.domain.knowledge import Audience
from bot.knowledge.reader import read_files
from bot.workspace import starter_root
from tests.rooms.answering.phrases import phrases
from tests.rooms.knowledge.starter_questions import ANSWERABLE

DECLINED = phrases("declined")


@pytest.mark.parametrize("kind", [one.value for one in Outside])
def test_each_kind_is_known_in_most_wordings(kind: str) -> None:
    wrong = [text for text in DECLINED[kind] if outside(text) != kind]
    assert len(wrong) <= len(DECLINED[kind]) // 10, wrong


def test_what_the_bank_answers_is_not_declined() -> None:
    asked = [*phrases("not_declined")[""], *(text for text, _ in ANSWERABLE)]
    assert [text for text in asked if outside(text)] == []


def test_no_approved_question_is_declined_before_it_is_searched_for() -> None:
    knowledge, problems = read_files(starter_root() / "knowledge")
    assert not problems
    asked = [
        question
        for document in knowledge.documents
        if document.audience is not Audience.STAFF
        for question in document.questions
    ]
    assert len(asked) > 300
    assert [text for text in asked if outside(text) in NEVER_SEARCHED] == []


_HOLDINGS = (
    "我的定期有多少 我定期存了多少 我存的大额存单有多少钱 我有几张卡 我名下有几张存单 "
    "我的理财有多少 我在你们这儿的存款还有多少钱呢"
)
_ABOUT_THEM = "定期有多少种 一个人能有几张卡 R2是什么意思 R3的理财能买吗 我的定期怎么查有多少"


def test_what_somebody_has_is_their_own_and_a_risky_product_is_a_managers() -> None:
    held = {text: outside(text) for text in _HOLDINGS.split()}
    assert set(held.values()) == {Outside.OWN_ACCOUNT}, held
    wished = {text: outside(text) for text in ("我想买R3的理财", "想买个r4的基金", "帮我买R5")}
    assert set(wished.values()) == {Outside.ADVICE}, wished
    assert [text for text in _ABOUT_THEM.split() if outside(text)] == []


def test_a_single_word_is_enough_once_nothing_was_found() -> None:
    assert outside("养生有什么讲究") is None
    assert perhaps_outside("养生有什么讲究") is Outside.MEDICAL
    assert perhaps_outside("存单到期了呢") is None


@pytest.mark.parametrize(
    "asked",
    [
        "保管箱怎么租，租一年多少钱",
        "挂失收多少钱",
        "停车一天多少钱",
        "美元一次最多换多少",
        "打流水一份多少钱",
        "房贷最多能贷多少",
    ],
)
def test_what_the_bank_could_answer_goes_to_a_person_until_it_does(asked: str) -> None:
    # Declined as somebody's own account or a case for a lawyer, it would never be written.
    assert perhaps_outside(asked) is None
