"""Files that WeCom fetches itself (upload_by_url, §3.9): a job, its event, its result."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

from bot.emulator.media import Media
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_BYTES = 200 * 1024 * 1024
FETCH_LIMIT_S = 60.0
RUNNING, DONE, FAILED = 1, 2, 3


@dataclass
class FetchJob:
    """One file on its way, for one app."""

    jobid: str
    agent_id: int
    kind: str
    filename: str
    url: str
    md5: str
    status: int = RUNNING
    errcode: int = 0
    media: Media | None = None


@dataclass
class FetchBook:
    """The jobs by jobid, and the work on those that run."""

    jobs: dict[str, FetchJob] = field(default_factory=dict)
    running: set[asyncio.Task[None]] = field(default_factory=set)

    async def close(self) -> None:
        """Give up what still runs."""
        for task in tuple(self.running):
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)


async def _start(world: World, call: Call) -> Answer:
    if call.integer("scene", low=1, high=1) != 1:
        raise ApiError(40058, "scene")
    kind = call.text("type", code=40005)
    if kind not in ("video", "file"):
        raise ApiError(40005)
    url = call.text("url", code=41010)
    if not url.startswith(("http://", "https://")):
        raise ApiError(45034)
    job = FetchJob(
        world.new_id("job"), call.agent_id, kind, call.text("filename"), url, call.text("md5")
    )
    world.fetches.jobs[job.jobid] = job
    task = asyncio.create_task(_fetch(world, job))
    world.fetches.running.add(task)
    task.add_done_callback(world.fetches.running.discard)
    return {"jobid": job.jobid}


async def _fetch(world: World, job: FetchJob) -> None:
    """Fetch a file, keep it if it is what was promised, and ring."""
    data, job.errcode = await _load(world, job.url)
    # The protocol fixes MD5; it only guards against a broken transfer.
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if not job.errcode and digest != job.md5.lower():
        job.errcode = world.assumed.url_job_md5_code
    job.status = FAILED if job.errcode else DONE
    if not job.errcode:
        job.media = world.media.keep(job.kind, job.filename, data)
    fields = {
        "FromUserName": "sys",
        "MsgType": "event",
        "Event": "upload_media_job_finish",
        "JobId": job.jobid,
        "AgentID": job.agent_id,
    }
    world.ring(world.apps[job.agent_id].callback, fields)


async def _load(world: World, url: str) -> tuple[bytes, int]:
    timeout = aiohttp.ClientTimeout(total=FETCH_LIMIT_S)
    data = bytearray()
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            answer.raise_for_status()
            async for chunk in answer.content.iter_chunked(64 * 1024):
                data += chunk
                if len(data) > MAX_BYTES:
                    return b"", 45001
    except (aiohttp.ClientError, TimeoutError):
        return b"", world.assumed.url_job_bad_code
    return bytes(data), 0 if data else world.assumed.url_job_bad_code


async def _result(world: World, call: Call) -> Answer:
    job = world.fetches.jobs.get(call.text("jobid"))
    if job is None or job.agent_id != call.agent_id:
        raise ApiError(40058, "no such jobid")
    detail: dict[str, object] = {"errcode": job.errcode, "errmsg": "ok"}
    if job.media is not None:
        created = str(int(job.media.created_at.timestamp()))
        detail |= {"media_id": job.media.media_id, "created_at": created}
    return {"status": job.status, "detail": detail}


APIS: tuple[Api, ...] = (
    Api("POST", "media/upload_by_url", _start),
    Api("POST", "media/get_upload_by_url_result", _result),
)
