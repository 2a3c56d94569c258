"""What one message can hold: words, a picture, a link, a mini-program, a file, a video."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.domain.value import Value


class Text(Value):
    """Plain words."""

    kind: Literal["text"] = "text"
    text: str = Field(min_length=1)


class Image(Value):
    """A picture from the workspace's ``sop/files``."""

    kind: Literal["image"] = "image"
    file: str
    alt: str = ""


class Link(Value):
    """A link with its card; ``cover`` is a picture from the workspace's ``sop/files``."""

    kind: Literal["link"] = "link"
    title: str
    url: str
    description: str = ""
    cover: str = ""


class MiniProgram(Value):
    """A page of a mini-program with its card; ``cover`` is a picture of ``sop/files``."""

    kind: Literal["mini_program"] = "mini_program"
    title: str
    app_id: str
    page: str
    cover: str


class File(Value):
    """A file from the workspace's ``sop/files``."""

    kind: Literal["file"] = "file"
    file: str


class Video(Value):
    """A video from the workspace's ``sop/files``."""

    kind: Literal["video"] = "video"
    file: str


Content = Annotated[Text | Image | Link | MiniProgram | File | Video, Field(discriminator="kind")]
