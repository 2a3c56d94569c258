"""One callback of 客户联系 → one event (wecom_protocol §5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.events import Arrival, CustomerChanged, GroupChanged, TagsChanged
from bot.domain.ids import digest

_CUSTOMER_CHANGES: dict[str, dict[str, Any]] = {
    "add_external_contact": {"change": "added"},
    "add_half_external_contact": {"change": "added", "half": True},
    "edit_external_contact": {"change": "edited"},
    "del_external_contact": {"change": "lost", "by": "manager"},
    "del_follow_user": {"change": "lost", "by": "customer"},
    "transfer_fail": {"change": "transfer_failed"},
    "msg_audit_approved": {"change": "agreed"},
}
_HANDED_ON = "DELETE_BY_TRANSFER"
_GROUP_CHANGES = {"create": "created", "update": "updated", "dismiss": "dismissed"}
_TAG_CHANGES = frozenset({"create", "update", "delete", "shuffle"})
_NOT_THE_NEWS = frozenset({"ToUserName", "AgentID"})


def read_change(fields: Mapping[str, Any]) -> Arrival | None:
    """Return the event of a callback; None for what we do not know."""
    match fields.get("Event"):
        case "change_external_contact":
            return _customer(fields)
        case "change_external_chat":
            return _group(fields)
        case "change_external_tag":
            return _tags(fields)
        case _:
            return None


def _customer(fields: Mapping[str, Any]) -> Arrival | None:
    known = _CUSTOMER_CHANGES.get(_text(fields, "ChangeType"))
    customer, manager = _text(fields, "ExternalUserID"), _text(fields, "UserID")
    if known is None or not customer:
        return None
    if known["change"] == "lost" and _text(fields, "Source") == _HANDED_ON:
        known = {"change": "handed_on"}
    event = CustomerChanged.model_validate(
        {
            **known,
            "customer": customer,
            "manager": manager,
            "state": _text(fields, "State"),
            "welcome_code": _text(fields, "WelcomeCode"),
            "reason": _text(fields, "FailReason"),
            "at": _moment(fields),
        }
    )
    return Arrival(key=_key(fields), lane=f"customer:{customer}", event=event)


def _group(fields: Mapping[str, Any]) -> Arrival | None:
    change, chat = _GROUP_CHANGES.get(_text(fields, "ChangeType")), _text(fields, "ChatId")
    if change is None or not chat:
        return None
    event = GroupChanged.model_validate(
        {
            "change": change,
            "chat": chat,
            "detail": _text(fields, "UpdateDetail"),
            "members": _members(fields.get("MemChangeList")),
            "last_version": _text(fields, "LastMemVer"),
            "version": _text(fields, "CurMemVer"),
            "at": _moment(fields),
        }
    )
    return Arrival(key=_key(fields), lane=f"group:{chat}", event=event)


def _tags(fields: Mapping[str, Any]) -> Arrival | None:
    change, of = _text(fields, "ChangeType"), _text(fields, "TagType")
    if change not in _TAG_CHANGES:
        return None
    event = TagsChanged.model_validate(
        {
            "change": change,
            "id": _text(fields, "Id"),
            "of": of if of in ("tag", "tag_group") else "",
            "at": _moment(fields),
        }
    )
    return Arrival(key=_key(fields), lane="tags", event=event)


def _members(value: object) -> tuple[str, ...]:
    """Read both forms: ``<Item>`` elements, and a list with commas."""
    if isinstance(value, Mapping):
        value = value.get("Item")
    items = value if isinstance(value, list) else str(value or "").split(",")
    return tuple(text for item in items if (text := str(item).strip()))


def _key(fields: Mapping[str, Any]) -> str:
    """Return the key over every field of the news.

    Two changes of one second differ in some field; the same one, posted again or to another of
    our addresses, in none.
    """
    parts = sorted(f"{name}={value}" for name, value in _flat("", fields))
    return f"contact:{digest(*parts)}"


def _flat(path: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        inner = [(f"{path}/{key}", one) for key, one in value.items() if key not in _NOT_THE_NEWS]
        return [pair for name, one in inner for pair in _flat(name, one)]
    if isinstance(value, list):
        return [pair for n, one in enumerate(value) for pair in _flat(f"{path}/{n}", one)]
    return [(path, str(value or ""))]


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value.strip() if isinstance(value, str) else ""


def _moment(fields: Mapping[str, Any]) -> datetime:
    seconds = _text(fields, "CreateTime")
    return datetime.fromtimestamp(int(seconds) if seconds.isdecimal() else 0, UTC)
