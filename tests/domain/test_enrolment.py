from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.bank import BankEvent
from bot.domain.enrolment import PlanFacts, Planned, next_due, plan
from bot.domain.script import SopScript
from tests.domain.builders import day, script, starter_bank, starter_script, step, tables

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = day("2026-10-12")
OVERLAY = (
    '日历叠加:\n  - {{编号: fest, 日期: {on}, 时间: "08:45-10:00", 类型: {kind}, '
    "发送方式: 企业群发, 正文: 过节好}}\n"
)
REMIND = (
    '  - {编号: remind, 相对: {锚点: 活动日, 偏移天: -1}, 时间: "09:00-10:00", 类型: 活动, '
    "发送方式: 提醒群主侧边栏一键发, 正文: 明天见}\n"
)


def placed(
    of: SopScript, anchor: date = MONDAY, facts: PlanFacts | None = None
) -> dict[str, Planned]:
    found = plan(of, anchor, facts or PlanFacts(), tables(), SHANGHAI)
    assert len({each.step_id for each in found}) == len(found)
    return {each.step_id: each for each in found}


def days_of(planned: dict[str, Planned]) -> dict[str, str]:
    return {id: f"{each.on:%m-%d}" for id, each in planned.items()}


def event(on: str, *, window: str = "09:30-10:30") -> BankEvent:
    plain = {"编号": f"e{on[5:]}", "名称": "课", "网点": "b01", "日期": on, "时间": window}
    return BankEvent.model_validate(plain)


def branch_events() -> tuple[BankEvent, ...]:
    return tuple(each for each in starter_bank().events if each.branch == "b01")


def test_the_senior_script_from_monday_2026_10_12() -> None:
    senior = starter_script("senior-21d.sop.yaml")
    planned = placed(senior, facts=PlanFacts(events=branch_events()))
    assert days_of(planned) == {
        "d01-welcome": "10-12",
        "d02-rules": "10-13",
        "d03-fraud-child": "10-14",
        "d04-bigfont": "10-15",
        "d05-health-sleep": "10-16",
        "fest-chongyang": "10-18",
        "d08-pension-day": "10-20",
        "d09-fraud-fake-fin": "10-21",
        "d10-quiz": "10-22",
        "d11-event-invite": "10-23",
        "d12-fin-literacy": "10-26",
        "d15-event-remind": "10-27",
        "d16-thanks": "10-28",
        "d17-bond-notice": "11-02",
        "d18-product-r2": "11-03",
        "d19-fraud-travel": "11-04",
        "d20-nps": "11-05",
        "d21-close": "11-06",
    }
    assert all(each.skip is None for each in planned.values())
    assert planned["d08-pension-day"].reason_moved == "weekly_cap"
    assert planned["d09-fraud-fake-fin"].reason_moved == "earlier_step"
    assert planned["d12-fin-literacy"].reason_moved == "rest_day"
    assert planned["d02-rules"].reason_moved == ""
    assert planned["d08-pension-day"].nominal_on == day("2026-10-19")
    assert not planned["d01-welcome"].quota
    assert planned["fest-chongyang"].kind == "overlay"


def test_windows_are_utc_and_reach_to_the_catch_up_hour() -> None:
    senior = starter_script("senior-21d.sop.yaml")
    planned = placed(senior, facts=PlanFacts(events=branch_events()))
    rules = planned["d02-rules"]
    assert rules.opens_at == datetime(2026, 10, 13, 1, 30, tzinfo=UTC)
    assert rules.closes_at == datetime(2026, 10, 13, 10, 0, tzinfo=UTC)
    assert rules.opens_at.tzinfo is UTC
    strict = placed(script(step("a", 1), missed="跳过"))["a"]
    assert strict.closes_at == datetime(2026, 10, 12, 2, 30, tzinfo=UTC)


def test_a_rest_day_pushes_the_step_and_all_after_it() -> None:
    planned = placed(script(step("a", 5), step("b", 6), step("c", 7)))
    assert days_of(planned) == {"a": "10-16", "b": "10-19", "c": "10-20"}
    assert (planned["b"].reason_moved, planned["c"].reason_moved) == ("rest_day", "earlier_step")


def test_a_make_up_saturday_is_a_working_day_and_a_long_holiday_is_gone_over() -> None:
    planned = placed(script(step("a", 1), step("b", 2)), day("2026-09-30"))
    assert days_of(planned) == {"a": "09-30", "b": "10-08"}
    assert placed(script(step("a", 1)), day("2026-10-10"))["a"].on == day("2026-10-10")


def test_skipping_on_rest_days_moves_nothing() -> None:
    planned = placed(script(step("a", 5), step("b", 6), step("c", 8), rest="跳过"))
    assert days_of(planned) == {"a": "10-16", "b": "10-17", "c": "10-19"}
    assert planned["b"].skip == "rest_day"
    assert planned["c"].skip is None


def test_sending_on_rest_days_moves_nothing_either() -> None:
    planned = placed(script(step("a", 6, kind="祝福"), step("b", 7, kind="公益"), rest="照发"))
    assert days_of(planned) == {"a": "10-17", "b": "10-18"}


def test_two_broadcasts_of_one_day_are_sent_on_two_days() -> None:
    planned = placed(script(step("a", 1), step("b", 1), step("c", 1, by="提醒群主侧边栏一键发")))
    assert planned["b"].on == day("2026-10-13")
    assert planned["b"].reason_moved == "daily_cap"
    assert planned["c"].on == day("2026-10-13"), "what comes after a pushed step is pushed too"


def test_a_step_gives_way_to_an_overlay_that_is_sent_on_a_rest_day() -> None:
    tail = OVERLAY.format(on="2026-10-13", kind="祝福")
    planned = placed(script(step("a", 1), step("b", 2), step("c", 3), tail=tail))
    assert days_of(planned) == {"a": "10-12", "fest": "10-13", "b": "10-14", "c": "10-15"}
    assert planned["b"].reason_moved == "overlay"
    sunday = OVERLAY.format(on="2026-10-18", kind="祝福")
    planned = placed(script(step("a", 1), step("b", 8), tail=sunday))
    assert planned["fest"].skip is None
    assert planned["fest"].on.weekday() == 6


def test_an_overlay_that_is_no_greeting_stays_away_on_rest_days() -> None:
    tail = OVERLAY.format(on="2026-10-18", kind="服务")
    planned = placed(script(step("a", 1), step("b", 8), tail=tail))
    assert planned["fest"].skip == "rest_day"


def test_an_overlay_outside_the_run_is_no_part_of_it() -> None:
    tail = OVERLAY.format(on="2026-10-14", kind="祝福")
    assert "fest" not in placed(script(step("a", 1), step("b", 2), tail=tail))
    assert "fest" in placed(script(step("a", 1), step("b", 3), tail=tail))


def test_a_run_that_is_pushed_onto_an_overlays_day_takes_the_overlay_in() -> None:
    tail = OVERLAY.format(on="2026-10-19", kind="祝福")
    planned = placed(script(step("a", 5), step("b", 6), tail=tail))
    assert days_of(planned) == {"a": "10-16", "fest": "10-19", "b": "10-20"}


def test_the_weekly_cap_counts_any_seven_days_with_the_overlays_after() -> None:
    tail = OVERLAY.format(on="2026-10-16", kind="祝福")
    steps = [step(name, number) for number, name in enumerate("abcd", start=1)]
    planned = placed(script(*steps, tail=tail, weekly=3))
    assert days_of(planned) == {
        "a": "10-12",
        "b": "10-13",
        "fest": "10-16",
        "c": "10-19",
        "d": "10-20",
    }
    assert planned["c"].reason_moved == "weekly_cap"


def test_a_lowered_weekly_cap_spreads_what_is_left() -> None:
    steps = [step(name, number) for number, name in enumerate("abc", start=1)]
    facts = PlanFacts(fixed={"a": MONDAY}, weekly_cap=1, not_before=day("2026-10-13"))
    planned = placed(script(*steps), facts=facts)
    assert days_of(planned) == {"b": "10-19", "c": "10-26"}


def test_broadcasts_from_before_the_run_count() -> None:
    facts = PlanFacts(earlier_broadcasts=(day("2026-10-09"), MONDAY))
    assert placed(script(step("a", 1)), facts=facts)["a"].on == day("2026-10-13")
    assert placed(script(step("a", 1), weekly=2), facts=facts)["a"].on == day("2026-10-16")


def test_steps_under_way_keep_their_day_and_the_rest_follows() -> None:
    steps = [step(name, number) for number, name in enumerate("abc", start=1)]
    facts = PlanFacts(fixed={"a": MONDAY, "b": day("2026-10-15")}, not_before=day("2026-10-15"))
    assert days_of(placed(script(*steps), facts=facts)) == {"c": "10-16"}


def test_event_steps_follow_the_first_event_after_the_invitation() -> None:
    of = script(step("invite", 4, kind="活动"), REMIND)
    events = (event("2026-10-14"), event("2026-10-15"), event("2026-10-23"), event("2026-10-30"))
    planned = placed(of, facts=PlanFacts(events=events))
    assert planned["remind"].on == day("2026-10-22")
    assert planned["remind"].skip is None


@pytest.mark.parametrize(
    ("events", "reason"),
    [((), "no_event"), (("2026-10-14",), "event_passed"), (("2026-10-15",), "event_passed")],
)
def test_event_steps_without_a_coming_event_are_skipped(
    events: tuple[str, ...], reason: str
) -> None:
    of = script(step("invite", 4, kind="活动"), REMIND)
    facts = PlanFacts(events=tuple(map(event, events)))
    assert placed(of, facts=facts)["remind"].skip == reason


def test_an_event_on_a_saturday_keeps_its_days() -> None:
    of = script(step("invite", 1, kind="活动"), REMIND.replace("偏移天: -1", "偏移天: 0"))
    planned = placed(of, facts=PlanFacts(events=(event("2026-10-17"),)))
    assert planned["remind"].on == day("2026-10-17")


def test_a_step_valid_until_hours_before_the_event_closes_then() -> None:
    line = REMIND.replace("偏移天: -1", "偏移天: 0").replace(
        "正文", "有效到: {活动开始前小时: 3}, 正文"
    )
    of = script(step("invite", 1, kind="活动"), line)
    late = placed(of, facts=PlanFacts(events=(event("2026-10-20", window="12:30-13:30"),)))
    assert late["remind"].closes_at == datetime(2026, 10, 20, 1, 30, tzinfo=UTC)
    early = placed(of, facts=PlanFacts(events=(event("2026-10-20"),)))
    assert early["remind"].skip == "event_passed"


def test_the_next_step_is_the_first_to_open_that_is_not_over() -> None:
    planned = placed(script(step("a", 1), step("b", 2), step("c", 6), rest="跳过")).values()
    first = next_due(planned, ended=())
    assert first is not None
    assert first.step_id == "a"
    then = next_due(planned, ended={"a"})
    assert then is not None
    assert then.step_id == "b"
    assert next_due(planned, ended={"a", "b"}) is None, "c falls on a rest day and is skipped"


@pytest.mark.parametrize("name", ["senior-21d.sop.yaml", "senior-weekly.sop.yaml"])
@given(start=st.dates(day("2026-01-01"), day("2027-12-01")), cap=st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_caps_hold_and_nothing_is_lost_for_any_start(name: str, start: date, cap: int) -> None:
    of = starter_script(name)
    facts = PlanFacts(events=branch_events(), weekly_cap=cap)
    planned = placed(of, start, facts)
    assert {step.id for step in of.steps} <= set(planned)
    sent = sorted(e.on for e in planned.values() if e.quota and e.skip is None)
    assert len(set(sent)) == len(sent)
    weekly = min(cap, of.rails.broadcasts_a_week)
    for first in sent:
        assert sum(first <= on < first + timedelta(days=7) for on in sent) <= weekly
    order = [planned[step.id].on for step in of.steps if step.day]
    assert order == sorted(order)
    for each in planned.values():
        assert each.opens_at < each.closes_at
        assert each.on >= each.nominal_on >= start or each.skip == "event_passed"
        if each.kind == "step" and each.quota and each.skip is None:
            assert tables().is_workday(each.on) or each.on.year > 2027


@pytest.mark.parametrize(
    ("rule", "on"),
    [
        ("照发", "10-05"),
        ("跳过", "skip:rest_day"),
        ("下一个工作日", "10-08"),
        ("上一个工作日", "09-30"),
        ("只在节假日", "10-05"),
    ],
)
def test_h3_a_step_has_its_own_rule_for_festivals(rule: str, on: str) -> None:
    of = script(step("a", 6, more=f"节假日: {rule}"))
    found = placed(of, day("2026-09-30"))["a"]
    assert (f"skip:{found.skip}" if found.skip else f"{found.on:%m-%d}") == on


def test_h3_only_on_festivals_is_not_on_other_days() -> None:
    found = placed(script(step("a", 1, more="节假日: 只在节假日")))["a"]
    assert found.skip == "not_a_holiday"


def test_h6_a_step_goes_by_a_named_day_of_the_lunar_calendar() -> None:
    relative = (
        '  - {编号: a, 相对: {锚点: 农历九月初九, 偏移天: -3}, 时间: "09:30-10:30", 类型: 服务, '
        "发送方式: 企业群发, 正文: 重阳快到了}\n"
    )
    found = placed(script(relative))["a"]
    assert (f"{found.on:%m-%d}", found.skip) == ("10-15", None)


def test_what_announces_an_event_is_over_when_that_begins() -> None:
    at_event = (
        '  - {编号: a, 相对: {锚点: 活动日, 偏移天: 0}, 时间: "09:00-11:00", 类型: 活动, '
        "发送方式: 提醒群主侧边栏一键发, 正文: 今天见}\n"
    )
    facts = PlanFacts(events=(event("2026-10-20"),))
    found = placed(script(at_event), facts=facts)["a"]
    assert found.closes_at == datetime(2026, 10, 20, 9, 30, tzinfo=SHANGHAI)


def test_what_is_late_moves_all_that_follows_where_the_missed_rule_says_so() -> None:
    of = script(step("a", 1), step("b", 3), step("c", 5), rest="照发")
    facts = PlanFacts(not_before=day("2026-10-14"), shift=True)
    assert days_of(placed(of, facts=facts)) == {"a": "10-14", "b": "10-16", "c": "10-18"}
    without = PlanFacts(not_before=day("2026-10-14"))
    assert days_of(placed(of, facts=without))["c"] == "10-16"


def on_holiday(rule: str) -> SopScript:
    return script(step("a", 1), step("b", 2, more=f"节假日: {rule}"), missed="跳过")


@pytest.mark.parametrize(
    ("rule", "anchor", "on", "skip"),
    [
        ("跳过", "2026-09-29", "09-30", None),
        ("跳过", "2026-09-30", "10-01", "rest_day"),  # its own day is a festival's
        ("只在节假日", "2026-09-30", "10-01", None),
        ("只在节假日", "2026-09-28", "09-29", "not_a_holiday"),
    ],
)
def test_a_step_with_a_word_on_festivals_is_judged_by_its_day(
    rule: str, anchor: str, on: str, skip: str | None
) -> None:
    planned = placed(on_holiday(rule), day(anchor))["b"]
    assert (f"{planned.on:%m-%d}", planned.skip) == (on, skip)


def test_a_step_that_others_push_onto_a_festival_is_skipped_as_it_says() -> None:
    """The mid-autumn festival of 2026 is from Friday 25 to Sunday 27 September."""
    later = script(step("a", 1), step("b", 5, more="节假日: 跳过"), missed="跳过", weekly=7)
    pushed = placed(later, day("2026-09-20"), PlanFacts(not_before=day("2026-09-21")))
    assert pushed["a"].on == day("2026-09-21")
    assert (pushed["b"].on, pushed["b"].skip) == (day("2026-09-25"), "rest_day")
