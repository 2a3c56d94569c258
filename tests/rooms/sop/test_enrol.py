"""Who enters a script, when, and who is held out."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bot.domain.admission import EntryRule, decide_entry
from bot.domain.runs import RunStep
from bot.domain.subject import Registry, SubjectFacts
from bot.sop.enrol import admit_all, plan_steps, start_day
from tests.domain.builders import starter_bank, starter_script, tables
from tests.make import local

SCRIPT, BANK = starter_script("senior-21d.sop.yaml"), starter_bank()


RULE = EntryRule.of(SCRIPT, "v1")


def group(size: int = 20, **values: Any) -> SubjectFacts:
    member = BANK.member(values.get("owner", "li.min"))
    facts = SubjectFacts(
        id="wrA",
        kind="group",
        registry=Registry.of(BANK),
        tags=frozenset({"银龄群"}),
        owner="li.min",
        owner_role=member.role if member else "",
        owner_on_duty=member is not None and member.on_duty,
        size=size,
    )
    return facts._replace(**values)


@pytest.mark.parametrize(
    ("chat", "enters"),
    [
        (group(), True),
        (group(8), True),
        (group(7), False),
        (group(201), False),
        (group(tags=frozenset()), False),
        (group(tags=frozenset({"银龄群", "投诉处理中"})), False),
        (group(owner="shen.mingyuan"), False),  # the head of the branch
        (group(owner="stranger"), False),
        (group(alive=False), False),
    ],
)
def test_a_group_enters_by_its_tags_size_and_owner(chat: SubjectFacts, enters: bool) -> None:
    assert decide_entry(RULE, chat, BANK, local("10:00")).enters is enters


@pytest.mark.parametrize(
    ("clock", "begins"), [("08:59", "2026-10-12"), ("09:00", "2026-10-13"), ("23:59", "2026-10-13")]
)
def test_day_one_is_today_while_the_morning_is_young(clock: str, begins: str) -> None:
    assert start_day(BANK, local(clock)) == date.fromisoformat(begins)


def test_about_a_tenth_is_held_out_and_always_the_same() -> None:
    chats = [group(id=f"wr{number}") for number in range(1000)]
    admitted = admit_all(SCRIPT, "v1", chats, BANK, tables(), local("10:00"))
    held = [one.candidate.facts.id for one in admitted if one.state == "held_out"]
    assert 70 <= len(held) <= 130
    again = admit_all(SCRIPT, "v1", reversed(chats), BANK, tables(), local("10:00"))
    assert sorted(held) == sorted(
        one.candidate.facts.id for one in again if one.state == "held_out"
    )


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
