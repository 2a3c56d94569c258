"""What a step becomes for one customer, way by way, and what goes along with the words."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from bot.domain.batches import batch_of
from bot.domain.contents import File, Image, Link, MiniProgram, Text, Video
from bot.domain.knowledge import ProductSheet
from bot.domain.messages import CustomerBroadcast, KfTouch, Moment, StaffCard
from bot.domain.runs import GroupFace, PersonFace, Run, RunStep
from bot.domain.script import SopScript
from bot.domain.steps import SendBy, Step
from bot.domain.way_terms import WAYS_TO, closes, not_done, waits_for_hand, way_usable
from bot.sop.fire import Fired, Wordings, called, fire
from bot.sop.stencil import Stencil
from bot.storage.letters import seal
from tests.domain.builders import starter_bank, starter_script
from tests.make import NOON, OWNER, ZONE, local

BANK = starter_bank()
SCRIPT = starter_script("dormant-3waves.sop.yaml")
SPAN = (local("10:00"), local("11:30"))
DAY = date(2026, 10, 12)
LI = PersonFace("wmLi", "李女士", OWNER, account="wkA", last_customer_at=NOON - timedelta(hours=1))
ZHAO = LI._replace(id="wmZhao", name="赵先生")
EVERY_KIND: list[dict[str, object]] = [
    {"类型": "图片", "素材": "a.png", "替代文字": "图"},
    {"类型": "链接", "标题": "活动", "网址": "https://a.example/1", "封面": "b.png"},
    {"类型": "小程序", "标题": "预约", "小程序": "wx1", "页面": "p/1", "封面": "b.png"},
    {"类型": "文件", "素材": "a.pdf"},
    {"类型": "视频", "素材": "a.mp4"},
]


def step_of(way: str, text: str = "您好", **keys: Any) -> Step:
    plain = {"编号": "s1", "发送方式": way, "类型": "关怀", "正文": text} | keys
    return Step.model_validate(plain)


def wordings(on_sale: ProductSheet | None = None) -> Wordings:
    return Wordings(BANK, lambda product: on_sale, "https://a.example/kf")


def fired(
    step: Step, face: PersonFace = LI, *, variant: str = "", script: SopScript = SCRIPT, **row: Any
) -> Any:
    script = script.model_copy(update={"steps": (step,)})
    wording = wordings().word(
        script, "v1", step, face.owner, "b01", DAY, variant=variant, face=face
    )
    return fire(
        script, step, run_of(face), row_of(variant=variant, **row), SPAN, face, wording, ZONE
    )


def run_of(face: PersonFace, number: int = 7) -> Run:
    return Run(
        id=number,
        script=SCRIPT.id,
        version="v1",
        subject=face.id,
        subject_kind="customer",
        owner=face.owner,
        branch="b01",
        anchor=DAY,
        state="running",
    )


def row_of(number: int = 3, **values: Any) -> RunStep:
    return RunStep(
        id=number,
        run=7,
        step="s1",
        kind="step",
        planned_on=DAY,
        opens_at=SPAN[0],
        closes_at=local("18:00", "2026-10-14"),
        **values,
    )


def test_a_mass_message_to_a_customer_is_the_managers_task_for_this_customer_only() -> None:
    made = fired(step_of("企业群发"), round=2, variant="问候")
    assert isinstance(made.message, CustomerBroadcast)
    assert (made.message.manager, made.message.customers) == (OWNER, ("wmLi",))
    terms = made.terms
    assert (terms.subject, terms.subject_kind, terms.way) == ("wmLi", "customer", "企业群发")
    assert (terms.round, terms.variant, terms.version) == (2, "问候", "v1")


def test_a_moment_is_for_those_who_bear_the_tags_and_names_nobody() -> None:
    made = fired(step_of("朋友圈", 只给标签=["国债"]))
    assert made.message == Moment(manager=OWNER, tags=("国债",), contents=(Text(text="您好"),))
    other = fired(step_of("朋友圈", 只给标签=["国债"]), ZHAO)
    assert batch_of(made.message, made.terms) == batch_of(other.message, other.terms)


def test_kf_says_each_content_as_a_message_of_the_five() -> None:
    made = fired(step_of("微信客服", 附件=EVERY_KIND[:2]))
    assert isinstance(made.message, KfTouch)
    assert (made.message.account, made.message.customer) == ("wkA", "wmLi")
    assert (made.terms.account, made.terms.parts) == ("wkA", 3)
    assert fired(step_of("微信客服"), LI._replace(account="")) == "no_session"


def test_a_manager_is_asked_to_send_it_himself_and_told_what_goes_along() -> None:
    made = fired(step_of("提醒经理一键发", "{客户.称呼}，您好", 附件=EVERY_KIND[:1]))
    card = made.message.card
    assert isinstance(made.message, StaffCard)
    assert (card.body, dict(card.rows)["客户"]) == ("李女士，您好", "李女士")
    assert dict(card.rows)["附件"] == "图片 1 个，请一起发"
    assert {button.key for button in card.buttons} == {"step:3:sent", "step:3:skip"}
    assert not made.terms.quota


def test_a_task_says_until_when_and_is_done_by_a_press() -> None:
    made = fired(step_of("提醒经理", "请给{客户.称呼}打一个电话", 时限="2个工作日"))
    card = made.message.card
    assert card.body == "请给李女士打一个电话"
    assert dict(card.rows)["时限"] == "10月14日 18:00前"
    assert {button.key for button in card.buttons} == {"step:3:done", "step:3:skip"}


def test_the_way_that_was_chosen_goes_before_the_files_first() -> None:
    step = step_of("企业群发")
    assert isinstance(fired(step, way="提醒经理一键发").message, StaffCard)
    assert fired(step_of("入群欢迎语")) == "way_not_supported"


def test_every_attachment_becomes_a_content() -> None:
    made = fired(step_of("企业群发", 附件=EVERY_KIND))
    assert made.message.contents == (
        Text(text="您好"),
        Image(file="a.png", alt="图"),
        Link(title="活动", url="https://a.example/1", cover="b.png"),
        MiniProgram(title="预约", app_id="wx1", page="p/1", cover="b.png"),
        File(file="a.pdf"),
        Video(file="a.mp4"),
    )


def test_a_name_makes_words_personal_and_their_batch_one() -> None:
    greeting, plain = step_of("企业群发", "{客户.称呼}，您好"), step_of("企业群发")
    assert wordings().personal(greeting)
    assert not wordings().personal(plain)
    one, two = fired(greeting), fired(greeting, ZHAO)
    assert [made.text for made in (one, two)] == ["李女士，您好", "赵先生，您好"]
    assert batch_of(one.message, one.terms) != batch_of(two.message, two.terms)
    one, two = fired(plain), fired(plain, ZHAO)
    assert batch_of(one.message, one.terms) == batch_of(two.message, two.terms)


def test_a_customer_without_a_name_gets_no_words_with_a_hole() -> None:
    assert fired(step_of("企业群发", "{客户.称呼}，您好"), LI._replace(name="")) == (
        "no_value:客户.称呼"
    )


def test_a_group_is_never_addressed_as_a_customer() -> None:
    group = GroupFace("wrA", "银龄安心群", OWNER)
    step = step_of("企业群发", "{客户.称呼}，您好")
    worded = wordings().word(SCRIPT, "v1", step, OWNER, "b01", DAY, face=group)
    assert worded.no_text == "no_value:客户.称呼"


def test_each_arm_says_its_own_words() -> None:
    keys = {"正文": None, "正文按分流": {"问候": "好久不见", "服务": "我来帮您"}}
    step = step_of("企业群发", **keys)
    assert fired(step, variant="服务").text == "我来帮您"
    assert fired(step, variant="问候").text == "好久不见"


def test_a_variable_of_the_scripts_own_stands_for_what_the_file_says() -> None:
    assert SCRIPT.variables is not None
    assert fired(step_of("企业群发", "来了送{权益}")).text == "来了送网点小礼品"


def test_a_product_that_left_the_catalogue_since_is_not_talked_about() -> None:
    step = step_of("企业群发", "看看{产品.名称}", 类型="产品", 产品="demo-r2-001")
    script = starter_script("senior-21d.sop.yaml")
    worded = wordings(None).word(script, "v1", step, OWNER, "b01", DAY)
    assert worded.no_text == "product_not_sold"


@pytest.mark.parametrize("way", ["企业群发", "提醒经理一键发", "提醒经理"])
@pytest.mark.parametrize("name", ["赵先生", ""])
def test_a_stencil_of_a_customers_message_is_the_letter_itself(way: str, name: str) -> None:
    step, zhao = step_of(way, 附件=EVERY_KIND), ZHAO._replace(name=name)
    script = SCRIPT.model_copy(update={"steps": (step,)})
    worded = wordings().word(script, "v1", step, OWNER, "b01", DAY)
    stencil = Stencil.of(script, step, row_of(), SPAN, LI, worded, ZONE, version="v1")
    made = fire(script, step, run_of(zhao, 41), row_of(5), SPAN, zhao, worded, ZONE)
    assert isinstance(made, Fired)
    letter = stencil.letter("k", run_of(zhao, 41), 5, called(zhao))
    assert letter == seal("k", made.message, made.terms)


LATE = LI._replace(last_customer_at=NOON - timedelta(hours=48))


@pytest.mark.parametrize(
    ("way", "face", "why"),
    [
        (SendBy.KF, LI, None),
        (SendBy.KF, LI._replace(last_customer_at=None), "no_session"),
        (SendBy.KF, LI._replace(account=""), "no_session"),
        (SendBy.KF, LATE, "reply_window_closed"),
        (SendBy.KF, LI._replace(replies=2), None),
        (SendBy.KF, LI._replace(replies=3), "five_messages_used"),
        (SendBy.BROADCAST, LATE, None),
        (SendBy.BROADCAST, LI._replace(owner=""), LI._replace(owner="").gone),
        (SendBy.NUDGE_OWNER, LI, "way_not_supported"),
        (SendBy.MOMENTS, GroupFace("wrA", "群", OWNER), "way_not_supported"),
        (SendBy.BROADCAST, GroupFace("wrA", "群", OWNER, dismissed=True), "group_dismissed"),
    ],
)
def test_a_way_tells_why_it_cannot_be_used(
    way: SendBy, face: PersonFace | GroupFace, why: str | None
) -> None:
    assert way_usable(way, face, NOON, parts=2 if way is SendBy.KF else 1) == why


def test_every_way_of_the_file_reaches_somebody_but_the_one_wecom_has_no_api_for() -> None:
    reached = {way for ways in WAYS_TO.values() for way in ways}
    assert set(SendBy) - reached == {SendBy.KEYWORD_REPLY}
    assert [way for way in SendBy if not waits_for_hand(way)] == [SendBy.KF]
    assert not_done(SendBy.TASK_FOR_MANAGER) != not_done(SendBy.BROADCAST)


def workday(day: date) -> bool:
    return day.weekday() < 5


@pytest.mark.parametrize(
    ("days", "until"),
    [(None, "2026-10-13"), (2, "2026-10-14"), (5, "2026-10-19")],
)
def test_a_task_has_its_workdays_and_everything_else_its_window(
    days: int | None, until: str
) -> None:
    opens: datetime = local("10:00", "2026-10-12")  # a Monday
    ends = local("11:30")
    assert closes(SendBy.BROADCAST, days, opens, ends, workday, ZONE) == ends
    task = closes(SendBy.TASK_FOR_MANAGER, days, opens, ends, workday, ZONE)
    assert task == local("18:00", until)
