"""A server on loopback that speaks enough of OpenAI's API, and misbehaves as told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer


class OpenAiServer:
    """Says what ``says`` holds; ``fault`` is a status, "slow", "html" or "empty"."""

    def __init__(self) -> None:
        self.says = "能用,存折照常办。"
        self.fault: int | str = ""
        self.asked: list[dict] = []
        self.url = ""
        self.gone = asyncio.Event()

    async def chat(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        if isinstance(self.fault, int):
            return web.json_response({"error": {"message": "内部错误 at db01"}}, status=self.fault)
        if self.fault == "slow":
            await self.gone.wait()
        if self.fault == "html":
            return web.Response(text="<html>gateway</html>", content_type="text/html")
        message = {"role": "assistant", "content": "" if self.fault == "empty" else self.says}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        if self.fault == "no_choices":
            choices = []
        return web.json_response(
            {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": "test",
                "choices": choices,
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            }
        )

    async def embeddings(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        if isinstance(self.fault, int):
            return web.json_response({"error": {"message": "no"}}, status=self.fault)
        data = [
            {"object": "embedding", "index": number, "embedding": self.vector(text)}
            for number, text in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return web.json_response({"object": "list", "data": data, "model": "test", "usage": usage})

    @staticmethod
    def vector(text: str) -> list[float]:
        """Count characters into 64 boxes: near enough to meaning for a test."""
        boxes = [0.001] * 64
        for character in text:
            boxes[ord(character) % 64] += 1.0
        return boxes


@asynccontextmanager
async def openai_server() -> AsyncIterator[OpenAiServer]:
    """Run the server while the block runs."""
    scripted = OpenAiServer()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", scripted.chat)
    app.router.add_post("/v1/embeddings", scripted.embeddings)
    async with TestServer(app) as server:
        scripted.url = str(server.make_url("/v1"))
        yield scripted
        scripted.gone.set()
