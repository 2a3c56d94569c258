"""What the bank registers for its scripts: customers' data, their events, the platform's quota."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from bot.domain.fields import Words, refuse
from bot.domain.value import Value


class FieldKind(StrEnum):
    """What a customer's datum is."""

    NUMBER = "数"
    DATE = "日期"
    TEXT = "文字"
    YES_NO = "是否"
    GRADE = "等级"


class CustomerField(Value):
    """One datum that the bank knows of its customers (客户资料)."""

    name: Words = Field(alias="名称")
    kind: FieldKind = Field(alias="类型")


AGE, GRADE, ASSESSED_ON = "年龄", "风险等级", "测评日"
BIRTHDAY, LUNAR_BIRTHDAY, MATURITY, PAYDAY = "生日", "农历生日", "到期日", "发薪日"
CONSENT = "营销同意"
BUILT_IN_FIELDS: Mapping[str, FieldKind] = {
    AGE: FieldKind.NUMBER,
    GRADE: FieldKind.GRADE,
    ASSESSED_ON: FieldKind.DATE,
    BIRTHDAY: FieldKind.DATE,
    LUNAR_BIRTHDAY: FieldKind.TEXT,
    MATURITY: FieldKind.DATE,
    PAYDAY: FieldKind.NUMBER,
    CONSENT: FieldKind.YES_NO,
}
# Dates that come again for each customer, whatever kind their datum is.
YEARLY_OR_MONTHLY = frozenset({BIRTHDAY, LUNAR_BIRTHDAY, PAYDAY})

COMPLAINED, BEREAVED = "投诉", "亲人离世"
BUILT_IN_EVENTS = frozenset(
    {
        "客户回复",
        "点击链接",
        "到网点",
        "活动报名",
        "活动到场",
        "大额入金",
        "添加好友",
        "客户入群",
        "退群",
        "线索成交",
        "任务完成",
        COMPLAINED,
        "客户拒收",
        "恢复",
        "删好友",
        BEREAVED,
    }
)
TAGGED_GROUP, TAGGED_CUSTOMER = "群打标签", "客户打标签"
TAG_EVENTS = frozenset({TAGGED_GROUP, TAGGED_CUSTOMER})

BY_DAYS: Final = "按天数"


def _a_month(value: object) -> object:
    if isinstance(value, str):
        text = value.strip()
        if text == BY_DAYS:
            return text
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 31):
            raise refuse(f"「{value}」不是每月的条数", f"写 {BY_DAYS}，或写 1 到 31 的数")
        return int(text)
    return value


class PlatformQuota(Value):
    """How many mass messages WeCom lets reach one subject (额度; sop_semantics C1).

    ``a_month`` is for a month of the calendar: as many as it has days, or a number.
    """

    a_month: Annotated[Literal["按天数"] | int, BeforeValidator(_a_month)] = Field(
        BY_DAYS, alias="每月"
    )
    a_week: int = Field(7, alias="每周", ge=1, le=7)
    a_day: int = Field(1, alias="每天", ge=1, le=10)

    def of_month(self, days_in_month: int) -> int:
        """Return how many messages a month of so many days allows."""
        return days_in_month if isinstance(self.a_month, str) else self.a_month
