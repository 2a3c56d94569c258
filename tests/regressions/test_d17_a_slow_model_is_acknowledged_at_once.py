"""D17: a model that takes longer than WeCom waits makes neither a retry nor a second answer."""

from __future__ import annotations

import asyncio

from bot.config.parts import LlmSettings
from tests.ai.openai_server import openai_server
from tests.journeys.town import Life
from tests.waiting import until

QUESTION = "取五万块钱是不是得先打个招呼"  # found, but not so surely that no model is asked
ACK_MS = 100


async def test_a_model_that_hangs_holds_up_no_acknowledgement(life: Life) -> None:
    callbacks, other = life.world.callbacks, life.demo.town.visitors[1]
    async with openai_server() as server:
        server.fault = "slow"  # until it is let go, however long that is
        llm = LlmSettings(model="m", base_url=server.url, timeout_seconds=30)
        life.demo.settings = life.demo.settings.model_copy(update={"llm": llm})
        await life.demo.restart()
        life.new()
        life.world.kf.customer_says(life.account, life.visitor, QUESTION)
        await callbacks.flush()
        (first,) = [one for one in callbacks.results if one.config == "kf"]
        thinking = asyncio.create_task(life.settle())
        await until(lambda: bool(server.asked), within_s=20)

        for _ in range(2):  # WeCom asks again every five seconds where it hears nothing
            callbacks.repeat(first)
        life.world.kf.customer_says(life.account, other, "存折还能用吗")
        await callbacks.flush()
        acknowledged = [one for one in callbacks.results if one.config == "kf"]
        assert [one.status for one in acknowledged] == [200] * 4
        assert max(one.elapsed_ms for one in acknowledged) < ACK_MS
        assert life.answers() == []

        server.gone.set()
        await thinking
        await life.settle()
    fresh = [item.to for item in life.world.deliveries.select("kf", source="kf_send_msg")]
    assert fresh.count(life.visitor) == 1
    assert fresh.count(other) == 1
