"""Join ways (加入群聊) as they are kept: a code, its groups, and what it says of whence."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.emulator.wire import ApiError

CONFIG_INVALID = 41044


@dataclass(frozen=True)
class JoinWay:
    """One code; who comes by it has its ``state`` and join scene 3 in the group's list."""

    config_id: str
    scene: int
    chat_ids: tuple[str, ...]
    remark: str = ""
    auto_create_room: bool = True
    room_base_name: str = ""
    room_base_id: int = 1
    state: str = ""
    mark_source: bool = True

    def as_json(self) -> dict[str, object]:
        """Return the fields of ``get_join_way``."""
        return {
            "config_id": self.config_id,
            "scene": self.scene,
            "remark": self.remark,
            "auto_create_room": int(self.auto_create_room),
            "room_base_name": self.room_base_name,
            "room_base_id": self.room_base_id,
            "chat_id_list": list(self.chat_ids),
            "qr_code": f"https://p.qpic.cn/wwhead/{self.config_id}/0",
            "state": self.state,
            "mark_source": self.mark_source,
        }


@dataclass
class JoinWays:
    """The join ways by config_id."""

    ways: dict[str, JoinWay] = field(default_factory=dict)

    def need(self, config_id: str) -> JoinWay:
        """Return a join way or refuse with 41044."""
        way = self.ways.get(config_id)
        if way is None:
            raise ApiError(CONFIG_INVALID, config_id)
        return way
