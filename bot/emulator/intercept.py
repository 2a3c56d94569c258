"""聊天敏感词 (§5.11): rules over what members write to customers, and what they stop."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_RULES, MAX_WORDS, MAX_NAME, MAX_WORD, MAX_RANGE = 100, 300, 20, 32, 1000
BLOCK, WARN = 1, 2
STOPPED = 40201
_SEMANTICS = {
    1: re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)"),
    2: re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"),
    3: re.compile(r"红包"),
}


@dataclass
class InterceptRule:
    """One rule: its words, whether it blocks or only warns, and whom it holds for."""

    rule_id: str
    name: str
    words: list[str]
    semantics: list[int]
    kind: int
    users: set[str]
    departments: set[int]
    created_at: datetime

    def hit(self, text: str) -> bool:
        """Tell whether a text has one of the words or meanings."""
        return any(word in text for word in self.words) or any(
            _SEMANTICS[number].search(text) for number in self.semantics
        )

    def holds_for(self, world: World, userid: str) -> bool:
        """Tell whether the rule holds for a member."""
        parties = world.app_messages.parties
        return userid in self.users or any(
            userid in parties.get(str(number), ()) for number in self.departments
        )


@dataclass(frozen=True)
class Stop:
    """One message that a rule warned of or stopped."""

    rule_id: str
    userid: str
    text: str
    blocked: bool
    at: datetime


@dataclass
class InterceptBook:
    """All rules, and what they met."""

    rules: dict[str, InterceptRule] = field(default_factory=dict)
    stops: list[Stop] = field(default_factory=list)

    def check(self, world: World, userid: str, text: str) -> None:
        """Note what a member writes against the rules; refuse it where a rule blocks."""
        for rule in self.rules.values():
            if rule.hit(text) and rule.holds_for(world, userid):
                blocked = rule.kind == BLOCK
                self.stops.append(Stop(rule.rule_id, userid, text, blocked, world.now()))
                if blocked:
                    raise ApiError(STOPPED, f"stopped by the rule {rule.name}")


async def _add(world: World, call: Call) -> Answer:
    book = world.intercepts
    if len(book.rules) >= MAX_RULES:
        raise ApiError(41069)
    users, departments = _range(world, call.inside("applicable_range"))
    if not (users or departments):
        raise ApiError(40058, "applicable_range is empty")
    rule = InterceptRule(
        world.new_id("rule"),
        _name(world, call),
        _words(call),
        _semantics(call),
        call.integer("intercept_type", low=BLOCK, high=WARN),
        users,
        departments,
        world.now(),
    )
    book.rules[rule.rule_id] = rule
    return {"rule_id": rule.rule_id}


async def _update(world: World, call: Call) -> Answer:
    rule = _rule(world, call)
    if "rule_name" in call.body:
        rule.name = _name(world, call, rule)
    if "word_list" in call.body:
        rule.words = _words(call)
    if "extra_rule" in call.body:
        rule.semantics = _semantics(call.inside("extra_rule"))
    rule.kind = call.integer("intercept_type", rule.kind, low=BLOCK, high=WARN)
    more = _range(world, call.inside("add_applicable_range", required=False))
    less = _range(world, call.inside("remove_applicable_range", required=False))
    users = (rule.users | more[0]) - less[0]
    departments = (rule.departments | more[1]) - less[1]
    if len(users) > MAX_RANGE or len(departments) > MAX_RANGE:
        raise ApiError(41076)
    rule.users, rule.departments = users, departments
    return {}


async def _list(world: World, call: Call) -> Answer:
    return {
        "rule_list": [
            {
                "rule_id": rule.rule_id,
                "rule_name": rule.name,
                "create_time": int(rule.created_at.timestamp()),
            }
            for rule in world.intercepts.rules.values()
        ]
    }


async def _get(world: World, call: Call) -> Answer:
    rule = _rule(world, call)
    return {
        "rule": {
            "rule_id": rule.rule_id,
            "rule_name": rule.name,
            "word_list": list(rule.words),
            "extra_rule": {"semantics_list": list(rule.semantics)},
            "intercept_type": rule.kind,
            "applicable_range": {
                "user_list": sorted(rule.users),
                "department_list": sorted(rule.departments),
            },
        }
    }


async def _delete(world: World, call: Call) -> Answer:
    del world.intercepts.rules[_rule(world, call).rule_id]
    return {}


async def _stops(world: World, call: Call) -> Answer:
    return {
        "stops": [
            {
                "rule_id": stop.rule_id,
                "userid": stop.userid,
                "text": stop.text,
                "blocked": stop.blocked,
                "at": stop.at.isoformat(),
            }
            for stop in world.intercepts.stops
        ]
    }


def _rule(world: World, call: Call) -> InterceptRule:
    rule = world.intercepts.rules.get(call.text("rule_id", code=41070))
    if rule is None:
        raise ApiError(41070)
    return rule


def _name(world: World, call: Call, own: InterceptRule | None = None) -> str:
    name = call.short("rule_name", MAX_NAME, required=True)
    if any(rule.name == name for rule in world.intercepts.rules.values() if rule is not own):
        raise ApiError(41077)
    return name


def _words(call: Call) -> list[str]:
    words = call.strings("word_list", MAX_WORDS, required=True, code=41068)
    if not all(1 <= len(word) <= MAX_WORD for word in words):
        raise ApiError(41083)
    return words


def _semantics(call: Call) -> list[int]:
    numbers = call.numbers("semantics_list", code=41084)
    if not all(number in _SEMANTICS for number in numbers):
        raise ApiError(41084)
    return numbers


def _range(world: World, call: Call) -> tuple[set[str], set[int]]:
    users = set(call.strings("user_list", MAX_RANGE, code=41076))
    unknown = sorted(users - set(world.members))
    if unknown:
        raise ApiError(60111, unknown[0])
    return users, set(call.numbers("department_list", MAX_RANGE, code=41076))


APIS: tuple[Api, ...] = (
    Api("POST", "externalcontact/add_intercept_rule", _add),
    Api("POST", "externalcontact/update_intercept_rule", _update),
    Api("GET", "externalcontact/get_intercept_rule_list", _list),
    Api("POST", "externalcontact/get_intercept_rule", _get),
    Api("POST", "externalcontact/del_intercept_rule", _delete),
)
CONTROLS: tuple[Api, ...] = (Api("GET", "intercept/stops", _stops, token=False),)
