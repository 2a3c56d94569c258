"""渠道活码 and 入群活码: codes that lead a customer to members, or into a group (§5.3, §5.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.wecom.client import WeComClient
from bot.wecom.fields import number, record, strings, text
from bot.wecom.paging import pages

MAX_USERS = 100
MAX_GROUPS = 5
_SINGLE, _MULTI = 1, 2
_QR_CODE = 2
_WAYS_A_PAGE = 1000


@dataclass(frozen=True, slots=True)
class ContactWay:
    """A code that leads to members; ``state`` comes back with each customer who used it."""

    config_id: str
    state: str
    remark: str
    skip_verify: bool
    user: tuple[str, ...]
    qr_code: str


@dataclass(frozen=True, slots=True)
class JoinWay:
    """A code that leads into one of up to five groups, and into new ones where they are full."""

    config_id: str
    state: str
    remark: str
    auto_create_room: bool
    room_base_name: str
    room_base_id: int
    chat_id_list: tuple[str, ...]
    qr_code: str


class WayApi:
    """The contact way and join way interfaces; raises as ``WeComClient`` does."""

    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def add_contact_way(
        self, state: str, users: Sequence[str], remark: str, *, skip_verify: bool
    ) -> tuple[str, str]:
        """Make a code and return its config_id and the address of its picture."""
        body = {
            "type": _SINGLE if len(users) == 1 else _MULTI,
            "scene": _QR_CODE,
            "remark": remark,
            "skip_verify": skip_verify,
            "state": state,
            "user": list(users),
        }
        answer = await self._client.post("externalcontact/add_contact_way", body)
        return text(answer, "config_id"), text(answer, "qr_code")

    async def get_contact_way(self, config_id: str) -> ContactWay:
        """Return a code as WeCom has it; 41044 where it is gone."""
        answer = await self._client.post(
            "externalcontact/get_contact_way", {"config_id": config_id}
        )
        return _contact_way(record(answer, "contact_way"))

    async def update_contact_way(
        self, config_id: str, state: str, users: Sequence[str], remark: str, *, skip_verify: bool
    ) -> None:
        """Give a code other members, another remark or state; its picture stays."""
        body = {
            "config_id": config_id,
            "remark": remark,
            "skip_verify": skip_verify,
            "state": state,
            "user": list(users),
        }
        await self._client.post("externalcontact/update_contact_way", body)

    async def list_contact_way(self, since: datetime, until: datetime) -> list[str]:
        """Return the config_ids of the codes made in a span of at most 90 days."""
        body: dict[str, object] = {
            "start_time": int(since.timestamp()),
            "end_time": int(until.timestamp()),
            "limit": _WAYS_A_PAGE,
        }
        items = pages(self._client, "externalcontact/list_contact_way", body, "contact_way")
        return [text(item, "config_id") async for item in items]

    async def add_join_way(self, way: JoinWay) -> str:
        """Make a code into groups and return its config_id; there is no list of such codes."""
        answer = await self._client.post("externalcontact/groupchat/add_join_way", _join_body(way))
        return text(answer, "config_id")

    async def get_join_way(self, config_id: str) -> JoinWay:
        """Return a code into groups as WeCom has it."""
        answer = await self._client.post(
            "externalcontact/groupchat/get_join_way", {"config_id": config_id}
        )
        return _join_way(record(answer, "join_way"))

    async def update_join_way(self, way: JoinWay) -> None:
        """Overwrite a code into groups as a whole; its picture stays."""
        body = {"config_id": way.config_id, **_join_body(way)}
        await self._client.post("externalcontact/groupchat/update_join_way", body)


def _join_body(way: JoinWay) -> dict[str, object]:
    body: dict[str, object] = {
        "scene": _QR_CODE,
        "remark": way.remark,
        "auto_create_room": int(way.auto_create_room),
        "chat_id_list": list(way.chat_id_list),
        "state": way.state,
    }
    if way.auto_create_room and way.room_base_name:
        body |= {"room_base_name": way.room_base_name, "room_base_id": way.room_base_id}
    return body


def _contact_way(item: Mapping[str, object]) -> ContactWay:
    return ContactWay(
        config_id=text(item, "config_id"),
        state=text(item, "state"),
        remark=text(item, "remark"),
        skip_verify=bool(item.get("skip_verify")),
        user=strings(item, "user"),
        qr_code=text(item, "qr_code"),
    )


def _join_way(item: Mapping[str, object]) -> JoinWay:
    return JoinWay(
        config_id=text(item, "config_id"),
        state=text(item, "state"),
        remark=text(item, "remark"),
        auto_create_room=bool(number(item, "auto_create_room")),
        room_base_name=text(item, "room_base_name"),
        room_base_id=number(item, "room_base_id"),
        chat_id_list=strings(item, "chat_id_list"),
        qr_code=text(item, "qr_code"),
    )
