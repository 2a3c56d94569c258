"""Places among the messages that one subject gets: every rule, and none broken in any order."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config.parts import SopSettings
from bot.domain.bank import Bank
from bot.domain.caps import A_MONTH, AS_MANY_AS_DAYS, Caps, Kind, Rule, TenantCaps
from bot.domain.quota import (
    LEARNT,
    PERSONAL,
    Slot,
    caps_for,
    classes_of,
    is_tired,
    next_room,
    planned_at,
    room,
    slot_of,
)
from bot.domain.rails import GuardRails
from bot.domain.registry import PlatformQuota
from bot.domain.script import SopScript
from bot.domain.steps import PRIORITIES, SendBy
from tests.domain.builders import script, starter_bank, step
from tests.make import ZONE

DAY = timedelta(days=1)
TODAY = date(2026, 10, 12)
RED_FLAG, PRODUCT = PRIORITIES["红线"], PRIORITIES["产品"]
BROADCAST: tuple[Kind, ...] = ("broadcast",)
PRIVATE: tuple[Kind, ...] = ("private",)


def slot(day: int, key: str = "", kind: str = "broadcast", **values: Any) -> Slot:
    """Give a place so many days from today; used, unless said otherwise."""
    at = planned_at(TODAY + day * DAY, ZONE)
    return Slot(kind, at, key or f"{kind}{day}", **values)


def planned(day: int, key: str, priority: int = 3, kind: str = "broadcast") -> Slot:
    return slot(day, key, kind, priority=priority, state="planned")


def bank(**platform: Any) -> Bank:
    return starter_bank().model_copy(update={"platform": PlatformQuota(**platform)})


def rails(**values: Any) -> SopScript:
    plain = script(step("s1", 1), weekly=7)
    return plain.model_copy(update={"rails": plain.rails.model_copy(update=values)})


def group_caps(**values: Any) -> Caps:
    return caps_for(rails(**values), bank(), "group")


def person_caps(tenant: TenantCaps | None = None, *, tired: bool = False, **values: Any) -> Caps:
    return caps_for(rails(**values), bank(a_day=10), "customer", None, tenant, tired=tired)


def full(slots: list[Slot], caps: Caps, kinds: tuple[Kind, ...] = BROADCAST) -> str | None:
    return room(slots, caps, TODAY, "mine", 3, kinds)


@pytest.mark.parametrize(
    ("slots", "reason"),
    [
        ([], None),
        ([slot(-1)], None),
        ([slot(0)], "daily_cap"),
        ([slot(0, "mine")], None),  # its own place is no obstacle
        ([slot(-day) for day in (1, 2, 3)], "weekly_cap"),
        ([slot(day) for day in (-6, -1, 3)], None),
        ([slot(day) for day in (-3, 1, 3)], "weekly_cap"),  # any seven days that hold today
        ([slot(-7), slot(-6), slot(-5)], None),
        ([slot(0, source=PERSONAL)], "daily_cap"),  # what people send themselves counts
    ],
)
def test_a_groups_mass_messages_keep_a_day_and_any_seven_days(
    slots: list[Slot], reason: str | None
) -> None:
    assert full(slots, group_caps(broadcasts_a_week=3)) == reason


def test_a_group_that_asked_for_fewer_gets_fewer_over_every_script() -> None:
    caps = caps_for(rails(), bank(), "group", 1)
    assert full([slot(-3)], caps) == "weekly_cap"
    assert full([slot(-7)], caps) is None


def test_products_have_a_cap_of_their_own() -> None:
    caps = group_caps(products_a_week=1)
    had = [slot(-2), slot(-2, "broadcast-2", "product")]
    assert full(had, caps, ("broadcast", "product")) == "weekly_product_cap"
    assert full(had, caps) is None


def test_a_month_of_a_script_is_any_thirty_days() -> None:
    caps = group_caps(broadcasts_a_month=2)
    assert full([slot(-29), slot(-15)], caps) == "monthly_cap"
    assert full([slot(-30), slot(-15)], caps) is None


def test_wecoms_own_month_is_the_calendars_with_as_many_as_it_has_days() -> None:
    month = [slot(day, f"k{day}") for day in range(-11, 0)]
    more = [slot(-1, f"m{number}") for number in range(20)]
    caps = caps_for(rails(broadcasts_a_day=40), bank(a_week=7, a_day=10), "group")
    only = Caps(tuple(rule for rule in caps.rules if rule.days == A_MONTH), ZONE)
    assert full([*month, *more], only) == "platform_quota"  # 31 of October's 31
    assert full([*month, *more[1:]], only) is None
    assert full([slot(-12, f"s{number}") for number in range(31)], only) is None  # September's
    fixed = caps_for(rails(), bank(a_month=4, a_day=10), "group")
    assert full([slot(-day) for day in (2, 4, 6, 8)], fixed) == "platform_quota"


@pytest.mark.parametrize(
    ("slots", "kinds", "reason"),
    [
        ([slot(0, "k", "contact")], PRIVATE, "daily_cap"),
        ([slot(0, "k", "broadcast")], ("contact",), "daily_cap"),
        ([slot(0, "k", "broadcast"), slot(0, "k", "private")], ("moment",), None),
        ([slot(-3, "k", "private")], PRIVATE, "weekly_cap"),
        ([slot(-3, "k", "private")], ("contact",), None),  # what sells nothing has no such cap
        ([slot(-8, "k", "private")], PRIVATE, None),
        ([slot(-d, kind="private") for d in (7, 14, 21, 28)], PRIVATE, "monthly_cap"),
    ],
)
def test_a_customer_gets_one_message_a_day_and_little_that_sells(
    slots: list[Slot], kinds: tuple[Kind, ...], reason: str | None
) -> None:
    assert full(slots, person_caps(), kinds) == reason


def test_the_bank_may_allow_less_over_all_scripts_than_a_script_does() -> None:
    generous = {"private_marketing_a_week": 5, "private_marketing_a_month": 20}
    had = [slot(-1, kind="private"), slot(-2, kind="private")]
    assert full(had, person_caps(TenantCaps(), **generous), PRIVATE) == "weekly_cap"
    more = TenantCaps(marketing_a_week=3)
    assert full(had, person_caps(more, **generous), PRIVATE) is None


def test_three_touches_without_a_word_back_halve_what_sells() -> None:
    touched = [slot(-day, kind="private") for day in (10, 20, 30)]
    assert is_tired(touched, None)
    assert not is_tired(touched, planned_at(TODAY - 15 * DAY, ZONE))
    assert not is_tired([*touched[:2], planned(1, "p", kind="private")], None)
    assert full(touched, person_caps(), PRIVATE) is None
    assert full(touched, person_caps(tired=True), PRIVATE) == "weekly_cap"  # one in 14 days
    assert full(touched, person_caps(TenantCaps(fatigue=False), tired=True), PRIVATE) is None


def test_what_goes_before_keeps_its_place_and_what_goes_after_gives_way() -> None:
    caps = group_caps()
    assert full([planned(0, "flag", RED_FLAG)], caps) == "daily_cap"
    assert full([planned(0, "sale", PRODUCT)], caps) is None
    assert full([planned(0, "a")], caps) == "daily_cap"  # the same standing: the smaller key
    assert full([planned(0, "z")], caps) is None


def test_the_next_day_with_room_is_found_before_the_end() -> None:
    caps = group_caps()
    taken = [slot(0), slot(1), planned(2, "flag", RED_FLAG), planned(3, "sale", PRODUCT)]
    assert next_room(taken, caps, TODAY, "mine", 3, BROADCAST, TODAY + 9 * DAY) == TODAY + 3 * DAY
    assert next_room(taken, caps, TODAY, "mine", 3, BROADCAST, TODAY + 2 * DAY) is None
    assert next_room(taken, caps, TODAY, "mine", 3, (), TODAY) == TODAY


def test_wecom_saying_full_once_closes_the_day_and_twice_the_month() -> None:
    caps = group_caps()
    once = [slot(0, "full1", source=LEARNT)]
    assert full(once, caps) == "platform_quota"
    assert next_room(once, caps, TODAY, "mine", 3, BROADCAST, TODAY + DAY) == TODAY + DAY
    twice = [slot(-2, "full1", source=LEARNT), slot(-1, "full2", source=LEARNT)]
    november = date(2026, 11, 1)
    assert next_room(twice, caps, TODAY, "mine", 3, BROADCAST, november) == november
    let_through = [*twice, slot(-1, "sent")]
    assert full(let_through, caps) is None


@pytest.mark.parametrize(
    ("way", "kind", "marketing", "product", "classes"),
    [
        (SendBy.BROADCAST, "group", False, False, ("broadcast",)),
        (SendBy.BROADCAST, "group", True, True, ("broadcast", "product")),
        (SendBy.NUDGE_OWNER, "group", False, False, ()),
        (SendBy.NUDGE_OWNER, "group", True, True, ("product",)),
        (SendBy.GROUP_WELCOME, "group", False, False, ()),
        (SendBy.BROADCAST, "customer", False, False, ("broadcast",)),
        (SendBy.BROADCAST, "customer", True, False, ("broadcast", "private")),
        (SendBy.KF, "customer", False, False, ("contact",)),
        (SendBy.KF, "customer", True, True, ("private", "product")),
        (SendBy.NUDGE_MANAGER, "customer", True, False, ("private",)),
        (SendBy.MOMENTS, "customer", True, False, ("moment",)),
        (SendBy.TASK_FOR_MANAGER, "customer", False, False, ()),
    ],
)
def test_each_way_takes_places_of_its_own_classes(
    way: SendBy, kind: Any, marketing: bool, product: bool, classes: tuple[str, ...]
) -> None:
    assert classes_of(way, kind, marketing=marketing, product=product) == classes


def test_tries_of_one_step_share_its_place() -> None:
    assert slot_of("sop:12:d02~3:2") == "sop:12:d02~3"
    assert slot_of("greeting:1") == "greeting:1"


_ACTS = st.sampled_from(("plan", "plan", "plan", "use", "use", "cancel", "personal"))
_STORY = st.lists(
    st.tuples(_ACTS, st.integers(0, 11), st.integers(0, 45), st.integers(0, 5)), max_size=60
)
_CAPS = st.builds(
    lambda day, week, month, platform: Caps(
        (
            Rule("daily_cap", frozenset({"broadcast"}), day, 1),
            Rule("weekly_cap", frozenset({"broadcast"}), week, 7),
            Rule("monthly_cap", frozenset({"broadcast"}), month, 30),
            Rule("platform_quota", frozenset({"broadcast"}), platform, A_MONTH, by_platform=True),
        ),
        ZONE,
    ),
    st.integers(1, 2),
    st.integers(1, 4),
    st.integers(1, 8),
    st.sampled_from([AS_MANY_AS_DAYS, 3, 6]),
)


class Book:
    """One subject's places, and what people do with them in any order."""

    def __init__(self, caps: Caps) -> None:
        self.caps = caps
        self.slots: dict[str, Slot] = {}

    def act(self, what: str, number: int, day: int, priority: int) -> None:
        key, on = f"k{number:02}", TODAY + day * DAY
        known = self.slots.get(key)
        if what == "plan" and (known is None or known.state == "planned"):
            until = on + 40 * DAY
            free = next_room(self.slots.values(), self.caps, on, key, priority, BROADCAST, until)
            if free is not None:
                at = planned_at(free, ZONE)
                self.slots[key] = Slot("broadcast", at, key, priority, "planned")
        elif what == "use" and known is not None and known.state == "planned":
            slots, own = self.slots.values(), known.priority
            if room(slots, self.caps, on, key, own, BROADCAST) is None:
                self.slots[key] = known._replace(at=planned_at(on, ZONE), state="used")
        elif what == "cancel":
            self.slots.pop(key, None)
        elif what == "personal" and self.has_room(on):
            self.slots[f"p{key}{day}"] = slot(day, f"p{key}{day}", source=PERSONAL)

    def has_room(self, on: date) -> bool:
        """Tell whether people still may send: what they send beyond is no fault of ours."""
        return room(self.slots.values(), self.caps, on, "", 9, BROADCAST) is None

    def used(self, rule: Rule, first: date, last: date) -> int:
        days = (one.at.astimezone(ZONE).date() for one in self.slots.values() if self.is_used(one))
        return sum(first <= day <= last for day in days)

    @staticmethod
    def is_used(one: Slot) -> bool:
        return one.state == "used"


def windows(rule: Rule, day: date) -> tuple[date, date, int]:
    if rule.days != A_MONTH:
        return day, day + (rule.days - 1) * DAY, rule.most
    days = calendar.monthrange(day.year, day.month)[1]
    most = days if rule.most == AS_MANY_AS_DAYS else rule.most
    return day.replace(day=1), day.replace(day=days), most


@settings(deadline=None, max_examples=120)
@given(caps=_CAPS, story=_STORY)
def test_i3_no_window_ever_holds_more_than_its_cap_whatever_is_planned_used_and_cancelled(
    caps: Caps, story: list[tuple[str, int, int, int]]
) -> None:
    book = Book(caps)
    for act in story:
        book.act(*act)
    for rule in caps.rules:
        for back in range(-30, 90):
            first, last, most = windows(rule, TODAY + back * DAY)
            assert book.used(rule, first, last) <= most


@settings(deadline=None, max_examples=60)
@given(
    wanting=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 99)), min_size=1, max_size=12, unique=True
    )
)
def test_of_all_that_want_the_last_place_exactly_one_finds_it_free(
    wanting: list[tuple[int, int]],
) -> None:
    slots = [planned(0, f"k{number:02}{priority}", priority) for priority, number in wanting]
    caps = group_caps()
    free = [
        one for one in slots if room(slots, caps, TODAY, one.key, one.priority, BROADCAST) is None
    ]
    (first,) = free
    assert first.priority == max(one.priority for one in slots)


def test_the_banks_own_number_for_a_group_is_five_wherever_it_is_told() -> None:
    told = (TenantCaps().group_a_week, SopSettings().group_a_week, GuardRails().broadcasts_a_week)
    assert told == (5, 5, 5)
    assert starter_bank().platform.a_week == 7  # what WeCom lets through is another thing
