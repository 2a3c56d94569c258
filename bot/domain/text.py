"""Text as it can be kept, and cut where WeCom counts bytes and people read sentences."""

from __future__ import annotations

KF_TEXT_BYTES = 2048  # wecom_protocol §4.5
_ENDS = "。！？；!?;\n"


def split_text(text: str, limit: int) -> list[str]:
    """Cut text into parts of at most ``limit`` UTF-8 bytes, at sentence ends where possible."""
    parts = []
    rest = text
    while len(rest.encode()) > limit:
        cut = max(1, len(rest.encode()[:limit].decode(errors="ignore")))
        end = max((rest.rfind(mark, 0, cut) for mark in _ENDS), default=-1)
        cut = end + 1 if end > cut // 2 else cut
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [part for part in (*parts, rest) if part] or [text]


def whole(value: object) -> str:
    """Return text that every database keeps.

    JSON lets half a character through, which becomes a question mark, and a NUL, which is left out.
    """
    return str(value).replace("\0", "").encode("utf-8", "replace").decode()
