"""客户朋友圈: moments that members post by hand, and who has posted (wecom_protocol §5.8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.wecom.client import WeComClient
from bot.wecom.fields import number, record, records, text
from bot.wecom.messages import Attachment
from bot.wecom.paging import pages

MAX_PICTURES = 9
JOB_DONE = 3
_MOMENTS_A_PAGE = 20
_TASKS_A_PAGE = 1000


@dataclass(frozen=True, slots=True)
class MomentJob:
    """How far the making of a moment is; ``moment_id`` is there once it is done."""

    status: int
    moment_id: str
    errcode: int


@dataclass(frozen=True, slots=True)
class ListedMoment:
    """A moment in WeCom's list; one made by API has no ``creator``."""

    moment_id: str
    creator: str
    content: str
    pictures: int
    link: str
    has_video: bool


@dataclass(frozen=True, slots=True)
class MomentTask:
    """One member's part of a moment: whether they have posted it."""

    userid: str
    published: bool


class MomentCalls:
    """The moment interfaces, lists read to their end; raises as ``WeComClient`` does."""

    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def add_moment_task(
        self,
        sender: str,
        tag_ids: Sequence[str],
        content: str,
        attachments: Sequence[Attachment] = (),
    ) -> str:
        """Ask a member to post a moment to all his customers, or those with a tag.

        Return the jobid, by which the moment's id can be asked for within 24 hours.
        """
        if not content and not attachments:
            raise ValueError("text and attachments are both empty")
        visible: dict[str, object] = {"sender_list": {"user_list": [sender]}}
        if tag_ids:
            visible["external_contact_list"] = {"tag_list": list(tag_ids)}
        body: dict[str, object] = {"visible_range": visible}
        if content:
            body["text"] = {"content": content}
        if attachments:
            body["attachments"] = [dict(attachment) for attachment in attachments]
        return text(await self._client.post("externalcontact/add_moment_task", body), "jobid")

    async def get_moment_task_result(self, jobid: str) -> MomentJob:
        """Return how far a job of the last 24 hours is."""
        path = "externalcontact/get_moment_task_result"
        answer = await self._client.get(path, jobid=jobid)
        result = record(answer, "result")
        return MomentJob(
            number(answer, "status"), text(result, "moment_id"), number(result, "errcode")
        )

    async def get_moment_list(self, start: datetime, end: datetime) -> list[ListedMoment]:
        """Return the corp's moments of a span of at most 30 days, members' own left out."""
        body: dict[str, object] = {
            "start_time": int(start.timestamp()),
            "end_time": int(end.timestamp()),
            "filter_type": 0,
            "limit": _MOMENTS_A_PAGE,
        }
        items = pages(self._client, "externalcontact/get_moment_list", body, "moment_list")
        return [_listed(item) async for item in items]

    async def get_moment_task(self, moment_id: str) -> list[MomentTask]:
        """Return which members a moment waits for, and who has posted it."""
        body: dict[str, object] = {"moment_id": moment_id, "limit": _TASKS_A_PAGE}
        items = pages(self._client, "externalcontact/get_moment_task", body, "task_list")
        return [
            MomentTask(text(item, "userid"), number(item, "publish_status") == 1)
            async for item in items
        ]

    async def cancel_moment_task(self, moment_id: str) -> None:
        """Take back a moment from those who have not posted it."""
        await self._client.post("externalcontact/cancel_moment_task", {"moment_id": moment_id})


def _listed(item: dict[str, object]) -> ListedMoment:
    return ListedMoment(
        moment_id=text(item, "moment_id"),
        creator=text(item, "creator"),
        content=text(record(item, "text"), "content"),
        pictures=len(records(item, "image")),
        link=text(record(item, "link"), "url"),
        has_video="video" in item,
    )
