"""How fast WeCom lets us send, bucket by bucket, and how long to rest after a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.messages import Moment, Outbound
from bot.domain.staff_messages import (
    BotCard,
    GroupWebhook,
    StaffCard,
    StaffMarkdown,
    StaffNotice,
    StaffPoll,
    StaffStream,
    StaffText,
)

RESERVE = 0.2  # of each bucket, kept for what is urgent
TOO_OFTEN = "wecom_45009"
TOO_MANY_AT_ONCE = "wecom_45033"
_QUICK_TRIES = 3  # wecom_protocol §1.1
_QUICK_PAUSE_S = 0.5
_STILL_THE_SAME = timedelta(minutes=2)
# 45009 does not say which limit was broken: minute, then longer (wecom_protocol §1.2).
_WINDOWS = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Pace:
    """A bucket's size, and how many tokens a second run into it."""

    burst: float
    per_second: float


# Size and inflow together stay below WeCom's limit in every window of its length (§1.2):
# 10,000 calls a minute and 150,000 an hour for each API of a corp, so each API has two buckets;
# 30 app messages a minute and 1,000 an hour to one member, beyond which they are dropped in
# silence, so one bucket keeps both.
_MINUTE = Pace(burst=500, per_second=150)
_HOUR = Pace(burst=60_000, per_second=25)
_MEMBER = Pace(burst=14, per_second=16 / 60)
# 20 messages a minute of a group's message push (§7); 30 a minute and 1,000 an hour in one talk
# with the AI bot (§6.5).
_PUSH = Pace(burst=10, per_second=10 / 60)
_TALK = Pace(burst=14, per_second=16 / 60)
_MOMENTS = Pace(burst=4, per_second=5 / 60)  # 10 a minute for the whole corp (§5.8)

_APIS = {
    "kf_reply": "kf/send_msg",
    "kf_touch": "kf/send_msg",
    "kf_event_reply": "kf/send_msg_on_event",
    "kf_handover": "kf/service_state/trans",
    "kf_release": "kf/service_state/trans",
    "kf_invite": "kf/customer/upgrade_service",
    "staff_card": "message/send",
    "staff_card_update": "message/update_template_card",
    "staff_text": "message/send",
    "staff_notice": "message/send",
    "staff_poll": "message/send",
    "broadcast": "externalcontact/add_msg_template",
    "customer_broadcast": "externalcontact/add_msg_template",
    "broadcast_reminder": "externalcontact/remind_groupmsg_send",
    "broadcast_cancel": "externalcontact/cancel_groupmsg_send",
    "moment": "externalcontact/add_moment_task",
    "moment_cancel": "externalcontact/cancel_moment_task",
    "group_welcome": "externalcontact/group_welcome_template/add",
    "tag_change": "externalcontact/mark_tag",
    "customer_welcome": "externalcontact/send_welcome_msg",
}

SENDING_APIS = frozenset(_APIS.values())
"""The APIs whose calls are counted where messages leave."""


def api_of(kind: str) -> str:
    """Return the API a kind of message leaves by; a kind with one of its own is its own name."""
    return _APIS.get(kind, kind)


def paces_for(message: Outbound) -> dict[str, Pace]:
    """Return the buckets that a message takes a token from."""
    api = api_of(message.kind)
    paces = {api: _MINUTE, f"{api}:hour": _HOUR}
    match message:
        case GroupWebhook():
            return {api: _PUSH}
        case Moment():
            return {api: _MOMENTS}
        case StaffStream() | StaffMarkdown() | BotCard():
            return {f"aibot:{message.reply.chat or message.to}": _TALK}
        case StaffCard() | StaffNotice() | StaffPoll():
            paces[f"member:{message.to}"] = _MEMBER
        case StaffText():
            paces |= {f"member:{member}": _MEMBER for member in message.to}
        case _:
            pass
    return paces


@dataclass(slots=True)
class Bucket:
    """One bucket as it stands; whoever holds its row may take from it."""

    name: str
    pace: Pace
    tokens: float
    filled_at: datetime
    blocked_until: datetime | None = None
    queued_until: datetime | None = None
    strikes: int = 0

    def fill(self, now: datetime) -> None:
        """Let run in what came since the last look."""
        seconds = max(0.0, (now - self.filled_at).total_seconds())
        self.tokens = min(self.pace.burst, self.tokens + seconds * self.pace.per_second)
        self.filled_at = max(self.filled_at, now)

    def wait(self, now: datetime, *, urgent: bool, queued: bool) -> datetime | None:
        """Return when a message may look again; None where it may leave now.

        What is not urgent leaves the reserve alone and goes behind those that were ``queued``
        before it. Call ``fill`` first.
        """
        if self.blocked_until is not None and self.blocked_until > now:
            return self._behind_others(self.blocked_until, urgent=urgent, queued=False)
        kept = 0.0 if urgent else self.pace.burst * RESERVE
        others_wait = self.queued_until is not None and self.queued_until > now
        if self.tokens - 1 >= kept and (urgent or queued or not others_wait):
            return None
        lacking = max(1.0, kept + 1 - self.tokens) / self.pace.per_second
        return self._behind_others(now + timedelta(seconds=lacking), urgent=urgent, queued=queued)

    def _behind_others(self, first: datetime, *, urgent: bool, queued: bool) -> datetime:
        if urgent or queued:  # one that had its turn already does not go to the end again
            return first
        gap = timedelta(seconds=1 / self.pace.per_second)
        turn = max(first, self.queued_until + gap) if self.queued_until else first
        self.queued_until = turn
        return turn

    def was_full_for(self, since: datetime) -> bool:
        """Tell whether somebody had to wait for this very bucket since a moment."""
        return self.queued_until is not None and self.queued_until >= since

    def nobody_waits(self, now: datetime) -> None:
        """Let who comes next wait for a token only: those who were queued wait no more."""
        self.queued_until = now

    def take(self) -> None:
        """Use a token."""
        self.tokens -= 1

    def block(self, now: datetime) -> datetime:
        """Close the bucket as WeCom closed the API; return until when.

        It opens empty: what waited leaves at the bucket's pace, not all at once.
        """
        again = self.blocked_until is not None and now < self.blocked_until + _STILL_THE_SAME
        self.strikes = self.strikes + 1 if again else 1
        until = now + _WINDOWS[min(self.strikes, len(_WINDOWS)) - 1]
        self.close(until)
        return until

    def close(self, until: datetime) -> None:
        """Let nothing leave until a moment, and begin empty then."""
        self.blocked_until = max(until, self.blocked_until or until)
        self.tokens = 0.0
        self.filled_at = max(self.filled_at, self.blocked_until)


def quick_pause(reason: str, attempt: int) -> timedelta | None:
    """Return the short rest after a refusal for too many calls at once; None for other reasons.

    Three tries are quick (wecom_protocol §1.1); after them the usual back-off counts.
    """
    if reason != TOO_MANY_AT_ONCE or attempt > _QUICK_TRIES:
        return None
    return timedelta(seconds=_QUICK_PAUSE_S * 2 ** (attempt - 1))
