"""Who gets a lead: licence and branch, the own manager, his team, the region, within limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.assigning import Desk, Staffing, Wanted, hour_of, weight_of
from bot.domain.assigning_rules import AssigningRules
from bot.domain.bank import Bank
from bot.domain.ids import CustomerId, RmId
from bot.domain.institution import SERVING
from bot.domain.lead import GRAVE, Need
from tests.domain.builders import starter_bank
from tests.make import CUSTOMER, NOON

LI, WANG, ZHAO = RmId("li.min"), RmId("wang.haoran"), RmId("zhao.xiulan")
CHEN = RmId("chen.xiaowen")
NOBODY = ("", "")
RULES = AssigningRules(capacity=10, per_hour=5)


@cache
def bank_with(**changes: tuple[tuple[str, Any], ...]) -> Bank:
    """Return the starter bank with some members changed: li_min=(("team", "一组"),)."""
    staff = tuple(
        member.model_copy(update=dict(changes.get(member.userid.replace(".", "_"), ())))
        for member in starter_bank().staff
    )
    return starter_bank().model_copy(update={"staff": staff})


def one_region(bank: Bank) -> Bank:
    branches = tuple(one.model_copy(update={"region": "城东区"}) for one in bank.branches[:2])
    return bank.model_copy(update={"branches": (*branches, *bank.branches[2:])})


def staffing(
    bank: Bank | None = None,
    loads: dict[RmId, int] | None = None,
    away: dict[RmId, RmId | None] | None = None,
    desks: Iterable[Desk] = (),
    now: datetime = NOON,
) -> Staffing:
    known = {userid: Desk(userid=userid, load=load) for userid, load in (loads or {}).items()}
    known |= {desk.userid: desk for desk in desks}
    return Staffing(bank or starter_bank(), known, away or {}, RULES, now)


def wanted(
    need: Need = Need.WEALTH, *owners: RmId, customer: str = CUSTOMER, **more: Any
) -> Wanted:
    return Wanted(customer=CustomerId(customer), need=need, owners=owners or (LI,), **more)


def chosen(its: Staffing, what: Wanted) -> tuple[str, str]:
    found = its.choose(what)
    return (found.userid, found.why) if found is not None else NOBODY


class TestOrder:
    def test_the_own_manager_comes_first_however_much_others_have_free(self) -> None:
        assert chosen(staffing(loads={LI: 9}), wanted()) == (LI, "owner")

    def test_of_several_own_ones_the_first_who_can(self) -> None:
        assert chosen(staffing(loads={LI: 10}), wanted(Need.WEALTH, LI, WANG)) == (WANG, "owner")

    def test_one_who_is_away_is_stood_in_for_by_his_deputy(self) -> None:
        assert chosen(staffing(away={LI: CHEN}), wanted()) == (CHEN, "deputy")
        assert chosen(staffing(away={LI: CHEN}, loads={CHEN: 10}), wanted())[1] == "branch"

    def test_his_team_comes_before_the_rest_of_the_branch(self) -> None:
        bank = bank_with(li_min=(("team", "一组"),), zhao_xiulan=(("team", "一组"),))
        full = staffing(bank, loads={LI: 10, ZHAO: 8})
        assert chosen(full, wanted()) == (ZHAO, "team")
        assert chosen(staffing(bank, loads={LI: 10, ZHAO: 10}), wanted()) == (WANG, "branch")

    def test_then_the_region_and_never_beyond_it(self) -> None:
        everybody_full = dict.fromkeys((LI, WANG, ZHAO), 10)
        assert chosen(staffing(loads=everybody_full), wanted()) == NOBODY
        near = staffing(one_region(starter_bank()), loads=everybody_full)
        found = near.choose(wanted())
        assert found is not None
        assert found.why == "region"
        member = starter_bank().member(found.userid)
        assert member is not None
        assert member.branch == "b02"

    def test_inside_a_set_the_largest_free_share_then_the_longest_idle(self) -> None:
        bank = bank_with(wang_haoran=(("capacity", 20),))
        assert chosen(staffing(bank, {LI: 10, WANG: 8, ZHAO: 5}), wanted()) == (WANG, "branch")
        early, late = NOON - timedelta(hours=5), NOON - timedelta(hours=2)
        desks = [
            Desk(userid=LI, load=10),
            Desk(userid=WANG, load=2, last_given_at=late),
            Desk(userid=ZHAO, load=2, last_given_at=early),
        ]
        assert chosen(staffing(desks=desks), wanted()) == (ZHAO, "branch")

    def test_where_all_is_equal_the_work_is_spread_and_the_same_each_time(self) -> None:
        its = staffing(loads={LI: 10})
        found = [chosen(its, wanted(customer=f"wm{n}")) for n in range(300)]
        assert found == [chosen(its, wanted(customer=f"wm{n}")) for n in range(300)]
        assert all(90 <= count <= 210 for count in Counter(found).values())

    def test_who_let_it_lie_is_not_asked_again(self) -> None:
        passed = frozenset({LI, WANG})
        assert chosen(staffing(), wanted(passed=passed)) == (ZHAO, "branch")
        assert chosen(staffing(), wanted(passed=passed | {ZHAO})) == NOBODY

    def test_a_customer_nobody_knows_goes_to_whoever_is_freest_of_the_bank(self) -> None:
        nobody = Wanted(customer=CUSTOMER, need=Need.WEALTH)
        serving = {one.userid for one in starter_bank().staff if one.role in SERVING}
        busy = dict.fromkeys(serving - {CHEN}, 3)
        assert chosen(staffing(loads=busy), nobody) == (CHEN, "region")


class TestLimits:
    def test_a_licence_comes_before_everything(self) -> None:
        bank = bank_with(zhao_xiulan=(("licences", ("基金",)),))
        assert chosen(staffing(bank), wanted(product="基金")) == (ZHAO, "branch")
        assert chosen(staffing(bank), wanted(Need.LOAN)) == NOBODY
        assert chosen(staffing(bank), wanted()) == (LI, "owner")

    def test_a_file_that_states_no_licences_asks_for_none(self) -> None:
        assert chosen(staffing(), wanted(Need.LOAN)) == (LI, "owner")

    def test_not_even_danger_goes_to_who_has_no_licence_or_is_away(self) -> None:
        bank = bank_with(zhao_xiulan=(("licences", ("保险",)),))
        its = staffing(bank, loads={ZHAO: 99})
        assert chosen(its, wanted(Need.RED_FLAG, product="保险")) == (ZHAO, "branch")
        assert chosen(staffing(away={LI: None}), wanted(Need.RED_FLAG))[0] != LI

    @pytest.mark.parametrize("need", sorted(GRAVE))
    def test_danger_and_complaints_go_over_every_capacity(self, need: Need) -> None:
        assert chosen(staffing(loads={LI: 500}), wanted(need)) == (LI, "owner")

    def test_an_hour_brings_no_more_than_so_many(self) -> None:
        busy = Desk(userid=LI, hour=hour_of(NOON), taken_in_hour=5)
        assert chosen(staffing(desks=[busy]), wanted())[0] != LI
        next_hour = staffing(desks=[busy], now=NOON + timedelta(hours=1))
        assert chosen(next_hour, wanted()) == (LI, "owner")

    def test_a_heavier_lead_needs_more_room(self) -> None:
        assert weight_of(Need.LATENT_COMPLAINT) == 2
        nine = {LI: 9}
        assert chosen(staffing(loads=nine), wanted(Need.LATENT_COMPLAINT))[0] != LI

    def test_heads_and_head_office_are_no_pool_but_a_head_has_his_own_customers(self) -> None:
        shen = RmId("shen.mingyuan")
        assert chosen(staffing(), wanted(Need.WEALTH, shen)) == (shen, "owner")
        everybody = {one.userid: 10 for one in starter_bank().staff if one.role in SERVING}
        assert chosen(staffing(loads=everybody), wanted()) == NOBODY
        assert chosen(staffing(), wanted(Need.WEALTH, RmId("he.jing"), LI)) == (LI, "owner")


@settings(max_examples=150, deadline=None)
@given(
    loads=st.dictionaries(
        st.sampled_from([one.userid for one in starter_bank().staff]), st.integers(0, 12)
    ),
    away=st.sets(st.sampled_from([one.userid for one in starter_bank().staff])),
    passed=st.sets(st.sampled_from([one.userid for one in starter_bank().staff])),
    owners=st.lists(st.sampled_from([one.userid for one in starter_bank().staff]), max_size=3),
    need=st.sampled_from(list(Need)),
)
def test_whoever_is_chosen_is_there_has_room_and_did_not_let_it_lie(
    loads: dict[RmId, int], away: set[RmId], passed: set[RmId], owners: list[RmId], need: Need
) -> None:
    its = staffing(loads=loads, away=dict.fromkeys(away))
    what = Wanted(
        customer=CUSTOMER, need=need, owners=tuple(owners), passed=frozenset(passed), branch="b02"
    )
    found = list(its.choices(what))
    assert len({choice.userid for choice in found}) == len(found)
    for choice in found:
        assert choice.userid not in away | passed
        room = loads.get(choice.userid, 0) + what.weight <= RULES.capacity
        assert room or need in GRAVE
        member = starter_bank().member(choice.userid)
        assert member is not None
        if choice.why != "owner":
            assert member.role in SERVING
