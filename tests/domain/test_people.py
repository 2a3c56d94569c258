"""Who knows whom, and which tags are whose word."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.ids import GroupChatId, RmId
from bot.domain.people import (
    Customer,
    Follow,
    GroupChat,
    GroupMember,
    UnsentTags,
    known_by,
    merged_tags,
)
from tests.make import CUSTOMER, NOON, OWNER

OTHER = RmId("wang.haoran")
DAY = timedelta(days=1)


def test_the_newest_manager_comes_first_and_a_lost_one_not_at_all() -> None:
    relations = [
        Follow(manager=OTHER, since=NOON - DAY, state="old", tags=frozenset({"a"})),
        Follow(manager=OWNER, since=NOON, tags=frozenset({"b"})),
        Follow(manager=RmId("gone"), since=NOON + DAY, tags=frozenset({"c"}), lost=True),
    ]
    found = known_by(Customer(id=CUSTOMER, name="李女士"), relations)
    assert (found.name, found.managers, found.tags) == ("李女士", (OWNER, OTHER), {"a", "b"})
    assert found.state == "old"  # the newest one has none


@pytest.mark.parametrize(
    ("told", "unsent", "tags"),
    [
        ({"a"}, [], {"a"}),
        ({"a"}, [({"b"}, set())], {"a", "b"}),
        ({"a", "b"}, [(set(), {"a"})], {"b"}),
        (set(), [({"a"}, set()), (set(), {"a"})], set()),
        (set(), [(set(), {"a"}), ({"a"}, set())], {"a"}),
    ],
)
def test_our_unsent_changes_count_in_their_order(
    told: set[str], unsent: list[tuple[set[str], set[str]]], tags: set[str]
) -> None:
    changes = [UnsentTags(add=frozenset(a), remove=frozenset(r)) for a, r in unsent]
    assert merged_tags(told, changes) == tags


def group(*members: str, version: str = "v1") -> GroupChat:
    return GroupChat(
        id=GroupChatId("wrA"),
        name="群",
        owner=OWNER,
        members=tuple(GroupMember(id=one, staff=one.startswith("li")) for one in members),
        version=version,
    )


def test_members_who_left_are_taken_out_where_no_change_was_missed() -> None:
    rest = group("wm1", "wm2", "li.min").left_by(["wm1"], "v1", "v2")
    assert rest is not None
    assert rest.customer_ids == {"wm2"}
    assert rest.version == "v2"


@pytest.mark.parametrize(
    ("gone", "last", "current"),
    [
        (["wm1"], "v0", "v2"),  # a change between was missed
        (["wm1"], "", "v2"),
        (["wm1"], "v1", ""),
        (["wm9"], "v1", "v2"),  # somebody who was never seen to come
    ],
)
def test_else_the_group_is_read_again(gone: list[str], last: str, current: str) -> None:
    assert group("wm1", "wm2").left_by(gone, last, current) is None
