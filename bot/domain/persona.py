"""The persona file: who 小安 is, how she speaks, what she may not do."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from bot.domain.fields import DayWindow, Slug, WordList, Words, refuse
from bot.domain.value import Value

WHEN = "{何时}"  # stands for the moment at which somebody is there again
_AT_MOST = re.compile(r"每条最多(\d{1,2})个")
_SECONDS = re.compile(r"(\d{1,2}(?:\.\d)?)秒")
_MINUTES = re.compile(r"([1-9]\d{0,2})分钟")
_LONGEST_WAIT = timedelta(seconds=10)


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


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _SECONDS.fullmatch(value.strip())
    if match is None:
        raise refuse(f"「{value}」不是秒数", "写成 1.2秒 的样子，最多一位小数")
    wait = timedelta(seconds=float(match[1]))
    if wait > _LONGEST_WAIT:
        raise refuse(f"「{value}」太久，客户会以为没人理", "最多写 10秒")
    return wait


Seconds = Annotated[
    timedelta,
    BeforeValidator(_seconds),
    PlainSerializer(lambda wait: f"{wait.total_seconds():g}秒", return_type=str),
]


class Patience(Value):
    """How long she waits for the rest of what is split over several messages (等待合并)."""

    quiet: Seconds = Field(timedelta(seconds=1.2), alias="静候")
    at_most: Seconds = Field(timedelta(seconds=4), alias="最多")

    @model_validator(mode="after")
    def _most_is_most(self) -> Patience:
        if self.at_most < self.quiet:
            raise refuse("「最多」比「静候」还短", "把「最多」改得不小于「静候」")
        return self


class SessionWords(Value):
    """What she says when a session begins, waits, is taken and ends (会话用语); all optional."""

    welcome: Words = Field("想问什么，直接打字就行。", alias="欢迎")
    queued: Words = Field(
        "正在给您找人，前面的说完就轮到您，请稍等一会儿，不用重复发。", alias="排队"
    )
    coming: Words = Field("{经理.称呼}这就来跟您说，请稍等。", alias="接待")
    at_night: Words = Field("{经理.称呼}{何时}上班，到时候来跟您说，您不用一直等着。", alias="夜间")
    goodbye: Words = Field("这次先说到这里，谢谢您。事情办得怎么样，请您点一下：", alias="结束")
    ratings: tuple[Words, ...] = Field(
        ("满意", "一般", "不满意"), alias="评价", min_length=3, max_length=3
    )
    given_back: Words = Field(
        "{经理.称呼}这边先说到这里，接下来有事还是问我。事情办得怎么样，请您点一下：", alias="交还"
    )
    kept_waiting: Words = Field(
        "让您久等了，{经理.称呼}一时没接上。您的事记着呢，已经又催了一遍。", alias="没等到"
    )
    wait_or_ask: tuple[Words, ...] = Field(
        ("接着等真人", "先问小安"), alias="没等到时选", min_length=2, max_length=2
    )
    befriend: Words = Field(
        "以后想直接找{经理.称呼}，可以点这里加上，加不加都行。", alias="邀请加好友"
    )
    join_group: Words = Field(
        "{经理.称呼}请您进群，活动和防骗提醒会在群里说，进不进都行。", alias="邀请进群"
    )
    rated: Words = Field("收到，谢谢您告诉我们。", alias="谢评价")
    rated_badly: Words = Field(
        "对不起，没让您满意。哪里没办好，您直接打字告诉我，我转给负责人。", alias="谢差评"
    )


class Declines(Value):
    """What she says where an answer is not hers to give (谢绝); all optional.

    How to reach a person is added to each of them.
    """

    other_customer: Words = Field(
        "别人的账户我看不到，也不能说，家里人的也一样。要查，得本人带身份证来网点。",
        alias="别人的账户",
    )
    own_account: Words = Field(
        "您账户里的数，我这儿看不到。手机银行里能查，也可以打 {客服电话}，或带身份证来网点。",
        alias="自己的账户",
    )
    prediction: Words = Field("往后是涨是跌，谁也说不准，我不猜，怕误了您。", alias="猜涨跌")
    medical: Words = Field(
        "看病吃药的事我不懂，不敢乱说，您听医生的。难受得厉害，马上打 120。", alias="看病吃药"
    )
    legal: Words = Field(
        "打官司和税上的事，我说不准，怕误了您。法律的事打 12348，税的事打 12366。",
        alias="法律税务",
    )
    advice: Words = Field(
        "买什么合适，要看您自己的情况，我不能随口推荐。"
        "我请{经理.称呼}一对一跟您说，可以吗？可以就回「可以」。",
        alias="推荐产品",
    )
    unsuitable: Words = Field(
        "这个产品适不适合您，要先看您的风险测评和年龄，不能由我来讲。"
        "我请{经理.称呼}一对一跟您说，可以吗？可以就回「可以」。",
        alias="产品不合适",
    )
    out_of_scope: Words = Field(
        "这个不是银行里的事，我帮不上，怕说错。存取款、手机银行、防骗的事，尽管问我。",
        alias="不归我管",
    )
    chitchat: Words = Field(
        "跟您说话我也高兴。我懂的都是银行里的事，想问什么，直接说就行。", alias="闲聊"
    )


class HandingOver(Value):
    """When she calls a person by herself, and what she says then (转人工); all optional."""

    misses: int = Field(2, alias="连着没答上", ge=1, le=9)
    after_misses: Words = Field(
        "看来我答不好这个，不耽误您了，这就请{经理.称呼}来跟您说。", alias="没答上之后"
    )
    sorry: Words = Field(
        "对不起，没答到您心上。您换个说法再说一遍，我接着找；想跟人说，回「转人工」。",
        alias="答偏了",
    )
    broken: Words = Field(
        "对不起，我这边出了点小毛病，这会儿答不了您，已经请{经理.称呼}来答。", alias="出毛病"
    )


def _minutes(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _MINUTES.fullmatch(value.strip())
    if match is None:
        raise refuse(f"「{value}」不是分钟数", "写成 30分钟 的样子，1 到 999")
    return timedelta(minutes=int(match[1]))


Minutes = Annotated[
    timedelta,
    BeforeValidator(_minutes),
    PlainSerializer(lambda span: f"{span // timedelta(minutes=1)}分钟", return_type=str),
]


class Memory(Value):
    """How far back she looks to understand 「那要多久」 (接着问)."""

    turns: int = Field(6, alias="看几句", ge=0, le=20)
    within: Minutes = Field(timedelta(minutes=30), alias="隔多久算新话题")


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
    when_not_ready: Words = Field(
        "我这边的资料还在准备，这会儿答不了。已经请{经理.称呼}来答您，{时限}内给您回话。",
        alias="资料没备好时",
    )
    moods: Moods = Field(alias="情绪")
    on_duty: DayWindow = Field(alias="在岗时间")
    off_hours: Words = Field(alias="非工作时间说明")
    patience: Patience = Field(Patience(), alias="等待合并")
    session: SessionWords = Field(SessionWords(), alias="会话用语")
    declines: Declines = Field(Declines(), alias="谢绝")
    memory: Memory = Field(Memory(), alias="接着问")
    handing_over: HandingOver = Field(HandingOver(), alias="转人工")
