"""One item of ``kf/sync_msg`` → one event (wecom_protocol §4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.events import (
    Arrival,
    Event,
    KfNoted,
    MessageRecalled,
    MessageReceived,
    RejectionSwitched,
    SendFailed,
    SessionChanged,
    SessionEntered,
    StaffSpoke,
)
from bot.domain.text import whole

_CUSTOMER, _EVENT, _STAFF = 3, 4, 5
_CHANGES = {1: "taken", 2: "passed_on", 3: "ended", 4: "reopened"}
_LONGEST = 300  # characters of what a form that is no text says of itself
_TOLD = {  # what is worth reading of each form, in order
    "location": ("name", "address"),
    "link": ("title", "desc", "url"),
    "business_card": ("userid",),
    "miniprogram": ("title", "appid"),
    "msgmenu": ("head_content", "tail_content"),
    "channels_shop_product": ("title", "sales_price", "shop_nickname"),
    "channels_shop_order": ("product_titles", "price_wording", "state", "shop_nickname"),
    "channels": ("nickname", "title"),
    "merged_msg": ("title",),
}


def read_message(item: Mapping[str, Any], since: datetime) -> Arrival | None:
    """Return the event of an item, past if it is older than ``since``; None for one without an id.

    Nothing else is left out: what is not known is kept as it came.
    """
    inner = item.get("event", {}) if item.get("msgtype") == "event" else {}
    account = str(item.get("open_kfid") or inner.get("open_kfid", ""))
    customer = str(item.get("external_userid") or inner.get("external_userid", ""))
    msgid = str(item.get("msgid", ""))
    if not msgid or not account:
        return None
    at = datetime.fromtimestamp(int(item.get("send_time", 0)), UTC)
    event = _read(item, inner, account, customer, at)
    lane = f"kf:{customer}" if customer else f"kf:account:{account}"
    if isinstance(event, SessionEntered):
        lane = f"kf:welcome:{customer}"  # its code lives 20 s: it waits for nothing
    return Arrival(key=f"kf:{account}:{msgid}", lane=lane, event=event, past=at < since)


def _read(
    item: Mapping[str, Any], inner: Mapping[str, Any], account: str, customer: str, at: datetime
) -> Event:
    common = {"account": account, "customer": customer}
    origin, form = item.get("origin"), str(item.get("msgtype", ""))
    if origin == _EVENT or form == "event":
        known = _read_event(inner, common, at) if customer else None
        return known or _noted(str(inner.get("event_type", "event")), inner, common, at)
    text = words_of(form, _mapping(item.get(form)))
    if origin == _CUSTOMER and customer:
        body = _mapping(item.get(form))
        return MessageReceived.model_validate(
            {
                **common,
                "msgid": item["msgid"],
                "form": form,
                "text": text,
                "media": str(body.get("media_id", "")),
                "menu": str(body.get("menu_id", "")),
                "sent_at": at,
            }
        )
    if origin == _STAFF and customer:
        servicer = str(item.get("servicer_userid", ""))
        return StaffSpoke.model_validate(
            {**common, "servicer": servicer, "text": text or f"[{form}]", "at": at}
        )
    return _noted(f"{origin}:{form}", {}, common, at)


def words_of(form: str, body: Mapping[str, Any]) -> str:
    """Return the words of a message, or what a form that is no text tells of itself."""
    if form == "text":
        return whole(body.get("content", ""))
    told = [whole(body.get(name, "")).strip() for name in _TOLD.get(form, ())]
    if form == "merged_msg":
        told += [whole(one.get("sender_name", "")) for one in _mappings(body.get("item"))]
    return " ".join(part for part in told if part)[:_LONGEST]


def _read_event(inner: Mapping[str, Any], common: Mapping[str, Any], at: datetime) -> Event | None:
    match inner.get("event_type"):
        case "enter_session":
            return SessionEntered(
                **common,
                welcome_code=str(inner.get("welcome_code", "")),
                scene=str(inner.get("scene", "")),
                at=at,
            )
        case "session_status_change" if inner.get("change_type") in _CHANGES:
            return SessionChanged.model_validate(
                {
                    **common,
                    "change": _CHANGES[inner["change_type"]],
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
        case "reject_customer_msg_switch_change":
            on = int(inner.get("reject_switch", 0)) == 1
            servicer = str(inner.get("servicer_userid", ""))
            return RejectionSwitched.model_validate(
                {**common, "servicer": servicer, "on": on, "at": at}
            )
        case _:
            return None


def _noted(what: str, inner: Mapping[str, Any], common: Mapping[str, Any], at: datetime) -> KfNoted:
    """Keep what is not acted on: servicer_status_change, servicer_recall_msg, and the unknown."""
    left_out = ("event_type", "open_kfid", "external_userid")
    facts = {
        str(name): str(value)[:_LONGEST]
        for name, value in inner.items()
        if name not in left_out and isinstance(value, str | int | float)
    }
    return KfNoted(**common, what=what, facts=facts, at=at)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [_mapping(one) for one in value] if isinstance(value, list) else []
