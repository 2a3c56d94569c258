"""Steps that go by a date keep 休息日 and 节假日 like the others, but never pass their date."""

from __future__ import annotations

import pytest

from bot.domain.enrolment import PlanFacts
from tests.domain.builders import day, script
from tests.domain.test_enrolment import event, placed

MONDAY = day("2026-10-12")
SATURDAY, SUNDAY = "10月17日", "10月18日"


def dated(anchor: str, offset: int, kind: str = "服务", more: str = "") -> str:
    by = "提醒群主侧边栏一键发"
    return (
        f'  - {{编号: a, 相对: {{锚点: {anchor}, 偏移天: {offset}}}, 时间: "09:30-10:30", '
        f"类型: {kind}, 发送方式: {by}, 正文: 您好{more}}}\n"
    )


@pytest.mark.parametrize(
    ("anchor", "offset", "kind", "rest", "found"),
    [
        (SATURDAY, 0, "服务", "顺延", "10-19"),
        (SATURDAY, 1, "服务", "顺延", "10-19"),
        ("10月20日", -3, "服务", "顺延", "10-19"),  # before its date still
        ("10月19日", -1, "服务", "顺延", "10-19"),  # on the date itself at the latest
        (SUNDAY, -1, "服务", "顺延", "rest_day"),  # the next working day is after it
        (SATURDAY, 0, "服务", "跳过", "rest_day"),
        (SUNDAY, 0, "祝福", "顺延", "10-18"),  # a greeting of a day is none on another
        (SUNDAY, 0, "祝福", "跳过", "10-18"),
        (SATURDAY, 0, "祝福", "照发", "10-17"),
        ("10月16日", 0, "服务", "顺延", "10-16"),
    ],
)
def test_a_step_by_a_date_on_a_day_of_rest(
    anchor: str, offset: int, kind: str, rest: str, found: str
) -> None:
    each = placed(script(dated(anchor, offset, kind), rest=rest), MONDAY)["a"]
    assert (each.skip or f"{each.on:%m-%d}") == found
    assert bool(each.reason_moved) == (each.on != each.nominal_on)


@pytest.mark.parametrize(("offset", "found"), [(-1, "10-17"), (0, "10-18"), (1, "10-19")])
def test_the_banks_own_event_is_where_it_is_and_what_follows_it_gives_way(
    offset: int, found: str
) -> None:
    facts = PlanFacts(events=(event("2026-10-18"),))
    each = placed(script(dated("活动日", offset)), MONDAY, facts)["a"]
    assert (each.skip, f"{each.on:%m-%d}") == (None, found)
    later = placed(script(dated("活动日", 6)), MONDAY, facts)["a"]
    assert f"{later.on:%m-%d}" == "10-26"  # from Saturday the 24th


@pytest.mark.parametrize(
    ("rule", "found"),
    [("照发", "10-01"), ("跳过", "rest_day"), ("上一个工作日", "09-30"), ("下一个工作日", "10-08")],
)
def test_on_a_festival_its_own_rule_goes_before_the_files(rule: str, found: str) -> None:
    of = script(dated("10月1日", 0, more=f", 节假日: {rule}"))
    each = placed(of, day("2026-09-28"))["a"]
    assert (each.skip or f"{each.on:%m-%d}") == found
