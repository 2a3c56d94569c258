"""One question, one answer: approved words, a model's words under guard, or a person."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.ai.chat import open_chat
from bot.ai.offline import OfflineChat
from bot.answering.answer import Answerer, Question
from bot.domain.actions import HandOver, OpenLead, PutTag
from bot.domain.compliance import Rules
from bot.domain.knowledge import (
    RISK_NOTICE,
    AnswerKind,
    Approval,
    Audience,
    Document,
    DocumentKind,
    Found,
    Hit,
    Plane,
    Section,
)
from bot.domain.lead import Need
from bot.domain.persona import Persona
from bot.errors import Retryable
from bot.ports import ChatModel
from bot.yamlfile import load
from tests.ai.openai_server import OpenAiServer, openai_server

ZONE = ZoneInfo("Asia/Shanghai")
MORNING = datetime(2026, 10, 12, 2, tzinfo=UTC)
NIGHT = datetime(2026, 10, 12, 13, tzinfo=UTC)
SOP = Path(__file__).parents[3] / "sop"
FACTS = {"经理.称呼": "李经理", "客服电话": "000-95550"}


def document(
    key: str = "qa-1", answer: str = "能用。存折、现金都照办。", **more: object
) -> Document:
    values: dict[str, object] = {
        "id": key,
        "title": "常见问题",
        "kind": DocumentKind.QA,
        "file": "knowledge/a.qa.yaml",
        "line": 7,
        "audience": Audience.GROUP,
        "valid_from": date(2026, 9, 1),
        "valid_to": date(2027, 8, 31),
        "approval": Approval(content_id="X-1", approver="乙", approved_on=date(2026, 9, 1)),
        "questions": ("存折还能用吗", "不想用卡"),
        "sections": (Section(title="存折还能用吗", text=answer, line=7),),
    }
    return Document.model_validate(values | more)


class Shelf:
    """Finds what it was given, whatever is asked."""

    def __init__(self, *documents: Document, probability: float = 0.9) -> None:
        self.documents = documents
        self.probability = probability
        self.asked: list[tuple[str, Plane]] = []

    async def find(self, question: str, plane: Plane, now: datetime) -> Found:
        self.asked.append((question, plane))
        hits = tuple(
            Hit(document=one, section=one.sections[0], score=1, dense=1, lexical=1)
            for one in self.documents
        )
        return Found(hits=hits, probability=self.probability, confident=self.probability >= 0.3)

    def document(self, key: str) -> Document | None:
        return next((one for one in self.documents if one.id == key), None)


class BrokenShelf(Shelf):
    """An index whose embedder cannot be reached."""

    async def find(self, question: str, plane: Plane, now: datetime) -> Found:
        raise Retryable("embeddings endpoint: APIConnectionError")


@pytest.fixture(scope="module")
def persona() -> Persona:
    path = SOP / "personas" / "xiaoan.persona.yaml"
    persona, problems = load(path.read_text("utf-8"), path.name, Persona)
    assert persona is not None, problems
    return persona


@pytest.fixture(scope="module")
def rules() -> Rules:
    rules, problems = load((SOP / "rules.yaml").read_text("utf-8"), "rules.yaml", Rules)
    assert rules is not None, problems
    return rules


@pytest.fixture
def answerer(persona: Persona, rules: Rules) -> "Make":
    return Make(persona, rules)


class Make:
    """Builds an answerer over a shelf and asks it."""

    def __init__(self, persona: Persona, rules: Rules) -> None:
        self._persona = persona
        self._rules = rules

    def over(self, shelf: Shelf, chat: ChatModel | None = None, within: float = 5.0) -> Answerer:
        return Answerer(
            shelf.find,
            shelf.document,
            chat or OfflineChat(),
            self._persona,
            self._rules,
            ZONE,
            write_within=timedelta(seconds=within),
        )


def ask(text: str, plane: Plane = "kf", **more: object) -> Question:
    return Question.model_validate({"text": text, "plane": plane, "variables": FACTS} | more)


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
    answer = await answerer.over(shelf).answer(ask("今天天气怎么样"), MORNING)
    assert answer.kind is AnswerKind.DECLINED
    assert not answer.answered
    assert answer.text == "这个我说不准，已经请李经理来答您，2 小时内给您回话。"
    assert answer.actions == (HandOver(need=Need.UNANSWERED, within_minutes=120),)
    assert answer.citations == ()


async def test_outside_her_hours_a_hand_over_says_where_to_call(answerer: Make) -> None:
    answer = await answerer.over(Shelf(probability=0)).answer(ask("今天天气怎么样"), NIGHT)
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


async def test_trouble_is_never_searched_for(answerer: Make) -> None:
    shelf = Shelf(document())
    answer = await answerer.over(shelf).answer(ask("我刚转了两万给骗子"), NIGHT)
    assert answer.kind is AnswerKind.RED_FLAG
    assert "110" in answer.text
    assert "000-95550" in answer.text
    assert answer.actions == (HandOver(need=Need.RED_FLAG, within_minutes=5),)
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


# With a model

APPROVED = "能用。存折、现金都照办。\n依据：本行《常见问题》"


@pytest.fixture
async def server() -> AsyncIterator[OpenAiServer]:
    async with openai_server() as running:
        running.says = "存折能用，存折和现金都照办。"
        yield running


@pytest.fixture
async def chat(server: OpenAiServer) -> AsyncIterator[ChatModel]:
    async with open_chat("test-model", base_url=server.url, api_key="k", wait_for=5) as model:
        yield model


async def test_a_model_writes_from_the_passages_and_is_labelled(
    answerer: Make, chat: ChatModel, server: OpenAiServer
) -> None:
    one = answerer.over(Shelf(document(), document("qa-2", "现金也收。")), chat)
    answer = await one.answer(ask("存折还让不让用"), MORNING)
    assert answer.kind is AnswerKind.WRITTEN
    assert answer.model == "test-model"
    assert answer.text == (
        "小安（智能助手）：\n存折能用，存折和现金都照办。\n依据：本行《常见问题》"
    )
    sent = server.asked[0]["messages"]
    assert "能用。存折、现金都照办。" in sent[1]["content"]
    assert "现金也收。" in sent[1]["content"]
    assert "我是客户经理" not in sent[0]["content"]


async def test_a_models_words_are_shown_by_sentences_while_all_may_be_said(
    answerer: Make, chat: ChatModel, server: OpenAiServer
) -> None:
    one = answerer.over(Shelf(document(), document("qa-2", "现金也收。")), chat)
    shown: list[str] = []

    async def show(words: str) -> None:
        shown.append(words)

    server.says = "存折能用。存折和现金都照办。"
    answer = await one.answer(ask("存折还让不让用"), MORNING, show)
    assert shown == ["存折能用。", "存折能用。存折和现金都照办。"]
    assert answer.kind is AnswerKind.WRITTEN
    shown.clear()
    server.says = "存折能用。存折每天最多取 50000 元。现金都照办。"
    answer = await one.answer(ask("存折还让不让用"), MORNING, show)
    assert shown == ["存折能用。"]
    assert answer.kind is AnswerKind.APPROVED


async def test_the_wording_that_was_approved_needs_no_model(
    answerer: Make, chat: ChatModel, server: OpenAiServer
) -> None:
    answer = await answerer.over(Shelf(document()), chat).answer(ask("不想用卡"), MORNING)
    assert answer.text == APPROVED
    assert server.asked == []


@pytest.mark.parametrize(
    "words",
    [
        "存折能用，存折保本，现金都照办。",
        "存折能用，保·本又稳 赚，现金照办。",
        "存折能用，现金照办，打 13812345678。",
        "存折能用，存折现金都照办，每天最多取 50000 元。",
        "存折能用，现金照办，看 https://evil.example/a 。",
        "我是客户经理，存折能用，现金都照办。",
        "存折能用，现金都照办，最后机会快来。",
        "今天天气很好，适合出门散步，晚上看场电影也不错。",
        "存折能用。" * 60,
    ],
)
async def test_words_that_may_not_be_said_give_way_to_the_approved(
    answerer: Make, chat: ChatModel, server: OpenAiServer, words: str
) -> None:
    server.says = words
    answer = await answerer.over(Shelf(document()), chat).answer(ask("存折还让用不"), MORNING)
    assert answer.kind is AnswerKind.APPROVED
    assert answer.text == APPROVED
    assert answer.reason.startswith("guard:")


@pytest.mark.parametrize("fault", [500, 429, "html", "empty", "no_choices"])
async def test_a_failing_model_gives_way_to_the_approved_text(
    answerer: Make, chat: ChatModel, server: OpenAiServer, fault: int | str
) -> None:
    server.fault = fault
    answer = await answerer.over(Shelf(document()), chat).answer(ask("存折还让用不"), MORNING)
    assert (answer.text, answer.reason) == (APPROVED, "model_failed")


async def test_a_slow_model_gives_way_to_the_approved_text_in_time(
    answerer: Make, chat: ChatModel, server: OpenAiServer
) -> None:
    server.fault = "slow"
    one = answerer.over(Shelf(document()), chat, within=0.2)
    async with asyncio.timeout(3):
        answer = await one.answer(ask("存折还让用不"), MORNING)
    assert (answer.text, answer.reason) == (APPROVED, "model_too_slow")


async def test_a_model_that_finds_nothing_hands_over(
    answerer: Make, chat: ChatModel, server: OpenAiServer
) -> None:
    server.says = "没有资料"
    answer = await answerer.over(Shelf(document()), chat).answer(ask("存折年费多少"), MORNING)
    assert (answer.kind, answer.reason) == (AnswerKind.DECLINED, "model_found_nothing")


async def test_a_model_never_sees_card_or_phone_numbers(
    answerer: Make, chat: ChatModel, server: OpenAiServer
) -> None:
    question = ask("我卡号6222020200112233445存折能用吗", history=("客户:我电话13812345678",))
    await answerer.over(Shelf(document()), chat).answer(question, MORNING)
    sent = str(server.asked)
    assert "6222020200112233445" not in sent
    assert "13812345678" not in sent


async def test_what_a_model_writes_of_a_product_gets_the_risk_notice(
    answerer: Make, chat: ChatModel, server: OpenAiServer
) -> None:
    server.says = "这款有涨有跌，可能会亏。"
    risky = document(answer="它有涨有跌，可能会亏本金。", must_warn=True)
    answer = await answerer.over(Shelf(risky), chat).answer(ask("会亏不"), MORNING)
    assert answer.kind is AnswerKind.WRITTEN
    assert RISK_NOTICE in answer.text
