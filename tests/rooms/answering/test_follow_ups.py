"""Questions that lean on the one before, and several questions in one message."""

from __future__ import annotations

import pytest

from bot.answering.follow_ups import covers, follows_up, joined, last_topic
from bot.answering.splitting import parts_of
from bot.domain.actions import HandOver, PutTag
from bot.domain.knowledge import AnswerKind
from bot.domain.lead import Need
from tests.rooms.answering.shelf import MORNING, Library, Make, Shelf, ask, document

LOST = document("qa-lost", "先打电话挂失，再来补办。", questions=("银行卡丢了怎么办",))
ANEW = document("qa-anew", "带身份证来，当场就能补。", questions=("补卡要带什么",))
HOURS = document("qa-hours", "工作日 9 点到 17 点。", questions=("网点几点开门",))
TALK = ("客户:银行卡丢了怎么办", "小安:先打电话挂失，再来补办。\n依据：本行《常见问题》")
CARDS = Library(("银行卡丢", LOST, 0.8), ("银行卡丢带", ANEW, 0.7), ("网点几点", HOURS, 0.95))


@pytest.mark.parametrize(
    "text", ["那要多久", "它保险吗", "需要带什么", "要收费吗", "能代办吗", "周末呢", "多少钱起"]
)
def test_a_question_without_a_topic_leans_on_the_one_before(text: str) -> None:
    assert follows_up(text)


@pytest.mark.parametrize(
    "text", ["几点开门", "存款安全吗", "卡丢了怎么办", "定期没到期能取吗", "存折还能用吗", ""]
)
def test_a_question_with_a_topic_stands_alone(text: str) -> None:
    assert not follows_up(text)


def test_a_question_is_joined_with_what_the_talk_is_about() -> None:
    assert joined("银行卡丢了怎么办", "那要多久") == "银行卡丢了要多久"
    assert joined("请问一下养老金资格认证怎么做？", "能代办吗") == "养老金资格认证能代办吗"


def test_a_text_must_say_something_of_what_is_asked() -> None:
    assert covers("要多久", "一般 3 个工作日就好。")
    assert not covers("要多久", "带身份证来补办。")
    assert covers("它怎么样", "随便什么。")


def test_the_topic_is_the_newest_question_that_was_answered() -> None:
    unsure = ("这个我说不准",)
    assert (
        last_topic((*TALK, "客户:好的", "小安:好的，有事随时找我。"), unsure) == "银行卡丢了怎么办"
    )
    assert last_topic((*TALK, "客户:那要多久", "小安:当场。"), unsure) == "银行卡丢了怎么办"
    declined = (*TALK, "客户:金库多厚", "小安:这个我说不准，已经请李经理来答您。")
    assert last_topic(declined, unsure) == ""
    assert last_topic((*TALK, "李经理:我来跟您说"), unsure) == ""
    assert last_topic((), unsure) == ""


async def test_a_follow_up_is_found_by_the_topic_of_the_talk(answerer: Make) -> None:
    answer = await answerer.over(CARDS).answer(ask("需要带什么", history=TALK), MORNING)
    assert [citation.document_id for citation in answer.citations] == ["qa-anew"]
    assert "您想问的可能是「补卡要带什么」" in answer.text


async def test_what_was_said_is_not_said_again_where_it_tells_nothing_new(answerer: Make) -> None:
    answer = await answerer.over(CARDS).answer(ask("那要多久", history=TALK), MORNING)
    assert (answer.kind, answer.reason) == (AnswerKind.DECLINED, "no_evidence")


async def test_without_a_talk_a_question_is_looked_for_as_it_stands(answerer: Make) -> None:
    shelf = Shelf(document())
    await answerer.over(shelf).answer(ask("那要多久"), MORNING)
    assert [text for text, _ in shelf.asked] == ["那要多久"]


async def test_a_plain_question_is_embedded_once(answerer: Make) -> None:
    shelf = Shelf(document())
    await answerer.over(shelf).answer(ask("存折现在还让用不", history=TALK), MORNING)
    assert len(shelf.asked) == 1


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("几点开门，要带什么证件？", ("几点开门", "要带什么证件")),
        ("我卡丢了，怎么办？要带什么", ("我卡丢了，怎么办", "要带什么")),
        ("国债什么时候买\n多少钱起", ("国债什么时候买", "多少钱起")),
        ("你好！网点几点开门？周末上班吗", ("网点几点开门", "周末上班吗")),
    ],
)
def test_each_question_of_a_message_stands_by_itself(text: str, parts: tuple[str, ...]) -> None:
    assert parts_of(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "卡丢了怎么办？急！",
        "养老金没到账，怎么回事？",
        "存单到期了，是自动转存吗，还是要去柜台？",
        "我想问一下，存折丢了怎么办",
        "怎么办理？怎么操作？去哪里办？要多少钱？要等多久？",
    ],
)
def test_one_question_is_not_torn(text: str) -> None:
    assert parts_of(text) == (text,)


async def test_each_part_is_answered_in_one_message(answerer: Make) -> None:
    tagged = HOURS.model_copy(update={"actions": (PutTag(tag="网点"),)})
    both = Library(("网点几点", tagged, 0.95), ("银行卡丢", LOST, 0.9))
    question = ask("网点几点开门？银行卡丢了怎么办？")
    answer = await answerer.over(both).answer(question, MORNING)
    assert answer.text == (
        "「网点几点开门」：工作日 9 点到 17 点。\n"
        "「银行卡丢了怎么办」：先打电话挂失，再来补办。\n"
        "依据：本行《常见问题》"
    )
    assert [one.document_id for one in answer.citations] == ["qa-hours", "qa-lost"]
    assert answer.actions == (PutTag(tag="网点"),)
    assert answer.confidence == 0.9


async def test_a_part_without_an_answer_is_declined_and_calls_one_person(answerer: Make) -> None:
    hours = HOURS.model_copy(update={"actions": (HandOver(need=Need.SERVICE, within_minutes=30),)})
    one = answerer.over(Library(("网点几点", hours, 0.95)))
    answer = await one.answer(ask("网点几点开门？金库的门有多厚呢？"), MORNING)
    assert answer.answered
    assert answer.reason == "partly:no_evidence"
    assert "「金库的门有多厚呢」：这个我说不准，已经请李经理来答您" in answer.text
    assert answer.actions == (HandOver(need=Need.SERVICE, within_minutes=30),)


async def test_a_part_that_is_not_hers_is_declined_in_its_own_words(answerer: Make) -> None:
    one = answerer.over(Library(("网点几点", HOURS, 0.95)))
    answer = await one.answer(ask("网点几点开门？明天股市会涨吗？"), MORNING)
    assert "「明天股市会涨吗」：往后是涨是跌" in answer.text
    assert answer.actions == ()


async def test_two_questions_of_one_document_are_one_answer(answerer: Make) -> None:
    one = answerer.over(Library(("网点几点", HOURS, 0.95)))
    answer = await one.answer(ask("网点几点开门？网点几点关门？"), MORNING)
    assert answer.text == "工作日 9 点到 17 点。\n依据：本行《常见问题》"


async def test_where_no_part_has_an_answer_one_person_is_called(answerer: Make) -> None:
    one = answerer.over(Library())
    answer = await one.answer(ask("金库的门有多厚？保险柜是什么牌子？"), MORNING)
    assert answer.kind is AnswerKind.DECLINED
    assert answer.text.count("说不准") == 1
    assert len(answer.actions) == 1
