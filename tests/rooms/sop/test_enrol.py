"""Who enters a script, when, and who is held out."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bot.domain.ids import GroupChatId, RmId
from bot.domain.people import GroupChat, GroupMember
from bot.domain.runs import RunStep
from bot.sop.enrol import is_held_out, may_enter, plan_steps, start_day
from tests.domain.builders import starter_bank, starter_script, tables
from tests.make import local

SCRIPT, BANK = starter_script("senior-21d.sop.yaml"), starter_bank()


def group(count: int = 20, **values: Any) -> GroupChat:
    members = tuple(GroupMember(id=f"wm{number}") for number in range(count))
    owner = GroupMember(id="li.min", staff=True)
    made = {
        "id": GroupChatId("wrA"),
        "name": "梧桐街银龄安心群1",
        "owner": RmId("li.min"),
        "tags": frozenset({"银龄群"}),
        "members": (owner, *members),
    }
    return GroupChat.model_validate(made | values)


@pytest.mark.parametrize(
    ("chat", "enters"),
    [
        (group(), True),
        (group(8), True),
        (group(7), False),
        (group(201), False),
        (group(tags=frozenset()), False),
        (group(tags=frozenset({"银龄群", "投诉处理中"})), False),
        (group(owner=RmId("shen.mingyuan")), False),  # the head of the branch
        (group(owner=RmId("stranger")), False),
        (group(dismissed=True), False),
    ],
)
def test_a_group_enters_by_its_tags_size_and_owner(chat: GroupChat, enters: bool) -> None:
    assert may_enter(SCRIPT, chat, BANK) is enters


@pytest.mark.parametrize("status", ["草稿", "待审", "停用"])
def test_a_script_that_is_not_published_takes_nobody(status: str) -> None:
    script = SCRIPT.model_copy(update={"status": type(SCRIPT.status)(status)})
    assert not may_enter(script, group(), BANK)


@pytest.mark.parametrize(
    ("clock", "begins"), [("08:59", "2026-10-12"), ("09:00", "2026-10-13"), ("23:59", "2026-10-13")]
)
def test_day_one_is_today_while_the_morning_is_young(clock: str, begins: str) -> None:
    assert start_day(BANK, local(clock)) == date.fromisoformat(begins)


def test_about_a_tenth_is_held_out_and_always_the_same() -> None:
    chats = [group(id=GroupChatId(f"wr{number}")) for number in range(1000)]
    held = [is_held_out(SCRIPT, chat) for chat in chats]
    assert 70 <= sum(held) <= 130
    assert held == [is_held_out(SCRIPT, chat) for chat in chats]


def test_steps_that_have_begun_keep_their_day() -> None:
    anchor = date(2026, 10, 12)
    first = {s.step: s for s in plan_steps(SCRIPT, anchor, "b01", BANK, tables())}
    moved = first["d02-rules"].planned_on.replace(day=14)
    begun = RunStep(
        id=1,
        run=1,
        step="d02-rules",
        kind="step",
        planned_on=moved,
        opens_at=local("09:30"),
        closes_at=local("18:00"),
        state="waiting",
    )
    again = {s.step: s for s in plan_steps(SCRIPT, anchor, "b01", BANK, tables(), begun=(begun,))}
    assert again.get("d02-rules") is None or again["d02-rules"].planned_on == moved
    assert set(first) - {"d02-rules"} <= set(again)
