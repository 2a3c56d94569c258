"""What is not hers to answer is declined by its kind, in her words, with a way to a person."""

from __future__ import annotations

import pytest

from bot.domain.actions import HandOver, OpenLead
from bot.domain.knowledge import AnswerKind, DocumentKind
from bot.domain.lead import Need
from bot.domain.suitability import Asker
from tests.rooms.answering.shelf import MORNING, TODAY, Make, Shelf, ask, document

WAY = "想跟人说，回「转人工」。"
YES_TO_A_MANAGER = (OpenLead(need=Need.WEALTH, within_minutes=240, ask_first=True),)
ASSESSED = Asker(grade=3, assessed_on=TODAY, age=50, consents=True)


@pytest.mark.parametrize(
    ("text", "reason", "says"),
    [
        ("我老公账户里还有多少", "other_customer", "别人的账户我看不到"),
        ("我卡里还有多少钱", "own_account", "000-95550"),
        ("明天股市会涨吗", "prediction", "我不猜"),
        ("我血压高能不能吃这个药", "medical", "听医生的"),
        ("邻居欠我钱不还怎么起诉", "legal", "12348"),
        ("红烧肉怎么做好吃", "out_of_scope", "不是银行里的事"),
    ],
)
async def test_each_kind_has_its_words_and_calls_nobody(
    answerer: Make, text: str, reason: str, says: str
) -> None:
    answer = await answerer.over(Shelf(document())).answer(ask(text), MORNING)
    assert (answer.kind, answer.reason) == (AnswerKind.DECLINED, reason)
    assert says in answer.text
    assert answer.text.endswith(WAY)
    assert answer.actions == ()


async def test_whose_money_it_is_and_what_will_rise_is_never_searched_for(answerer: Make) -> None:
    shelf = Shelf(document(), probability=1.0)
    for text in ("我老公账户里还有多少", "我卡里还有多少钱", "明天股市会涨吗"):
        answer = await answerer.over(shelf).answer(ask(text), MORNING)
        assert answer.kind is AnswerKind.DECLINED
    assert shelf.asked == []


async def test_small_talk_gets_a_kind_word_and_no_lead(answerer: Make) -> None:
    answer = await answerer.over(Shelf(document())).answer(ask("给我讲个笑话吧"), MORNING)
    assert (answer.kind, answer.reason, answer.actions) == (AnswerKind.COURTESY, "chitchat", ())
    assert "想问什么" in answer.text


async def test_who_asks_what_to_buy_is_asked_whether_a_manager_may_call(answerer: Make) -> None:
    sheet = document(kind=DocumentKind.SHEET, questions=())
    answer = await answerer.over(Shelf(sheet)).answer(ask("哪款理财最赚钱"), MORNING)
    assert (answer.reason, answer.actions) == ("advice", YES_TO_A_MANAGER)
    assert "可以就回「可以」" in answer.text


async def test_an_approved_answer_to_that_very_question_wins(answerer: Make) -> None:
    own = document(questions=("哪款理财最赚钱",), answer="不比收益。请李经理跟您说。")
    answer = await answerer.over(Shelf(own)).answer(ask("哪款理财最赚钱"), MORNING)
    assert answer.kind is AnswerKind.APPROVED
    unsure = Shelf(document(questions=("理财怎么买",)))
    answer = await answerer.over(unsure).answer(ask("哪款理财最赚钱"), MORNING)
    assert answer.reason == "advice"


async def test_a_bank_question_nobody_wrote_down_still_brings_a_person(answerer: Make) -> None:
    empty = Shelf(probability=0)
    answer = await answerer.over(empty).answer(ask("金库的门有多厚"), MORNING)
    assert answer.reason == "no_evidence"
    assert isinstance(answer.actions[0], HandOver)


async def test_a_word_tells_the_kind_once_nothing_was_found(answerer: Make) -> None:
    answer = await answerer.over(Shelf(probability=0)).answer(ask("养生有什么讲究"), MORNING)
    assert (answer.reason, answer.actions) == ("medical", ())


async def test_staff_are_not_declined_by_kind(answerer: Make) -> None:
    answer = await answerer.over(Shelf(document())).answer(ask("我卡里有多少钱", "staff"), MORNING)
    assert answer.kind is AnswerKind.APPROVED


@pytest.mark.parametrize(
    ("rating", "asker", "told"),
    [
        ("R1", Asker(), True),
        ("R2", Asker(), False),
        ("R2", ASSESSED, True),
        ("R3", ASSESSED, True),
        ("R4", ASSESSED, False),
        ("R2", ASSESSED._replace(age=70), True),
        ("R3", ASSESSED._replace(age=70), False),
        ("R2", ASSESSED._replace(consents=False), False),
        (None, Asker(), True),
    ],
)
async def test_a_product_is_told_of_only_to_whom_it_suits(
    answerer: Make, rating: str | None, asker: Asker, told: bool
) -> None:
    sheet = document(answer="这款一年期，每月开放一次。", risk_rating=rating, questions=())
    answer = await answerer.over(Shelf(sheet)).answer(ask("它多久开放", asker=asker), MORNING)
    assert ("每月开放" in answer.text) is told
    if not told:
        assert (answer.reason, answer.actions) == ("unsuitable", YES_TO_A_MANAGER)


async def test_in_a_group_and_for_staff_the_place_decides(answerer: Make) -> None:
    def about(rating: str) -> Shelf:
        return Shelf(document(answer="这款一年期。", risk_rating=rating, questions=()))

    for_group = await answerer.over(about("R2")).answer(ask("多长期限", "group"), MORNING)
    too_risky = await answerer.over(about("R3")).answer(ask("多长期限", "group"), MORNING)
    for_staff = await answerer.over(about("R5")).answer(ask("多长期限", "staff"), MORNING)
    assert "一年期" in for_group.text
    assert "一年期" in for_staff.text
    assert (too_risky.reason, too_risky.actions) == ("unsuitable", ())


async def test_a_script_cannot_have_a_risky_product_recited(answerer: Make) -> None:
    one = answerer.over(Shelf(document(risk_rating="R3")))
    assert one.recite("qa-1", ask("好的"), MORNING).reason == "unsuitable"
    assert one.recite("qa-1", ask("好的", asker=ASSESSED), MORNING).kind is AnswerKind.APPROVED
