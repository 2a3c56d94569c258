from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.ai.chat import open_chat
from bot.domain.compliance import Rules
from bot.domain.persona import Persona
from bot.ports import ChatModel
from bot.yamlfile import load
from tests.ai.openai_server import OpenAiServer, openai_server
from tests.rooms.answering.shelf import SOP, Make


@pytest.fixture(scope="module")
def persona() -> Persona:
    path = SOP / "personas" / "xiaoan.persona.yaml"
    persona, problems = load(path.read_text("utf-8"), path.name, Persona)
    assert persona is not None, problems
    return persona


@pytest.fixture(scope="module")
def rules() -> Rules:
    rules, problems = load((SOP / "rules.yaml").read_text("utf-8"), "rules.yaml", Rules)
    assert rules is not None, problems
    return rules


@pytest.fixture
def answerer(persona: Persona, rules: Rules) -> Make:
    return Make(persona, rules)


@pytest.fixture
async def server() -> AsyncIterator[OpenAiServer]:
    async with openai_server() as running:
        running.says = "存折能用[1]，存折和现金都照办[1]。"
        yield running


@pytest.fixture
async def chat(server: OpenAiServer) -> AsyncIterator[ChatModel]:
    async with open_chat("test-model", base_url=server.url, api_key="k", wait_for=20) as model:
        yield model
