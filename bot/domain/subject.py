"""What is known of one customer or group, as expressions and entry ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.bank import Bank
from bot.domain.expression_check import ValueKind, Vocabulary
from bot.domain.expression_values import Grade, Known, grade_of
from bot.domain.registry import CONSENT, FieldKind

SubjectKind = Literal["group", "customer"]
Raw = bool | int | float | str
"""A datum as it is kept: a date as 2026-10-01, a grade as C3."""

UPLIFT, COST = "本波增量上界", "成本"
JOINED = "客户入群"
# What a customer did of their own accord: by these 最近互动 counts.
OWN_ACTS = frozenset({"客户回复", "点击链接", "到网点", "活动报名", "活动到场", JOINED})
_OF_CUSTOMER: Mapping[str, ValueKind] = {
    "好友": ValueKind.TRUTH,
    "好友天数": ValueKind.NUMBER,
    "入群天数": ValueKind.NUMBER,
    "拒收": ValueKind.TRUTH,
    "经理": ValueKind.TEXT,
}
_OF_GROUP: Mapping[str, ValueKind] = {"群人数": ValueKind.NUMBER, "群主": ValueKind.TEXT}
_OF_BOTH: Mapping[str, ValueKind] = {
    "投诉处理中": ValueKind.TRUTH,
    "最近互动": ValueKind.DAY,
    "网点": ValueKind.TEXT,
    "今天": ValueKind.DAY,
    UPLIFT: ValueKind.NUMBER,
    COST: ValueKind.NUMBER,
}
_KINDS: Mapping[FieldKind, ValueKind] = {
    FieldKind.NUMBER: ValueKind.NUMBER,
    FieldKind.DATE: ValueKind.DAY,
    FieldKind.TEXT: ValueKind.TEXT,
    FieldKind.YES_NO: ValueKind.TRUTH,
    FieldKind.GRADE: ValueKind.GRADE,
}


class Event(NamedTuple):
    """Something that happened, by the moment at which it did; ``key`` tells it from others."""

    kind: str
    at: datetime
    key: str = ""


class Occurrence(NamedTuple):
    """An event of one subject as it is stored; its facts hold no personal data."""

    key: str
    subject: str
    kind: str
    at: datetime
    facts: Mapping[str, Raw] = {}


class Registry(NamedTuple):
    """What a bank's subjects are read by: its zone, the kinds of its data, its events."""

    zone: ZoneInfo
    fields: Mapping[str, FieldKind]
    events: frozenset[str]

    @classmethod
    def of(cls, bank: Bank) -> Registry:
        """Take it from the bank's file."""
        return cls(bank.zone, bank.field_kinds, bank.event_names)


class SubjectFacts(NamedTuple):
    """A customer or a group with all that an expression may ask for.

    ``owner`` is the manager who serves a customer, or the group's owner. ``happened`` holds the
    events that were read; those that nobody asked for are not in it. ``since`` is when the
    customer became a friend. ``more`` holds what a step alone knows: 本波增量上界, 成本.
    """

    id: str
    kind: SubjectKind
    registry: Registry
    tags: frozenset[str] = frozenset()
    facts: Mapping[str, Raw] = {}
    as_of: datetime | None = None
    known: bool = True
    friend: bool = False
    owner: str = ""
    owner_role: str = ""
    owner_on_duty: bool = False
    branch: str = ""
    since: datetime | None = None
    refuses: bool = False
    complaint_open: bool = False
    last_seen: datetime | None = None
    size: int = 0
    alive: bool = True
    weekly_cap: int | None = None
    happened: Sequence[Event] = ()
    running: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()
    more: Mapping[str, Known] = {}

    def datum(self, name: str) -> Known | None:
        """Return what the bank's systems told of a customer; None where it is not known.

        A refusal of the customer's own overrides the consent that the bank's systems have.
        """
        if name == CONSENT and self.refuses:
            return False
        return typed(self.facts.get(name), self.registry.fields.get(name))

    def seen(self, now: datetime, since: datetime | None = None) -> Seen:
        """Look at the subject at a moment; ``since`` bounds the events named alone (a branch's)."""
        return Seen(self, now, since)


class Seen:
    """A subject as an expression sees it at one moment.

    An event named alone counts from ``since`` on, as the wait before a branch says; 次数 names its
    own days and 最近 asks for the last time of all, so that these look at everything.
    """

    __slots__ = ("_facts", "_fields", "_found", "_now", "_since", "_today", "_zone")

    def __init__(self, facts: SubjectFacts, now: datetime, since: datetime | None = None) -> None:
        self._facts = facts
        self._zone, self._fields, _ = facts.registry
        self._now = now
        self._since = since
        self._today = _day_of(now, self._zone)
        self._found: dict[str, Known | None] = {}

    def value(self, name: str) -> Known | None:
        """Return a datum, an event that happened or did not, or what WeCom and we know."""
        kind = self._fields.get(name)
        if kind is not None:
            facts = self._facts
            if name == CONSENT:
                return facts.datum(name)
            return typed(facts.facts.get(name), kind)
        found = self._found
        if name not in found:
            found[name] = self._value(name)
        return found[name]

    def _value(self, name: str) -> Known | None:
        facts = self._facts
        read = _READ_CUSTOMER if facts.kind == "customer" else _READ_GROUP
        if name in read:
            value: Known | None = getattr(facts, read[name])
            if isinstance(value, datetime):
                return value.astimezone(self._zone)
            return None if value == "" else value
        if name in facts.more:
            return facts.more[name]
        if name in facts.registry.events:
            since = self._since
            return any(
                one.kind == name and (since is None or one.at > since) for one in self._past()
            )
        if name == "今天":
            return self._today
        if name == "好友天数" and facts.since is not None:
            return self.days_from(facts.since)
        if name == "入群天数":
            joined = self.last(JOINED)
            return None if joined is None else self.days_from(joined)
        return None

    def days_from(self, moment: date | datetime) -> int:
        """Return how many of the bank's days lie between that day and today."""
        if isinstance(moment, datetime):
            moment = moment.astimezone(self._zone).date()
        return (self._today - moment).days

    def times(self, event: str, days: float) -> int:
        """Count how often an event happened within so many days."""
        first = self._now - timedelta(days=min(days, _LONG))
        return sum(one.kind == event and one.at > first for one in self._past())

    def last(self, event: str) -> datetime | None:
        """Return when an event happened last, in the bank's zone."""
        moments = [one.at for one in self._past() if one.kind == event]
        return max(moments).astimezone(self._zone) if moments else None

    def has(self, what: str, name: str) -> bool:
        """Answer 有标签, 在剧本 or 走完剧本."""
        facts = self._facts
        if what == "有标签":
            return name in facts.tags
        return name in (facts.running if what == "在剧本" else facts.done)

    def _past(self) -> Iterable[Event]:
        """Give what happened by now."""
        return (one for one in self._facts.happened if one.at <= self._now)


@lru_cache(maxsize=16)  # a batch is looked at in one moment
def _day_of(now: datetime, zone: ZoneInfo) -> date:
    return now.astimezone(zone).date()


_LONG = 36500
_NUMBERS = frozenset({int, float})
_READ_BOTH = {"投诉处理中": "complaint_open", "最近互动": "last_seen", "网点": "branch"}
_READ_CUSTOMER = {**_READ_BOTH, "好友": "friend", "拒收": "refuses", "经理": "owner"}
_READ_GROUP = {**_READ_BOTH, "群人数": "size", "群主": "owner"}


def typed(raw: Raw | None, kind: FieldKind | None) -> Known | None:
    """Return a datum as it compares; None where it is not of the kind that is registered now."""
    if kind is FieldKind.YES_NO:
        return raw if type(raw) is bool else None
    if kind is FieldKind.NUMBER:
        return raw if type(raw) in _NUMBERS else None
    if not isinstance(raw, str):
        return None
    if kind is FieldKind.GRADE:
        grade: Grade | None = grade_of(raw)
        return grade
    if kind is FieldKind.DATE:
        try:
            return date.fromisoformat(raw)
        except ValueError:
            return None
    return raw


def vocabulary(bank: Bank, kind: SubjectKind, scripts: Iterable[str]) -> Vocabulary:
    """Return the names that expressions about such subjects may use in this bank's files."""
    on = "客户" if kind == "customer" else "客户群"
    own, other = (_OF_CUSTOMER, _OF_GROUP) if kind == "customer" else (_OF_GROUP, _OF_CUSTOMER)
    told = {name: _KINDS[of] for name, of in bank.field_kinds.items()}
    instead = f"它只用于{'客户群' if kind == 'customer' else '客户'}的剧本，删掉或换一个"
    elsewhere = dict.fromkeys(other, instead)
    if kind == "group":
        elsewhere |= dict.fromkeys(told, "群里各人不同，没有这一项：换成群的标签或人数")
        told = {}
    return Vocabulary(
        data={**told, **own, **_OF_BOTH},
        events=bank.event_names,
        tags=frozenset(tag.name for tag in bank.tags if tag.on == on),
        scripts=frozenset(scripts),
        elsewhere=elsewhere,
    )
