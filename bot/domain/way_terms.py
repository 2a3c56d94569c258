"""What each way of delivery asks for: whom it reaches, when it can be used, whose hand it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.delivery import KEPT_FOR_HANDOVER, REPLIES_PER_MESSAGE, REPLY_WINDOW
from bot.domain.runs import Face, PersonFace, SubjectKind
from bot.domain.steps import SendBy

WAYS_TO: Mapping[SubjectKind, tuple[SendBy, ...]] = {
    "group": (
        SendBy.BROADCAST,
        SendBy.NUDGE_OWNER,
        SendBy.GROUP_WELCOME,
        SendBy.TASK_FOR_MANAGER,
    ),
    "customer": (
        SendBy.BROADCAST,
        SendBy.MOMENTS,
        SendBy.KF,
        SendBy.NUDGE_MANAGER,
        SendBy.TASK_FOR_MANAGER,
    ),
}
_TASK_WORKDAYS = 1  # where the file names no 时限
_END_OF_WORK = time(18)
_ONE_DAY = timedelta(days=1)
_FARTHEST = 400


def way_usable(way: SendBy, face: Face, now: datetime, parts: int = 1) -> str | None:
    """Say why a way cannot be used for somebody now; None where it can.

    ``parts`` is how many messages the step has: 微信客服 gives five within 48 hours of the
    customer's own last one (wecom_protocol §4.5).
    """
    kind: SubjectKind = "customer" if isinstance(face, PersonFace) else "group"
    if way not in WAYS_TO[kind]:
        return "way_not_supported"
    if face.gone:
        return face.gone
    if way is SendBy.KF and isinstance(face, PersonFace):
        return _kf_closed(face, now, parts)
    return None


def _kf_closed(face: PersonFace, now: datetime, parts: int) -> str | None:
    if not face.account or face.last_customer_at is None:
        return "no_session"
    if now - face.last_customer_at >= REPLY_WINDOW:
        return "reply_window_closed"
    if face.replies + parts > REPLIES_PER_MESSAGE - KEPT_FOR_HANDOVER:
        return "five_messages_used"
    return None


def waits_for_hand(way: SendBy) -> bool:
    """Tell whether somebody has to press before it is done; only 微信客服 speaks by itself."""
    return way is not SendBy.KF


def not_done(way: SendBy) -> str:
    """Return the reason of a step whose time ran out while it waited for somebody's hand."""
    return "task_overdue" if way is SendBy.TASK_FOR_MANAGER else "owner_unconfirmed"


def closes(
    way: SendBy,
    workdays: int | None,
    opens_at: datetime,
    closes_at: datetime,
    is_workday: Callable[[date], bool],
    zone: ZoneInfo,
) -> datetime:
    """Return when a step that goes this way is over; ``closes_at`` is its window's own end.

    A task for a manager has so many workdays after the day on which it is given (时限).
    """
    if way is not SendBy.TASK_FOR_MANAGER:
        return closes_at
    day, left = opens_at.astimezone(zone).date(), workdays or _TASK_WORKDAYS
    for _ in range(_FARTHEST):
        if left <= 0:
            break
        day += _ONE_DAY
        left -= is_workday(day)
    return datetime.combine(day, _END_OF_WORK, tzinfo=zone).astimezone(opens_at.tzinfo)
