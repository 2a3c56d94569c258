"""What is said when a session begins, waits, is taken and ends.

How to reach the bank at once is never left out while somebody waits (S18).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Literal

from bot.answering.persona import at_night, with_defaults
from bot.domain.messages import Menu, MenuItem, Text
from bot.domain.persona import Persona
from bot.domain.render import render

_RATING = "rate:"
_WAIT, _ASK = "wait:person", "wait:bot"
_HOTLINE = "{客服电话}"
_MARKS = re.compile(r"[\s。.!！~～,，]+")
_ROUND_A_RATING = re.compile(r"^(很|挺|非常|特别|比较|还|就)+|(了|吧|的|啊|呀|哈|谢谢)+$")
_BEFORE = "您前面还有 {} 位在等。"
_CALL = "急事打 {客服电话}。"
Choice = Literal["person", "bot"]


def welcome(persona: Persona) -> Text:
    """Say who is here; that she is a program is never left out."""
    hello = f"{persona.speech.address_as}好，{persona.identity.first_words}。"
    return Text(text=hello + persona.session.welcome)


def queued(persona: Persona, variables: Mapping[str, str], before: int = 0) -> Text:
    """Say to somebody who waits in the pool that a person is looked for; ``before`` came first."""
    place = _BEFORE.format(before) if before else ""
    return Text(text=_with_hotline(persona.session.queued + place, variables))


def coming(persona: Persona, variables: Mapping[str, str]) -> Text:
    """Say who takes over: at night, too, a talk is given only to somebody who comes now."""
    return Text(text=_with_hotline(persona.session.coming, variables))


def goodbye(persona: Persona, variables: Mapping[str, str]) -> Menu:
    """Take leave, and ask how it was."""
    return _rated(persona, persona.session.goodbye, variables)


def given_back(persona: Persona, variables: Mapping[str, str]) -> Menu:
    """Say that she is back, and ask how it was with the person."""
    return _rated(persona, persona.session.given_back, variables)


def kept_waiting(
    persona: Persona,
    opens: datetime | None,
    now: datetime,
    zone: tzinfo,
    variables: Mapping[str, str],
) -> Menu:
    """Say that nobody came, or when somebody will, and let the customer choose what next.

    ``opens`` is when somebody is there again, None while somebody is.
    """
    words = persona.session.kept_waiting
    if opens is not None:
        words = at_night(persona, opens, now, zone)
    wait, ask = persona.session.wait_or_ask
    choices = (MenuItem(id=_WAIT, text=wait), MenuItem(id=_ASK, text=ask))
    items = choices if opens is None else choices[1:]
    return Menu(head=_with_hotline(words, variables), items=items)


def rating_of(menu: str) -> int | None:
    """Return the place of the label that was pressed, 1 the best and 3 the worst."""
    number = menu.removeprefix(_RATING)
    return int(number) if menu.startswith(_RATING) and number in ("1", "2", "3") else None


def rating_said(text: str, persona: Persona) -> int | None:
    """Return the place of the label that somebody typed instead of pressing it, such as 很满意."""
    said = _ROUND_A_RATING.sub("", _MARKS.sub("", text)).replace("不太", "不").replace("不大", "不")
    labels = persona.session.ratings
    return labels.index(said) + 1 if said in labels else None


def choice_of(menu: str) -> Choice | None:
    """Return what somebody chose whom nobody came to: to wait on, or to ask the bot."""
    if menu == _WAIT:
        return "person"
    return "bot" if menu == _ASK else None


def _rated(persona: Persona, words: str, variables: Mapping[str, str]) -> Menu:
    items = tuple(
        MenuItem(id=f"{_RATING}{number}", text=label)
        for number, label in enumerate(persona.session.ratings, 1)
    )
    return Menu(head=render(words, with_defaults(variables)), items=items)


def _with_hotline(words: str, variables: Mapping[str, str]) -> str:
    told = words if _HOTLINE in words else f"{words}{_CALL}"
    return render(told, with_defaults(variables))
