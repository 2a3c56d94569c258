"""The bank's place and people in its file: the institution, its branches, who works there."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from bot.domain.business_time import ServiceHours
from bot.domain.fields import Words, YesNo, refuse
from bot.domain.ids import BranchId, RmId
from bot.domain.lead import Need
from bot.domain.value import Value

Role = Literal["客户经理", "大堂经理", "支行行长", "消保"]
Licence = Literal["基金", "保险", "贷款"]
SERVING: tuple[Role, ...] = ("客户经理", "大堂经理")
"""Who is given customers' matters by turns."""
USUAL_ZONE = "Asia/Shanghai"
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}|localhost")


def _zone_name(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise refuse(f"没有「{name}」这个时区", "写 Asia/Shanghai") from None
    return name


def _domain(name: str) -> str:
    name = name.strip().lower()
    if not _DOMAIN.fullmatch(name):
        raise refuse(f"「{name}」不是域名", "只写域名，如 bank.example，不写 https://")
    return name


Domain = Annotated[Words, AfterValidator(_domain)]
Minutes = Annotated[int, Field(ge=1, le=60 * 24 * 60)]


class Institution(Value):
    """The bank (机构); branches without hours of their own keep its 服务时段."""

    name: Words = Field(alias="名称")
    hotline: Words = Field(alias="客服电话")
    zone_name: Annotated[str, AfterValidator(_zone_name)] = Field(USUAL_ZONE, alias="时区")
    domains: tuple[Domain, ...] = Field((), alias="网址")
    service: ServiceHours = Field(default_factory=ServiceHours, alias="服务时段")


class Branch(Value):
    """A branch; ``head`` is a member's userid (网点).

    ``hours`` are words for customers, ``service`` are what staff's time limits are reckoned in.
    """

    id: BranchId = Field(alias="编号")
    name: Words = Field(alias="名称")
    address: Words = Field(alias="地址")
    phone: Words = Field(alias="电话")
    hours: Words = Field(alias="营业时间")
    head: RmId = Field(alias="行长")
    region: Words | Literal[""] = Field("", alias="地区")
    service: ServiceHours | None = Field(None, alias="服务时段")


class Member(Value):
    """A member of staff; those of head office have no branch (员工).

    ``capacity`` is how much may lie on the desk at once, in weighted leads; without it the
    settings' figure counts. ``superior`` is told of what is left undone, before the branch's head.
    """

    userid: RmId
    name: Words = Field(alias="姓名")
    address_as: Words = Field(alias="称呼")
    role: Role = Field(alias="角色")
    branch: BranchId | None = Field(None, alias="网点")
    on_duty: YesNo = Field(True, alias="在岗")
    licences: tuple[Licence, ...] = Field((), alias="资格")
    capacity: Annotated[int, Field(ge=1, le=10_000)] | None = Field(None, alias="接待上限")
    team: Words | Literal[""] = Field("", alias="组")
    superior: RmId | None = Field(None, alias="上级")


class LeadLimit(Value):
    """By when a need must be answered and dealt with, where the bank sets it itself (线索时限).

    Minutes in which people are there; of danger and complaints minutes of the clock.
    """

    need: Need = Field(alias="线索")
    first: Minutes | None = Field(None, alias="首响分钟")
    resolve: Minutes | None = Field(None, alias="处理分钟")
