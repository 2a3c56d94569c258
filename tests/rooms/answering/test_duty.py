"""When somebody is there again, and what is promised outside the hours."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.answering.duty import closed_until, duty_of, said_as
from bot.answering.persona import at_night
from bot.answering.sessions import choice_of, coming, kept_waiting, queued, rating_of
from bot.domain.bank import Bank
from bot.domain.business_time import ServiceHours
from bot.domain.persona import Persona
from bot.workers.files import read_snapshot
from bot.workspace import Workspace, starter_root
from tests.domain.builders import tables
from tests.make import ZONE, local

NAMES = {"经理.称呼": "小李经理", "客服电话": "95xxx"}


@pytest.fixture(scope="module")
def files() -> tuple[Bank, Persona]:
    snapshot = read_snapshot(Workspace(starter_root()), local("12:00").date())
    return snapshot.bank, next(iter(snapshot.personas.values()))


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        (local("12:00"), None),
        (local("08:29"), local("08:30")),
        (local("17:30"), local("08:30", "2026-10-13")),
        (local("16:00", "2026-10-17"), local("09:30", "2026-10-18")),  # a Saturday
        (local("12:00", "2026-10-01"), local("08:30", "2026-10-08")),  # the National Day's week
        (local("12:00", "2026-10-10"), None),  # a Saturday on which people work for it
    ],
)
def test_the_banks_own_hours_say_when_somebody_is_there(
    files: tuple[Bank, Persona], at: datetime, opens: datetime | None
) -> None:
    assert closed_until(files[0], "", tables(), at) == opens


def test_a_branch_may_have_hours_of_its_own(files: tuple[Bank, Persona]) -> None:
    bank, _ = files
    late = ServiceHours.model_validate({"工作日": "08:30-20:00"})
    first, *rest = bank.branches
    own = bank.model_copy(update={"branches": (first.model_copy(update={"service": late}), *rest)})
    duty = duty_of(own, tables())
    assert duty(local("19:00"), first.name) is None
    assert duty(local("19:00"), rest[0].name) == local("08:30", "2026-10-13")
    assert duty(local("19:00"), "") == local("08:30", "2026-10-13")


@pytest.mark.parametrize(
    ("opens", "words"),
    [
        (local("08:30"), "今天 08:30"),
        (local("08:30", "2026-10-13"), "明天 08:30"),
        (local("09:30", "2026-10-17"), "周六 09:30"),
        (local("08:30", "2026-10-26"), "10月26日 08:30"),
    ],
)
def test_the_moment_is_said_as_people_say_it(opens: datetime, words: str) -> None:
    assert said_as(opens, local("06:00"), ZONE) == words


@pytest.mark.parametrize("say", [queued, coming])
def test_whoever_waits_is_told_how_to_reach_the_bank_at_once(
    files: tuple[Bank, Persona], say: object
) -> None:
    assert "95xxx" in say(files[1], NAMES).text  # type: ignore[operator]


def test_who_may_not_be_written_to_by_then_is_told_what_brings_the_person(
    files: tuple[Bank, Persona],
) -> None:
    now = local("20:00")
    for opens, asked in (
        (local("08:30", "2026-10-14"), False),
        (local("20:00", "2026-10-14"), True),
    ):
        words = at_night(files[1], opens, now, ZONE)
        assert "周三" in words
        assert ("再说一句话" in words) is asked


def test_words_that_name_the_hotline_do_not_name_it_twice(files: tuple[Bank, Persona]) -> None:
    _, persona = files
    own = persona.session.model_copy(update={"queued": "请稍等，急事打 {客服电话}。"})
    said = queued(persona.model_copy(update={"session": own}), NAMES)
    assert said.text == "请稍等，急事打 95xxx。"


def test_nobody_is_offered_to_wait_for_whom_nobody_is_there(
    files: tuple[Bank, Persona],
) -> None:
    by_day = kept_waiting(files[1], None, local("12:00"), ZONE, NAMES)
    at_night = kept_waiting(files[1], local("08:30", "2026-10-13"), local("20:00"), ZONE, NAMES)
    assert [choice_of(item.id) for item in by_day.items] == ["person", "bot"]
    assert [choice_of(item.id) for item in at_night.items] == ["bot"]
    assert "久等" in by_day.head
    assert "明天 08:30" in at_night.head
    assert "95xxx" in by_day.head
    assert "95xxx" in at_night.head


def test_other_presses_are_no_choice() -> None:
    assert choice_of("rate:1") is None
    assert rating_of("wait:person") is None
