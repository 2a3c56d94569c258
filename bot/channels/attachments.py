"""Contents in WeCom's words: as a mass message has them, a moment, a 微信客服 message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from bot.channels.media import MediaShelf
from bot.domain.contents import Content, File, Image, Link, MiniProgram, Text, Video
from bot.errors import Undeliverable
from bot.wecom.messages import Attachment

Parts = tuple[str, list[Attachment]]


class Attachments:
    """Renders contents, uploading the files that they need."""

    def __init__(self, media: MediaShelf) -> None:
        self._media = media

    async def mass(self, contents: Sequence[Content]) -> Parts:
        """Return the words in one, and the attachments of a mass message or a welcome."""
        rest = [content for content in contents if not isinstance(content, Text)]
        return _words(contents), [await self.of_mass(content) for content in rest]

    async def of_mass(self, content: Content) -> Attachment:
        """Return one attachment of a mass message or a welcome (wecom_protocol §5.2)."""
        match content:
            case Image():
                media_id = await self._media.image(content.file)
                return {"msgtype": "image", "image": {"media_id": media_id}}
            case Link():
                link = {"title": content.title, "url": content.url, "desc": content.description}
                if content.cover:
                    link["picurl"] = await self._media.address(content.cover)
                return {"msgtype": "link", "link": link}
            case MiniProgram():
                card = {
                    "title": content.title,
                    "pic_media_id": await self._media.image(content.cover),
                    "appid": content.app_id,
                    "page": content.page,
                }
                return {"msgtype": "miniprogram", "miniprogram": card}
            case File():
                media_id = await self._media.media_id(content.file, "file")
                return {"msgtype": "file", "file": {"media_id": media_id}}
            case Video():
                media_id = await self._media.media_id(content.file, "video")
                return {"msgtype": "video", "video": {"media_id": media_id}}
            case Text():
                raise Undeliverable("cannot_attach_text")
            case _:
                assert_never(content)

    async def moment(self, contents: Sequence[Content]) -> Parts:
        """Return the words in one, and the attachments of a moment (wecom_protocol §5.8)."""
        rest = [content for content in contents if not isinstance(content, Text)]
        return _words(contents), [await self._of_moment(content) for content in rest]

    async def _of_moment(self, content: Content) -> Attachment:
        match content:
            case Image():
                media_id = await self._media.for_moment(content.file, "image")
                return {"msgtype": "image", "image": {"media_id": media_id}}
            case Video():
                media_id = await self._media.for_moment(content.file, "video")
                return {"msgtype": "video", "video": {"media_id": media_id}}
            case Link():
                link = {"title": content.title, "url": content.url}
                if content.cover:
                    link["media_id"] = await self._media.for_moment(content.cover, "image")
                return {"msgtype": "link", "link": link}
            case _:
                raise Undeliverable(f"moment_cannot_show_{content.kind}")

    async def kf(self, content: Content) -> Attachment:
        """Return a 微信客服 message's type and payload (wecom_protocol §4.5).

        WeCom shows a link there with a cover only, so one without goes as words.
        """
        match content:
            case Text():
                return {"msgtype": "text", "text": {"content": content.text}}
            case Link(cover=""):
                words = f"{content.title}\n{content.url}"
                return {"msgtype": "text", "text": {"content": words}}
            case Link():
                link = {
                    "title": content.title,
                    "desc": content.description,
                    "url": content.url,
                    "thumb_media_id": await self._media.image(content.cover),
                }
                return {"msgtype": "link", "link": link}
            case MiniProgram():
                card = {
                    "appid": content.app_id,
                    "title": content.title,
                    "thumb_media_id": await self._media.image(content.cover),
                    "pagepath": content.page,
                }
                return {"msgtype": "miniprogram", "miniprogram": card}
            case Image() | File() | Video():
                kind = content.kind
                media_id = await self._media.media_id(content.file, kind)
                return {"msgtype": kind, kind: {"media_id": media_id}}
            case _:
                assert_never(content)


def _words(contents: Sequence[Content]) -> str:
    return "\n".join(content.text for content in contents if isinstance(content, Text))
