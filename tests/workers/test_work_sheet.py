"""Briefs and lists say what waits, whoever is behind first, and every share with its base."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.lead import Lead, Need
from bot.domain.workload import Harvest, Workload, share
from bot.workers.work_sheet import TeamRow, daily, leads_sheet, team_lines, todo_sheet, weekly
from tests.domain.builders import starter_bank
from tests.make import CUSTOMER, MINUTE, NOON, OWNER

BANK = starter_bank()
BUSY = Workload(
    new=2,
    taken=3,
    asleep=1,
    overdue=1,
    drafts=4,
    tasks=3,
    receivers=12,
    tasks_until=NOON + timedelta(hours=1),
    steps=5,
    steps_from=NOON + timedelta(hours=2),
)


def lead(number: int, need: Need = Need.WEALTH, *, minutes: int = 60, **more: object) -> Lead:
    values = {"stage": "new", "rm": OWNER} | more
    return Lead(
        id=number,
        customer=CUSTOMER,
        need=need,
        opened_at=NOON,
        respond_by=NOON + minutes * MINUTE,
        **values,  # type: ignore[arg-type]
    )


def test_one_message_of_a_morning_holds_all_that_waits() -> None:
    words = daily("李敏", NOON.date(), BUSY, BANK, NOON)
    assert words.startswith("李敏，早上好。今天 10月12日 周一")
    assert "待接手 2 条，跟进中 3 条，稍后再办 1 条，其中 1 条过了时限还没回" in words
    assert "3 条等您在群发助手里点「发送」，共 12 个群或客户，最早一条 今天 13:00 收回" in words
    assert "4 条等您发" in words
    assert "还有 5 条要发，14:00 开始" in words
    assert "团队" not in words


def test_who_has_nothing_gets_nothing() -> None:
    assert daily("李敏", NOON.date(), Workload(), BANK, NOON) == ""
    assert weekly("李敏", NOON.date(), NOON.date(), Harvest()) == ""
    assert "没有要办的" in todo_sheet(Workload(), BANK, NOON)


def test_a_head_sees_who_is_behind_first_and_true_shares() -> None:
    rows = [
        TeamRow("王浩然", Workload(new=3)),
        TeamRow("李敏", BUSY),
        TeamRow("赵秀兰", Workload()),
    ]
    lines = team_lines(rows)
    assert "团队 3 人：未办结 9 条，待接手 5 条，过时限没回 1 条" in lines[0]
    assert [line.partition("：")[0] for line in lines[1:]] == ["李敏", "王浩然"]
    before = Harvest(opened=8, taken=6, due=8, in_time=3, won=1, invalid=1)
    words = daily("沈明远", NOON.date(), Workload(), BANK, NOON, team=rows, yesterday=before)
    assert "按时回 3 / 8（37.5%）" in words
    assert share(0, 0) == "0 / 0"


def test_the_week_is_summed_over_the_team() -> None:
    one = Harvest(opened=2, due=2, in_time=1)
    other = Harvest(opened=6, due=6, in_time=2, won=1)
    words = weekly(
        "沈明远", NOON.date(), NOON.date(), Harvest(), team=[("张伟", one), ("张伟", other)]
    )
    assert "团队 2 人：新来 8 条，接手 0 条，按时回 3 / 8（37.5%）" in words
    assert words.index("张伟：新来 6 条") < words.index("张伟：新来 2 条"), "two of one name"


def test_the_list_begins_with_danger_then_with_whoever_waits_longest() -> None:
    sleeping = lead(4, stage="later", sleeps_until=NOON + timedelta(days=1))
    met = lead(3, minutes=-90, stage="taken", first_response_at=NOON)
    found = [sleeping, met, lead(1, minutes=30), lead(2, minutes=-5), lead(5, Need.RED_FLAG)]
    words = leads_sheet(found, {CUSTOMER: "王桂芳"}, BANK, NOON, total=5)
    listed = [line.split()[2] for line in words.splitlines() if line.startswith("- ")]
    assert listed == ["5", "2", "1", "3", "4"]
    assert "已超 5 分钟" in words
    assert "明天 12:00 提醒" in words
