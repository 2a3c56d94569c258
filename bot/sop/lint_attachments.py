"""What WeCom would refuse of a message: too long, too many, too large, of the wrong kind.

The limits are those of wecom_protocol §3.9, §4.5, §5.2, §5.6 and §5.7.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import assert_never

from bot.domain.attachments import (
    Attachment,
    FileAttachment,
    LinkCard,
    MiniProgram,
    Picture,
    Video,
)
from bot.domain.render import variables_in
from bot.domain.script import SopScript
from bot.domain.steps import Overlay, SendBy, Step
from bot.sop.context import Found, LintContext, Path
from bot.sop.filling import welcome_text
from bot.sop.library import SourceFile

_MB = 1024 * 1024
_LEAST_BYTES = 6  # WeCom takes files of more than five bytes
TEXT_BYTES, MOMENT_CHARS = 4000, 2000
_LESS_TEXT: dict[SendBy, int] = {SendBy.KF: 2048, SendBy.GROUP_WELCOME: 3000}
_LINK_TITLE, _TITLE_IN_MOMENTS = 128, 64
_MOST: dict[SendBy, int] = {SendBy.GROUP_WELCOME: 1, SendBy.KF: 4}
_MOST_ATTACHMENTS = 9
_PICTURES = frozenset({".png", ".jpg", ".jpeg"})
_COVER_BYTES = 2 * _MB


def lint_attachments(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Give what WeCom would refuse of each step and overlay."""
    for path, part in _parts(script):
        ways = part.send_by if isinstance(part, Step) else (part.send_by,)
        yield from _number(part, ways, path, source)
        yield from _length(part, ways, path, source, script)
        for number, attachment in enumerate(part.attachments):
            at: Path = (*path, "附件", number)
            yield from _words(attachment, ways, at, source)
            yield from _files(attachment, at, source, context)


def _parts(script: SopScript) -> Iterator[tuple[Path, Step | Overlay]]:
    for number, step in enumerate(script.steps):
        yield ("步骤", number), step
    for number, overlay in enumerate(script.overlays):
        yield ("日历叠加", number), overlay


def _number(part: Step | Overlay, ways: tuple[SendBy, ...], at: Path, source: SourceFile) -> Found:
    count = len(part.attachments)
    for way in ways:
        most = _MOST.get(way, _MOST_ATTACHMENTS)
        if count > most:
            what = f"「{way}」最多带 {most} 个附件，这里有 {count} 个"
            yield source.problem((*at, "附件"), what, "删掉多的，或拆成两步")
    if set(ways) == {SendBy.TASK_FOR_MANAGER} and count:
        what = "「提醒经理」是给同事的一件事，带不了附件"
        yield source.problem((*at, "附件"), what, "删掉附件，或换一种发送方式")
    if SendBy.MOMENTS in ways:
        kinds = {type(attachment) for attachment in part.attachments}
        alone = count <= 1 and kinds <= {LinkCard, Video}
        if not alone and kinds != {Picture}:
            what = "朋友圈只能带图片(最多 9 张)、一个链接或一个视频，不能混着带"
            yield source.problem((*at, "附件"), what, "留一种，其余的删掉")


def _length(
    part: Step | Overlay,
    ways: tuple[SendBy, ...],
    at: Path,
    source: SourceFile,
    script: SopScript,
) -> Found:
    """Give texts that are too long for one of their ways; variables count as they are written."""
    bodies: list[tuple[Path, str]] = [((*at, "正文"), part.body)] if part.body else []
    if isinstance(part, Step):
        bodies += [((*at, "正文按分流", arm), body) for arm, body in (part.bodies or {}).items()]
    for path, body in bodies:
        welcome = SendBy.GROUP_WELCOME in ways
        size = len((_with_titles(script, body) if welcome else body).encode())
        most = min(_LESS_TEXT.get(way, TEXT_BYTES) for way in ways or (SendBy.BROADCAST,))
        if size > most:
            whole = "正文和目录一共" if welcome and script.late_joiners is not None else "正文"
            what = f"{whole}有 {size} 个字节，企业微信最多收 {most} 个(一个汉字 3 个字节)"
            yield source.problem(path, what, "删短，或拆成两步")
        if SendBy.MOMENTS in ways and len(body) > MOMENT_CHARS:
            what = f"朋友圈的文字最多 {MOMENT_CHARS} 个字，这里有 {len(body)} 个"
            yield source.problem(path, what, "删短")


def _with_titles(script: SopScript, body: str) -> str:
    """Return a group's welcome with the list that is put under it, its variables left open."""
    bodies = [each.body or "" for each in script.parts]
    names = {name for text in bodies for name in variables_in(text)}
    return welcome_text(script, body, {name: f"{{{name}}}" for name in names})


def _words(attachment: Attachment, ways: tuple[SendBy, ...], at: Path, source: SourceFile) -> Found:
    limits: tuple[tuple[str, str, int], ...]
    match attachment:
        case LinkCard():
            title = _TITLE_IN_MOMENTS if SendBy.MOMENTS in ways else _LINK_TITLE
            limits = (
                ("标题", attachment.title, title),
                ("说明", attachment.description, 512),
                ("网址", attachment.url, 2048),
            )
        case MiniProgram():
            limits = (("标题", attachment.title, 64),)
        case Picture() | FileAttachment() | Video():
            limits = ()
        case _:
            assert_never(attachment)
    for key, text, most in limits:
        if len(text.encode()) > most:
            where = "朋友圈的" if most == _TITLE_IN_MOMENTS and SendBy.MOMENTS in ways else ""
            what = f"{where}{key}太长，最多 {most // 3} 个汉字"
            yield source.problem((*at, key), what, "写短一些")


def _files(attachment: Attachment, at: Path, source: SourceFile, context: LintContext) -> Found:
    suffixes, most = _allowed(attachment)
    for key, file in attachment.files:
        if file not in context.pictures:
            what = f"sop/files 里没有「{file}」"
            yield source.problem((*at, key), what, "把文件放进 sop/files，或改对文件名")
            continue
        suffix = PurePosixPath(file).suffix.lower()
        if suffixes and suffix not in suffixes:
            what = f"「{file}」的格式企业微信不收"
            yield source.problem((*at, key), what, f"存成 {'、'.join(sorted(suffixes))} 再放进来")
        size = context.sizes.get(file)
        if size is not None and size > most:
            what = f"「{file}」有 {size / _MB:.1f} MB，最多 {most // _MB} MB"
            yield source.problem((*at, key), what, "压缩后再放进来")
        if size is not None and size < _LEAST_BYTES:
            yield source.problem((*at, key), f"「{file}」是空文件", "换一个好的文件")


def _allowed(attachment: Attachment) -> tuple[frozenset[str], int]:
    """Return the suffixes that a kind's files may have (none: any), and their most bytes."""
    match attachment:
        case Picture():
            return _PICTURES, 10 * _MB
        case LinkCard() | MiniProgram():
            return _PICTURES, _COVER_BYTES
        case Video():
            return frozenset({".mp4"}), 10 * _MB
        case FileAttachment():
            return frozenset(), 20 * _MB
        case _:
            assert_never(attachment)
