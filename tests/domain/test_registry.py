"""What the bank registers for its scripts: data, events, quota, who may be sold to."""

from __future__ import annotations

import pytest

from bot.domain.bank import Bank
from bot.domain.rails import DayType, GuardRails
from bot.domain.registry import FieldKind, PlatformQuota
from bot.yamlfile import load
from tests.domain.builders import head, script_of, starter_bank, starter_text, step


def bank(more: str) -> Bank:
    text = starter_text("_workspace.yaml").replace("\n隐私:\n", f"\n{more}\n隐私:\n")
    found, problems = load(text, "_workspace.yaml", Bank)
    assert found is not None, problems
    return found


def test_data_and_events_come_on_top_of_those_that_are_always_known() -> None:
    own = bank("客户资料: [{名称: 还款日, 类型: 日期}]\n客户事件: [提前还款, 到网点]\n")
    assert own.field_kinds["还款日"] is FieldKind.DATE
    assert own.field_kinds["年龄"] is FieldKind.NUMBER
    assert {"提前还款", "到网点", "客户回复"} <= own.event_names
    assert "提前还款" not in starter_bank().event_names
    assert own.disagreements() == []


@pytest.mark.parametrize(
    ("more", "path", "words"),
    [
        (
            "客户资料: [{名称: 甲, 类型: 数}, {名称: 甲, 类型: 数}]\n",
            ("客户资料", 1, "名称"),
            "写了两次",
        ),
        (
            "客户资料: [{名称: 年龄, 类型: 文字}]\n",
            ("客户资料", 0, "类型"),
            "「年龄」本来就有，类型是 数",
        ),
    ],
)
def test_data_that_disagrees_is_named(more: str, path: tuple[str, int, str], words: str) -> None:
    found = [(where, what) for where, what, _ in bank(more).disagreements()]
    assert any(where == path and words in what for where, what in found), found


@pytest.mark.parametrize(
    ("written", "february", "march", "a_week"),
    [
        ("", 28, 31, 7),
        ("额度: {每月: 4}\n", 4, 4, 7),
        ("额度: {每周: 2, 每月: 按天数}\n", 28, 31, 2),
    ],
)
def test_the_platforms_month_is_as_long_as_the_month_or_a_number(
    written: str, february: int, march: int, a_week: int
) -> None:
    quota = bank(written).platform
    assert (quota.of_month(28), quota.of_month(31)) == (february, march)
    assert (quota.a_week, quota.a_day) == (a_week, 1)
    assert PlatformQuota.model_validate(quota.model_dump(mode="json", by_alias=True)) == quota


@pytest.mark.parametrize("written", ["额度: {每月: 很多}", "额度: {每月: 40}", "额度: {每天: 0}"])
def test_a_quota_that_is_none_is_refused(written: str) -> None:
    text = starter_text("_workspace.yaml").replace("\n隐私:\n", f"\n{written}\n隐私:\n")
    found, problems = load(text, "_workspace.yaml", Bank)
    assert found is None
    assert problems[0].key.startswith("额度")


def test_one_tag_that_may_not_be_sold_to_is_enough() -> None:
    own = bank("").model_copy()
    assert own.may_market({"银龄群"})
    text = starter_text("_workspace.yaml").replace(
        "{标签: 银龄群, 群名含: 银龄安心群}", "{标签: 银龄群, 群名含: 银龄安心群, 可营销: 否}"
    )
    quiet, _ = load(text, "_workspace.yaml", Bank)
    assert quiet is not None
    assert not quiet.may_market({"银龄群", "别的"})
    assert quiet.may_market({"别的"})


@pytest.mark.parametrize(
    ("domain", "sound"),
    [
        ("bank.example", True),
        ("M.Bank.example", True),
        ("https://bank.example", False),
        ("银行", False),
    ],
)
def test_a_banks_address_is_a_bare_domain(domain: str, sound: bool) -> None:
    text = starter_text("_workspace.yaml").replace("  时区: Asia/Shanghai", f'  网址: ["{domain}"]')
    found, problems = load(text, "_workspace.yaml", Bank)
    assert (found is not None) is sound
    assert sound or "不是域名" in problems[0].what


def rails(written: str) -> GuardRails:
    text = head().replace("护栏: {静默时段", f"护栏: {{{written}静默时段")
    return script_of(text + "步骤:\n" + step("a", 1)).rails


@pytest.mark.parametrize(
    ("written", "kind", "closed"),
    [
        ("", DayType.WORKDAY, []),
        ("只在: {工作日: ['09:00-11:30', '14:30-17:00']}, ", DayType.REST, []),
        (
            "只在: {工作日: ['09:00-11:30', '14:30-17:00']}, ",
            DayType.WORKDAY,
            ["00:00-09:00", "11:30-14:30", "17:00-00:00"],
        ),
        ("只在: {除夕: []}, ", DayType.EVE, ["00:00-12:00", "12:00-00:00"]),
        ("只在: {工作日: ['22:00-02:00']}, ", DayType.WORKDAY, ["02:00-22:00"]),
        ("只在: {工作日: ['09:00-12:00', '11:00-00:00']}, ", DayType.WORKDAY, ["00:00-09:00"]),
    ],
)
def test_what_is_not_open_on_a_type_of_day_is_closed(
    written: str, kind: DayType, closed: list[str]
) -> None:
    found = [f"{a:%H:%M}-{b:%H:%M}" for a, b in rails(written).closed(kind)]
    assert found == ["19:30-08:30", *closed]


@pytest.mark.parametrize(
    ("written", "kind", "closed"),
    [
        ("{正文字数上限: 100}", DayType.WORKDAY, "20:30-09:00"),
        ('{只在: {休息日: ["10:00-12:00"]}}', DayType.WORKDAY, "20:30-09:00"),
        ('{只在: {休息日: ["10:00-12:00"]}}', DayType.REST, "00:00-10:00 12:00-00:00"),
        ('{静默时段: ["22:00-07:00"]}', DayType.WORKDAY, "22:00-07:00"),
        ("{静默时段: []}", DayType.WORKDAY, ""),
    ],
)
def test_q2_the_night_is_closed_where_a_file_names_no_hours(
    written: str, kind: DayType, closed: str
) -> None:
    text = "".join(line for line in head().splitlines(True) if not line.startswith("护栏"))
    told = script_of(text + f"护栏: {written}\n步骤:\n" + step("a", 1)).rails
    stored = told.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for each in (told, GuardRails.model_validate(stored)):
        assert " ".join(f"{a:%H:%M}-{b:%H:%M}" for a, b in each.closed(kind)) == closed
