"""Sets the stage, plays the scenarios one after another, and keeps what was seen."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from bot.bench.questions import read_bank
from bot.clock import SystemClock
from bot.conformance import customers, strangers, trouble
from bot.conformance.slow_model import SlowModel, slow_model
from bot.conformance.stage import REPLY_WITHIN_S, Stage
from bot.conformance.subject import UP_WITHIN_S, Subject, other_bot, our_bot
from bot.conformance.verdict import WHY_NOT, Scenario, Verdict
from bot.conformance.wire_tap import WireTap
from bot.demo.town import AGENT_ID, CALLBACK_AES_KEY, CALLBACK_TOKEN, CORP_SECRET
from bot.emulator.server import build_app, serve_emulator
from bot.emulator.world import App, Member, World
from bot.errors import ConfigError
from bot.workspace import Workspace

SCENARIOS: tuple[Scenario, ...] = (
    *customers.SCENARIOS,
    *trouble.SCENARIOS,
    *strangers.SCENARIOS,
)
_CONFIGS = ("app", "kf", "contact")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """Which bot is tried, and by which names and secrets it knows the local WeCom."""

    callback_url: str = ""
    """Empty: our own bot, started for the trial."""
    command: str = ""
    token: str = CALLBACK_TOKEN
    aes_key: str = CALLBACK_AES_KEY
    corp_id: str = World.corp_id
    secret: str = CORP_SECRET
    agent_id: int = AGENT_ID
    port: int = 0
    """Where the local WeCom listens; 0 takes a free port."""
    llm_port: int | None = None
    only: tuple[str, ...] = ()
    patience_s: float = REPLY_WITHIN_S
    """How long a reply is waited for."""

    @property
    def ours(self) -> bool:
        """Tell whether our own bot is tried."""
        return not self.callback_url

    def known_by(self, token: str, aes_key: str, corp_id: str, secret: str, agent_id: int) -> Order:
        """Return this order with the names and secrets that are given; empty ones stay."""
        given: dict[str, Any] = {
            "token": token,
            "aes_key": aes_key,
            "corp_id": corp_id,
            "secret": secret,
            "agent_id": agent_id,
        }
        return replace(self, **{name: value for name, value in given.items() if value})


def chosen(only: Sequence[str]) -> tuple[Scenario, ...]:
    """Return the named scenarios, all where none is named; raise ``ConfigError`` for others."""
    codes = [scenario.code for scenario in SCENARIOS]
    unknown = [code for code in only if code not in codes]
    if unknown:
        raise ConfigError(f"没有这个场景：{'、'.join(unknown)}。可以选：{'、'.join(codes)}。")
    return tuple(scenario for scenario in SCENARIOS if not only or scenario.code in only)


async def run_conformance(order: Order, workspace: Workspace, say: Say) -> list[Verdict]:
    """Play the scenarios and return a verdict on each, in their order."""
    scenarios = chosen(order.only)
    verdicts = []
    async with _open_stage(order, workspace, say) as stage:
        for scenario in scenarios:
            say(f"{scenario.code}  {scenario.done} ……")
            verdicts.append(await _play(scenario, stage, order))
    return verdicts


async def _play(scenario: Scenario, stage: Stage, order: Order) -> Verdict:
    able = {
        "": True,
        "restart": stage.bot.can_restart,
        "model": order.ours or order.llm_port is not None,
    }
    if not able[scenario.needs]:
        return Verdict(scenario, f"未测：{WHY_NOT[scenario.needs]}", None)
    began = time.monotonic()
    try:
        seen = await scenario.play(stage)
    finally:
        stage.world.faults.clear()
    return Verdict(scenario, seen.words, seen.met, time.monotonic() - began)


@asynccontextmanager
async def _open_stage(order: Order, workspace: Workspace, say: Say) -> AsyncIterator[Stage]:
    bank, questions = read_bank(workspace)
    world, tap = World(SystemClock(), corp_id=order.corp_id), WireTap()
    world.add_app(App(order.agent_id, order.secret))
    for person in bank.staff:
        world.add_member(Member(person.userid, person.name, person.role))
    application = build_app(world)
    application.middlewares.append(tap.middleware())
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(slow_model(order.llm_port or 0))
        wecom = await stack.enter_async_context(
            serve_emulator(world, port=order.port, app=application)
        )
        bot = await stack.enter_async_context(
            _subject(order, workspace, wecom.base_url, model, say)
        )
        stage = Stage(world, bot, tap, model, questions, servicer=bank.staff[0].userid)
        stage.patience_s = order.patience_s
        stage.account = stage.new_account()
        for name in _CONFIGS:
            world.callbacks.configure(name, bot.callback_url, order.token, order.aes_key)
        yield stage


@asynccontextmanager
async def _subject(
    order: Order, workspace: Workspace, api_base: str, model: SlowModel, say: Say
) -> AsyncIterator[Subject]:
    if order.ours:
        say("正在启动知邻 ……")
        async with our_bot(workspace, _settings(order, api_base, model)) as bot:
            yield bot
        return
    say(f"本机的企业微信在 {api_base}（请让被测的机器人用它作接口地址）")
    if order.llm_port is not None:
        say(f"大模型在 {model.url}")
    say(f"等 {order.callback_url} 应答，最多 {UP_WITHIN_S:.0f} 秒 ……")
    async with other_bot(order.callback_url, order.command) as bot:
        yield bot


def _settings(order: Order, api_base: str, model: SlowModel) -> Mapping[str, str]:
    return {
        "BOT_WECOM__API_BASE": api_base,
        "BOT_WECOM__CORP_ID": order.corp_id,
        "BOT_WECOM__SECRET": order.secret,
        "BOT_WECOM__AGENT_ID": str(order.agent_id),
        "BOT_WECOM__CALLBACK_TOKEN": order.token,
        "BOT_WECOM__CALLBACK_AES_KEY": order.aes_key,
        "BOT_LLM__MODEL": "openai:slow",
        "BOT_LLM__BASE_URL": model.url,
        "BOT_LLM__API_KEY": "none",
        "BOT_LLM__TIMEOUT_SECONDS": "10",
        "BOT_EMBEDDING__MODEL": "use-m3",
        "BOT_KNOWLEDGE__STORE": "memory",
    }
