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
        ("2026-11-26", "2026-12-23"),
        ("2027-03-25", None),
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


CODES = """
好友欢迎语:
  - {正文: "您好，我是{经理.称呼}。"}
  - {活码: [大堂], 正文: 欢迎从大堂过来。, 链接: [{标题: 小课堂, 网址: "https://example.com"}]}

渠道活码:
  - {名称: 大堂, 标识: hall-b01, 网点: b01, 打标签: [国债提醒]}
  - {名称: 名片, 标识: card, 员工: [li.min], 免验证: false, 备注: 名片背面}

入群活码:
  - {名称: 银龄, 标识: grp, 群: [梧桐街银龄安心群1], 新群名: 银龄安心群, 起始序号: 3}
"""


def coded(old: str = "", new: str = "") -> Bank:
    text = starter_text("_workspace.yaml") + CODES.replace(old, new, 1)
    bank, problems = load(text, "_workspace.yaml", Bank)
    assert bank is not None, problems
    return bank


def test_codes_lead_to_those_on_duty_and_say_what_they_are() -> None:
    bank = coded()
    assert bank.disagreements() == []
    hall, card, group = bank.wanted_ways()
    assert (hall.kind, hall.state, hall.remark) == ("contact", "hall-b01", "大堂")
    assert set(hall.targets) == {"li.min", "wang.haoran", "zhao.xiulan"}
    assert (card.targets, card.skip_verify, card.remark) == (("li.min",), False, "名片背面")
    assert (group.kind, group.targets) == ("join", ("梧桐街银龄安心群1",))
    assert (group.room_name, group.room_number, group.auto_create) == ("银龄安心群", 3, True)
    assert len({hall.fingerprint(), card.fingerprint(), group.fingerprint()}) == 3
    assert hall.fingerprint() == coded().wanted_ways()[0].fingerprint()


def test_a_friend_is_welcomed_by_the_code_they_came_by() -> None:
    bank = coded()
    by_code, by_card, other = (bank.welcome_for(state) for state in ("hall-b01", "card", "none"))
    assert by_code is not None
    assert by_code.text == "欢迎从大堂过来。"
    assert [part.kind for part in by_code.contents("好")] == ["text", "link"]
    assert by_card == other == bank.welcomes[0]
    assert starter_bank().welcome_for("hall-b01") is None


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ("标识: card", "标识: hall-b01", ("渠道活码", 1, "标识"), "「hall-b01」写了两次"),
        ("标识: grp", "标识: card", ("入群活码", 0, "标识"), "「card」写了两次"),
        ("[li.min]", "[nobody]", ("渠道活码", 1, "员工"), "「nobody」没有登记"),
        ("网点: b01", "网点: b09", ("渠道活码", 0, "网点"), "「b09」没有登记"),
        ("[国债提醒]", "[没有的]", ("渠道活码", 0, "打标签"), "「没有的」没有登记"),
        ("活码: [大堂]", "活码: [大门]", ("好友欢迎语", 1, "活码"), "「大门」没有登记"),
        (
            "{活码: [大堂], 正文",
            "{正文",
            ("好友欢迎语", 1, "正文"),
            "给「其余的人」的欢迎语写了两份",
        ),
    ],
)
def test_a_code_that_disagrees_with_others_is_named(
    old: str, new: str, path: tuple[str, int, str], words: str
) -> None:
    assert (path, words) in [(where, what) for where, what, _ in coded(old, new).disagreements()]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("标识: card", "标识: 名片", "标识「名片」写法不对"),
        ("备注: 名片背面", "备注: " + "长" * 31, "备注有 31 个字"),
        ("员工: [li.min],", "员工: [li.min], 网点: b01,", "要写一个，只写一个"),
        ("起始序号: 3", "起始序号: 零", "不是从 1 开始的整数"),
        ("群: [梧桐街银龄安心群1]", "群: [a, b, c, d, e, f]", "最多"),
        ("https://example.com", "example.com", "不是网址"),
        ("欢迎从大堂过来。", "好" * 1334, "超过 4000"),
    ],
)
def test_a_slip_in_a_code_is_said(old: str, new: str, words: str) -> None:
    assert old in CODES
    text = starter_text("_workspace.yaml") + CODES.replace(old, new, 1)
    bank, problems = load(text, "_workspace.yaml", Bank)
    assert bank is None
    assert any(words in problem.what + problem.mend for problem in problems), problems
