"""The persona file's optional keys: how long she waits, what she says around a session."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.persona import Persona
from bot.errors import Problem
from bot.yamlfile import load
from tests.domain.builders import starter_text

_STARTER = "personas/xiaoan.persona.yaml"


def read(more: str = "") -> tuple[Persona | None, list[Problem]]:
    lines = starter_text(_STARTER).split("\n等待合并:")[0]
    return load(f"{lines}\n{more}\n", "xiaoan.persona.yaml", Persona)


def test_without_the_keys_she_waits_a_little_and_has_words_of_her_own() -> None:
    persona, problems = read()
    assert persona is not None, problems
    assert persona.patience.quiet == timedelta(seconds=1.2)
    assert persona.patience.at_most == timedelta(seconds=4)
    assert len(persona.session.ratings) == 3


def test_the_keys_change_them() -> None:
    persona, problems = read(
        "等待合并: {静候: 0秒, 最多: 2.5秒}\n会话用语: {排队: 请稍等, 评价: [好, 中, 差]}"
    )
    assert persona is not None, problems
    assert persona.patience.quiet == timedelta(0)
    assert persona.patience.at_most == timedelta(seconds=2.5)
    assert (persona.session.queued, persona.session.ratings) == ("请稍等", ("好", "中", "差"))
    assert persona.session.coming


def test_her_declines_and_her_memory_can_be_changed() -> None:
    persona, problems = read("谢绝: {猜涨跌: 我不猜}\n接着问: {看几句: 4, 隔多久算新话题: 10分钟}")
    assert persona is not None, problems
    assert persona.declines.prediction == "我不猜"
    assert persona.declines.medical
    assert (persona.memory.turns, persona.memory.within) == (4, timedelta(minutes=10))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("等待合并: {静候: 1200}", "不是秒数"),
        ("等待合并: {静候: 30秒}", "太久"),
        ("等待合并: {静候: 3秒, 最多: 2秒}", "「最多」比「静候」还短"),
        ("等待合并: {等候: 3秒}", "不认识的键"),
        ("会话用语: {评价: [好, 差]}", "至少要有 3 项"),
        ("接着问: {隔多久算新话题: 半小时}", "不是分钟数"),
        ("谢绝: {天气: 不知道}", "不认识的键"),
    ],
)
def test_a_slip_is_said_with_its_mend(more: str, says: str) -> None:
    persona, problems = read(more)
    assert persona is None
    assert says in problems[0].what
    assert problems[0].mend
