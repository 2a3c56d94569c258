"""The body that welcomes, group welcomes and mass messages share: a text and attachments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.emulator.kf_text import plain_text
from bot.emulator.wire import BAD_PARAMETER, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_ATTACHMENTS = 9
TOO_MANY_ATTACHMENTS = 41064
BAD_ATTACHMENT_TYPE = 41065
ALL_EMPTY = 41089
MEDIA_ID_MISSING = 41006
URL_MISSING = 41010
TITLE_MISSING = 41016
BAD_MEDIA_ID = 40007
WRONG_SCENE = 41072


@dataclass(frozen=True)
class Part:
    """One message as the recipient sees it; text and each attachment arrive separately."""

    msgtype: str
    payload: dict[str, object]

    def shown(self) -> str:
        """Return the words a person reads, a bracketed hint where there are none."""
        return plain_text(self.msgtype, self.payload)

    def archived(self) -> Part:
        """Return the same message in the archive's words (§8.1)."""
        given = self.payload
        if self.msgtype == "link":
            names = {"title": "title", "description": "desc", "link_url": "url"}
            names["image_url"] = "picurl"
            return Part("link", {name: given.get(key, "") for name, key in names.items()})
        if self.msgtype == "miniprogram":
            fields = {"title": given["title"], "username": given["appid"]}
            return Part("weapp", {**fields, "displayname": given["title"]})
        if self.msgtype == "text":
            return self
        return Part(self.msgtype, {"sdkfileid": given.get("media_id") or given.get("pic_url")})


@dataclass(frozen=True)
class Body:
    """A text, possibly empty, and attachments as they were given."""

    text: str
    attachments: tuple[dict[str, object], ...] = ()

    def parts(self) -> Iterator[Part]:
        """Yield the separate messages in the order in which they arrive."""
        if self.text:
            yield Part("text", {"content": self.text})
        for attachment in self.attachments:
            kind = str(attachment["msgtype"])
            payload = attachment[kind]
            yield Part(kind, payload if isinstance(payload, dict) else {})

    def as_json(self) -> dict[str, object]:
        """Return the fields ``text`` and ``attachments`` as WeCom gives them back."""
        fields: dict[str, object] = {}
        if self.text:
            fields["text"] = {"content": self.text}
        if self.attachments:
            fields["attachments"] = [dict(attachment) for attachment in self.attachments]
        return fields


def read_body(world: World, call: Call, *, max_bytes: int) -> Body:
    """Read ``text`` and ``attachments`` of a call; refuse what WeCom refuses (§5.2, §5.7)."""
    text = call.inside("text", required=False).text("content", required=False, max_bytes=max_bytes)
    attachments = call.objects("attachments", MAX_ATTACHMENTS, code=TOO_MANY_ATTACHMENTS)
    if not text and not attachments:
        raise ApiError(ALL_EMPTY)
    for attachment in attachments:
        check_attachment(world, call.of(attachment))
    return Body(text, tuple(attachments))


def check_attachment(world: World, attachment: Call) -> None:
    """Refuse an attachment whose msgtype, object or fields are wrong."""
    kind = attachment.text("msgtype", code=BAD_ATTACHMENT_TYPE)
    check = _CHECKS.get(kind)
    if check is None:
        raise ApiError(BAD_ATTACHMENT_TYPE, kind)
    check(world, attachment.inside(kind, code=BAD_ATTACHMENT_TYPE))


def _check_media(world: World, media_id: str, kind: str) -> None:
    media = world.media.get(media_id)
    if media.kind != kind:
        raise ApiError(BAD_MEDIA_ID, f"{media_id} is no {kind}")
    if media.scene:
        raise ApiError(WRONG_SCENE)


def _check_image(world: World, image: Call) -> None:
    media_id = image.text("media_id", required=False)
    if media_id:
        _check_media(world, media_id, "image")
        return
    if world.media.picture(image.text("pic_url", code=MEDIA_ID_MISSING)) is None:
        raise ApiError(BAD_PARAMETER, "pic_url did not come from uploadimg")


def _check_link(world: World, link: Call) -> None:
    link.text("title", code=TITLE_MISSING)
    link.text("url", code=URL_MISSING)
    for key, longest in (("title", 128), ("picurl", 2048), ("desc", 512), ("url", 2048)):
        link.text(key, required=False, max_bytes=longest)


def _check_miniprogram(world: World, program: Call) -> None:
    program.text("title", code=TITLE_MISSING)
    program.text("title", max_bytes=64)
    _check_media(world, program.text("pic_media_id", code=MEDIA_ID_MISSING), "image")
    program.text("appid")
    program.text("page")


def _check_video(world: World, video: Call) -> None:
    _check_media(world, video.text("media_id", code=MEDIA_ID_MISSING), "video")


def _check_file(world: World, file: Call) -> None:
    _check_media(world, file.text("media_id", code=MEDIA_ID_MISSING), "file")


_CHECKS: dict[str, Callable[[World, Call], None]] = {
    "image": _check_image,
    "link": _check_link,
    "miniprogram": _check_miniprogram,
    "video": _check_video,
    "file": _check_file,
}
