"""Template cards (§3.5): built whole, and refused here before WeCom would refuse them.

Every builder raises ``ValueError`` for what WeCom answers with 42027 to 42051. ``task_id`` must be
new for each card. Title and desc are best kept to 26 and 30 characters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

MAX_ROWS = 6
MAX_BUTTONS = 6
MAX_OPTIONS = 10
MAX_CHOICES = 20
MAX_SELECTS = 3
MAX_PARAGRAPHS = 4
MAX_LABEL_CHARS = 10
MAX_CHOICE_CHARS = 11
MAX_SUB_TITLE_CHARS = 112
MAX_KEY_BYTES = 1024
MAX_OPTION_ID_BYTES = 128
MAX_URL_BYTES = 2048
_MENU_ITEMS = 3
_EMPHASIS_CHARS, _EMPHASIS_DESC_CHARS = 10, 15
_ASPECT = (1.3, 2.25)
_TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}")
Fields = dict[str, object]
Options = Sequence[tuple[str, str]]
"""(id, text) of each."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a card: a name and a value, which may be a link or a member."""

    keyname: str
    value: str
    url: str = ""
    userid: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """A button that comes back as an event with ``key``."""

    text: str
    key: str
    style: Literal[1, 2, 3, 4] = 1


@dataclass(frozen=True, slots=True)
class Selection:
    """A drop-down list above the buttons; ``options`` are (id, text)."""

    question_key: str
    title: str
    options: tuple[tuple[str, str], ...]
    selected_id: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """What every card may begin with; ``quote`` is the one place for longer words."""

    title: str
    desc: str = ""
    sub_title: str = ""
    quote: str = ""
    rows: Sequence[Row] = ()
    source: str = ""


def button_card(
    *,
    task_id: str,
    title: str,
    buttons: Sequence[Button],
    desc: str = "",
    sub_title: str = "",
    quote: str = "",
    rows: Sequence[Row] = (),
    selection: Selection | None = None,
    source: str = "",
    url: str = "",
) -> Fields:
    """Build a ``button_interaction`` card: one to six buttons, a drop-down above them at will.

    ``url`` opens where the card itself is tapped.
    """
    check(1 <= len(buttons) <= MAX_BUTTONS, f"buttons: 1 to {MAX_BUTTONS}")
    card = _card("button_interaction", Head(title, desc, sub_title, quote, rows, source))
    card["task_id"] = _task(task_id)
    if selection is not None:
        card["button_selection"] = _selection(selection)
    if url:
        card["card_action"] = {"type": 1, "url": _url(url)}
    card["button_list"] = [_button(button) for button in buttons]
    return card


def text_notice(
    *,
    title: str,
    url: str,
    desc: str = "",
    sub_title: str = "",
    quote: str = "",
    rows: Sequence[Row] = (),
    source: str = "",
    emphasis: tuple[str, str] = ("", ""),
) -> Fields:
    """Build a ``text_notice`` card, which opens ``url``; ``emphasis`` is (a figure, its name)."""
    card = _card("text_notice", Head(title, desc, sub_title, quote, rows, source))
    figure, name = emphasis
    if figure:
        check(len(figure) <= _EMPHASIS_CHARS, f"emphasis: at most {_EMPHASIS_CHARS} characters")
        check(len(name) <= _EMPHASIS_DESC_CHARS, "the name of the emphasis is too long")
        card["emphasis_content"] = {"title": figure, "desc": name}
    card["card_action"] = {"type": 1, "url": _url(url)}
    return card


def news_notice(
    *,
    title: str,
    url: str,
    picture: str,
    desc: str = "",
    quote: str = "",
    rows: Sequence[Row] = (),
    paragraphs: Sequence[tuple[str, str]] = (),
    source: str = "",
    aspect: float = 1.3,
) -> Fields:
    """Build a ``news_notice`` card: a picture (width over height 1.3 to 2.25) that opens ``url``.

    ``paragraphs`` are up to four of (title, text).
    """
    check(_ASPECT[0] <= aspect <= _ASPECT[1], "aspect: 1.3 to 2.25")
    check(len(paragraphs) <= MAX_PARAGRAPHS, f"paragraphs: at most {MAX_PARAGRAPHS}")
    check(all(name for name, _ in paragraphs), "paragraph: title is empty")
    card = _card("news_notice", Head(title, desc, "", quote, rows, source))
    card["card_image"] = {"url": _url(picture), "aspect_ratio": aspect}
    if paragraphs:
        card["vertical_content_list"] = [{"title": name, "desc": text} for name, text in paragraphs]
    card["card_action"] = {"type": 1, "url": _url(url)}
    return card


def vote_card(
    *,
    task_id: str,
    title: str,
    question_key: str,
    options: Options,
    submit: Button,
    desc: str = "",
    several: bool = False,
    source: str = "",
) -> Fields:
    """Build a ``vote_interaction`` card: one question with up to 20 answers and a submit button."""
    card = _card("vote_interaction", Head(title, desc, source=source))
    check(bool(question_key), "question_key is empty")
    card["checkbox"] = {
        "question_key": question_key,
        "mode": int(several),
        "option_list": _options(options, MAX_CHOICES, MAX_CHOICE_CHARS),
    }
    return _submitted(card, task_id, submit)


def multiple_card(
    *,
    task_id: str,
    title: str,
    questions: Sequence[Selection],
    submit: Button,
    desc: str = "",
    source: str = "",
) -> Fields:
    """Build a ``multiple_interaction`` card: up to three drop-downs and a submit button."""
    check(1 <= len(questions) <= MAX_SELECTS, f"questions: 1 to {MAX_SELECTS}")
    keys = {question.question_key for question in questions}
    check(len(keys) == len(questions), "a question_key is repeated")
    card = _card("multiple_interaction", Head(title, desc, source=source))
    card["select_list"] = [_selection(question) for question in questions]
    return _submitted(card, task_id, submit)


def with_menu(card: Mapping[str, object], task_id: str, desc: str, items: Options) -> Fields:
    """Return a card with a menu in its upper right corner: one to three of (key, text)."""
    keys = [key for key, _ in items]
    check(1 <= len(items) <= _MENU_ITEMS, f"menu: 1 to {_MENU_ITEMS}")
    check(len(set(keys)) == len(keys), "menu: a key is repeated")
    check(all(1 <= len(key.encode()) <= MAX_KEY_BYTES for key in keys), "menu: bad key")
    check(all(text for _, text in items), "menu: text is empty")
    actions = [{"key": key, "text": text} for key, text in items]
    menu = {"desc": desc, "action_list": actions}
    return {**card, "task_id": _task(task_id), "action_menu": menu}


def replaced(card: Mapping[str, object], words: str) -> Fields:
    """Return a card to put in another's place whose buttons are grey and say ``words``."""
    check(bool(words), "words are empty")
    return {**card, "replace_text": words}


def check(holds: bool, rule: str) -> None:
    """Raise ``ValueError`` with a rule that does not hold."""
    if not holds:
        raise ValueError(rule)


def _card(card_type: str, head: Head) -> Fields:
    check(bool(head.title), "title is empty")
    check(len(head.rows) <= MAX_ROWS, f"rows: at most {MAX_ROWS}")
    check(len(head.sub_title) <= MAX_SUB_TITLE_CHARS, f"sub_title: at most {MAX_SUB_TITLE_CHARS}")
    main_title = {"title": head.title, "desc": head.desc} if head.desc else {"title": head.title}
    card: Fields = {"card_type": card_type, "main_title": main_title}
    if head.source:
        card["source"] = {"desc": head.source}
    if head.quote:
        card["quote_area"] = {"type": 0, "quote_text": head.quote}
    if head.sub_title:
        card["sub_title_text"] = head.sub_title
    if head.rows:
        card["horizontal_content_list"] = [_row(row) for row in head.rows]
    return card


def _submitted(card: Fields, task_id: str, submit: Button) -> Fields:
    pressed = _button(submit)
    card["submit_button"] = {"text": pressed["text"], "key": pressed["key"]}
    card["task_id"] = _task(task_id)
    return card


def _task(task_id: str) -> str:
    check(_TASK_ID.fullmatch(task_id) is not None, "task_id: 1 to 128 of 0-9 A-Z a-z _ - @")
    return task_id


def _row(row: Row) -> Fields:
    check(bool(row.keyname), "row: keyname is empty")
    check(not (row.url and row.userid), "row: give either url or userid")
    found: Fields = {"keyname": row.keyname, "value": row.value}
    if row.url:
        found |= {"type": 1, "url": _url(row.url)}
    if row.userid:
        found |= {"type": 3, "userid": row.userid}
    return found


def _button(button: Button) -> Fields:
    check(1 <= len(button.text) <= MAX_LABEL_CHARS, f"button: 1 to {MAX_LABEL_CHARS} characters")
    check(1 <= len(button.key.encode()) <= MAX_KEY_BYTES, f"key: 1 to {MAX_KEY_BYTES} bytes")
    check(1 <= button.style <= 4, "button style: 1 to 4")
    return {"type": 0, "text": button.text, "style": button.style, "key": button.key}


def _selection(selection: Selection) -> Fields:
    check(bool(selection.question_key), "selection: question_key is empty")
    found: Fields = {
        "question_key": selection.question_key,
        "title": selection.title,
        "option_list": _options(selection.options, MAX_OPTIONS, MAX_LABEL_CHARS),
    }
    if selection.selected_id:
        ids = [option for option, _ in selection.options]
        check(selection.selected_id in ids, "selection: selected_id is not an option")
        found["selected_id"] = selection.selected_id
    return found


def _options(options: Options, most: int, longest: int) -> list[Fields]:
    ids = [option for option, _ in options]
    check(1 <= len(ids) <= most, f"options: 1 to {most}")
    check(len(set(ids)) == len(ids), "an option id is repeated")
    for option, label in options:
        size = len(option.encode())
        check(1 <= size <= MAX_OPTION_ID_BYTES, f"option id: 1 to {MAX_OPTION_ID_BYTES} bytes")
        check(1 <= len(label) <= longest, f"option: 1 to {longest} characters")
    return [{"id": option, "text": label} for option, label in options]


def _url(url: str) -> str:
    check(url.startswith(("http://", "https://")), "url: must start with http:// or https://")
    check(len(url.encode()) <= MAX_URL_BYTES, f"url: at most {MAX_URL_BYTES} bytes")
    return url
