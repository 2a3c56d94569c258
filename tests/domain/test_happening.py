"""Which runs an event stops, and how much of them (出口)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.happening import (
    Concerned,
    EventKind,
    Happened,
    Part,
    is_sold_by,
    reason_of,
    stops_person,
    stops_run,
    wider,
)
from bot.domain.script import SopScript
from tests.domain.builders import script, step
from tests.make import CHAT, CUSTOMER, NOON, OWNER

ALL: tuple[Part, ...] = ("全部", "营销类", "产品类")
GROUP_EXITS = """\
出口:
  - {事件: 群解散, 停: 全部}
  - {事件: 投诉, 停: 营销类, 范围: 全群}
  - {事件: 成员拒收, 停: 营销类, 范围: 本人}
  - {事件: 线索成交, 停: 产品类, 范围: 本人}
  - {事件: 到网点, 停: 全部, 范围: 全群}
"""


def of_group(exits: str = GROUP_EXITS) -> SopScript:
    return script(step("d01", 1), tail=exits)


def of_customer(exits: str) -> SopScript:
    """Return a script with these exits for single customers; its steps do not matter here."""
    made = of_group("出口:\n" + exits)
    return made.model_copy(update={"subject": "客户"})


def run(*, of_group: bool, subject: str = CUSTOMER) -> Concerned:
    return Concerned(
        id=1,
        script="trial",
        version="v",
        subject=subject,
        of_group=of_group,
        owner=OWNER,
        entered_at=NOON,
    )


def happened(
    kind: str, *, subject: str = CUSTOMER, manager: str = "", hours: float = 1
) -> Happened:
    at = NOON + timedelta(hours=hours)
    return Happened(key="k", kind=kind, subject=subject, at=at, chat=CHAT, manager=manager)


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("投诉", "营销类"),
        ("客户拒收", None),
        ("线索成交", None),
        ("到网点", "全部"),
        ("客户回复", None),
    ],
)
def test_a_group_is_stopped_by_what_is_written_for_all_of_it(kind: str, part: Part | None) -> None:
    assert stops_run(happened(kind), run(of_group=True, subject=CHAT), of_group()) == part


def test_a_group_that_is_gone_stops_whole_by_a_row_without_a_scope() -> None:
    gone = happened(EventKind.GROUP_DISMISSED, subject=CHAT)
    assert stops_run(gone, run(of_group=True, subject=CHAT), of_group()) == "全部"


@pytest.mark.parametrize(
    ("kind", "part"), [("客户拒收", "营销类"), ("线索成交", "产品类"), ("投诉", None)]
)
def test_a_member_is_stopped_alone_by_what_is_written_for_him(kind: str, part: Part | None) -> None:
    assert stops_person(happened(kind), of_group()) == part


def test_a_script_for_customers_says_nothing_of_their_other_runs() -> None:
    assert stops_person(happened("投诉"), of_customer("  - {事件: 投诉, 停: 全部}\n")) is None


@pytest.mark.parametrize(
    ("exits", "kind", "part"),
    [
        ("  - {事件: 客户拒收, 停: 全部}\n", "客户拒收", "全部"),
        ("  - {事件: 大额入金, 停: 产品类}\n", "客户拒收", "营销类"),  # S07, whatever the file says
        ("  - {事件: 大额入金, 停: 产品类}\n", "投诉", "营销类"),  # S20
        ("  - {事件: 大额入金, 停: 产品类}\n", "大额入金", "产品类"),
        ("  - {事件: 大额入金, 停: 产品类}\n  - {事件: 大额入金, 停: 全部}\n", "大额入金", "全部"),
        ("  - {事件: 大额入金, 停: 产品类}\n", "到网点", None),
    ],
)
def test_a_customers_run_is_stopped_by_its_own_script(
    exits: str, kind: str, part: Part | None
) -> None:
    assert stops_run(happened(kind), run(of_group=False), of_customer(exits)) == part


def test_deleting_a_colleague_does_not_end_the_run_of_the_manager_who_stays() -> None:
    exits = of_customer("  - {事件: 删好友, 停: 全部}\n")
    lost = EventKind.FRIEND_LOST
    assert stops_run(happened(lost, manager=OWNER), run(of_group=False), exits) == "全部"
    assert stops_run(happened(lost, manager="wu.haining"), run(of_group=False), exits) is None


def test_what_happened_days_before_a_run_does_not_stop_it() -> None:
    exits = of_customer("  - {事件: 大额入金, 停: 全部}\n")
    assert stops_run(happened("大额入金", hours=-25), run(of_group=False), exits) is None
    assert stops_run(happened("大额入金", hours=-12), run(of_group=False), exits) == "全部"


def test_the_wider_of_two_stops_counts() -> None:
    assert wider("产品类", "营销类") == "营销类"
    assert wider(None, "产品类") == "产品类"
    assert wider(None, None) is None


def test_what_sells_and_what_is_a_product_are_told_by_the_step() -> None:
    made = script(
        step("d01", 1),
        step("d02", 2, kind="活动"),
        step("d03", 3, kind="产品", more="产品: demo-r2-001"),
    )
    sold = {part: [one.id for one in made.steps if is_sold_by(one, part)] for part in ALL}
    assert sold == {"全部": ["d01", "d02", "d03"], "营销类": ["d02", "d03"], "产品类": ["d03"]}


def test_a_run_says_which_event_ended_it() -> None:
    assert reason_of("投诉") == "complaint"
    assert reason_of("到网点") == "event:到网点"
