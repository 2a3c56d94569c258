"""Corporate tags by name; WeCom wants their ids."""

from __future__ import annotations

from bot.wecom.contact import ContactApi

_GROUP = "知邻"


class TagIds:
    """Looks tags up once and makes those that are missing."""

    def __init__(self, api: ContactApi) -> None:
        self._api = api
        self._ids: dict[str, str] = {}

    async def id_of(self, name: str) -> str:
        """Return a tag's id, making the tag where there is none of this name."""
        if name not in self._ids:
            groups = await self._api.get_corp_tag_list()
            self._ids = {tag.name: tag.id for group in groups for tag in group.tag}
        if name not in self._ids:
            made = await self._api.add_corp_tag(_GROUP, [name])
            self._ids |= {tag.name: tag.id for tag in made.tag}
        return self._ids[name]
