"""One question, one answer without a model: approved words, or a person."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.domain.actions import HandOver, OpenLead, PutTag, Rescue
from bot.domain.knowledge import RISK_NOTICE, AnswerKind, Audience
from bot.domain.lead import Need
from tests.rooms.answering.shelf import (
    FACTS,
    MORNING,
    NIGHT,
    BrokenShelf,
    Make,
    Shelf,
    UnreadyShelf,
    ask,
    document,
)


async def test_the_approved_text_is_said_word_for_word_with_its_source(answerer: Make) -> None:
    answer = await answerer.over(Shelf(document())).answer(ask("存折现在能用不"), MORNING)
    assert answer.kind is AnswerKind.APPROVED
    assert answer.answered
    assert answer.text == "能用。存折、现金都照办。\n依据：本行《常见问题》"
    assert answer.citations[0].document_id == "qa-1"
    assert answer.citations[0].line == 7


async def test_she_says_that_she_is_a_program_at_first_contact_only(answerer: Make) -> None:
    one = answerer.over(Shelf(document()))
    first = await one.answer(ask("不想用卡", first_contact=True), MORNING)
    assert first.text.startswith("叔叔阿姨好，我是小安，本行的智能助手。\n能用。")
    later = await one.answer(ask("不想用卡"), MORNING)
    assert "我是小安" not in later.text
    known = ask("不想用卡", first_contact=True, variables=FACTS | {"客户.称呼": "张阿姨"})
    assert (await one.answer(known, MORNING)).text.startswith("张阿姨好，我是小安")


async def test_a_group_draft_is_bare_and_staff_see_file_and_approval(answerer: Make) -> None:
    one = answerer.over(Shelf(document()))
    assert (await one.answer(ask("不想用卡", "group"), MORNING)).text == "能用。存折、现金都照办。"
    staff = await one.answer(ask("不想用卡", "staff"), MORNING)
    assert "knowledge/a.qa.yaml:7" in staff.text
    assert "X-1" in staff.text


async def test_no_evidence_is_said_honestly_and_handed_over(answerer: Make) -> None:
    shelf = Shelf(document(), probability=0.1)
    answer = await answerer.over(shelf).answer(ask("金库的门有多厚"), MORNING)
    assert answer.kind is AnswerKind.DECLINED
    assert not answer.answered
    assert answer.text == "这个我说不准，已经请李经理来答您，2 小时内给您回话。"
    assert answer.actions == (HandOver(need=Need.UNANSWERED, within_minutes=120),)
    assert answer.citations == ()


async def test_outside_her_hours_a_hand_over_says_where_to_call(answerer: Make) -> None:
    answer = await answerer.over(Shelf(probability=0)).answer(ask("金库的门有多厚"), NIGHT)
    assert "现在不是上班时间，急事打 000-95550" in answer.text
    assert "上班后 2 小时内给您回话" in answer.text


async def test_a_wish_for_a_person_promises_nobody_at_once_outside_her_hours(
    answerer: Make,
) -> None:
    by_day = await answerer.over(Shelf(document())).answer(ask("转人工"), MORNING)
    at_night = await answerer.over(Shelf(document())).answer(ask("转人工"), NIGHT)
    assert "我这就去请李经理" in by_day.text
    assert "这就" not in at_night.text
    assert "转给李经理了" in at_night.text


async def test_an_index_that_cannot_be_reached_is_a_hand_over(answerer: Make) -> None:
    answer = await answerer.over(BrokenShelf()).answer(ask("存折还能用吗"), MORNING)
    assert (answer.kind, answer.reason) == (AnswerKind.DECLINED, "search_failed")
    assert "APIConnectionError" not in answer.text


async def test_before_there_is_an_index_she_says_so_and_brings_a_person(answerer: Make) -> None:
    one = answerer.over(UnreadyShelf(document()))
    answer = await one.answer(ask("存折还能用吗"), MORNING)
    assert (answer.kind, answer.reason) == (AnswerKind.DECLINED, "index_not_ready")
    assert answer.text == (
        "我这边的资料还在准备，这会儿答不了。已经请李经理来答您，2 小时内给您回话。"
    )
    assert answer.actions == (HandOver(need=Need.UNANSWERED, within_minutes=120),)
    late = await one.answer(ask("存折还能用吗"), NIGHT)
    assert "上班后 2 小时内给您回话。\n现在不是上班时间" in late.text
    staff = await one.answer(ask("存折还能用吗", "staff"), MORNING)
    assert "资料还在做索引" in staff.text
    alarm = await one.answer(ask("我被骗了"), MORNING)
    assert alarm.kind is AnswerKind.RED_FLAG


async def test_trouble_is_never_searched_for(answerer: Make) -> None:
    shelf = Shelf(document())
    answer = await answerer.over(shelf).answer(ask("我刚转了两万给骗子"), NIGHT)
    assert answer.kind is AnswerKind.RED_FLAG
    assert "110" in answer.text
    assert "000-95550" in answer.text
    assert answer.actions == (Rescue(need=Need.RED_FLAG, within_minutes=5, danger="被骗"),)
    assert shelf.asked == []


async def test_trouble_is_answered_even_where_nothing_is_known(answerer: Make) -> None:
    question = ask("我被骗了", variables={}, first_contact=True)
    answer = await answerer.over(Shelf()).answer(question, MORNING)
    assert answer.text.startswith("您先别再操作")
    assert "客户经理现在就联系您" in answer.text


async def test_staff_may_ask_about_trouble(answerer: Make) -> None:
    shelf = Shelf(document())
    answer = await answerer.over(shelf).answer(ask("客户说他被骗了", "staff"), MORNING)
    assert answer.kind is AnswerKind.APPROVED


async def test_who_asks_whether_she_is_a_person_is_told_the_truth(answerer: Make) -> None:
    answer = await answerer.over(Shelf(document())).answer(ask("你是真人吗"), MORNING)
    assert answer.kind is AnswerKind.IDENTITY
    assert "我是智能助手，不是真人" in answer.text
    assert "李经理" in answer.text


async def test_who_wants_a_person_gets_one(answerer: Make) -> None:
    answer = await answerer.over(Shelf(document())).answer(ask("转人工"), MORNING)
    assert answer.kind is AnswerKind.HANDOVER
    assert answer.actions == (HandOver(need=Need.PERSON, within_minutes=30),)


async def test_the_actions_of_a_qa_come_with_its_answer_where_they_apply(answerer: Make) -> None:
    urgent = HandOver(need=Need.RED_FLAG, within_minutes=5, if_mentioned=("点了链接",))
    actions = (PutTag(tag="国债提醒"), urgent)
    one = answerer.over(Shelf(document(actions=actions)))
    assert (await one.answer(ask("存折还能用吗"), MORNING)).actions == actions[:1]
    assert (await one.answer(ask("存折还能用吗,我点了链接"), MORNING)).actions == actions


async def test_a_near_miss_names_its_question_and_starts_nothing(answerer: Make) -> None:
    actions = (PutTag(tag="国债提醒"), OpenLead(need=Need.WEALTH))
    shelf = Shelf(document(actions=actions), probability=0.35)
    answer = await answerer.over(shelf).answer(ask("存折以后会不会取消"), MORNING)
    assert answer.text.startswith("您想问的可能是「存折还能用吗」：\n能用。")
    assert answer.actions == ()


async def test_the_risk_notice_goes_with_every_answer_that_needs_it(answerer: Make) -> None:
    risky = document(answer="R2 属于中低风险，也不是不会亏。", must_warn=True)
    answer = await answerer.over(Shelf(risky)).answer(ask("R2是啥"), MORNING)
    assert f"也不是不会亏。\n{RISK_NOTICE}" in answer.text
    said = document(answer=f"可能亏。{RISK_NOTICE}", must_warn=True)
    assert (await answerer.over(Shelf(said)).answer(ask("会亏吗"), MORNING)).text.count(
        "非存款"
    ) == 1


async def test_a_long_text_is_cut_at_a_sentence_and_keeps_its_risk_notice(answerer: Make) -> None:
    long = "".join(f"这是第{number}句话，说的都是有用的内容。" for number in range(30))
    answer = await answerer.over(Shelf(document(answer=long, must_warn=True))).answer(
        ask("讲讲"), MORNING
    )
    body = answer.text.split("\n依据")[0]
    assert len(body) <= 201
    assert RISK_NOTICE in body
    assert "内容。还想知道哪一点" in body


async def test_words_of_care_have_no_footnote(answerer: Make) -> None:
    care = document(answer="节哀。我们陪您办。", tone="关怀")
    answer = await answerer.over(Shelf(care)).answer(ask("老伴走了"), MORNING)
    assert answer.text == "节哀。我们陪您办。"


async def test_an_answer_that_lacks_a_value_here_is_a_hand_over(answerer: Make) -> None:
    shelf = Shelf(document(answer="{网点.名称}九点开门。"))
    answer = await answerer.over(shelf).answer(ask("几点开门"), MORNING)
    assert (answer.kind, answer.reason) == (AnswerKind.DECLINED, "not_sendable")


def test_a_script_can_have_a_document_recited(answerer: Make) -> None:
    one = answerer.over(Shelf(document(), document("qa-2", audience=Audience.PRIVATE)))
    question = ask("大字", "group")
    assert one.recite("qa-1", question, MORNING).text == "能用。存折、现金都照办。"
    assert one.recite("qa-2", question, MORNING).reason == "not_for_this_place"
    assert one.recite("qa-9", question, MORNING).reason == "no_document"
    later = datetime(2028, 1, 1, tzinfo=UTC)
    assert one.recite("qa-1", question, later).reason == "no_document"
