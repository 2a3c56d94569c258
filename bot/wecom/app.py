"""自建应用: messages and cards to the bank's own members."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.wecom.client import WeComClient
from bot.wecom.fields import text

Card = Mapping[str, object]

MAX_TEXT_BYTES = 2048
MAX_USERS = 1000
MAX_DEDUPE_S = 14_400
DEDUPE_S = 1800

MAX_ROWS = 6
MAX_BUTTONS = 6
MAX_OPTIONS = 10
MAX_LABEL_CHARS = 10
MAX_SUB_TITLE_CHARS = 112
MAX_KEY_BYTES = 1024
MAX_OPTION_ID_BYTES = 128
MAX_URL_BYTES = 2048
_TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}")


@dataclass(frozen=True, slots=True)
class SentCard:
    """An accepted message; ``response_code`` ("" if none) updates the card once, for 72 hours."""

    msgid: str
    response_code: str
    invaliduser: tuple[str, ...] = ()


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


class AppApi:
    """The message interfaces of one application; raises as ``WeComClient`` does."""

    def __init__(self, client: WeComClient, agent_id: int) -> None:
        self._client = client
        self._agent_id = agent_id

    async def send_text(
        self, userids: Sequence[str], content: str, *, dedupe_s: int = DEDUPE_S
    ) -> SentCard:
        """Send text (at most 2,048 bytes) to members.

        The same text to the same members within ``dedupe_s`` seconds (0 = no check) is folded
        into one, so that sending again after a crash is harmless.
        """
        _check(len(content.encode()) <= MAX_TEXT_BYTES, f"text: at most {MAX_TEXT_BYTES} bytes")
        _check(bool(content), "text is empty")
        return await self._send(userids, "text", {"content": content}, dedupe_s)

    async def send_card(
        self, userids: Sequence[str], card: Card, *, dedupe_s: int = DEDUPE_S
    ) -> SentCard:
        """Send a template card to members; the same card within ``dedupe_s`` is folded into one."""
        return await self._send(userids, "template_card", card, dedupe_s)

    async def update_card(
        self,
        response_code: str,
        userids: Sequence[str],
        *,
        replace_name: str = "",
        card: Card | None = None,
    ) -> None:
        """Change a card the members have: grey its buttons under a new name, or replace it whole.

        Every response_code works once, within 72 hours (60140); a click brings a new one.
        """
        _check(bool(replace_name) != (card is not None), "give either replace_name or card")
        body: dict[str, object] = {
            "userids": _users(userids),
            "agentid": self._agent_id,
            "response_code": response_code,
        }
        if card is None:
            body["button"] = {"replace_name": replace_name}
        else:
            body["template_card"] = dict(card)
        await self._client.post("message/update_template_card", body)

    async def _send(
        self, userids: Sequence[str], msgtype: str, payload: Card, dedupe_s: int
    ) -> SentCard:
        _check(0 <= dedupe_s <= MAX_DEDUPE_S, f"dedupe_s: 0 to {MAX_DEDUPE_S} seconds")
        body: dict[str, object] = {
            "touser": "|".join(_users(userids)),
            "msgtype": msgtype,
            "agentid": self._agent_id,
            msgtype: dict(payload),
        }
        if dedupe_s:
            body["enable_duplicate_check"] = 1
            body["duplicate_check_interval"] = dedupe_s
        answer = await self._client.post("message/send", body)
        invalid = text(answer, "invaliduser").split("|")
        return SentCard(
            msgid=text(answer, "msgid"),
            response_code=text(answer, "response_code"),
            invaliduser=tuple(userid for userid in invalid if userid),
        )


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
) -> dict[str, object]:
    """Build a ``button_interaction`` card; raise ``ValueError`` for what WeCom would refuse.

    ``task_id`` must be new for each card. Title and desc are best kept to 26 and 30 characters;
    ``quote`` is the one place for longer words.
    """
    _check(_TASK_ID.fullmatch(task_id) is not None, "task_id: 1 to 128 of 0-9 A-Z a-z _ - @")
    _check(1 <= len(buttons) <= MAX_BUTTONS, f"buttons: 1 to {MAX_BUTTONS}")
    card = _card("button_interaction", title, desc, sub_title, rows, source)
    card["task_id"] = task_id
    if quote:
        card["quote_area"] = {"type": 0, "quote_text": quote}
    if selection is not None:
        card["button_selection"] = _selection(selection)
    card["button_list"] = [_button(button) for button in buttons]
    return card


def text_notice(
    *,
    title: str,
    url: str,
    desc: str = "",
    sub_title: str = "",
    rows: Sequence[Row] = (),
    source: str = "",
) -> dict[str, object]:
    """Build a ``text_notice`` card, which opens ``url``; raise ``ValueError`` as above."""
    card = _card("text_notice", title, desc, sub_title, rows, source)
    card["card_action"] = {"type": 1, "url": _url(url)}
    return card


def _card(
    card_type: str, title: str, desc: str, sub_title: str, rows: Sequence[Row], source: str
) -> dict[str, object]:
    _check(bool(title), "title is empty")
    _check(len(rows) <= MAX_ROWS, f"rows: at most {MAX_ROWS}")
    _check(len(sub_title) <= MAX_SUB_TITLE_CHARS, f"sub_title: at most {MAX_SUB_TITLE_CHARS}")
    main_title = {"title": title, "desc": desc} if desc else {"title": title}
    card: dict[str, object] = {"card_type": card_type, "main_title": main_title}
    if source:
        card["source"] = {"desc": source}
    if sub_title:
        card["sub_title_text"] = sub_title
    if rows:
        card["horizontal_content_list"] = [_row(row) for row in rows]
    return card


def _row(row: Row) -> dict[str, object]:
    _check(bool(row.keyname), "row: keyname is empty")
    _check(not (row.url and row.userid), "row: give either url or userid")
    found: dict[str, object] = {"keyname": row.keyname, "value": row.value}
    if row.url:
        found |= {"type": 1, "url": _url(row.url)}
    if row.userid:
        found |= {"type": 3, "userid": row.userid}
    return found


def _button(button: Button) -> dict[str, object]:
    _check(1 <= len(button.text) <= MAX_LABEL_CHARS, f"button: 1 to {MAX_LABEL_CHARS} characters")
    _check(1 <= len(button.key.encode()) <= MAX_KEY_BYTES, f"key: 1 to {MAX_KEY_BYTES} bytes")
    _check(1 <= button.style <= 4, "button style: 1 to 4")
    return {"type": 0, "text": button.text, "style": button.style, "key": button.key}


def _selection(selection: Selection) -> dict[str, object]:
    ids = [option for option, _ in selection.options]
    _check(bool(selection.question_key), "selection: question_key is empty")
    _check(1 <= len(ids) <= MAX_OPTIONS, f"selection: 1 to {MAX_OPTIONS} options")
    _check(len(set(ids)) == len(ids), "selection: an option id is repeated")
    for option, label in selection.options:
        size = len(option.encode())
        _check(1 <= size <= MAX_OPTION_ID_BYTES, f"option id: 1 to {MAX_OPTION_ID_BYTES} bytes")
        _check(1 <= len(label) <= MAX_LABEL_CHARS, f"option: 1 to {MAX_LABEL_CHARS} characters")
    found: dict[str, object] = {
        "question_key": selection.question_key,
        "title": selection.title,
        "option_list": [{"id": option, "text": label} for option, label in selection.options],
    }
    if selection.selected_id:
        _check(selection.selected_id in ids, "selection: selected_id is not an option")
        found["selected_id"] = selection.selected_id
    return found


def _url(url: str) -> str:
    _check(url.startswith(("http://", "https://")), "url: must start with http:// or https://")
    _check(len(url.encode()) <= MAX_URL_BYTES, f"url: at most {MAX_URL_BYTES} bytes")
    return url


def _users(userids: Sequence[str]) -> list[str]:
    _check(1 <= len(userids) <= MAX_USERS, f"userids: 1 to {MAX_USERS}")
    _check(not any("|" in userid or userid in ("", "@all") for userid in userids), "bad userid")
    return list(userids)


def _check(holds: bool, rule: str) -> None:
    if not holds:
        raise ValueError(rule)
