"""A language model that says little and takes its time: to see who waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from bot.app import listening

_WORDS = "好的，已经查到了，请您放心。"


@dataclass
class SlowModel:
    """An OpenAI-compatible chat endpoint; every answer takes ``seconds``."""

    seconds: float = 0.0
    url: str = ""
    asked: int = 0

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, streamed where that was asked for."""
        self.asked += 1
        body = await request.json()
        await asyncio.sleep(self.seconds)
        head = {"id": "1", "created": int(time.time()), "model": str(body.get("model", "slow"))}
        if not body.get("stream"):
            message = {"role": "assistant", "content": _WORDS}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            return web.json_response(
                {"object": "chat.completion", "choices": [choice], "usage": usage, **head}
            )
        return await self._streamed(request, head)

    async def _streamed(self, request: web.Request, head: dict[str, object]) -> web.StreamResponse:
        import json

        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for delta, reason in (({"role": "assistant", "content": _WORDS}, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            piece = {"object": "chat.completion.chunk", "choices": [choice], **head}
            await response.write(f"data: {json.dumps(piece, ensure_ascii=False)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response


@asynccontextmanager
async def slow_model(port: int = 0) -> AsyncIterator[SlowModel]:
    """Run the model on loopback; port 0 takes a free one."""
    model = SlowModel()
    application = web.Application()
    application.add_routes([web.post("/v1/chat/completions", model.chat)])
    async with listening(application, "127.0.0.1", port) as address:
        model.url = f"{address}/v1"
        yield model
