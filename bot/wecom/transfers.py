"""在职继承 and 离职继承: customers and groups that go to another member (wecom_protocol §5.10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.wecom.client import WeComClient
from bot.wecom.fields import number, records, text
from bot.wecom.paging import pages

MAX_CUSTOMERS = 100
_UNASSIGNED_A_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A customer of a member who has left."""

    handover_userid: str
    external_userid: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one customer: 1 done, 2 waiting, 3 refused, 4 the taker is full."""

    external_userid: str
    status: int


class TransferApi:
    """The transfer interfaces; raises as ``WeComClient`` does."""

    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def get_unassigned_list(self) -> list[Unassigned]:
        """Return the customers whose member has left and whom nobody has taken over."""
        body: dict[str, object] = {"page_size": _UNASSIGNED_A_PAGE}
        items = pages(self._client, "externalcontact/get_unassigned_list", body, "info")
        return [
            Unassigned(text(item, "handover_userid"), text(item, "external_userid"))
            async for item in items
        ]

    async def transfer_customer(
        self,
        giver: str,
        taker: str,
        customers: Sequence[str],
        *,
        resigned: bool,
        words: str = "",
    ) -> dict[str, int]:
        """Ask at most 100 customers over; return each one's errcode, 0 where it has begun.

        ``words`` (at most 200 characters) are what a customer reads; WeCom has its own without.
        """
        body: dict[str, object] = {
            "handover_userid": giver,
            "takeover_userid": taker,
            "external_userid": list(customers),
        }
        if words and not resigned:
            body["transfer_success_msg"] = words
        answer = await self._client.post(f"{_branch(resigned)}transfer_customer", body)
        return {
            text(item, "external_userid"): number(item, "errcode")
            for item in records(answer, "customer")
        }

    async def transfer_result(self, giver: str, taker: str, *, resigned: bool) -> list[Outcome]:
        """Return what became of every customer who was asked from one member to the other."""
        body: dict[str, object] = {"handover_userid": giver, "takeover_userid": taker}
        items = pages(self._client, f"{_branch(resigned)}transfer_result", body, "customer")
        return [
            Outcome(text(item, "external_userid"), number(item, "status")) async for item in items
        ]

    async def transfer_groups(
        self, chats: Sequence[str], taker: str, *, resigned: bool
    ) -> dict[str, int]:
        """Give at most 100 groups another owner; return the errcode of each that was refused."""
        call = "transfer" if resigned else "onjob_transfer"
        body = {"chat_id_list": list(chats), "new_owner": taker}
        answer = await self._client.post(f"externalcontact/groupchat/{call}", body)
        return {
            text(item, "chat_id"): number(item, "errcode")
            for item in records(answer, "failed_chat_list")
        }


def _branch(resigned: bool) -> str:
    return "externalcontact/resigned/" if resigned else "externalcontact/"
