"""渠道活码 and 入群活码 in WeCom, as the file wants them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.ways import WantedWay
from bot.errors import WeComError
from bot.wecom.errcodes import as_channel_error
from bot.wecom.ways import JoinWay, WayApi

_GONE = frozenset({41044, 40058})  # of a config_id that was given out once: it was deleted
_CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class FoundWay:
    """A code that is in WeCom; ``as_wanted`` tells whether anything has to be changed."""

    config_id: str
    link: str
    as_wanted: bool


class WeComWays:
    """Makes, changes and finds codes; raises ``ChannelError`` as channels do."""

    def __init__(self, api: WayApi) -> None:
        self._api = api

    async def make(self, way: WantedWay) -> tuple[str, str]:
        """Make a code and return its config_id, with the address of its picture if told."""
        try:
            if way.kind == "contact":
                return await self._api.add_contact_way(
                    way.state, way.targets, way.remark, skip_verify=way.skip_verify
                )
            return await self._api.add_join_way(_join(way)), ""
        except WeComError as error:
            raise as_channel_error(error) from error

    async def change(self, config_id: str, way: WantedWay) -> None:
        """Make a code lead where it should; its picture stays the same."""
        try:
            if way.kind == "contact":
                await self._api.update_contact_way(
                    config_id, way.state, way.targets, way.remark, skip_verify=way.skip_verify
                )
            else:
                await self._api.update_join_way(_join(way, config_id))
        except WeComError as error:
            raise as_channel_error(error) from error

    async def look(self, config_id: str, way: WantedWay) -> FoundWay | None:
        """Return a code as WeCom has it; None where somebody deleted it."""
        try:
            if way.kind == "contact":
                found = await self._api.get_contact_way(config_id)
                # WeCom lists the users of a code in an order of its own.
                same = (found.state, found.remark, found.skip_verify, sorted(found.user)) == (
                    way.state,
                    way.remark,
                    way.skip_verify,
                    sorted(way.targets),
                )
                return FoundWay(config_id, found.qr_code, same)
            room = await self._api.get_join_way(config_id)
        except WeComError as error:
            if error.errcode in _GONE:
                return None
            raise as_channel_error(error) from error
        return FoundWay(config_id, room.qr_code, _same_room(room, _join(way, config_id)))

    async def made_since(self, begun_at: datetime, now: datetime, way: WantedWay) -> str | None:
        """Return the config_id of a code with this state that was made in a span of time.

        For codes into groups WeCom has no list: what became of one cannot be found out.
        """
        if way.kind == "join":
            return None
        since, until = begun_at - _CLOCKS_APART, now + _CLOCKS_APART
        try:
            for config_id in await self._api.list_contact_way(since, until):
                if (await self._api.get_contact_way(config_id)).state == way.state:
                    return config_id
        except WeComError as error:
            raise as_channel_error(error) from error
        return None


def _join(way: WantedWay, config_id: str = "") -> JoinWay:
    return JoinWay(
        config_id=config_id,
        state=way.state,
        remark=way.remark,
        auto_create_room=way.auto_create,
        room_base_name=way.room_name,
        room_base_id=way.room_number,
        chat_id_list=way.targets,
        qr_code="",
    )


def _same_room(found: JoinWay, wanted: JoinWay) -> bool:
    same = (found.state, found.remark, found.auto_create_room, sorted(found.chat_id_list)) == (
        wanted.state,
        wanted.remark,
        wanted.auto_create_room,
        sorted(wanted.chat_id_list),
    )
    names = wanted.auto_create_room and wanted.room_base_name
    return same and (not names or found.room_base_name == wanted.room_base_name)
