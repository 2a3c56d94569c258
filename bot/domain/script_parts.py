"""The parts of a script file around its steps: who enters, within what rails, how it ends."""

from __future__ import annotations

import re
from datetime import date, time
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from bot.domain.actions import Actions
from bot.domain.fields import Day, Slug, Window, WordList, Words, YesNo, read_time, refuse
from bot.domain.value import Value

RiskRating = Literal["R1", "R2", "R3", "R4", "R5"]
_EVERY_DAYS = re.compile(r"间隔([1-9]\d{0,3})天")
_CATCH_UP = re.compile(r"当日补到(.+)")
_BELOW = re.compile(r"小于(0?\.\d+|\d+(?:\.\d+)?)")


class Status(StrEnum):
    """Where a script stands on its way to customers."""

    DRAFT = "草稿"
    REVIEW = "待审"
    PUBLISHED = "已发布"
    STOPPED = "停用"


class Subject(StrEnum):
    """Whom a run is for."""

    GROUP = "客户群"
    CUSTOMER = "客户"


class Anchor(StrEnum):
    """What day 1 is."""

    GROUP_START = "群启动日"
    ENTRY = "进入日"
    MEMBER_JOIN = "客户入群日"
    FRIEND_ADDED = "添加好友日"
    FIXED = "固定日期"
    MATURITY = "到期日"
    BIRTHDAY = "生日"
    PAYDAY = "发薪日"


class RestDays(StrEnum):
    """What a step does that falls on a rest day."""

    PUSH = "顺延"
    SKIP = "跳过"
    SEND = "照发"


class OnEdit(StrEnum):
    """Whom an edited file reaches."""

    NEW_ONLY = "只影响新进入"
    UNDUE_STEPS = "只影响未到期步骤"


class MissedRule(StrEnum):
    """What happens to a step whose window passed unsent."""

    SKIP = "跳过"
    CATCH_UP = "当日补到"
    NEXT_DAY = "顺延一天"


class Missed(Value):
    """The rule for a missed window, with the hour until which the day is still used."""

    rule: MissedRule = MissedRule.SKIP
    until: time | None = None


def read_missed(value: object) -> object:
    """Read 跳过, 当日补到18:00 or 顺延一天."""
    if not isinstance(value, str):
        return value
    if value in (MissedRule.SKIP, MissedRule.NEXT_DAY):
        return Missed(rule=MissedRule(value))
    match = _CATCH_UP.fullmatch(value.strip())
    if match is None:
        raise refuse(f"不能写「{value}」", "只能写：跳过、当日补到18:00、顺延一天")
    return Missed(rule=MissedRule.CATCH_UP, until=read_time(match[1]))


def write_missed(missed: Missed) -> str:
    """Write the rule as the files have it."""
    return f"{missed.rule}{missed.until:%H:%M}" if missed.until else str(missed.rule)


class ReentryRule(StrEnum):
    """Whether a subject may run a script again."""

    NEVER = "不允许"
    AFTER_EXIT = "退出后"
    INTERVAL = "间隔"
    PER_ANCHOR = "每次锚点"


class Reentry(Value):
    """The rule for a second run, with its days for an interval."""

    rule: ReentryRule = ReentryRule.NEVER
    days: int | None = None


def read_reentry(value: object) -> object:
    """Read 不允许, 退出后, 间隔30天, 每次锚点 or {间隔天: 30}."""
    if isinstance(value, dict) and set(value) == {"间隔天"}:
        value = f"间隔{value['间隔天']}天"
    if not isinstance(value, str):
        return value
    if match := _EVERY_DAYS.fullmatch(value.strip()):
        return Reentry(rule=ReentryRule.INTERVAL, days=int(match[1]))
    if value not in (ReentryRule.NEVER, ReentryRule.AFTER_EXIT, ReentryRule.PER_ANCHOR):
        raise refuse(f"不能写「{value}」", "只能写：不允许、退出后、间隔30天、每次锚点")
    return Reentry(rule=ReentryRule(value))


def write_reentry(reentry: Reentry) -> str:
    """Write the rule as the files have it."""
    return f"间隔{reentry.days}天" if reentry.days else str(reentry.rule)


class Entry(Value):
    """How subjects come in (进入)."""

    by: Literal["事件", "名单快照", "日期", "手工"] = Field(alias="方式")
    event: Literal["群打标签", "添加好友", "客户打标签"] | None = Field(None, alias="事件")
    daily_limit: int | None = Field(None, alias="每天最多", ge=1)
    on: Day | None = Field(None, alias="日期")

    @model_validator(mode="after")
    def _says_which(self) -> Entry:
        if (self.by == "事件") != (self.event is not None):
            raise refuse("「方式: 事件」和「事件: …」要一起写", "例如 {方式: 事件, 事件: 群打标签}")
        if (self.by == "日期") != (self.on is not None):
            raise refuse("「方式: 日期」和「日期: …」要一起写", "如 {方式: 日期, 日期: 2026-10-12}")
        return self


class Approval(Value):
    """Who allowed the wording, under which number, and until when (审批)."""

    content_id: Words = Field(alias="内容编号")
    approver: Words = Field(alias="审批人")
    approved_on: Day = Field(alias="审批日")
    expires_on: Day = Field(alias="有效期至")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Approval:
        if self.expires_on < self.approved_on:
            raise refuse("「有效期至」早于「审批日」", "核对这两个日期")
        return self

    def holds_on(self, day: date) -> bool:
        """Tell whether the approval is in force on that day."""
        return self.approved_on <= day <= self.expires_on


class Size(Value):
    """How many customers a group has (群人数)."""

    least: int = Field(0, alias="最少", ge=0)
    most: int = Field(500, alias="最多", ge=1)


class Audience(Value):
    """Which subjects a script is for (适用)."""

    tags_any: tuple[Words, ...] = Field((), alias="群标签含任一")
    tags_none: tuple[Words, ...] = Field((), alias="群标签都不含")
    size: Size = Field(Size(), alias="群人数")
    owner_roles: tuple[Words, ...] = Field((), alias="群主角色")
    where: Words | None = Field(None, alias="条件")
    exclude: Words | None = Field(None, alias="排除")

    def admits_group(self, tags: frozenset[str], customers: int, owner_role: str) -> bool:
        """Tell whether a group with these tags, customers and owner may run the script."""
        return (
            (not self.tags_any or bool(tags & set(self.tags_any)))
            and not tags & set(self.tags_none)
            and self.size.least <= customers <= self.size.most
            and (not self.owner_roles or owner_role in self.owner_roles)
        )


class GuardRails(Value):
    """What no step may break (护栏)."""

    quiet: tuple[Window, ...] = Field((), alias="静默时段")
    broadcasts_a_day: int = Field(1, alias="每群每天企业群发", ge=0)
    broadcasts_a_week: int = Field(5, alias="每群每周企业群发", ge=1, le=7)
    products_a_week: int = Field(1, alias="每群每周含产品内容", ge=0, le=7)
    private_marketing_a_week: int = Field(1, alias="每客每周一对一营销", ge=0, le=7)
    max_risk: RiskRating = Field("R2", alias="产品风险最高")
    body_chars: int = Field(220, alias="正文字数上限", ge=10, le=4000)
    one_topic: YesNo = Field(False, alias="一条只讲一件事")


class OptOut(Value):
    """The words that stop what sells, and what is then done and said (退出)."""

    keywords: WordList = Field(alias="关键词")
    actions: Actions = Field(alias="动作")
    reply: Words = Field(alias="回话")


class LateJoiners(Value):
    """What members get who come after the first days (迟到成员)."""

    way: Literal["入群欢迎语附目录", "不补", "单独私聊"] = Field(alias="补课方式")
    steps: tuple[Slug, ...] = Field((), alias="目录步骤")


class ExitEvent(StrEnum):
    """What ends or narrows a run from outside."""

    GROUP_DISMISSED = "群解散"
    COMPLAINT = "投诉"
    MEMBER_REFUSED = "成员拒收"
    LEAD_WON = "线索成交"
    CUSTOMER_REFUSED = "客户拒收"
    FRIEND_LOST = "删好友"
    LARGE_DEPOSIT = "大额入金"


class Exit(Value):
    """What an event stops, and for whom (出口)."""

    event: ExitEvent = Field(alias="事件")
    stops: Literal["全部", "营销类", "产品类"] = Field(alias="停")
    scope: Literal["全群", "本人"] | None = Field(None, alias="范围")


class Bound(Value):
    """A guard metric's bound: below a figure, or exactly that figure."""

    value: float
    below: bool


def _bound(value: object) -> object:
    if not isinstance(value, str):
        return value
    if match := _BELOW.fullmatch(value.strip()):
        return Bound(value=float(match[1]), below=True)
    if value.strip().isdigit():
        return Bound(value=float(value), below=False)
    raise refuse(f"「{value}」不是指标的界限", "写成 小于0.05 或 0 的样子")


class Holdout(Value):
    """The share of subjects that do not run, so that the effect can be measured (对照)."""

    share: float = Field(0.0, alias="留白比例", ge=0, le=0.5)
    group_share: float = Field(0.0, alias="留白群比例", ge=0, le=0.5)
    seed: Words = Field(alias="随机种子")


class Measures(Value):
    """How the effect is measured (看效果)."""

    main: Words = Field(alias="主指标")
    guards: dict[
        str,
        Annotated[
            Bound,
            BeforeValidator(_bound),
            PlainSerializer(lambda b: f"小于{b.value:g}" if b.below else f"{b.value:g}"),
        ],
    ] = Field(default_factory=dict, alias="护栏指标")
    holdout: Holdout | None = Field(None, alias="对照")


class Variable(Value):
    """A variable that another system fills, with what stands there until it does (变量)."""

    source: Words = Field(alias="来自")
    default: Words = Field(alias="缺省")
