"""Template cards: which fields each type needs, and WeCom's code for each thing wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from bot.emulator.wire import ApiError, Call

INTERACTIVE = frozenset({"button_interaction", "vote_interaction", "multiple_interaction"})
_NOTICES = frozenset({"text_notice", "news_notice"})
_TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}")
_KEY_BYTES = 1024
_URL, _MINIPROGRAM, _MEMBER = 1, 2, 3
_ASK_BOT, _QUESTION_BYTES = 3, 200
_EMPHASIS_CHARS, _EMPHASIS_DESC_CHARS, _SUB_TITLE_CHARS = 10, 15, 112
_LABEL_CHARS, _VOTE_CHARS = 10, 11
_ASPECT = 1.3, 2.25


def check_card(card: Call, *, ask_bot: bool = False) -> None:
    """Refuse a card that WeCom would refuse, with its code; only an AI bot's may ask the bot."""
    kind = card.text("card_type", code=42031)
    if kind not in INTERACTIVE | _NOTICES:
        raise ApiError(42031)
    _title(card, kind)
    _action_menu(card)
    _lists(card, ask_bot)
    _card_action(card, kind)
    _task_id(card, kind)
    check = _BODIES.get(kind)
    if check is not None:
        check(card)


def has_response_code(card: Call) -> bool:
    """Tell whether sending this card yields a response code to update it by."""
    return card.text("card_type") in INTERACTIVE or "action_menu" in card.body


def buttons(card: Call) -> dict[str, str]:
    """Return the keys that can be pressed, with the words on them."""
    pairs = {
        button.text("key"): button.text("text")
        for button in _each(card, "button_list")
        if button.integer("type", 0) == 0
    }
    submit = card.inside("submit_button", required=False)
    if submit.body:
        pairs[submit.text("key")] = submit.text("text")
    return pairs


def menu_actions(card: Call) -> dict[str, str]:
    """Return the keys of the menu in the card's upper right corner, with their words."""
    menu = card.inside("action_menu", required=False)
    return {item.text("key"): item.text("text") for item in _each(menu, "action_list")}


def card_text(card: Call) -> str:
    """Return the words of a card, top to bottom, one a line."""
    return "\n".join(part for part in _words(card) if part)


def _words(card: Call) -> Iterator[str]:
    yield card.inside("source", required=False).text("desc", required=False)
    for key in ("main_title", "emphasis_content", "quote_area"):
        area = card.inside(key, required=False)
        yield area.text("title", required=False)
        yield area.text("desc", required=False)
        yield area.text("quote_text", required=False)
    yield card.text("sub_title_text", required=False)
    for row in _each(card, "horizontal_content_list"):
        yield f"{row.text('keyname', required=False)}：{row.text('value', required=False)}"
    for row in _each(card, "vertical_content_list"):
        yield row.text("title", required=False)
        yield row.text("desc", required=False)


def _each(card: Call, key: str) -> list[Call]:
    return [card.of(item) for item in card.objects(key)]


def _title(card: Call, kind: str) -> None:
    title = card.inside("main_title", required=False).text("title", required=False)
    if kind == "text_notice":
        title = title or card.text("sub_title_text", required=False)
    if not title:
        raise ApiError(42033)


def _action_menu(card: Call) -> None:
    menu = card.inside("action_menu", required=False)
    if not menu.body:
        return
    items = menu.objects("action_list", required=True)
    if len(items) > 3:
        raise ApiError(40058, "action_list must have 1 to 3 items")
    keys = [menu.of(item).text("key", max_bytes=_KEY_BYTES) for item in items]
    if len(set(keys)) != len(keys):
        raise ApiError(42051)


def _lists(card: Call, ask_bot: bool) -> None:
    for row in map(card.of, card.objects("horizontal_content_list", 6, code=42035)):
        row.text("keyname", code=42027)
        kind = row.integer("type", 0, low=0, high=3)
        if kind == _URL:
            row.text("url", code=42028)
        elif kind == 2:
            row.text("media_id", code=42029)
        elif kind == _MEMBER:
            row.text("userid", code=42050)
    for row in map(card.of, card.objects("vertical_content_list", 4, code=42036)):
        row.text("title", code=42033)
    for row in map(card.of, card.objects("jump_list", 3, code=42042)):
        row.text("title", code=42033)
        kind = row.integer("type", 0, low=0, high=_ASK_BOT if ask_bot else _MINIPROGRAM)
        if kind == _ASK_BOT:
            row.text("question", max_bytes=_QUESTION_BYTES)
        _target(row, kind)
    emphasis = card.inside("emphasis_content", required=False)
    emphasis.short("title", _EMPHASIS_CHARS)
    emphasis.short("desc", _EMPHASIS_DESC_CHARS)
    card.short("sub_title_text", _SUB_TITLE_CHARS)
    quote = card.inside("quote_area", required=False)
    _target(quote, quote.integer("type", 0, low=0, high=2))


def _target(area: Call, kind: int) -> None:
    if kind == _URL:
        area.text("url", code=42028)
    elif kind == _MINIPROGRAM:
        area.text("appid", code=42030)


def _card_action(card: Call, kind: str) -> None:
    action = card.inside("card_action", required=kind in _NOTICES, code=42045)
    if not action.body and kind not in _NOTICES:
        return
    low = 1 if kind in _NOTICES else 0
    _target(action, action.integer("type", low=low, high=2, code=42045))


def _task_id(card: Call, kind: str) -> None:
    needed = kind in INTERACTIVE or "action_menu" in card.body
    task_id = card.text("task_id", required=needed)
    if task_id and not _TASK_ID.fullmatch(task_id):
        raise ApiError(40058, "task_id must be at most 128 of 0-9 A-Z a-z _ - @")


def _options(area: Call, most: int, longest: int = _LABEL_CHARS) -> None:
    options = area.objects("option_list", most, required=True, code=42037)
    ids = []
    for option in map(area.of, options):
        ids.append(option.text("id", max_bytes=128, code=42040))
        option.short("text", longest, required=True, code=42041)
    if len(set(ids)) != len(ids):
        raise ApiError(42040, "an option id is there twice")


def _button_interaction(card: Call) -> None:
    for button in map(card.of, card.objects("button_list", 6, required=True)):
        button.short("text", _LABEL_CHARS, required=True, code=42038)
        button.integer("style", 1, low=1, high=4)
        if button.integer("type", 0, low=0, high=1) == 0:
            button.text("key", max_bytes=_KEY_BYTES, code=42039)
        else:
            button.text("url", code=42028)
    selection = card.inside("button_selection", required=False)
    if selection.body:
        selection.text("question_key", code=42043)
        _options(selection, 10)


def _submit(card: Call) -> None:
    submit = card.inside("submit_button", code=42049)
    submit.short("text", _LABEL_CHARS, required=True, code=42049)
    submit.text("key", max_bytes=_KEY_BYTES, code=42046)


def _vote(card: Call) -> None:
    box = card.inside("checkbox", code=42043)
    box.text("question_key", code=42043)
    box.integer("mode", 0, low=0, high=1)
    _options(box, 20, _VOTE_CHARS)
    _submit(card)


def _multiple(card: Call) -> None:
    for question in map(card.of, card.objects("select_list", 3, required=True, code=42047)):
        question.text("question_key", code=42043)
        _options(question, 10)
    _submit(card)


def _news(card: Call) -> None:
    image = card.inside("card_image", required=False)
    area = card.inside("image_text_area", required=False)
    if image.body:
        image.text("url", code=42044)
        ratio = image.body.get("aspect_ratio", _ASPECT[0])
        if not isinstance(ratio, (int, float)) or not _ASPECT[0] <= ratio <= _ASPECT[1]:
            raise ApiError(40058, "aspect_ratio must be 1.3 to 2.25")
    elif area.body:
        area.text("image_url", code=42044)
    else:
        raise ApiError(42044)


_BODIES: dict[str, Callable[[Call], None]] = {
    "button_interaction": _button_interaction,
    "vote_interaction": _vote,
    "multiple_interaction": _multiple,
    "news_notice": _news,
}
