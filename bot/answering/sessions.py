"""What is said when a session begins, waits, is taken and ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo

from bot.answering.persona import with_defaults
from bot.domain.messages import Menu, MenuItem, Text
from bot.domain.persona import WHEN, Persona
from bot.domain.render import render

_RATING = "rate:"


def welcome(persona: Persona) -> Text:
    """Say who is here; that she is a program is never left out."""
    hello = f"{persona.speech.address_as}好，{persona.identity.first_words}。"
    return Text(text=hello + persona.session.welcome)


def queued(persona: Persona, now: datetime, zone: tzinfo, variables: Mapping[str, str]) -> Text:
    """Say to somebody who waits in the pool that a person is looked for, or when one is there."""
    return _or_at_night(persona.session.queued, persona, now.astimezone(zone), variables)


def coming(persona: Persona, now: datetime, zone: tzinfo, variables: Mapping[str, str]) -> Text:
    """Say who takes over, or at night when that will be."""
    return _or_at_night(persona.session.coming, persona, now.astimezone(zone), variables)


def goodbye(persona: Persona, variables: Mapping[str, str]) -> Menu:
    """Take leave, and ask how it was."""
    items = tuple(
        MenuItem(id=f"{_RATING}{number}", text=label)
        for number, label in enumerate(persona.session.ratings, 1)
    )
    return Menu(head=render(persona.session.goodbye, with_defaults(variables)), items=items)


def rating_of(menu: str) -> int | None:
    """Return the place of the label that was pressed, 1 the best and 3 the worst."""
    number = menu.removeprefix(_RATING)
    return int(number) if menu.startswith(_RATING) and number in ("1", "2", "3") else None


def _or_at_night(
    words: str, persona: Persona, local: datetime, variables: Mapping[str, str]
) -> Text:
    opens, closes = persona.on_duty
    if not opens <= local.time() < closes:
        day = "今天" if local.time() < opens else "明天"
        words = persona.session.at_night.replace(WHEN, f"{day} {opens:%H:%M} ")
    return Text(text=render(words, with_defaults(variables)))
