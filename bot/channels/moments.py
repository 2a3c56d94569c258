"""What became of moments: made yet, and posted by their managers."""

from __future__ import annotations

from bot.errors import Undeliverable, WeComError
from bot.wecom.contact import ContactApi
from bot.wecom.errcodes import as_channel_error
from bot.wecom.moments import JOB_DONE


class MomentStates:
    """Asks WeCom after moments (wecom_protocol §5.8); raises ``ChannelError``."""

    def __init__(self, api: ContactApi) -> None:
        self._api = api

    async def made(self, job: str) -> str:
        """Return the id of the moment that a job makes; empty while it is not done."""
        try:
            found = await self._api.get_moment_task_result(job)
        except WeComError as error:
            raise as_channel_error(error) from error
        if found.status == JOB_DONE and not found.moment_id:
            raise Undeliverable(f"wecom_{found.errcode}")
        return found.moment_id

    async def posted(self, moment: str, manager: str) -> bool:
        """Tell whether a manager has posted; raise ``Undeliverable`` where he was left out."""
        try:
            tasks = await self._api.get_moment_task(moment)
        except WeComError as error:
            raise as_channel_error(error) from error
        mine = [task.published for task in tasks if task.userid == manager]
        if not mine:
            raise Undeliverable("manager_left_out")
        return mine[0]
