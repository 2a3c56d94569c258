from __future__ import annotations

import pytest

from bot.domain.bank import Bank
from bot.domain.persona import Persona
from bot.yamlfile import load
from tests.domain.builders import day, starter_bank, starter_text


def test_branches_members_and_group_tags_are_found() -> None:
    bank = starter_bank()
    branch = bank.branch("b01")
    assert branch is not None
    head = bank.member(branch.head)
    assert head is not None
    assert (head.role, head.branch) == ("支行行长", "b01")
    assert bank.branch("b99") is None
    assert bank.member("nobody") is None
    assert bank.tags_of_group("云杉·银龄安心群 3") == {"银龄群"}
    assert bank.tags_of_group("工作群") == frozenset()
    assert bank.zone.key == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("from_day", "event"),
    [
        ("2026-10-12", "2026-10-28"),
        ("2026-10-28", "2026-10-28"),
        ("2026-10-29", "2026-11-25"),
        ("2026-11-26", None),
    ],
)
def test_the_next_event_is_the_branchs_own_and_nearest(from_day: str, event: str | None) -> None:
    found = starter_bank().next_event("b02", day(from_day))
    assert (found and found.on.isoformat()) == event
    assert found is None or found.branch == "b02"


def test_an_event_says_its_day_and_beginning() -> None:
    event = starter_bank().next_event("b01", day("2026-10-12"))
    assert event is not None
    assert event.day_in_words == "10月28日(周三)"
    assert event.begins_at(starter_bank().zone).isoformat() == "2026-10-28T09:30:00+08:00"


@pytest.mark.parametrize(
    ("on", "holds"),
    [("2026-10-30", False), ("2026-10-31", True), ("2026-11-04", True), ("2026-11-05", False)],
)
def test_a_bond_comes_within_days_after_but_not_on_its_day(on: str, holds: bool) -> None:
    assert (starter_bank().bond_within(day(on), 5) is not None) is holds


def test_tags_are_known_by_whom_they_are_for() -> None:
    bank = starter_bank()
    assert bank.knows_tag("国债提醒", "客户")
    assert not bank.knows_tag("国债提醒", "客户群")
    assert bank.knows_tag("暂停运营", "客户群")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("时区: Asia/Shanghai", "时区: 北京", "没有「北京」这个时区"),
        ("角色: 消保", "角色: 保安", "不能写「保安」"),
        ("在岗: true", "在岗: 看情况", "不是「是」或「否」"),
        ("- 2026-11-05", "- 11月5日", "不是日期"),
    ],
)
def test_a_slip_in_the_banks_facts_is_said(old: str, new: str, words: str) -> None:
    text = starter_text("_workspace.yaml")
    assert old in text
    bank, problems = load(text.replace(old, new, 1), "_workspace.yaml", Bank)
    assert bank is None
    assert any(words in problem.what for problem in problems)


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ("编号: b02", "编号: b01", ("网点", 1, "编号"), "「b01」写了两次"),
        ("行长: gu.qinghe", "行长: nobody", ("网点", 1, "行长"), "「nobody」没有登记"),
        ("网点: b01, 在岗", "网点: b44, 在岗", ("员工", 0, "网点"), "「b44」没有登记"),
        (
            "标签: 银龄群, 群名含",
            "标签: 金领群, 群名含",
            ("群标签", 0, "标签"),
            "「金领群」没有登记",
        ),
    ],
)
def test_an_entry_that_disagrees_with_others_is_named(
    old: str, new: str, path: tuple[str, int, str], words: str
) -> None:
    text = starter_text("_workspace.yaml")
    assert old in text
    bank, problems = load(text.replace(old, new, 1), "_workspace.yaml", Bank)
    assert bank is not None, problems
    assert (path, words) in [(where, what) for where, what, _ in bank.disagreements()]


def test_the_starters_facts_agree() -> None:
    assert starter_bank().disagreements() == []


def test_the_persona_is_read_whole() -> None:
    text = starter_text("personas/xiaoan.persona.yaml")
    persona, problems = load(text, "xiaoan", Persona)
    assert persona is not None, problems
    assert persona.name == "小安"
    assert "智能助手" in persona.identity.first_words
    assert (persona.speech.sentence_chars, persona.speech.emoji) == (27, 1)
    assert persona.on_duty[0].hour == 8
    assert Persona.model_validate(persona.model_dump(mode="json", by_alias=True)) == persona


def test_a_slip_in_the_persona_is_said() -> None:
    text = starter_text("personas/xiaoan.persona.yaml")
    broken = text.replace("每条最多1个", "少用").replace("着急:", "急:")
    persona, problems = load(broken, "xiaoan", Persona)
    assert persona is None
    assert {problem.key for problem in problems} == {"说话.表情", "情绪.急", "情绪.着急"}
