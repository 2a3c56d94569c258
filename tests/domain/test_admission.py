"""Who may enter, judged purely: what is unknown never admits (I11), what is refused says why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.admission import (
    Answers,
    EntryRule,
    Holdouts,
    PastRun,
    decide_entry,
    held_by,
    key_of,
)
from bot.domain.subject import Event, Raw, Registry, SubjectFacts
from tests.domain.builders import starter_bank
from tests.entering.scene import script

BANK = starter_bank()
REGISTRY = Registry.of(BANK)
NOW = datetime(2026, 10, 12, 2, 0, tzinfo=UTC)
FEW = settings(max_examples=120, deadline=None)
LEAF = ("年龄 >= 60", "风险等级 在 (C1、C2)", "好友", "投诉处理中", "天数自(最近互动) > 30")
LEAVES = st.sampled_from((*LEAF, "次数(到网点, 30) >= 1", "到期日 介于 2026-10-01 到 2026-12-01"))
CONDITIONS = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.tuples(parts, parts).map(lambda two: f"({two[0]}) 且 ({two[1]})"),
        st.tuples(parts, parts).map(lambda two: f"({two[0]}) 或 ({two[1]})"),
        parts.map(lambda one: f"非({one})"),
    ),
    max_leaves=4,
)
DATA: dict[str, st.SearchStrategy[Raw | None]] = {
    "年龄": st.sampled_from([None, 40, 60, 90]),
    "风险等级": st.sampled_from([None, "C1", "C4", "坏"]),
    "到期日": st.sampled_from([None, "2026-11-01", "2027-01-01", "没有"]),
    "营销同意": st.sampled_from([None, True, False]),
}
FACTS = st.builds(
    lambda data, friend, refuses, seen, events: SubjectFacts(
        id="wmA",
        kind="customer",
        registry=REGISTRY,
        facts={name: value for name, value in data.items() if value is not None},
        friend=friend,
        owner_on_duty=friend,
        refuses=refuses,
        last_seen=None if seen is None else NOW - timedelta(days=seen),
        happened=[Event("到网点", NOW - timedelta(days=n)) for n in events],
    ),
    st.fixed_dictionaries(DATA),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 10, 50]),
    st.lists(st.integers(0, 60), max_size=2),
)


def rule(where: str = "", exclude: str = "", kind: str = "服务", **of: str) -> EntryRule:
    said = [f'条件: "{where}"' if where else "", f'排除: "{exclude}"' if exclude else ""]
    audience = f"{{{', '.join(filter(None, said))}}}"
    return EntryRule.of(script(kind=kind, audience=audience, **of), "v1")


def customer(**values: object) -> SubjectFacts:
    facts = SubjectFacts("wmA", "customer", REGISTRY, friend=True, owner_on_duty=True)
    return facts._replace(**values)


@FEW
@given(CONDITIONS, CONDITIONS, FACTS, st.sampled_from(["服务", "活动"]))
def test_i11_unknown_never_admits_and_always_excludes(
    where: str, exclude: str, facts: SubjectFacts, kind: str
) -> None:
    asked = rule(where, exclude, kind)
    verdict = decide_entry(asked, facts, BANK, NOW)
    seen = facts.seen(NOW)
    assert asked.where is not None
    assert asked.exclude is not None
    if verdict.enters:
        assert asked.where.evaluate(seen) is True
        assert asked.exclude.evaluate(seen) is False
        assert facts.friend
        assert kind == "服务" or (facts.datum("营销同意") is True and not facts.refuses)
    else:
        assert verdict.reason


@FEW
@given(CONDITIONS, FACTS)
def test_only_what_waits_for_data_is_asked_again(where: str, facts: SubjectFacts) -> None:
    answers = decide_entry(rule(where), facts, BANK, NOW).answers
    if answers.missing:
        assert answers.refused.endswith("_unknown")
    elif answers.refused:
        assert False in answers[:4] or answers.exclusion is True


@pytest.mark.parametrize(
    ("answers", "reason", "missing"),
    [
        (Answers(True, False, True, True, False), "", False),
        (Answers(None, False, True, True, False), "audience_unknown", True),
        (Answers(None, None, None, None, False), "contactable_unknown", True),
        (Answers(None, True, True, True, False), "exclusion", False),
        (Answers(True, None, False, True, False), "consent", False),
        (Answers(False, True, False, False, False), "audience", False),
    ],
)
def test_a_refusal_names_what_is_certain_before_what_is_not_known(
    answers: Answers, reason: str, missing: bool
) -> None:
    assert (answers.refused, answers.missing) == (reason, missing)


def test_a_customers_own_refusal_goes_before_the_banks_consent() -> None:
    agreed = customer(facts={"营销同意": True})
    assert decide_entry(rule(kind="活动"), agreed, BANK, NOW).enters
    refusing = agreed._replace(refuses=True)
    assert decide_entry(rule(kind="活动"), refusing, BANK, NOW).reason == "consent"
    assert decide_entry(rule(kind="服务"), refusing, BANK, NOW).enters


@pytest.mark.parametrize(
    ("again", "days_ago", "state", "reason"),
    [
        ("不允许", 900, "done", "entered_before"),
        ("不允许", 900, "held_out", "entered_before"),
        ("退出后", 1, "exited", ""),
        ("退出后", 1, "running", "running"),
        ("退出后", 1, "held_out", "entered_before"),
        ("间隔30天", 29, "exited", "too_soon"),
        ("间隔30天", 30, "exited", ""),
        ("每次锚点", 1, "done", ""),
    ],
)
def test_reentry_is_judged_by_the_runs_there_were(
    again: str, days_ago: int, state: str, reason: str
) -> None:
    then = NOW - timedelta(days=days_ago)
    past = [PastRun(7, "trial", state, 3, "2025-10-12", then)]  # type: ignore[arg-type]
    asked = rule(again=again)
    verdict = decide_entry(asked, customer(), BANK, NOW, past=past, key="2026-10-12")
    assert verdict.reason == reason
    assert verdict.rotation == 4
    same = decide_entry(asked, customer(), BANK, NOW, past=past, key="2025-10-12")
    assert again != "每次锚点" or same.reason == "entered_before"


def test_the_banks_holdout_is_drawn_anew_each_year_and_washes_out_in_january() -> None:
    asked, holdouts = rule(kind="活动"), Holdouts(everywhere=0.1)
    ids = [f"wm{number}" for number in range(2000)]

    def out(moment: datetime) -> set[str]:
        return {id for id in ids if held_by(asked, id, BANK, moment, holdouts)}

    this, january = out(NOW), out(datetime(2027, 1, 20, tzinfo=UTC))
    later = out(datetime(2027, 3, 1, tzinfo=UTC))
    assert 150 <= len(this) <= 250
    assert 150 <= len(later) <= 250
    assert january == this | later
    assert len(this & later) < 60  # drawn independently: about a tenth of a tenth


def test_an_occurrence_keeps_a_short_key_that_is_always_the_same() -> None:
    assert key_of("2026-10-12") == "2026-10-12"
    assert key_of("x" * 200) == key_of("x" * 200) != key_of("x" * 199)
    assert len(key_of("x" * 200)) <= 64


def test_what_a_subject_sees_is_counted_in_the_banks_days() -> None:
    late = datetime(2026, 10, 11, 17, 0, tzinfo=UTC)  # after midnight in Shanghai
    seen = customer(last_seen=late, since=late - timedelta(days=3)).seen(NOW)
    assert seen.days_from(late) == 0
    assert seen.value("好友天数") == 3
    assert seen.value("好友") is True
    assert seen.value("群人数") is None


def test_events_of_before_the_wait_and_of_the_future_do_not_count() -> None:
    events = [Event("到网点", NOW - timedelta(days=9)), Event("到网点", NOW + timedelta(days=1))]
    facts = customer(happened=events)
    assert facts.seen(NOW).value("到网点") is True
    assert facts.seen(NOW).times("到网点", 30) == 1
    assert facts.seen(NOW).times("到网点", 5) == 0
    assert facts.seen(NOW, since=NOW - timedelta(days=1)).value("到网点") is False


def test_what_names_its_own_days_is_not_bound_by_the_wait_before_it() -> None:
    events = [Event("到网点", NOW - timedelta(days=9)), Event("客户入群", NOW - timedelta(days=4))]
    seen = customer(happened=events).seen(NOW, since=NOW - timedelta(days=1))
    assert seen.times("到网点", 30) == 1
    assert seen.times("到网点", 5) == 0
    assert seen.last("到网点") == NOW - timedelta(days=9)
    assert seen.value("入群天数") == 4
    assert seen.value("客户入群") is False
