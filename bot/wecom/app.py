"""自建应用: messages and cards to the bank's own members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.wecom.cards import Button as Button
from bot.wecom.cards import Row as Row
from bot.wecom.cards import Selection as Selection
from bot.wecom.cards import button_card as button_card
from bot.wecom.cards import check
from bot.wecom.cards import text_notice as text_notice
from bot.wecom.client import WeComClient
from bot.wecom.fields import text

Card = Mapping[str, object]

MAX_TEXT_BYTES = 2048
MAX_USERS = 1000
MAX_DEDUPE_S = 14_400
DEDUPE_S = 1800


@dataclass(frozen=True, slots=True)
class SentCard:
    """An accepted message; ``response_code`` ("" if none) updates the card once, for 72 hours."""

    msgid: str
    response_code: str
    invaliduser: tuple[str, ...] = ()


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
        check(len(content.encode()) <= MAX_TEXT_BYTES, f"text: at most {MAX_TEXT_BYTES} bytes")
        check(bool(content), "text is empty")
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
        check(bool(replace_name) != (card is not None), "give either replace_name or card")
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
        check(0 <= dedupe_s <= MAX_DEDUPE_S, f"dedupe_s: 0 to {MAX_DEDUPE_S} seconds")
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


def _users(userids: Sequence[str]) -> list[str]:
    check(1 <= len(userids) <= MAX_USERS, f"userids: 1 to {MAX_USERS}")
    check(not any("|" in userid or userid in ("", "@all") for userid in userids), "bad userid")
    return list(userids)
