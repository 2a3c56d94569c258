"""在职继承 and 离职继承: what WeCom says of each customer and group that is handed on (§5.10)."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.ids import CustomerId, RmId
from bot.errors import WeComError
from bot.wecom.errcodes import as_channel_error, hint_for
from bot.wecom.transfers import TransferApi

_UNDER_WAY = frozenset({40100, 40129, 90507})  # it was asked for before, and goes on
_HAS_IT = frozenset({40130, 90504, 90508})  # the taker has it already
_LIMITS = frozenset({40128, 40099})
_ENOUGH_TODAY = 45009  # of one group: its taker has had 300 today
_LEFT = 90502
_STATES = {1: "done", 2: "waiting", 3: "refused", 4: "limit"}
Verdict = tuple[str, str]
"""A state of a transfer and its reason."""


class Inheritance:
    """Hands customers and groups on; raises ``ChannelError`` as channels do."""

    def __init__(self, api: TransferApi) -> None:
        self._api = api

    async def unassigned(self, giver: RmId) -> Sequence[CustomerId]:
        """Return the customers of a member who has left; none where he has not."""
        try:
            found = await self._api.get_unassigned_list()
        except WeComError as error:
            raise as_channel_error(error) from error
        return [CustomerId(one.external_userid) for one in found if one.handover_userid == giver]

    async def ask(
        self,
        giver: str,
        taker: str,
        customers: Sequence[str],
        *,
        resigned: bool,
        words: str,
    ) -> dict[str, Verdict]:
        """Ask customers over (at most 100); say of each whether it waits, or why it does not."""
        try:
            codes = await self._api.transfer_customer(
                giver, taker, customers, resigned=resigned, words=words
            )
        except WeComError as error:
            raise as_channel_error(error) from error
        missing = "not_answered"
        return {
            one: _verdict(codes[one]) if one in codes else ("failed", missing) for one in customers
        }

    async def hand_over(
        self, chats: Sequence[str], taker: str, *, resigned: bool
    ) -> dict[str, Verdict]:
        """Give groups (at most 100) another owner; of one who left it takes effect in a while.

        "resigned" is said of groups whose owner turns out to have left.
        """
        try:
            failed = await self._api.transfer_groups(chats, taker, resigned=resigned)
        except WeComError as error:
            raise as_channel_error(error) from error
        taken = ("waiting" if resigned else "done", "")
        return {chat: _verdict(failed[chat]) if chat in failed else taken for chat in chats}

    async def outcomes(self, giver: str, taker: str, *, resigned: bool) -> dict[str, str]:
        """Return what became of every customer who was asked from one member to the other."""
        try:
            found = await self._api.transfer_result(giver, taker, resigned=resigned)
        except WeComError as error:
            raise as_channel_error(error) from error
        return {one.external_userid: _STATES.get(one.status, "waiting") for one in found}


def _verdict(errcode: int) -> Verdict:
    if errcode == 0 or errcode in _UNDER_WAY:
        return "waiting", ""
    if errcode in _HAS_IT:
        return "done", ""
    if errcode == _LEFT:
        return "resigned", ""
    if errcode == _ENOUGH_TODAY:
        return "planned", f"wecom_{errcode}"
    if errcode in _LIMITS:
        return "limit", f"wecom_{errcode}"
    return "failed", f"wecom_{errcode} {hint_for(errcode)}".strip()
