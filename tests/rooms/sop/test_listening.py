"""In which order a customer's words are held against what the running scripts listen for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.script import SopScript
from bot.domain.steps import Intent
from bot.sop.listening import Had, Listening, Playing
from tests.domain.builders import script, step
from tests.make import NOON

ANY = "听到就办: [{关键词: [任意], 动作: [{打标签: 已唤醒}]}]"
KEYWORD = "听到就办: [{关键词: [报名], 动作: [{建线索: 活动}]}]"
OUT = "退出: {关键词: [退订, TD], 动作: [记录拒收, 停止营销类步骤], 回话: 好的}\n"
LEAVING = "听到就办:\n  - {关键词: [别发了], 动作: [记录拒收, 退出]}\n"


def listening(made: SopScript, *steps: str, run: int = 1, days_ago: int = 0) -> Listening:
    """Return a script under way that has had these steps, the first of them last."""
    parts = [one for name in steps for one in made.steps if one.id == name]
    at = NOON - timedelta(days=days_ago)
    had = tuple(Had(run, one, made, at - timedelta(days=n)) for n, one in enumerate(parts))
    return Listening((Playing(run, made),), had)


def both(one: Listening, other: Listening) -> Listening:
    return Listening(one.playing + other.playing, one.had + other.had)


def test_the_newest_step_hears_first_and_the_whole_script_last() -> None:
    again = "听到就办: [{关键词: [报名], 动作: [{建线索: 服务}]}]"
    tail = "听到就办:\n  - {关键词: [报名, 上门], 动作: [通知客户经理]}\n"
    made = script(step("d01", 1, more=KEYWORD), step("d02", 2, more=again), tail=tail)
    both_had, first_only = listening(made, "d02", "d01"), listening(made, "d01")
    assert [one.hears("我要报名").step for one in (both_had, first_only)] == ["d02", "d01"]
    assert listening(made).hears("报名").step == ""
    assert both_had.hears("上门").step == ""
    assert both_had.hears("早上好") is None


def test_of_two_scripts_the_one_that_sent_last_hears_first() -> None:
    one = listening(script(step("d01", 1, more=KEYWORD), id="one"), "d01", run=1)
    two = listening(script(step("d01", 1, more=KEYWORD), id="two"), "d01", run=2)
    assert both(two, one).hears("报名").run == 2


def test_whatever_is_said_is_heard_by_the_newest_step_only_and_for_a_week() -> None:
    made = script(step("d01", 1, more=ANY), step("d02", 2))
    assert listening(made, "d01").hears_anything(NOON).step == "d01"
    assert listening(made, "d01").hears("随便说点什么") is None
    assert listening(made, "d02", "d01").hears_anything(NOON) is None
    assert listening(made, "d01", days_ago=8).hears_anything(NOON) is None
    assert listening(made).hears_anything(NOON) is None


def test_a_script_that_listens_for_anything_does_so_once_it_has_said_something() -> None:
    made = script(step("d01", 1), tail="听到就办:\n  - {关键词: [任意], 动作: [通知客户经理]}\n")
    assert listening(made).hears_anything(NOON) is None
    assert listening(made, "d01").hears_anything(NOON).step == ""


@pytest.mark.parametrize(
    ("text", "form", "hoped"),
    [("收到", "text", True), ("收到了吗", "text", False), ("", "image", True), ("", "file", False)],
)
def test_a_step_hopes_for_very_words_or_a_picture(text: str, form: str, hoped: bool) -> None:
    made = script(step("d01", 1, more="互动: {期待回复: [收到, 图片], 计入指标: 晒图人数}"))
    assert (listening(made, "d01").hopes(text, form, NOON) is not None) is hoped


def test_any_words_are_hoped_for_but_named_by_none() -> None:
    made = script(step("d01", 1, more="互动: {期待回复: [任意], 计入指标: 开口率}"))
    had = listening(made, "d01")
    assert had.hopes("学会了放大字体", "text", NOON) is not None
    assert not had.names("学会了放大字体")
    assert listening(made, "d01", days_ago=8).hopes("学会了", "text", NOON) is None


@pytest.mark.parametrize(
    ("text", "of", "run"),
    [("退订", "out", None), ("TD", "out", None), ("别发了!", "leaving", 7), ("你好", "", None)],
)
def test_words_of_running_scripts_refuse_first_and_those_of_all_others_too(
    text: str, of: str, run: int | None
) -> None:
    out = script(step("d01", 1), tail=OUT, id="out")
    leaving = script(step("d01", 1), tail=LEAVING, id="leaving")
    refusal = listening(leaving, "d01", run=7).refuses(text, [out, leaving])
    assert (refusal.script if refusal else "", refusal.run if refusal else None) == (of, run)


def test_words_of_refusal_are_never_heard_as_a_keyword_within_a_sentence() -> None:
    made = script(step("d01", 1), tail=LEAVING)
    long = "我想问问别发了这几个字是什么意思呀您说说"
    assert listening(made, "d01").hears(long) is None
    assert listening(made, "d01").refuses(long, [made]) is None


def test_an_intent_is_found_whatever_the_words() -> None:
    more = "听到就办: [{意图: 疑似正在被骗, 动作: [{转人工: 红线, 时限分钟: 5}]}]"
    made = script(step("d01", 1, more=more))
    assert listening(made, "d01").intends(Intent.BEING_DEFRAUDED).step == "d01"
    assert listening(made).intends(Intent.BEING_DEFRAUDED) is None
