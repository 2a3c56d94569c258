"""The suite tells a careful bot from a careless one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.bench.processes import free_port
from bot.conformance.run import Order, chosen, run_conformance
from bot.errors import ConfigError
from bot.workspace import Workspace, starter_root
from tests.conformance.careless_bot import careless_bot


def silent(words: str) -> None:
    pass


async def test_our_bot_is_as_it_should_be() -> None:
    order = Order(only=("S2", "S4", "S4-进入", "S8", "T1", "T6", "V1", "V2", "V3", "V4"))

    verdicts = await run_conformance(order, Workspace(starter_root()), silent)

    assert {v.scenario.code: v.seen for v in verdicts if not v.met} == {}
    assert len(verdicts) == len(order.only)


async def test_a_careless_bot_is_found_out() -> None:
    order = Order(only=("S2", "S3", "S4", "S4-进入", "V1"), port=free_port(), patience_s=1.5)
    async with careless_bot(order) as url:
        verdicts = await run_conformance(
            replace(order, callback_url=url), Workspace(starter_root()), silent
        )

    found = {v.scenario.code: (v.met, v.seen) for v in verdicts}
    assert found["S2"] == (False, "3 条回复")
    assert found["S4"] == (False, "1 人有回复")
    assert found["S4-进入"] == (False, "0 条回复")
    assert found["S3"][0] is None
    assert "--start" in found["S3"][1]
    assert found["V1"][0] is False or found["V1"][1].startswith("HTTP 5")


def test_an_unknown_scenario_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(ConfigError, match=r"没有这个场景：S99.*S2、S2b"):
        chosen(["S99"])
