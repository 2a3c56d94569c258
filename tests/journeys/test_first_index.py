"""The first index takes long: the bot works meanwhile, says what is true, and then answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import langchain_openai  # noqa: F401 - loaded here, not while the bot starts
from structlog.testing import capture_logs

from bot.app import assemble, listening
from bot.channels.callback import PATH
from bot.config.parts import EmbeddingSettings
from bot.demo.town import CALLBACK_AES_KEY, CALLBACK_TOKEN
from bot.workers.loop import one_by_one
from tests.ai.openai_server import openai_server
from tests.journeys.town import Life
from tests.waiting import until

QUESTION = "存折还能用吗"
SOON_S = 30.0


@asynccontextmanager
async def started_anew(life: Life, model_url: str) -> AsyncIterator[str]:
    """Start the bot as ``zhilin serve`` does, over a model that has made no vector yet."""
    demo = life.demo
    embedding = EmbeddingSettings(
        model="m", base_url=model_url, dimensions=64, timeout_seconds=60, second=""
    )
    settings = demo.settings.model_copy(update={"embedding": embedding})
    await demo.stop()
    async with AsyncExitStack() as stack:
        app = assemble(
            settings,
            demo.workspace,
            demo.clock,
            manner=one_by_one,
            in_place=True,
            warm=True,
            index_within=0.1,
        )
        demo.app = await stack.enter_async_context(app)
        address = await stack.enter_async_context(listening(demo.app.web(), "127.0.0.1", 0))
        for name in ("app", "kf", "contact"):
            life.world.callbacks.configure(name, address + PATH, CALLBACK_TOKEN, CALLBACK_AES_KEY)
        yield address
        demo.app = None


async def knowledge_of(address: str) -> dict[str, Any]:
    """Return what /readyz tells of the index of a process that can be given work."""
    async with aiohttp.ClientSession() as session, session.get(f"{address}/readyz") as answer:
        assert answer.status == 200
        told: dict[str, Any] = (await answer.json())["knowledge"]
        return told


async def test_while_the_first_index_is_made_she_says_so_and_brings_a_person(life: Life) -> None:
    await life.go_to("10:00")
    async with openai_server() as server:
        server.fault = "slow"
        with capture_logs() as logs:
            async with started_anew(life, server.url) as address:
                assert "index_not_ready" in {line["event"] for line in logs}
                told = await knowledge_of(address)
                assert (told["ready"], told["filling"], told["passages"]) == (False, "m", 0)
                (said,) = await life.asks(QUESTION)
                assert "我这边的资料还在准备，这会儿答不了。已经请" in said
                (lead,) = await life.leads(life.visitor)
                assert lead.need.value == "答不上"
                other = life.demo.town.visitors[1]
                (alarm,) = await life.asks("骗子让我把钱转到安全账户，我刚转了", other)
                assert "110" in alarm

                server.fault = ""
                server.gone.set()

                async def ready() -> bool:
                    return bool((await knowledge_of(address))["ready"])

                await until(ready, within_s=SOON_S)
                (answer,) = await life.asks(QUESTION, life.demo.town.visitors[2])
                assert "依据：" in answer
