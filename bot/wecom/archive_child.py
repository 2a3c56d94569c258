"""The archive behind WeCom's native library, reached over a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from dataclasses import asdict

from bot.errors import ConfigError, Retryable, WeComError
from bot.log import logger
from bot.wecom.archive_library import MAX_LIMIT, LibraryOrder

log = logger(__name__)
_GRACE_S = 5.0  # the library keeps its own time-out; past this it hangs
_END_WITHIN_S = 5.0
_LINE_BYTES = 64 * 1024 * 1024  # a thousand messages, each up to some ten kilobytes
# wecom_protocol §8.1: 10001-10003 network, time-out, parse; the others do not mend by waiting.
_PASSING = frozenset({10001, 10002, 10003, 10004, -1})
_HINTS = {
    10000: "参数不对：请核对 [archive] 的设置。",
    10005: "会话存档的密钥不对：请核对 BOT_ARCHIVE__SECRET。",
    10010: "这台机器的地址不在会话存档的可信 IP 里：请到管理后台加上。",
    301042: "这台机器的地址不在会话存档的可信 IP 里：请到管理后台加上。",
    301052: "会话存档已到期：请在管理后台续费。",
    301053: "没有开通会话存档：请在管理后台开通。",
}


class LibraryArchive:
    """Pulls by the native library; starts its process when it is first needed, and again."""

    def __init__(self, order: LibraryOrder) -> None:
        self._order = order
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Open the library now; raise as ``pull`` does, but leave what passes to the first pull."""
        async with self._turn:
            try:
                self._process = await self._started()
            except (Retryable, WeComError) as error:
                log.warning("archive_library_not_ready", reason=str(error))

    async def pull(self, seq: int, limit: int = MAX_LIMIT) -> list[dict[str, object]]:
        """Return messages after ``seq`` in order: seq, msgid, and message or error.

        Raise ``ConfigError`` for a library or key that cannot be used, ``WeComError`` where WeCom
        refuses, ``Retryable`` where the process ended or hung.
        """
        async with self._turn:
            answer = await self._asked({"seq": seq, "limit": min(limit, MAX_LIMIT)})
        found = answer.get("items")
        items = (
            [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
        )
        return sorted(items, key=lambda item: int(str(item["seq"])))

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _END_WITHIN_S)
        except TimeoutError:
            await _kill(process)

    async def _asked(self, request: dict[str, object]) -> dict[str, object]:
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await self._started()
        return await self._exchange(process, request)

    async def _started(self) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot.wecom.archive_process",
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            limit=_LINE_BYTES,
        )
        try:
            # The secret goes through the pipe: arguments and environment can be seen by others.
            await self._exchange(process, asdict(self._order))
        except BaseException:
            await _kill(process)
            raise
        log.info("archive_library_started", pid=process.pid)
        return process

    async def _exchange(self, process: Process, words: dict[str, object]) -> dict[str, object]:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("started without pipes")
        try:
            process.stdin.write(json.dumps(words).encode() + b"\n")
            await process.stdin.drain()
            line = await asyncio.wait_for(
                process.stdout.readline(), self._order.timeout_s + _GRACE_S
            )
            answer: dict[str, object] = json.loads(line)
        except (TimeoutError, OSError, ValueError) as error:
            await _kill(process)
            self._process = None
            raise Retryable(f"archive library: {type(error).__name__}") from None
        return _checked(answer)


def _checked(answer: dict[str, object]) -> dict[str, object]:
    if "unusable" in answer:
        raise ConfigError(str(answer["unusable"]))
    code = int(str(answer.get("refused", 0)))
    if code in _PASSING:
        raise Retryable(f"archive library: code {code}")
    if code:
        raise WeComError(code, "archive library", _HINTS.get(code, ""))
    return answer


async def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
