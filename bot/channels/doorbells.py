"""Doorbells of our own, for sources whose real one may have been lost."""

from __future__ import annotations

from xml.sax.saxutils import escape

from bot.domain.events import Notice

_KF = "kf:"
_ARCHIVE = "archive"


def own_doorbell(source: str, key: str) -> Notice | None:
    """Return a notice by which a source is pulled; None for what is not pulled by notices.

    It has no token of WeCom's: ``kf/sync_msg`` is then strictly limited (wecom_protocol §4.4).
    """
    account = source.removeprefix(_KF)
    if source == _ARCHIVE:
        return Notice(key=key, channel=_ARCHIVE, body="<xml></xml>", lane=source)
    if account == source or not account:
        return None
    fields = f"<Event>kf_msg_or_event</Event><OpenKfId>{escape(account)}</OpenKfId>"
    return Notice(key=key, channel="kf", body=f"<xml>{fields}</xml>", lane=source)
