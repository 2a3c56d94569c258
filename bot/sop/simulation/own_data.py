"""One customer's data agree with each other: who is 73 was not born in 2000."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from bot.domain.registry import AGE, BIRTHDAY, FieldKind
from bot.domain.subject import Raw, typed


def disagreement(facts: Mapping[str, Raw], on: date) -> str | None:
    """Say which data no one person can have on a day, and how to mend it; None where they agree."""
    born, age = _born(facts), facts.get(AGE)
    if born is None:
        return None
    if born > on:
        return f"{BIRTHDAY} {born} 在开始的那天({on})之后：改早一些。"
    if isinstance(age, int | float) and int(age) != age_of(born, on):
        reckoned = age_of(born, on)
        return (
            f"{AGE} {age} 和 {BIRTHDAY} {born} 对不上，照生日到 {on} 是 {reckoned} 岁："
            "只写一个，或改成一样。"
        )
    return None


def made_to_agree(made: Mapping[str, Raw], known: Mapping[str, Raw], on: date) -> dict[str, Raw]:
    """Return made-up data with what is ``known`` put in; the made-up gives way.

    A birthday tells the age; else the age decides the year of a birthday that was made up.
    """
    facts = {**made, **known}
    born, age = _born(facts), facts.get(AGE)
    if born is None or not isinstance(age, int | float):
        return facts
    if BIRTHDAY in known and AGE not in known:
        facts[AGE] = age_of(born, on)
    elif BIRTHDAY not in known:
        facts[BIRTHDAY] = str(_born_in(born, on.year - int(age), on))
    return facts


def age_of(born: date, on: date) -> int:
    """Return how many years old somebody is on a day."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _born(facts: Mapping[str, Raw]) -> date | None:
    born = typed(facts.get(BIRTHDAY), FieldKind.DATE)
    return born if isinstance(born, date) else None


def _born_in(born: date, year: int, on: date) -> date:
    """Return the same birthday in the year, or the one before, that makes somebody so old."""
    if (on.month, on.day) < (born.month, born.day):
        year -= 1
    leap_day = (born.month, born.day) == (2, 29)
    return date(year, 2, 28) if leap_day else born.replace(year=year)
