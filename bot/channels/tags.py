"""Corporate tags by name; WeCom wants their ids."""

from __future__ import annotations

import asyncio

from bot.errors import WeComError
from bot.wecom.contact import ContactApi

_GROUP = "知邻"
_NAME_EXISTS = 40071


class TagIds:
    """Looks tags up once and makes those that are missing."""

    def __init__(self, api: ContactApi) -> None:
        self._api = api
        self._ids: dict[str, str] = {}
        self._looking = asyncio.Lock()  # two messages at once must not make one tag twice

    async def id_of(self, name: str) -> str:
        """Return a tag's id, making the tag where there is none of this name."""
        async with self._looking:
            if name not in self._ids:
                await self._read()
            if name not in self._ids:
                await self._make(name)
            return self._ids[name]

    async def _read(self) -> None:
        groups = await self._api.get_corp_tag_list()
        self._ids = {tag.name: tag.id for group in groups for tag in group.tag}

    async def _make(self, name: str) -> None:
        try:
            made = await self._api.add_corp_tag(_GROUP, [name])
        except WeComError as error:
            if error.errcode != _NAME_EXISTS:
                raise
            await self._read()  # another process was quicker
            if name not in self._ids:
                raise
            return
        self._ids |= {tag.name: tag.id for tag in made.tag}
