"""What goes with a text: a picture, a link, a mini-program, a file, a video (附件)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from bot.domain.fields import Words, refuse
from bot.domain.value import Value


class Picture(Value):
    """A picture of the workspace's files folder, with words for those who cannot see it."""

    kind: Literal["图片"] = Field(alias="类型")
    file: Words = Field(alias="素材")
    alt: Words = Field(alias="替代文字")

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Return the files of the workspace that it needs, each with its key."""
        return (("素材", self.file),)


class LinkCard(Value):
    """A link shown as a card."""

    kind: Literal["链接"] = Field(alias="类型")
    title: Words = Field(alias="标题")
    url: Words = Field(alias="网址")
    description: str = Field("", alias="说明")
    cover: Words | None = Field(None, alias="封面")

    @model_validator(mode="after")
    def _is_an_address(self) -> LinkCard:
        if not self.url.startswith(("https://", "http://")):
            raise refuse(f"「{self.url}」不是网址", "以 https:// 开头写全")
        return self

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Return the files of the workspace that it needs, each with its key."""
        return (("封面", self.cover),) if self.cover else ()


class MiniProgram(Value):
    """A page of a mini-program, shown as a card with its cover picture."""

    kind: Literal["小程序"] = Field(alias="类型")
    title: Words = Field(alias="标题")
    app_id: Words = Field(alias="小程序")
    page: Words = Field(alias="页面")
    cover: Words = Field(alias="封面")

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Return the files of the workspace that it needs, each with its key."""
        return (("封面", self.cover),)


class FileAttachment(Value):
    """A file of the workspace's files folder."""

    kind: Literal["文件"] = Field(alias="类型")
    file: Words = Field(alias="素材")

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Return the files of the workspace that it needs, each with its key."""
        return (("素材", self.file),)


class Video(Value):
    """A video of the workspace's files folder."""

    kind: Literal["视频"] = Field(alias="类型")
    file: Words = Field(alias="素材")

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Return the files of the workspace that it needs, each with its key."""
        return (("素材", self.file),)


KINDS: dict[str, type[Value]] = {
    "图片": Picture,
    "链接": LinkCard,
    "小程序": MiniProgram,
    "文件": FileAttachment,
    "视频": Video,
}
_KIND = "类型"


def _known(value: object) -> object:
    """Refuse an unknown kind here: an error raised in a discriminator would escape pydantic."""
    if isinstance(value, tuple(KINDS.values())):
        return value
    known = "、".join(KINDS)
    if not isinstance(value, dict):
        raise refuse("附件要写成「键: 值」的形式", "例如 {类型: 图片, 素材: a.png, 替代文字: …}")
    kind = value.get(_KIND, value.get("kind"))
    if kind is None:
        raise refuse("附件缺少「类型」", f"补上「类型: …」，可以写：{known}")
    if kind not in KINDS:
        raise refuse(f"没有「{kind}」这种附件", f"只能写：{known}")
    return value


def _which(value: object) -> str:
    """Name the form by its kind; the sharp brackets keep the name out of key paths."""
    kind = value.get(_KIND, value.get("kind")) if isinstance(value, dict) else None
    kind = kind or getattr(value, "kind", "")
    return f"<{kind}>"


Attachment = Annotated[
    Annotated[Picture, Tag("<图片>")]
    | Annotated[LinkCard, Tag("<链接>")]
    | Annotated[MiniProgram, Tag("<小程序>")]
    | Annotated[FileAttachment, Tag("<文件>")]
    | Annotated[Video, Tag("<视频>")],
    Discriminator(_which),
    BeforeValidator(_known),
]
