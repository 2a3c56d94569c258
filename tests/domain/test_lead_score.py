"""A score adds up, says why, grows with what speaks for a lead, and looks at nothing it may not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.lead import Need
from bot.domain.lead_model import AT_THRESHOLD, LeadModel
from bot.domain.lead_score import (
    DEFAULT_THRESHOLD,
    FEATURES,
    HALF_LIFE,
    LARGE_MOVEMENT_HALF_LIFE,
    LeadRules,
    Sign,
    Weighed,
    features_of,
    forbidden,
    fresh,
    score,
)
from tests.make import NOON

DAY = timedelta(days=1)

signs = st.builds(
    lambda points, hours: Sign(points, NOON - timedelta(hours=hours)),
    st.floats(0, 60),
    st.floats(0, 2000),
)
weights = st.builds(
    Weighed,
    need=st.sampled_from(list(Need)),
    explicit=st.booleans(),
    signs=st.lists(signs, max_size=6).map(tuple),
    acts=st.lists(signs, max_size=6).map(tuple),
    product=st.sampled_from(["", "国债"]),
    fits=st.sampled_from([None, True, False]),
    value_band=st.none() | st.integers(0, 4),
    friend=st.booleans(),
    reachable=st.sampled_from([None, True, False]),
    refuses=st.booleans(),
    leads_lately=st.integers(0, 9),
    said_no=st.booleans(),
    was_invalid=st.booleans(),
)


@given(weights)
def test_the_reasons_add_up_to_the_score_which_lies_between_0_and_100(weighed: Weighed) -> None:
    scored = score(weighed, NOON)
    assert 0 <= scored.score <= 100
    assert abs(sum(one.points for one in scored.reasons) - scored.score) < 0.1
    assert set(scored.features) == set(FEATURES)


@given(weights, signs)
def test_more_that_was_noticed_never_makes_it_less(weighed: Weighed, sign: Sign) -> None:
    before = score(weighed, NOON).score
    noticed = weighed.model_copy(update={"signs": (*weighed.signs, sign)})
    did = weighed.model_copy(update={"acts": (*weighed.acts, sign)})
    outright = weighed.model_copy(update={"explicit": True})
    for more in (noticed, did, outright):
        assert score(more, NOON).score >= before


@given(weights, st.floats(0, 90))
def test_what_grows_old_never_makes_it_more(weighed: Weighed, days: float) -> None:
    later = NOON + timedelta(days=days)
    assert score(weighed, later).score <= score(weighed, NOON).score


@given(weights)
def test_what_tires_a_customer_never_makes_it_more(weighed: Weighed) -> None:
    before = score(weighed, NOON).score
    for tired in ({"leads_lately": weighed.leads_lately + 1}, {"said_no": True}):
        assert score(weighed.model_copy(update=tired), NOON).score <= before
    refusing = weighed.model_copy(update={"refuses": True, "was_invalid": True})
    assert score(refusing, NOON).score <= before


def test_a_sign_is_worth_half_after_its_half_life() -> None:
    sign = Sign(20, NOON)
    assert fresh(sign, Need.MATURITY, NOON + 7 * DAY) == 10
    assert fresh(Sign(20, NOON, LARGE_MOVEMENT_HALF_LIFE), Need.WEALTH, NOON + DAY) == 10
    assert fresh(sign, Need.WEALTH, NOON - DAY) == 20  # a clock that is ahead gives no bonus


@pytest.mark.parametrize(
    ("weighed", "opens"),
    [
        # A question in passing, of a stranger in a group: not yet.
        (Weighed(need=Need.WEALTH, signs=(Sign(10, NOON),)), False),
        # The same person, a friend, comes back to it twice more.
        (
            Weighed(need=Need.WEALTH, signs=(Sign(10, NOON),) * 3, product="国债", friend=True),
            True,
        ),
        # A friend is interested.
        (
            Weighed(need=Need.WEALTH, signs=(Sign(22, NOON),), friend=True, reachable=True),
            True,
        ),
        # A day that comes near, of a friend.
        (
            Weighed(need=Need.MATURITY, signs=(Sign(35, NOON),), friend=True, reachable=True),
            True,
        ),
        # The same, said no to last week.
        (
            Weighed(
                need=Need.MATURITY,
                signs=(Sign(35, NOON),),
                friend=True,
                reachable=True,
                said_no=True,
            ),
            False,
        ),
        # Money that came four days ago.
        (
            Weighed(
                need=Need.WEALTH,
                signs=(Sign(30, NOON - 4 * DAY, LARGE_MOVEMENT_HALF_LIFE),),
                friend=True,
                reachable=True,
            ),
            False,
        ),
    ],
)
def test_the_usual_cases_fall_on_their_side_of_the_threshold(weighed: Weighed, opens: bool) -> None:
    assert (score(weighed, NOON).score >= DEFAULT_THRESHOLD) is opens


def test_danger_and_complaints_score_above_everything() -> None:
    grave = min(score(Weighed(need=n), NOON).score for n in (Need.RED_FLAG, Need.COMPLAINT))
    assert grave >= 90
    assert set(HALF_LIFE) == set(Need)


@pytest.mark.parametrize(
    "name",
    [
        "性别",
        "民族",
        "宗教信仰",
        "健康状况",
        "婚姻状况",
        "是否残疾",
        "政治面貌",
        "子女数",
        "遗传史",
    ],
)
def test_what_may_not_be_looked_at_cannot_be_named(name: str) -> None:
    assert forbidden(name)


@pytest.mark.parametrize("name", ["月日均资产", "客户等级", "存款余额", ""])
def test_what_tells_of_value_may_be_named(name: str) -> None:
    assert not forbidden(name)


def test_nothing_of_a_person_but_this_can_reach_a_score() -> None:
    assert set(Weighed.model_fields) == {
        "need", "explicit", "signs", "acts", "product", "fits", "value_band", "friend",
        "reachable", "refuses", "leads_lately", "said_no", "was_invalid",
    }  # fmt: skip
    assert not any(forbidden(words) for words, _ in FEATURES.values())


def test_a_value_lies_in_the_highest_band_whose_lower_end_it_reaches() -> None:
    rules = LeadRules(value_bands=(50_000, 200_000))
    found = [rules.band(value) for value in (49_999, 50_000, 200_000, None, "高", True)]
    assert found == [0, 1, 2, None, None, None]
    assert LeadRules().band(1_000_000) is None


def model(**weights: float) -> LeadModel:
    return LeadModel(
        needs=(Need.WEALTH,),
        weights=weights,
        means=dict.fromkeys(weights, 1.0),
        scales=dict.fromkeys(weights, 1.0),
        intercept=0.0,
        odds=(-2.0, 0.0, 2.0, 100.0),
        chances=(0.02, 0.05, 0.4, 0.9),
        usual=0.15,
    )


@given(weights, signs)
def test_a_model_tells_its_reasons_and_more_evidence_never_harms(
    weighed: Weighed, sign: Sign
) -> None:
    learnt = model(evidence=0.1, explicit=0.5, leads_lately=-0.3)
    scored = learnt.score(weighed, NOON)
    assert 0 <= scored.score <= 100
    # Each reason is rounded, those that round to nothing are left out.
    assert abs(sum(one.points for one in scored.reasons) - scored.score) < 0.3
    more = weighed.model_copy(update={"signs": (*weighed.signs, sign)})
    assert learnt.score(more, NOON).score >= scored.score


def test_a_third_of_the_usual_chance_is_what_the_threshold_asks_for() -> None:
    learnt = model(evidence=0.0)
    assert learnt.chance({"evidence": 0.0}) == 0.05
    assert learnt.score(Weighed(need=Need.WEALTH), NOON).score == AT_THRESHOLD
    assert learnt.chance({"evidence": 0.0}) < learnt.usual


def test_between_two_steps_a_chance_lies_on_a_straight_line_and_outside_it_stays() -> None:
    learnt = model(evidence=1.0)
    chances = [learnt.chance({"evidence": odds}) for odds in (-9.0, -2.0, -1.0, 0.0, 1.0, 999.0)]
    assert chances == pytest.approx([0.02, 0.02, 0.035, 0.05, 0.225, 0.9])


def test_the_figures_of_a_lead_are_plain_numbers() -> None:
    weighed = Weighed(need=Need.LOAN, explicit=True, fits=False, reachable=True)
    figures = features_of(weighed, NOON)
    assert (figures["explicit"], figures["fits"], figures["reachable"]) == (1.0, -1.0, 1.0)
    assert all(type(value) is float for value in figures.values())
