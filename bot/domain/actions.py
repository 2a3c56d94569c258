"""What is done when a customer says something: the forms of 动作 in script and Q&A files."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Discriminator, Field, PlainSerializer, Tag

from bot.domain.fields import Slug, WordList, Words, YesNo, refuse, written
from bot.domain.lead import Need
from bot.domain.value import Value

UNTIL_SOLVED = "直到解决"
_DAYS = re.compile(r"([1-9]\d{0,3})天")
_PER_WEEK = re.compile(r"每周([1-7])次")


class PlainAction(StrEnum):
    """Actions written as one bare word."""

    NOTIFY_MANAGER = "通知客户经理"
    NOTIFY_OWNER = "通知群主"
    RECORD_REFUSAL = "记录拒收"
    STOP_MARKETING_STEPS = "停止营销类步骤"
    WITHDRAW_CONSENT = "撤回同意"
    EXIT = "退出"


class _Verb(Value):
    if_mentioned: WordList | None = Field(None, alias="若提到")

    def applies_to(self, text: str) -> bool:
        """Tell whether the customer's words ask for this action: 若提到, or always."""
        return self.if_mentioned is None or any(word in text for word in self.if_mentioned)


class HandOver(_Verb):
    """Give the customer to a person: {转人工: 红线, 时限分钟: 5}."""

    need: Need = Field(alias="转人工")
    within_minutes: int | None = Field(None, alias="时限分钟", ge=1, le=10080)


class Rescue(HandOver):
    """Give somebody who is in danger to a person; no file writes it.

    ``danger`` says in which (被骗, 轻生, 突发疾病): what that person does first goes by it.
    """

    danger: str = ""


class OpenLead(_Verb):
    """Open a lead: {建线索: 活动, 时限分钟: 240, 先问同意: true}."""

    need: Need = Field(alias="建线索")
    within_minutes: int | None = Field(None, alias="时限分钟", ge=1, le=10080)
    ask_first: YesNo = Field(False, alias="先问同意")


class PutTag(_Verb):
    """Put a tag on the customer: {打标签: 国债提醒}."""

    tag: Words = Field(alias="打标签")


class AnswerWith(_Verb):
    """Answer with a Q&A: {答复: qa-07}."""

    qa: Slug = Field(alias="答复")


def _per_week(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _PER_WEEK.fullmatch(value.strip())
    if match is None:
        raise refuse(f"「{value}」不是频次", "写成 每周1次 的样子，1 到 7")
    return int(match[1])


class SlowDown(_Verb):
    """Send the group fewer broadcasts a week: {降频: 每周1次}."""

    per_week: Annotated[
        int,
        BeforeValidator(_per_week),
        PlainSerializer(lambda n: f"每周{n}次", return_type=str),
        written(_PER_WEEK.pattern),
    ] = Field(alias="降频", ge=1, le=7)


def _pause(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.strip() == UNTIL_SOLVED:
        return None
    match = _DAYS.fullmatch(value.strip())
    if match is None:
        raise refuse(f"「{value}」不是期限", f"写成 30天，或写 {UNTIL_SOLVED}")
    return int(match[1])


def _write_pause(days: int | None) -> str:
    return UNTIL_SOLVED if days is None else f"{days}天"


class PauseMarketing(_Verb):
    """Nothing that sells for so many days, or until solved (``days`` is None): {停营销: 30天}."""

    days: Annotated[
        int | None,
        BeforeValidator(_pause),
        PlainSerializer(_write_pause, return_type=str),
        written(f"{_DAYS.pattern}|{UNTIL_SOLVED}"),
    ] = Field(alias="停营销")


VERBS: dict[str, type[_Verb]] = {
    "转人工": HandOver,
    "建线索": OpenLead,
    "打标签": PutTag,
    "答复": AnswerWith,
    "降频": SlowDown,
    "停营销": PauseMarketing,
}
_BARE = "<bare>"
_KNOWN = "、".join([*(f"{{{verb}: …}}" for verb in VERBS), *PlainAction])


def _known(value: object) -> object:
    """Refuse an unknown verb here: an error raised in a discriminator would escape pydantic."""
    if isinstance(value, dict) and not any(key in VERBS for key in value):
        written = "、".join(str(key) for key in value)
        raise refuse(f"不认识的动作「{written}」", f"可以写：{_KNOWN}")
    if isinstance(value, str) and value not in tuple(PlainAction):
        raise refuse(f"不认识的动作「{value}」", f"可以写：{_KNOWN}")
    if not isinstance(value, str | dict | _Verb):
        raise refuse("动作不能是列表", f"可以写：{_KNOWN}")
    return value


def _which(value: object) -> str:
    """Name the form by its verb; the sharp brackets keep the name out of key paths."""
    if isinstance(value, dict):
        return next(f"<{key}>" for key in value if key in VERBS)
    if isinstance(value, _Verb):
        return next(f"<{verb}>" for verb, model in VERBS.items() if isinstance(value, model))
    return _BARE


Action = Annotated[
    Annotated[PlainAction, Tag(_BARE)]
    | Annotated[HandOver, Tag("<转人工>")]
    | Annotated[OpenLead, Tag("<建线索>")]
    | Annotated[PutTag, Tag("<打标签>")]
    | Annotated[AnswerWith, Tag("<答复>")]
    | Annotated[SlowDown, Tag("<降频>")]
    | Annotated[PauseMarketing, Tag("<停营销>")],
    Discriminator(_which),
    BeforeValidator(_known),
]
Actions = Annotated[tuple[Action, ...], Field(min_length=1)]


def verb_of(action: Action) -> str:
    """Return what an action is called in a file: 打标签, 通知群主."""
    if isinstance(action, PlainAction):
        return action.value
    return next(verb for verb, model in VERBS.items() if type(action) is model)


def applies(action: Action, text: str) -> bool:
    """Tell whether an action is meant by these words of a customer; bare words always are."""
    return isinstance(action, PlainAction) or action.applies_to(text)
