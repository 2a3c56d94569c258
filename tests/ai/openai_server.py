"""A server on loopback that speaks enough of OpenAI's API, and misbehaves as told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer


class OpenAiServer:
    """Says what ``says`` holds; ``fault`` is a status, "slow", "html" or "empty"."""

    def __init__(self) -> None:
        self.says = "能用,存折照常办。"
        self.fault: int | str = ""
        self.faults: list[int] = []  # of the next embeddings, one after the other
        self.asked: list[dict] = []
        self.url = ""
        self.gone = asyncio.Event()
        self.pause: asyncio.Event | None = None

    async def chat(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        if isinstance(self.fault, int):
            return web.json_response({"error": {"message": "内部错误 at db01"}}, status=self.fault)
        if self.fault == "slow":
            await self.gone.wait()
        if self.fault == "html":
            return web.Response(text="<html>gateway</html>", content_type="text/html")
        if self.asked[-1].get("stream"):
            return await self._in_pieces(request)
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

    async def _in_pieces(self, request: web.Request) -> web.StreamResponse:
        """Answer as a stream of events, a few characters each; ``pause`` holds back the rest."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        words = "" if self.fault == "empty" else self.says
        deltas = [{"role": "assistant", "content": ""}]
        deltas += [{"content": words[start : start + 4]} for start in range(0, len(words), 4)]
        for number, delta in enumerate(deltas):
            if number == len(deltas) // 2 + 1 and self.pause is not None:
                await self.pause.wait()
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "test"}
            event["choices"] = [choice]
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    async def transcriptions(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        heard = {name: str(value) for name, value in form.items() if name != "file"}
        heard |= {"name": file.filename, "type": file.content_type}
        with file.file:
            self.asked.append({**heard, "audio": file.file.read()})
        if isinstance(self.fault, int):
            return web.json_response({"error": {"message": "内部错误 at db01"}}, status=self.fault)
        if self.fault == "slow":
            await self.gone.wait()
        if self.fault == "html":
            return web.Response(text="<html>gateway</html>", content_type="text/html")
        if self.fault == "no_text":
            return web.json_response({"language": "zh"})
        return web.json_response({"text": "" if self.fault == "empty" else self.says})

    async def rerank(self, request: web.Request) -> web.Response:
        """Score by the characters in common; "no_text" leaves the last document out."""
        body = await request.json()
        self.asked.append({**body, "key": request.headers.get("Authorization", "")})
        if isinstance(self.fault, int):
            return web.json_response({"message": "内部错误 at db01"}, status=self.fault)
        if self.fault == "slow":
            await self.gone.wait()
        if self.fault == "html":
            return web.Response(text="<html>gateway</html>", content_type="text/html")
        results = [
            {"index": number, "relevance_score": len(set(text) & set(body["query"])) / 10}
            for number, text in enumerate(body["documents"])
        ]
        results.sort(key=lambda row: -row["relevance_score"])
        return web.json_response({"results": results[: -1 if self.fault == "no_text" else None]})

    async def embeddings(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        if self.faults:
            busy = {"error": {"message": "later"}}
            soon = {"retry-after-ms": "1"}
            return web.json_response(busy, status=self.faults.pop(0), headers=soon)
        if self.fault == "slow":
            await self.gone.wait()
        if self.fault == "html":
            return web.Response(text="<html>gateway</html>", content_type="text/html")
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
    app.router.add_post("/v1/rerank", scripted.rerank)
    app.router.add_post("/v1/audio/transcriptions", scripted.transcriptions)
    async with TestServer(app) as server:
        scripted.url = str(server.make_url("/v1"))
        yield scripted
        scripted.gone.set()
