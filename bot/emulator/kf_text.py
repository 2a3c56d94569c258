"""What a person reads in a kf message of each type, in one line of plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bot.emulator.wire import ApiError

if TYPE_CHECKING:
    from bot.emulator.kf_state import Line

_LABELS = {
    "image": "[图片]",
    "voice": "[语音]",
    "video": "[视频]",
    "file": "[文件]",
    "location": "[位置]",
    "business_card": "[名片]",
    "miniprogram": "[小程序]",
    "link": "[链接]",
    "ca_link": "[获客链接]",
}


def plain_text(msgtype: str, payload: Mapping[str, object]) -> str:
    """Return the words of a message, or a label with its title."""
    if msgtype == "text":
        return str(payload.get("content", ""))
    if msgtype == "msgmenu":
        return "\n".join(part for part in _menu_parts(payload) if part)
    label = _LABELS.get(msgtype, f"[{msgtype}]")
    title = payload.get("title") or payload.get("name") or payload.get("link_url") or ""
    return f"{label}{title}"


def _menu_parts(payload: Mapping[str, object]) -> list[str]:
    items = payload.get("list", [])
    parts = [str(payload.get("head_content", ""))]
    for item in items if isinstance(items, list) else []:
        inner = item.get(item.get("type"), {})
        parts.append(str(inner.get("content", "")))
    parts.append(str(payload.get("tail_content", "")))
    return parts


def clicked(lines: Sequence[Line], item_id: str) -> str:
    """Return the words of a click item in the newest menu that has it."""
    for line in reversed(lines):
        items = line.content.get("list", []) if line.msgtype == "msgmenu" else []
        for item in items if isinstance(items, list) else []:
            click = item.get("click", {})
            if item.get("type") == "click" and click.get("id") == item_id:
                return str(click["content"])
    raise ApiError(40058, "no such menu item")
