"""One thing asked twice, or told in two ways: found, and nothing else with it."""

from __future__ import annotations

import time
from datetime import date

import pytest

from bot.domain.knowledge import Audience
from bot.knowledge.checks import Terms, check
from bot.knowledge.reader import Knowledge
from tests.rooms.knowledge.checking import TODAY, plain_terms, qa, told, whats


@pytest.fixture(scope="module")
def terms() -> Terms:
    return plain_terms()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("国债在哪买", "国债在哪里买"),
        ("存单到期了怎么办", "请问我的存单到期了怎么办呢"),
        ("如何调大手机银行字体", "怎么调大手机银行的字体"),
    ],
)
def test_one_question_in_two_entries_is_noted_once(terms: Terms, one: str, other: str) -> None:
    found = told(terms, qa("q1", one, "看公告。"), qa("q2", other, "来网点。"))
    assert len(found) == 1
    key, problem = found[0]
    assert (key, problem.note) == ("q2", True)
    assert f"knowledge/a.qa.yaml:1 的「{one}」几乎一样" in problem.what


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("国债在哪买", "国债提前兑取"),
        ("手机银行怎么开通", "手机银行怎么注销"),
        ("怎么存定期", "怎么取定期"),
        ("卡丢了怎么挂失", "存折丢了怎么挂失"),
    ],
)
def test_neighbouring_questions_are_not_one(terms: Terms, one: str, other: str) -> None:
    assert told(terms, qa("q1", one, "甲。"), qa("q2", other, "乙。")) == []


def test_two_regions_staff_and_the_next_year_may_answer_the_same_question(terms: Terms) -> None:
    asked = "社保卡去哪里补"
    apart = [
        qa("q1", asked, "到城东服务点，客服热线 000-1111。", regions=("城东区",)),
        qa("q2", asked, "到城西服务点，客服热线 000-2222。", regions=("城西区",)),
        qa("q3", asked, "先看证件，客服热线 000-3333。", audience=Audience.STAFF),
        qa(
            "q4",
            asked,
            "到新服务点，客服热线 000-4444。",
            regions=("城东区",),
            valid_from=date(2027, 9, 1),
            valid_to=date(2028, 8, 31),
        ),
    ]
    assert told(terms, *apart) == []
    everywhere = qa("q5", asked, "来网点。")
    found = told(terms, *apart, everywhere)
    assert [key for key, problem in found if "已经问过" in problem.what] == ["q5"]


HERE = "打开手机银行，点右下「我的」，再点「长辈版」。"
CERTAIN = (
    (
        HERE,
        "点右上角的「我的」就能看到。",
        "说「我的」在右下，问答 q2(knowledge/a.qa.yaml:2)说在右上",
    ),
    ("小喇叭在最上面，点右上角的小喇叭。", "看不见就点右下角小喇叭图标。", "说「小喇叭」在右上"),
    ("打反诈专线 96110。", "或打反诈专线：96100。", "反诈专线是 96110"),
    ("拨客服热线 000-95550。", "客服热线号码是 000-95551。", "客服热线是 00095550"),
)


@pytest.mark.parametrize(("old", "new", "said"), CERTAIN)
def test_of_two_that_cannot_both_be_right_the_older_is_not_answered_from(
    terms: Terms, old: str, new: str, said: str
) -> None:
    older = qa("q1", "甲怎么办理", old)
    newer = qa("q2", "乙在什么地方", new, approved=date(2026, 10, 1))
    for order in ((older, newer), (newer, older)):
        ((key, problem),) = told(terms, *order)
        assert key == "q1"
        assert said in problem.what
        assert not problem.note


NOTED = (
    ("同一家银行本息合计 50 万元以内。", "存款保险：同一家银行本息合计 30 万元。", "30，"),
    ("国庆期间网点放假到 10月8日。", "国庆期间网点放假到 10 月 7 日。", "10月7日，"),
    ("贵宾理财室在 2 楼。", "贵宾理财室在 3 楼东边。", "3，"),
)


@pytest.mark.parametrize(("old", "new", "said"), NOTED)
def test_a_figure_told_in_two_ways_is_noted(terms: Terms, old: str, new: str, said: str) -> None:
    found = told(terms, qa("q1", "甲怎么办理", old), qa("q2", "乙在什么地方", new))
    assert found
    assert all(problem.note for _, problem in found)
    assert any(said in problem.what for _, problem in found), whats(found)


def test_entries_on_one_question_are_read_more_closely(terms: Terms) -> None:
    one = qa("q1", "网点周六几点开门", "周六上午9点开门。")
    other = qa("q2", "你们网点周六几点开门呀", "周六开，上午10点起。")
    apart = qa("q3", "夜市几点摆摊", "上午8点。")
    found = [
        problem.what for key, problem in told(terms, one, other, apart) if "上午" in problem.what
    ]
    assert found == ["这里写「上午点」10，问答 q1(knowledge/a.qa.yaml:1)写的是 9"]


DIFFERENT = (
    ("梧桐街支行电话 0000-5550101", "河畔路支行电话 0000-5550102"),
    ("点右下「我的」", "点右上「设置」"),
    ("满一年的提前 15 天预约，满三年的提前 30 天预约。", "提前 7 天打电话。"),
    ("打 110 或 96110", "打 12378"),
    ("点一个按钮，等一下。", "点两个按钮，等三下。"),
)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_things_are_not_held_against_each_other(
    terms: Terms, one: str, other: str
) -> None:
    assert told(terms, qa("q1", "甲怎么办理", one), qa("q2", "乙在什么地方", other)) == []


def test_two_thousand_entries_are_checked_in_two_seconds(terms: Terms) -> None:
    words = "存取转汇开销挂补办查改还贷卡折单债钱利息险网点手机验证码密码额度"
    documents = [
        qa(
            f"q{n}",
            "怎么" + "".join(words[(n * 7 + k * k * (n % 31 + 1)) % len(words)] for k in range(9)),
            f"带身份证来网点，第{n}种情形要提前 {n % 29} 天预约，客服热线 000-95550。" * 3,
        )
        for n in range(2000)
    ]
    began = time.process_time()
    list(check(Knowledge(documents=tuple(documents)), terms, TODAY))
    assert time.process_time() - began < 2.0
