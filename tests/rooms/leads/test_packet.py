"""What somebody is given who takes over a lead: what helps, and never more than the need takes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.channels.staff_cards import pressed_card
from bot.domain.ids import RmId
from bot.domain.lead import GRAVE, SELLING, Evidence, Lead, Need, Reason
from bot.domain.people import Customer
from bot.domain.subject import Registry, SubjectFacts
from bot.domain.suitability import NOBODY, Asker
from bot.leads.cards import lead_card, time_left, why_words
from bot.leads.first_steps import first_steps
from bot.leads.lead_steps import asleep_card, whom_card, why_poll, working_card
from bot.leads.packet import (
    Packet,
    avoided,
    known_for,
    opening_words,
    packet_words,
    what_to_avoid,
)
from bot.leads.warnings import overdue, running_out
from tests.domain.builders import starter_bank
from tests.make import CUSTOMER, MINUTE, NOON, OWNER

BANK = starter_bank()
HEAD = "shen.mingyuan"


def lead(need: Need = Need.WEALTH, quote: str = "想问问理财", **more: object) -> Lead:
    said = Evidence(quote=quote, at=NOON, source="微信客服")
    values = {"stage": "new", "rm": OWNER, "branch": "b01", "evidence": (said,)} | more
    return Lead(
        id=12,
        customer=CUSTOMER,
        need=need,
        opened_at=NOON,
        respond_by=NOON + timedelta(hours=4),
        **values,  # type: ignore[arg-type]
    )


def facts(**data: object) -> SubjectFacts:
    return SubjectFacts(CUSTOMER, "customer", Registry.of(BANK), facts=data)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("quote", "numbers"),
    [
        ("有人自称公安让我转账", ("110", "96110")),
        ("我不想活了", ("110", "120", "12356")),
        ("我爸晕倒了叫不醒", ("120",)),
        ("出事了快来", ("110", "96110")),
    ],
)
def test_danger_names_the_numbers_that_help(quote: str, numbers: tuple[str, ...]) -> None:
    steps = "\n".join(first_steps(lead(Need.RED_FLAG, quote), BANK))
    assert all(number in steps for number in numbers)
    assert "96110" in steps or "96110" not in numbers


def test_a_life_comes_before_the_money() -> None:
    steps = first_steps(lead(Need.RED_FLAG, "被骗光了，不想活了"), BANK)
    assert "12356" in "\n".join(steps)


@pytest.mark.parametrize("need", list(Need))
def test_every_need_has_a_title_words_to_begin_with_and_what_to_avoid(need: Need) -> None:
    card = lead_card(lead(need), Customer(id=CUSTOMER, name="王桂芳"), BANK, NOON).card
    assert 0 < len(card.title) <= 26
    assert len(card.description) <= 30
    assert all(len(value) <= 30 for _, value in card.rows)
    verbs = [button.key.rpartition(":")[2] for button in card.buttons]
    expected = ["take", "reassign", "invalid"] if need in GRAVE else ["take", "reassign", "later"]
    assert verbs[:3] == expected
    assert avoided(need)
    words = opening_words(lead(need), BANK)
    assert words.startswith("您好，我是梧桐街支行的李经理")
    assert "王桂芳" not in words
    working = working_card(lead(need, stage="taken"), None, BANK, NOON)
    ends = [button.key.rpartition(":")[2] for button in working.buttons][:3]
    won = "won" if need in SELLING - {Need.EVENT} else "done"
    assert ends == ["contacted", won, "lost"]
    met = working_card(lead(need, stage="taken", first_response_at=NOON), None, BANK, NOON)
    assert met.buttons[0].key.endswith(f":{won}")


def test_risk_and_age_are_told_where_a_product_is_asked_for_and_nowhere_else() -> None:
    known = facts(风险等级="C2", 测评日="2026-03-01", 年龄=72)
    told = "\n".join(known_for(Need.WEALTH, known, NOON.date()))
    assert "风险测评 C2" in told
    assert "有效" in told
    assert "65 岁以上" in told
    assert "72" not in told  # a band is enough
    for need in (Need.PERSON, Need.COMPLAINT, Need.PRIVACY, Need.EVENT):
        assert known_for(need, known, NOON.date()) == ()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "没有风险测评"),
        ({"风险等级": "C3", "测评日": "2024-01-01"}, "已过期"),
        ({"风险等级": "C3"}, "没有风险测评"),
    ],
)
def test_an_assessment_that_does_not_count_asks_for_another(data: dict, said: str) -> None:  # type: ignore[type-arg]
    assert said in "\n".join(known_for(Need.WEALTH, facts(**data), NOON.date()))


def test_what_is_too_risky_for_this_customer_is_not_spoken_of() -> None:
    assert "不谈 R3 和更高的产品" in avoided(Need.WEALTH, Asker(grade=2, age=50))
    assert not any("R6" in rule for rule in avoided(Need.WEALTH, Asker(grade=5, age=50)))
    assert any("65 岁" in rule for rule in avoided(Need.WEALTH, NOBODY))
    assert not any("65 岁" in rule for rule in avoided(Need.WEALTH, Asker(grade=2, age=50)))


def test_a_refusal_and_an_open_complaint_come_first() -> None:
    told = known_for(Need.MATURITY, facts(), NOON.date(), refuses=True)
    assert "拒收营销" in told[0]
    complained = facts()._replace(complaint_open=True)
    assert "投诉" in known_for(Need.SERVICE, complained, NOON.date())[0]


def test_the_packet_reads_from_top_to_bottom_and_leaves_out_what_is_not_there() -> None:
    packet = Packet(
        facts=("风险测评 C2",),
        say="您好",
        source="理财怎么接",
        avoid=what_to_avoid(lead()),
        turns=(("客户", "在吗" * 60),),
    )
    words = packet_words(lead(), packet, "王桂芳", BANK, NOON)
    order = [words.index(part) for part in ("客户说", "要知道", "可以这样说", "不要说", "最近")]
    assert order == sorted(order)
    assert "依据：理财怎么接" in words
    assert "…" in words.splitlines()[-1]
    bare = packet_words(lead(), Packet(say="您好"), "", BANK, NOON)
    assert "先做" not in bare
    assert "要知道" not in bare
    answered = packet_words(lead(first_response_at=NOON), packet, "王桂芳", BANK, NOON)
    assert "前回客户" not in answered


def test_the_card_says_why_it_is_a_lead_and_what_a_tap_opens() -> None:
    reasons = (
        Reason(code="a", words="自己开口问", points=40),
        Reason(code="b", words="刚催过", points=-5),
    )
    one = lead(reasons=reasons)
    assert why_words(one) == "理财咨询：自己开口问"
    link = "https://bank.example/sidebar?lead=12"
    assert lead_card(one, None, BANK, NOON, link=link).card.link == link
    assert asleep_card(one, None, BANK, NOON, link=link).link == link
    assert whom_card(one, None, BANK, NOON) is not None
    assert len(why_poll(one, OWNER, NOON, lost=True).questions[0].options) <= 20


def test_who_is_warned_and_who_is_told_read_what_to_do() -> None:
    late = NOON + 5 * 60 * MINUTE
    warned = running_out(lead(), BANK, NOON + 180 * MINUTE, name="王桂芳")
    assert "还有 1 小时" in warned.text  # type: ignore[union-attr]
    told = overdue(lead(), BANK, late, to=HEAD, name="王桂芳")  # type: ignore[arg-type]
    assert "超过时限 1 小时" in told.text
    assert "在李敏那里" in told.text
    assert "安排人" in told.text
    pooled = overdue(lead(rm=""), BANK, late, to=HEAD)  # type: ignore[arg-type]
    assert "现在没有人" in pooled.text
    with_page = running_out(lead(), BANK, NOON, url="https://bank.example/x")
    assert with_page.kind == "staff_notice"
    assert told.text.startswith("12:00:00 的")
    next_day = overdue(lead(), BANK, NOON + 30 * 60 * MINUTE, to=HEAD)  # type: ignore[arg-type]
    assert next_day.text.startswith("10月12日 12:00:00 的")


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(12, "还有 12 分钟"), (60, "还有 1 小时"), (95, "还有 1 小时 35 分钟"), (0, "时限到了")],
)
def test_time_is_said_as_people_do(minutes: int, said: str) -> None:
    assert time_left(NOON + minutes * MINUTE, NOON) == said
    over = said.replace("还有", "已超")
    assert time_left(NOON - minutes * MINUTE, NOON) == over


class TestWhomItIsPassedOnTo:
    def test_one_long_name_does_not_cost_the_branch_its_cards(self) -> None:
        staff = tuple(
            one.model_copy(update={"name": "古丽巴哈尔·阿卜杜热合曼"})
            if one.userid == "wang.haoran"
            else one
            for one in BANK.staff
        )
        bank = BANK.model_copy(update={"staff": staff})
        made = lead_card(lead(), None, bank, NOON)
        assert made.card.choice is not None
        assert all(len(name) <= 10 for _, name in made.card.choice.options)
        assert pressed_card(made.task, made.card)

    def test_of_what_nobody_has_to_people_of_its_branch(self) -> None:
        made = lead_card(lead(rm=""), None, BANK, NOON, to=RmId(HEAD))
        assert made.to == HEAD
        assert made.card.description.startswith("还没有人接手")
        assert made.card.choice is not None
        known = {one.userid: one.branch for one in BANK.staff}
        assert {known[userid] for userid, _ in made.card.choice.options} == {"b01"}
        asked = whom_card(lead(rm=""), None, BANK, NOON)
        assert asked is not None
        assert asked.choice is not None
        assert set(made.card.choice.options) < set(asked.choice.options)

    def test_grave_what_nobody_has_says_both(self) -> None:
        made = lead_card(lead(Need.COMPLAINT, rm=""), None, BANK, NOON, to=RmId(HEAD))
        assert made.card.description.startswith("还没有人接，先打电话")
        assert len(made.card.description) <= 30


def test_words_to_a_head_say_by_which_number_the_card_is_had() -> None:
    words = overdue(lead(), BANK, NOON, to=RmId(HEAD), name="王桂芳")
    assert "线索 12（王桂芳）" in words.text
    assert "问小安「线索 12」就能转派" in words.text


class TestDanger:
    """What a manager reads is of the danger that was heard, in whatever words it was told."""

    @pytest.mark.parametrize(
        ("danger", "quote", "number"),
        [
            ("轻生", "安眠药我都攒好了", "12356"),
            ("突发疾病", "我爸嘴歪了说不了话", "120"),
            ("被骗", "刚转给他二十万", "96110"),
        ],
    )
    def test_the_first_steps_are_of_what_was_heard(
        self, danger: str, quote: str, number: str
    ) -> None:
        said = Evidence(quote=quote, at=NOON, source="微信客服", danger=danger)
        one = lead(Need.RED_FLAG, evidence=(said,))
        assert number in "\n".join(first_steps(one, BANK))

    @pytest.mark.parametrize("danger", ["轻生", "突发疾病"])
    def test_nobody_whose_life_is_at_stake_is_spoken_to_of_fraud(self, danger: str) -> None:
        said = Evidence(quote="……", at=NOON, source="微信客服", danger=danger)
        one = lead(Need.RED_FLAG, evidence=(said,))
        words = "\n".join([opening_words(one, BANK), *what_to_avoid(one)])
        assert not any(other in words for other in ("操作", "验证码", "追得回", "被骗"))
        assert "打电话" in opening_words(one, BANK) or "120" in opening_words(one, BANK)

    def test_what_is_grave_is_not_to_be_put_off_by_its_warning_either(self) -> None:
        told = running_out(lead(Need.RED_FLAG), BANK, NOON, kind="resolve", url="https://b.example")
        assert "稍后" not in told.model_dump_json()
        assert "稍后" in running_out(lead(), BANK, NOON, kind="resolve").model_dump_json()
