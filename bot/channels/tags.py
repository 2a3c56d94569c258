"""Corporate tags by name; WeCom wants their ids, and its lists of customers give nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from bot.errors import WeComError
from bot.wecom.contact import ContactApi

_GROUP = "知邻"
_NAME_EXISTS = 40071
_GOOD_FOR_S = 600.0  # another process may hear of a new name, and not this one


class TagIds:
    """Looks tags up once in a while and makes those that are missing."""

    def __init__(self, api: ContactApi) -> None:
        self._api = api
        self._ids: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._read_at = float("-inf")
        self._looking = asyncio.Lock()  # two messages at once must not make one tag twice

    async def id_of(self, name: str) -> str:
        """Return a tag's id, making the tag where there is none of this name."""
        async with self._looking:
            if name not in self._ids or self._old():
                await self._read()
            if name not in self._ids:
                await self._make(name)
            return self._ids[name]

    async def known(self, names: Iterable[str]) -> list[str]:
        """Return the ids of those tags that there are."""
        async with self._looking:
            if self._old():
                await self._read()
            return [self._ids[name] for name in names if name in self._ids]

    async def names(self, ids: Iterable[str]) -> frozenset[str]:
        """Return the names of tags; an id that is no tag of the bank's any more has none."""
        wanted = set(ids)
        async with self._looking:
            if self._old() or wanted - self._names.keys():
                await self._read()
            return frozenset(self._names[one] for one in wanted if one in self._names)

    def forget(self) -> None:
        """Look again before the next use: the bank's tags have changed."""
        self._read_at = float("-inf")

    def _old(self) -> bool:
        return time.monotonic() - self._read_at > _GOOD_FOR_S

    async def _read(self) -> None:
        groups = await self._api.get_corp_tag_list()
        self._names = {tag.id: tag.name for group in groups for tag in group.tag}
        # Of two tags with one name, which groups allow, our own group's is meant.
        ours_last = sorted(groups, key=lambda group: group.group_name == _GROUP)
        self._ids = {tag.name: tag.id for group in ours_last for tag in group.tag}
        self._read_at = time.monotonic()

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
        self._names |= {tag.id: tag.name for tag in made.tag}
