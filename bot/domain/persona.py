"""The persona file: who 小安 is, how she speaks, what she may not do."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from bot.domain.fields import DayWindow, Slug, WordList, Words, refuse
from bot.domain.value import Value

_AT_MOST = re.compile(r"每条最多(\d{1,2})个")


def _emoji(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.strip() == "不用":
        return 0
    match = _AT_MOST.fullmatch(value.strip())
    if match is None:
        raise refuse(f"「{value}」读不懂", "写成 每条最多1个，或写 不用")
    return int(match[1])


class Identity(Value):
    """How she says that she is no person (身份告知)."""

    first_words: Words = Field(alias="首次出现必说")
    when_asked: Words = Field(alias="被问是不是真人")
    forbidden: WordList = Field(alias="禁止")


class ToneSample(Value):
    """The same thing said badly and well."""

    bad: Words = Field(alias="坏")
    good: Words = Field(alias="好")


class Speech(Value):
    """How she speaks (说话)."""

    address_as: Words = Field(alias="称呼")
    sentence_chars: int = Field(alias="句子最长字数", ge=5, le=200)
    message_chars: int = Field(alias="一条最多字数", ge=20, le=2000)
    style: WordList = Field(alias="用词")
    rarely: tuple[Words, ...] = Field((), alias="少用")
    never: tuple[Words, ...] = Field((), alias="不用")
    emoji: Annotated[
        int,
        BeforeValidator(_emoji),
        PlainSerializer(lambda n: f"每条最多{n}个", return_type=str),
    ] = Field(0, alias="表情")
    samples: tuple[ToneSample, ...] = Field((), alias="语气样例")


class Moods(Value):
    """What she does when somebody is upset (情绪)."""

    hurried: Words = Field(alias="着急")
    angry: Words = Field(alias="生气或投诉")
    lonely_or_ill: Words = Field(alias="说孤单或身体不适")
    defrauded: Words = Field(alias="提到刚转账或共享屏幕")


class Persona(Value):
    """One persona file."""

    format: Literal["persona/1"] = Field(alias="格式")
    id: Slug = Field(alias="编号")
    name: Words = Field(alias="名称")
    in_one_line: Words = Field(alias="一句话")
    true_identity: Words = Field(alias="真实身份")
    identity: Identity = Field(alias="身份告知")
    speech: Speech = Field(alias="说话")
    can: WordList = Field(alias="能做")
    cannot: WordList = Field(alias="不能做")
    when_unsure: Words = Field(alias="没把握时")
    moods: Moods = Field(alias="情绪")
    on_duty: DayWindow = Field(alias="在岗时间")
    off_hours: Words = Field(alias="非工作时间说明")
