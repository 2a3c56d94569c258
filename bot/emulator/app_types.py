"""The types of app messages (§3.4): what each must hold, and the words a member reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.emulator import cards
from bot.emulator.wire import ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

TEXT_BYTES = 2048
MAX_ARTICLES = 8
MAX_ARTICLE_BYTES = 666 * 1024
CHAT_TYPES = frozenset(
    {"text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown"}
)
"""What ``appchat/send`` takes (§3.8)."""


def render(world: World, call: Call) -> tuple[str, Call, str]:
    """Return a message's type, its object and its words; refuse what WeCom refuses."""
    msgtype = call.text("msgtype", code=40008)
    check = _TYPES.get(msgtype)
    if check is None:
        raise ApiError(40008)
    call.integer("safe", 0, low=0, high=2 if msgtype == "mpnews" else 1)
    content = call.inside(msgtype)
    return msgtype, content, check(world, content)


def _text(world: World, content: Call) -> str:
    text = content.text("content", code=44004)
    if not text.strip():
        raise ApiError(44004)
    return text.encode()[:TEXT_BYTES].decode(errors="ignore")


def _markdown(world: World, content: Call) -> str:
    return content.text("content", max_bytes=TEXT_BYTES, code=40058)


def _file(kind: str) -> Callable[[World, Call], str]:
    def check(world: World, content: Call) -> str:
        media = world.media.get(content.text("media_id", code=41006))
        if media.kind != kind:
            raise ApiError(40007, f"{media.media_id} is no {kind}")
        content.text("title", required=False, max_bytes=128)
        content.text("description", required=False, max_bytes=512)
        return f"[{media.kind}] {media.filename}"

    return check


def _textcard(world: World, content: Call) -> str:
    title = content.text("title", max_bytes=128, code=41016)
    description = content.text("description", max_bytes=512, code=41033)
    content.text("url", max_bytes=2048, code=41010)
    content.short("btntxt", 4)
    return f"{title}\n{description}"


def _news(world: World, content: Call) -> str:
    articles = content.objects("articles", MAX_ARTICLES, required=True, code=45008)
    titles = []
    for article in map(content.of, articles):
        titles.append(article.text("title", max_bytes=128, code=41016))
        article.text("description", required=False, max_bytes=512)
        article.text("url", required="appid" not in article.body, max_bytes=2048, code=41010)
        article.text("picurl", required=False, max_bytes=2048)
    return "\n".join(titles)


def _mpnews(world: World, content: Call) -> str:
    articles = content.objects("articles", MAX_ARTICLES, required=True, code=45008)
    titles = []
    for article in map(content.of, articles):
        titles.append(article.text("title", max_bytes=128, code=41016))
        world.media.get(article.text("thumb_media_id", code=41006))
        article.text("author", required=False, max_bytes=64, code=45032)
        article.text("content", code=44004)
        article.text("content", max_bytes=MAX_ARTICLE_BYTES, code=45002)
        article.text("digest", required=False, max_bytes=512)
    return "\n".join(titles)


def _miniprogram_notice(world: World, content: Call) -> str:
    content.text("appid")
    title = content.short("title", 12, required=True, code=41016)
    description = content.short("description", 12)
    if len(title) < 4 or (description and len(description) < 4):
        raise ApiError(40058, "title and description have 4 to 12 characters")
    content.flag("emphasis_first_item")
    words = [title, description]
    for item in map(content.of, content.objects("content_item", 10)):
        key = item.short("key", 10, required=True)
        words.append(f"{key}：{item.short('value', 30, required=True)}")
    return "\n".join(word for word in words if word)


def _template_card(world: World, content: Call) -> str:
    cards.check_card(content)
    return cards.card_text(content)


_TYPES: dict[str, Callable[[World, Call], str]] = {
    "text": _text,
    "markdown": _markdown,
    "image": _file("image"),
    "voice": _file("voice"),
    "video": _file("video"),
    "file": _file("file"),
    "textcard": _textcard,
    "news": _news,
    "mpnews": _mpnews,
    "miniprogram_notice": _miniprogram_notice,
    "template_card": _template_card,
}
