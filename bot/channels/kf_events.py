"""One item of ``kf/sync_msg`` → one event (wecom_protocol §4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.events import (
    Arrival,
    Event,
    MessageRecalled,
    MessageReceived,
    SendFailed,
    SessionChanged,
    SessionEntered,
    StaffSpoke,
)

_CUSTOMER, _EVENT, _STAFF = 3, 4, 5
_CHANGES = {1: "taken", 2: "passed_on", 3: "ended", 4: "reopened"}


def read_message(item: Mapping[str, Any], since: datetime) -> Arrival | None:
    """Return the event of an item; None if it is older than ``since`` or asks nothing of us."""
    inner = item.get("event", {}) if item.get("msgtype") == "event" else {}
    account = str(item.get("open_kfid") or inner.get("open_kfid", ""))
    customer = str(item.get("external_userid") or inner.get("external_userid", ""))
    msgid = str(item.get("msgid", ""))
    at = datetime.fromtimestamp(int(item.get("send_time", 0)), UTC)
    if not msgid or not customer or at < since:
        return None
    common = {"account": account, "customer": customer}
    event: Event | None = None
    if item.get("origin") == _CUSTOMER:
        form = str(item.get("msgtype", ""))
        text = _words(item) if form == "text" else ""
        event = MessageReceived(**common, msgid=msgid, form=form, text=text, sent_at=at)
    elif item.get("origin") == _STAFF:
        text = _words(item)
        servicer = str(item.get("servicer_userid", ""))
        event = StaffSpoke(**common, servicer=servicer, text=text, at=at)
    elif item.get("origin") == _EVENT:
        event = _read_event(inner, common, at)
    if event is None:
        return None
    return Arrival(key=f"kf:{account}:{msgid}", lane=f"kf:{customer}", event=event)


def _words(item: Mapping[str, Any]) -> str:
    """Return the text; half a character, which JSON lets through, becomes a question mark."""
    return str(item.get("text", {}).get("content", "")).encode("utf-8", "replace").decode()


def _read_event(inner: Mapping[str, Any], common: Mapping[str, Any], at: datetime) -> Event | None:
    match inner.get("event_type"):
        case "enter_session":
            return SessionEntered(
                **common,
                welcome_code=str(inner.get("welcome_code", "")),
                scene=str(inner.get("scene", "")),
                at=at,
            )
        case "session_status_change":
            change = _CHANGES.get(int(inner.get("change_type", 0)))
            if change is None:
                return None
            return SessionChanged.model_validate(
                {
                    **common,
                    "change": change,
                    "servicer": inner.get("new_servicer_userid"),
                    "code": inner.get("msg_code", ""),
                    "at": at,
                }
            )
        case "msg_send_fail":
            return SendFailed(
                **common,
                msgid=str(inner.get("fail_msgid", "")),
                fail_type=int(inner.get("fail_type", 0)),
                at=at,
            )
        case "user_recall_msg":
            return MessageRecalled(**common, msgid=str(inner.get("recall_msgid", "")), at=at)
        case _:
            return None
