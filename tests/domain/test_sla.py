"""The limits of a lead: marks, misses that stay misses, standing still, and who is told."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.bank import Bank
from bot.domain.business_time import BusinessTime, ServiceHours
from bot.domain.calendar import CalendarTables
from bot.domain.ids import RmId
from bot.domain.institution import LeadLimit
from bot.domain.lead import RESPOND_WITHIN, Need
from bot.domain.sla import (
    MISSED,
    RESOLVE_WITHIN,
    Timer,
    TimerKind,
    begun,
    is_waited_for,
    ladder,
    limits,
    told_at,
)
from bot.yamlfile import load
from tests.domain.builders import starter_bank, starter_text, tables
from tests.make import MINUTE, NOON, ZONE, local

TIME = BusinessTime(ServiceHours(), tables(), ZONE)
HOUR = timedelta(hours=1)
SPANS = st.integers(1, 5000).map(lambda minutes: minutes * MINUTE)
MOMENTS = st.integers(0, 60 * 24 * 30).map(lambda n: local("00:00", "2026-09-20") + n * MINUTE)


def timer(
    kind: TimerKind = "first",
    span: timedelta = 2 * HOUR,
    at: datetime = NOON,
    *,
    always: bool = False,
    key: str = "",
) -> Timer:
    return begun(1, kind, span, at, TIME, round_the_clock=always, key=key)


def with_superior(userid: str, superior: str) -> Bank:
    staff = tuple(
        one.model_copy(update={"superior": RmId(superior)}) if one.userid == userid else one
        for one in starter_bank().staff
    )
    return starter_bank().model_copy(update={"staff": staff})


class TestMarks:
    def test_half_of_the_time_four_fifths_the_end_and_twice_beyond_it(self) -> None:
        its, seen = timer(), []
        while (mark := its.next_mark(TIME)) is not None:
            seen.append(mark)
            its = its.at_level(its.level_at(mark, TIME))
        assert seen == [NOON + share * 2 * HOUR for share in (0.5, 0.8, 1.0, 1.5, 2.0)]
        assert its.state == "missed"

    def test_marks_beyond_the_evening_lie_in_the_morning(self) -> None:
        its = timer(span=4 * HOUR, at=local("16:00"))
        assert its.due_by == local("11:00", "2026-10-13")
        assert its.next_mark(TIME) == local("09:00", "2026-10-13")

    def test_an_offer_has_its_end_alone(self) -> None:
        its = timer("accept", 15 * MINUTE)
        assert its.next_mark(TIME) == NOON + 15 * MINUTE
        assert its.at_level(1).state == "missed"
        assert its.at_level(1).next_mark(TIME) is None

    def test_who_looks_late_passes_several_at_once(self) -> None:
        assert timer().level_at(NOON + 110 * MINUTE, TIME) == 2
        assert timer().level_at(NOON + 24 * HOUR, TIME) == 5

    @settings(max_examples=150, deadline=None)
    @given(SPANS, MOMENTS, st.booleans())
    def test_marks_never_go_back_and_the_third_is_the_end(
        self, span: timedelta, at: datetime, always: bool
    ) -> None:
        its = begun(1, "first", span, at, TIME, round_the_clock=always)
        before, levels = at, 0
        while (mark := its.next_mark(TIME)) is not None:
            assert mark >= before
            if its.level == MISSED - 1:
                assert mark == its.due_by
            assert its.level_at(mark, TIME) > its.level
            its, before, levels = its.at_level(its.level + 1), mark, levels + 1
        assert levels == 5


class TestEnds:
    def test_in_time_is_hit_and_too_late_stays_missed(self) -> None:
        assert timer().ended(NOON + HOUR).state == "hit"
        assert timer().ended(NOON + 3 * HOUR).state == "missed"  # nobody had looked by then
        missed = timer().at_level(MISSED)
        late = missed.ended(NOON + 3 * HOUR)
        assert (late.state, late.done_at, late.runs) == ("missed", NOON + 3 * HOUR, False)
        assert missed.runs

    def test_what_is_over_does_not_end_twice(self) -> None:
        once = timer().ended(NOON + HOUR)
        assert once.ended(NOON + 5 * HOUR) == once
        assert once.dropped(NOON + 5 * HOUR) == once
        assert once.next_mark(TIME) is None

    def test_a_lead_closed_before_anybody_had_to_answer_is_neither_hit_nor_missed(self) -> None:
        assert timer().dropped(NOON + HOUR).state == "void"
        assert timer().dropped(NOON + 3 * HOUR).state == "missed"


class TestStandingStill:
    def test_time_in_which_it_stands_still_does_not_count(self) -> None:
        still = timer(span=4 * HOUR).paused(NOON + HOUR, TIME)
        assert (still.state, still.left, still.next_mark(TIME)) == ("paused", 3 * HOUR, None)
        again = still.resumed(local("09:00", "2026-10-14"), TIME)
        assert again.due_by == local("12:00", "2026-10-14")
        assert again.next_mark(TIME) == local("10:00", "2026-10-14")  # half of all four hours

    def test_what_is_missed_does_not_stand_still(self) -> None:
        missed = timer().at_level(MISSED)
        assert missed.paused(NOON + 3 * HOUR, TIME) == missed
        assert missed.resumed(NOON + 3 * HOUR, TIME) == missed

    @settings(max_examples=150, deadline=None)
    @given(SPANS, MOMENTS, st.lists(st.integers(0, 3000), min_size=2, max_size=6))
    def test_however_often_it_stands_still_the_time_that_ran_adds_up_to_the_whole(
        self, span: timedelta, at: datetime, waits: list[int]
    ) -> None:
        its, now, ran = begun(1, "resolve", span, at, TIME, round_the_clock=False), at, timedelta()
        for number, minutes in enumerate(waits):
            later = now + minutes * MINUTE
            if number % 2 == 0:
                ran += min(TIME.between(now, later), span - ran)
                its = its.paused(later, TIME)
            else:
                its = its.resumed(later, TIME)
            now = later
        its = its.resumed(now, TIME)
        assert TIME.between(its.started_at, its.due_by) <= span
        if len(waits) % 2 == 1:
            assert its.left == span - ran
            assert TIME.between(now, its.due_by) == span - ran


def test_a_new_calendar_moves_the_end() -> None:
    its = timer(span=4 * HOUR, at=local("16:00", "2026-10-09"))
    assert its.due_by == local("11:00", "2026-10-10")  # a Saturday that is worked
    plain = BusinessTime(ServiceHours(), CalendarTables(), ZONE)
    assert its.on_calendar(plain).due_by == local("12:00", "2026-10-10")  # as other Saturdays are


def test_several_messages_in_a_row_wait_for_one_answer() -> None:
    first, waiting = timer(), timer("next", key="m1")
    assert is_waited_for([first], "m1")
    answered = first.ended(NOON + HOUR)
    assert not is_waited_for([answered], "m1")
    assert is_waited_for([answered, waiting], "m2")
    assert is_waited_for([answered, waiting.ended(NOON + HOUR)], "m1")  # told of twice
    assert not is_waited_for([answered, waiting.ended(NOON + HOUR)], "m2")


class TestLimits:
    def test_every_need_has_both_and_an_answer_comes_before_the_end(self) -> None:
        assert set(RESPOND_WITHIN) == set(RESOLVE_WITHIN) == set(Need)
        assert all(RESPOND_WITHIN[need] < RESOLVE_WITHIN[need] for need in Need)

    def test_danger_and_complaints_run_day_and_night(self) -> None:
        red, complaint = (limits(starter_bank(), n) for n in (Need.RED_FLAG, Need.COMPLAINT))
        assert (red.first, complaint.first) == (5 * MINUTE, 60 * MINUTE)
        assert red.round_the_clock
        assert complaint.round_the_clock
        assert not limits(starter_bank(), Need.WEALTH).round_the_clock

    def test_the_script_comes_before_the_bank_and_the_bank_before_the_usual(self) -> None:
        own = LeadLimit(need=Need.WEALTH, first=30, resolve=600)
        bank = starter_bank().model_copy(update={"lead_limits": (own,)})
        assert limits(bank, Need.WEALTH).first == 30 * MINUTE
        assert limits(bank, Need.WEALTH).resolve == 600 * MINUTE
        assert limits(bank, Need.WEALTH, 45).first == 45 * MINUTE
        assert limits(bank, Need.EVENT).first == RESPOND_WITHIN[Need.EVENT]

    def test_an_offer_never_takes_more_than_half_of_the_time(self) -> None:
        assert limits(starter_bank(), Need.WEALTH).accept(15) == 15 * MINUTE
        assert limits(starter_bank(), Need.RED_FLAG).accept(15) == 2.5 * MINUTE


class TestLadder:
    @pytest.mark.parametrize(
        ("holder", "need", "told"),
        [
            ("li.min", Need.WEALTH, ("shen.mingyuan",)),
            ("li.min", Need.RED_FLAG, ("shen.mingyuan", "he.jing")),
            ("shen.mingyuan", Need.COMPLAINT, ("he.jing",)),
            ("shen.mingyuan", Need.WEALTH, ()),
            ("", Need.WEALTH, ("gu.qinghe",)),
        ],
    )
    def test_the_head_then_for_the_grave_head_office(
        self, holder: str, need: Need, told: tuple[str, ...]
    ) -> None:
        assert ladder(starter_bank(), holder, "b02", need) == told

    def test_the_superior_comes_before_the_head(self) -> None:
        over = ladder(with_superior("li.min", "wang.haoran"), "li.min", "b01", Need.WEALTH)
        assert over == ("wang.haoran", "shen.mingyuan")
        assert told_at(MISSED, over) == "wang.haoran"
        assert told_at(MISSED + 1, over) == "shen.mingyuan"
        assert told_at(MISSED + 2, over) is None
        assert told_at(MISSED - 1, over) is None


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("称呼: 李经理,", "称呼: 李经理, 上级: nobody.here,", "nobody.here"),
        ("称呼: 李经理,", "称呼: 李经理, 上级: li.min,", "绕了一圈"),
        ("称呼: 李经理,", "称呼: 李经理, 资格: [股票],", "股票"),
        ("称呼: 李经理,", "称呼: 李经理, 接待上限: 0,", "接待上限"),
        ("\n隐私:", "\n线索时限:\n  - {线索: 加急, 首响分钟: 5}\n\n隐私:", "加急"),
        (
            "\n隐私:",
            "\n线索时限:\n  - {线索: 投诉, 首响分钟: 5}\n  - {线索: 投诉}\n\n隐私:",
            "写了两次",
        ),
    ],
)
def test_what_the_file_says_wrongly_is_named(old: str, new: str, what: str) -> None:
    text = starter_text("_workspace.yaml")
    assert text.count(old) == 1
    bank, problems = load(text.replace(old, new), "_workspace.yaml", Bank)
    said = [f"{one.key} {one.what} {one.mend}" for one in problems]
    if bank is not None:
        said += [f"{path} {wrong}" for path, wrong, _ in bank.disagreements()]
    assert any(what in line for line in said), said
