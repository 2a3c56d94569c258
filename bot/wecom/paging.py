"""Lists that come in pages behind a cursor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from bot.wecom.client import WeComClient
from bot.wecom.fields import records, text


async def page(
    client: WeComClient, path: str, body: Mapping[str, object], key: str, cursor: str = ""
) -> tuple[list[dict[str, object]], str]:
    """Return one page's items and where to read on, "" at the end."""
    answer = await client.post(path, {**body, "cursor": cursor} if cursor else body)
    following = text(answer, "next_cursor")
    # A cursor that stands still would be read for ever.
    return records(answer, key), "" if following == cursor else following


async def pages(
    client: WeComClient, path: str, body: Mapping[str, object], key: str
) -> AsyncIterator[dict[str, object]]:
    """Yield the items of every page."""
    cursor = ""
    while True:
        items, cursor = await page(client, path, body, key, cursor)
        for item in items:
            yield item
        if not cursor:
            return
