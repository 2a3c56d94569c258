"""An independent count of the rules that were broken, from what really reached people.

Nothing here is shared with the program under test: the thresholds are this module's own. What a
person typed, a welcome, and an answer to a customer's own kf message are nobody's outreach.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.emulator.wire import Api, Call

if TYPE_CHECKING:
    from bot.emulator.deliveries import Delivery
    from bot.emulator.kf_state import Line
    from bot.emulator.world import World

BANK_ZONE = ZoneInfo("Asia/Shanghai")
_WEEK = timedelta(days=7)
_TRIMMED = re.compile(r"[\s。.!！「」]+")


@dataclass(frozen=True)
class AuditPolicy:
    """What is counted as a breach; times of day are the bank's own."""

    zone: ZoneInfo = BANK_ZONE
    broadcasts_per_day: int = 1
    broadcasts_per_week: int = 5
    """In any seven days that follow each other."""
    product_broadcasts_per_week: int = 1
    product_mark: str = "理财非存款"
    """Only a message with product content carries these words."""
    replies_per_message: int = 5
    quiet: tuple[tuple[time, time], ...] = (
        (time(11, 45), time(14, 30)),
        (time(19, 30), time(8, 30)),
    )
    """From and until; one that ends before it begins goes over midnight."""
    answer_within: timedelta = timedelta(hours=1)
    """A kf message so soon after the customer's own is an answer; a later one is outreach."""
    opt_out_words: tuple[str, ...] = ("退订", "别发了", "不要再发", "TD", "不想收")
    opt_in_words: tuple[str, ...] = ("恢复",)


@dataclass(frozen=True)
class Finding:
    """One breach: which rule, at which delivery (its seq), and why."""

    rule: str
    seq: int
    why: str


@dataclass(frozen=True)
class _Reached:
    """One mass message at one recipient, however many parts it has."""

    first: Delivery
    on: date
    is_product: bool


@dataclass(frozen=True)
class _Reply:
    """One kf message: when the customer last wrote before it, and its number since then."""

    delivery: Delivery
    asked_at: datetime | None
    number: int


def audit(world: World, policy: AuditPolicy | None = None) -> dict[str, int]:
    """Return how often ``caps``, ``quiet_hours`` and ``opt_out`` were broken."""
    counts = {"caps": 0, "quiet_hours": 0, "opt_out": 0}
    for finding in findings(world, policy):
        counts[finding.rule] += 1
    return counts


def findings(world: World, policy: AuditPolicy | None = None) -> list[Finding]:
    """Return every breach in the order in which it happened."""
    rules = policy or AuditPolicy()
    reached = list(_broadcasts(world, rules))
    replies = list(_replies(world))
    outreach = [*(item.first for item in reached), *_late(replies, rules)]
    found = [
        *_group_caps(reached, rules),
        *_kf_caps(replies, rules),
        *_in_quiet_hours(outreach, rules),
        *_after_opt_out(world, outreach, rules),
    ]
    return sorted(found, key=lambda finding: (finding.seq, finding.rule))


def _broadcasts(world: World, rules: AuditPolicy) -> Iterator[_Reached]:
    parts: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    for item in world.deliveries:
        if item.kind in ("group", "single") and item.source.startswith("broadcast:"):
            parts[item.to, item.source].append(item)
    for items in parts.values():
        first = items[0]
        is_product = any(rules.product_mark in item.text for item in items)
        yield _Reached(first, first.at.astimezone(rules.zone).date(), is_product)


def _group_caps(reached: Iterable[_Reached], rules: AuditPolicy) -> Iterator[Finding]:
    def group_of(item: _Reached) -> str:
        return item.first.to

    to_groups = sorted(
        (item for item in reached if item.first.kind == "group"),
        key=lambda item: (group_of(item), item.first.seq),
    )
    for _, items in groupby(to_groups, key=group_of):
        yield from _one_group(list(items), rules)


def _one_group(items: list[_Reached], rules: AuditPolicy) -> Iterator[Finding]:
    for number, item in enumerate(items, start=1):
        week = [other for other in items[:number] if item.on - other.on < _WEEK]
        today = [other for other in week if other.on == item.on]
        products = [other for other in week if other.is_product]
        if len(today) > rules.broadcasts_per_day:
            yield Finding("caps", item.first.seq, "broadcasts in a day")
        if len(week) > rules.broadcasts_per_week:
            yield Finding("caps", item.first.seq, "broadcasts in seven days")
        if item.is_product and len(products) > rules.product_broadcasts_per_week:
            yield Finding("caps", item.first.seq, "product broadcasts in seven days")


def _kf_caps(replies: Iterable[_Reply], rules: AuditPolicy) -> Iterator[Finding]:
    for reply in replies:
        if reply.number > rules.replies_per_message:
            yield Finding("caps", reply.delivery.seq, "kf replies to one message")


def _late(replies: Iterable[_Reply], rules: AuditPolicy) -> Iterator[Delivery]:
    """Yield the kf messages that no recent message of the customer explains."""
    for reply in replies:
        asked_at, sent_at = reply.asked_at, reply.delivery.at
        if asked_at is None or sent_at - asked_at > rules.answer_within:
            yield reply.delivery


def _replies(world: World) -> Iterator[_Reply]:
    """Yield kf messages by the order of the lines: a frozen clock makes moments equal."""
    sent = {
        item.meta.get("msgid"): item for item in world.deliveries if item.source == "kf_send_msg"
    }
    asked: dict[int, datetime] = {}
    since: Counter[int] = Counter()
    for conversation, line in _kf_lines(world):
        if line.side == "customer":
            asked[conversation], since[conversation] = line.at, 0
        elif line.msgid in sent:
            since[conversation] += 1
            yield _Reply(sent[line.msgid], asked.get(conversation), since[conversation])


def _in_quiet_hours(outreach: Iterable[Delivery], rules: AuditPolicy) -> Iterator[Finding]:
    for item in outreach:
        moment = item.at.astimezone(rules.zone).time()
        if any(_within(moment, begin, end) for begin, end in rules.quiet):
            yield Finding("quiet_hours", item.seq, f"at {moment:%H:%M}")


def _within(moment: time, begin: time, end: time) -> bool:
    if begin <= end:
        return begin <= moment < end
    return moment >= begin or moment < end


def _after_opt_out(
    world: World, outreach: Iterable[Delivery], rules: AuditPolicy
) -> Iterator[Finding]:
    wishes = _wishes(world, rules)
    for item in outreach:
        if item.kind == "group":
            continue
        before = [wants for at, wants in wishes.get(item.to, ()) if at < item.at]
        if before and not before[-1]:
            yield Finding("opt_out", item.seq, "one to one after the customer opted out")


def _wishes(world: World, rules: AuditPolicy) -> dict[str, list[tuple[datetime, bool]]]:
    """Return when each customer said whether he wants messages: no (False), yes again (True)."""
    leaves, returns = _words(rules.opt_out_words), _words(rules.opt_in_words)
    wishes: dict[str, list[tuple[datetime, bool]]] = defaultdict(list)
    for customer, at, text in _customers_words(world):
        if leaves.search(text):
            wishes[customer].append((at, False))
        elif returns.fullmatch(_TRIMMED.sub("", text)):
            wishes[customer].append((at, True))
    for said in wishes.values():
        said.sort(key=lambda wish: wish[0])
    return wishes


def _words(words: Iterable[str]) -> re.Pattern[str]:
    """Match Chinese words anywhere, Latin ones only where they stand alone."""
    parts = [
        rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])" if word.isascii() else re.escape(word)
        for word in words
    ]
    return re.compile("|".join(parts), re.IGNORECASE)


def _customers_words(world: World) -> Iterator[tuple[str, datetime, str]]:
    for _, line in _kf_lines(world):
        if line.side == "customer":
            yield line.sender, line.at, line.text
    for group in world.groups.groups.values():
        for said in group.lines:
            if said.sender in world.customers:
                yield said.sender, said.at, said.text
    for wrote in world.contacts.lines:
        if wrote.sender == wrote.external_userid:
            yield wrote.sender, wrote.at, wrote.text


def _kf_lines(world: World) -> Iterator[tuple[int, Line]]:
    """Yield every kf line with the number of its conversation, each conversation in its order."""
    number = 0
    for account in world.kf.accounts.values():
        for conversation in account.conversations.values():
            number += 1
            for line in conversation.lines:
                yield number, line


async def _audit(world: World, call: Call) -> dict[str, object]:
    found = [{"rule": item.rule, "seq": item.seq, "why": item.why} for item in findings(world)]
    return {"violations": audit(world), "findings": found}


CONTROLS: tuple[Api, ...] = (Api("GET", "violations", _audit, token=False),)
