"""Entry by days: of the calendar, and of each customer's own."""

from __future__ import annotations

from datetime import date

import pytest

from bot.domain.own_days import OwnDays
from bot.domain.registry import BUILT_IN_FIELDS
from tests.domain.builders import tables
from tests.entering.scene import Scene, script


async def test_a_maturity_brings_its_customer_in_as_many_days_before_as_the_file_says(
    scene: Scene,
) -> None:
    await scene.customers("wmA", 到期日="2026-10-20")
    await scene.customers("wmB", 到期日="2026-11-30")
    await scene.customers("wmC", 到期日="2026-10-11")
    await scene.customers("wmD")
    entry = "{方式: 日期, 日期: 到期日, 提前天: 7}"
    await scene.publish(script(entry=entry, anchor="到期日", again="每次锚点"))
    assert await scene.states() == {}
    await scene.go_to("2026-10-13T07:00")
    runs = await scene.runs()
    assert set(runs) == {"wmA"}
    assert (runs["wmA"].anchor, runs["wmA"].key) == (date(2026, 10, 20), "2026-10-20")
    await scene.go_to("2026-10-14T07:00")
    await scene.go_to("2026-11-24T07:00")
    assert set(await scene.runs()) == {"wmA", "wmB"}


async def test_data_that_come_late_bring_in_who_was_missed_but_not_after_the_day(
    scene: Scene,
) -> None:
    await scene.customers("wmA", "wmB")
    entry = "{方式: 日期, 日期: 到期日, 提前天: 7}"
    await scene.publish(script(entry=entry, anchor="到期日"))
    await scene.go_to("2026-10-15T12:00")
    await scene.learn("wmA", {"到期日": "2026-10-18"})
    await scene.learn("wmB", {"到期日": "2026-10-15"})
    await scene.go_to("2026-10-16T06:00")
    assert set(await scene.states()) == {"wmA"}


async def test_a_birthday_comes_every_year_with_a_key_of_its_own(scene: Scene) -> None:
    await scene.customers("wmA", 生日="1955-10-14")
    await scene.publish(script(entry="{方式: 日期, 日期: 生日}", anchor="生日", again="每次锚点"))
    await scene.go_to("2026-10-14T06:00")
    (run,) = (await scene.runs()).values()
    assert run.key == "2026-10-14"
    async with scene.database.begin() as tx:
        await tx.runs.end_all([run.id], "done", "", scene.now)
    await scene.go_to("2026-10-15T06:00")
    await scene.go_to("2027-10-14T06:00")
    async with scene.database.read() as tx:
        keys = [one.key for one in await tx.runs.of_script("trial")]
    assert keys == ["2026-10-14", "2027-10-14"]


async def test_a_day_of_the_calendar_brings_everybody_in_who_is_meant(scene: Scene) -> None:
    await scene.customers("wmA", 年龄=70)
    await scene.customers("wmB", 年龄=30)
    entry = "{方式: 日期, 日期: 农历九月初九, 提前天: 3}"
    await scene.publish(script(entry=entry, audience='{条件: "年龄 >= 60"}', anchor="固定日期"))
    await scene.go_to("2026-10-14T12:00")
    assert await scene.states() == {}
    await scene.go_to("2026-10-15T06:00")
    runs = await scene.runs()
    assert {id: run.anchor for id, run in runs.items()} == {"wmA": date(2026, 10, 18)}


async def test_an_anchor_that_is_not_known_is_waited_for(scene: Scene) -> None:
    await scene.customers("wmA")
    entry = "{方式: 事件, 事件: 到网点}"
    await scene.publish(script(entry=entry, anchor="到期日"))
    await scene.happens("到网点", "wmA")
    assert (await scene.decision("wmA")).reason == "anchor_unknown"
    await scene.learn("wmA", {"到期日": "2026-12-01"})
    assert (await scene.runs())["wmA"].anchor == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("today", "name", "datum", "day"),
    [
        ("2026-10-12", "生日", "1955-10-12", "2026-10-12"),
        ("2026-10-13", "生日", "1955-10-12", "2027-10-12"),
        ("2026-02-01", "生日", "1956-02-29", "2026-02-28"),
        ("2028-02-01", "生日", "1956-02-29", "2028-02-29"),
        ("2026-10-12", "发薪日", 31, "2026-10-31"),
        ("2026-11-12", "发薪日", 31, "2026-11-30"),
        ("2026-11-30", "发薪日", 15, "2026-12-15"),
        ("2026-10-12", "到期日", "2026-10-12", "2026-10-12"),
        ("2026-10-13", "到期日", "2026-10-12", None),
        ("2026-10-12", "农历生日", "九月初九", "2026-10-18"),
        ("2026-01-01", "农历生日", "农历正月初一", "2026-02-17"),
        ("2025-06-01", "农历生日", "闰六月初三", "2025-06-27"),
        ("2026-01-20", "农历生日", "腊月三十", "2026-02-16"),
        ("2026-10-12", "农历生日", "某月某日", None),
        ("2026-10-12", "年龄", 60, None),
    ],
)
def test_own_days_come_round_as_people_count_them(
    today: str, name: str, datum: str | int, day: str | None
) -> None:
    days = OwnDays(date.fromisoformat(today), tables())
    found = days.next(name, BUILT_IN_FIELDS[name], datum)
    assert found == (date.fromisoformat(day) if day else None)


def test_a_thirtieth_is_kept_on_the_29th_where_the_month_is_short() -> None:
    """H5: born on day 30 of a lunar month that has 29 days this year."""
    fields = BUILT_IN_FIELDS["农历生日"]
    days = OwnDays(date(2026, 4, 1), tables())
    assert days.next("农历生日", fields, "二月三十") == date(2026, 4, 16)
    assert days.next("农历生日", fields, "四月三十") == date(2026, 6, 14)
    assert days.next("农历生日", fields, "三月三十") == date(2026, 5, 16)  # that one is long
