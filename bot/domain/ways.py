"""How customers come to the bank: codes to members, codes into groups, the welcome they get."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bot.domain.fields import WordList, Words, YesNo, refuse
from bot.domain.ids import BranchId, RmId, digest
from bot.domain.messages import Content, Image, Link, Text
from bot.domain.value import Value

WayKind = Literal["contact", "join"]
MAX_USERS = 100  # wecom_protocol §5.3
MAX_GROUPS = 5  # §5.6
WELCOME_BYTES = 4000  # §5.2
WELCOME_ATTACHMENTS = 9  # §5.2
_STATE = re.compile(r"[A-Za-z0-9_-]{1,30}")


def _state(value: str) -> str:
    if not _STATE.fullmatch(value):
        raise refuse(f"标识「{value}」写法不对", "只用字母、数字、连字符和下划线，不超过 30 个")
    return value


def _remark(value: str) -> str:
    if len(value) > 30:
        raise refuse(f"备注有 {len(value)} 个字，超过 30 个", "写短一些")
    return value


def _room_name(value: str) -> str:
    if len(value) > 40:
        raise refuse(f"新群名有 {len(value)} 个字，超过 40 个", "写短一些")
    return value


def _count(value: object) -> object:
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and int(value) > 0):
            raise refuse(f"「{value}」不是从 1 开始的整数", "写成 1、2、3 的样子")
        return int(value)
    return value


State = Annotated[Words, AfterValidator(_state)]
Remark = Annotated[str, AfterValidator(_remark)]


class WelcomeLink(Value):
    """A link that goes with a welcome (链接)."""

    title: Words = Field(alias="标题")
    url: Words = Field(alias="网址")
    description: str = Field("", alias="说明")

    @model_validator(mode="after")
    def _fits(self) -> WelcomeLink:
        if not self.url.startswith(("https://", "http://")):
            raise refuse(f"「{self.url}」不是网址", "以 https:// 开头写全")
        if len(self.title.encode()) > 128 or len(self.description.encode()) > 512:
            raise refuse("链接的标题或说明太长", "标题不超过 42 个字，说明不超过 170 个字")
        return self


class FriendWelcome(Value):
    """What a new friend reads; one without 活码 is for whoever came any other way (好友欢迎语)."""

    text: Words = Field(alias="正文")
    pictures: tuple[Words, ...] = Field((), alias="图片")
    links: tuple[WelcomeLink, ...] = Field((), alias="链接")
    ways: tuple[Words, ...] = Field((), alias="活码")

    @model_validator(mode="after")
    def _fits(self) -> FriendWelcome:
        size = len(self.text.encode())
        if size > WELCOME_BYTES:
            raise refuse(f"欢迎语有 {size} 字节，超过 {WELCOME_BYTES}", "删短；一个汉字算 3 字节")
        if len(self.pictures) + len(self.links) > WELCOME_ATTACHMENTS:
            raise refuse(f"图片和链接加起来超过 {WELCOME_ATTACHMENTS} 个", "删掉几个")
        return self

    def contents(self, text: str) -> tuple[Content, ...]:
        """Return the welcome's parts, its words filled in already."""
        pictures = (Image(file=file) for file in self.pictures)
        links = (Link(title=x.title, url=x.url, description=x.description) for x in self.links)
        return (Text(text=text), *pictures, *links)


class ContactWay(Value):
    """A code that leads to members of staff (渠道活码)."""

    name: Words = Field(alias="名称")
    state: State = Field(alias="标识")
    staff: tuple[RmId, ...] = Field((), alias="员工", max_length=MAX_USERS)
    branch: BranchId | None = Field(None, alias="网点")
    remark: Remark = Field("", alias="备注")
    skip_verify: YesNo = Field(True, alias="免验证")
    tags: tuple[Words, ...] = Field((), alias="打标签")

    @model_validator(mode="after")
    def _leads_somewhere(self) -> ContactWay:
        if bool(self.staff) == bool(self.branch):
            raise refuse("「员工」和「网点」要写一个，只写一个", "写员工的 userid，或写网点的编号")
        return self


class JoinWay(Value):
    """A code that leads into one of up to five groups (入群活码)."""

    name: Words = Field(alias="名称")
    state: State = Field(alias="标识")
    groups: Annotated[WordList, Field(max_length=MAX_GROUPS)] = Field(alias="群")
    auto_create: YesNo = Field(True, alias="自动建群")
    room_name: Annotated[str, AfterValidator(_room_name)] = Field("", alias="新群名")
    room_number: Annotated[int, BeforeValidator(_count)] = Field(1, alias="起始序号")
    remark: Remark = Field("", alias="备注")


class WantedWay(Value):
    """A code as the file wants it, with everybody named; ``targets`` are userids or groups."""

    kind: WayKind
    name: str
    state: str
    targets: tuple[str, ...]
    remark: str
    skip_verify: bool = True
    auto_create: bool = True
    room_name: str = ""
    room_number: int = 1

    def fingerprint(self) -> str:
        """Return what changes whenever the code has to be changed in WeCom."""
        return digest(self.model_dump_json())
