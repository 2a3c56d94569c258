"""What a welcome and a mass message are made of: words and attachments (wecom_protocol §5.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Attachment = Mapping[str, object]
"""``{"msgtype": "link", "link": {…}}`` and its kin: image, miniprogram, video, file."""

MAX_TEXT_BYTES = 4000
MAX_ATTACHMENTS = 9


def message(content: str, attachments: Sequence[Attachment]) -> dict[str, object]:
    """Return the body's text and attachments; raise ``ValueError`` for what WeCom refuses."""
    if not content and not attachments:
        raise ValueError("text and attachments are both empty")
    if len(attachments) > MAX_ATTACHMENTS:
        raise ValueError(f"{len(attachments)} attachments: at most {MAX_ATTACHMENTS}")
    check_text(content, MAX_TEXT_BYTES)
    fields: dict[str, object] = {}
    if content:
        fields["text"] = {"content": content}
    if attachments:
        fields["attachments"] = [dict(attachment) for attachment in attachments]
    return fields


def check_text(content: str, max_bytes: int) -> None:
    """Raise ``ValueError`` for a text of more bytes than WeCom takes."""
    size = len(content.encode())
    if size > max_bytes:
        raise ValueError(f"text of {size} bytes: at most {max_bytes}")
