"""The power goes right after ten questions were acknowledged: nothing is lost, nothing said twice.

The bot is the real ``zhilin serve`` in a process of its own, WeCom the real ``zhilin emulator``.
"""

import pytest

from bot.bench.crash import CUSTOMERS, crash_once
from bot.bench.scene import Scene, open_scene
from bot.errors import ConfigError
from bot.workspace import Workspace

pytestmark = pytest.mark.timeout(110)


def _each_question_answered_once(figures: dict) -> None:
    assert figures["acknowledged"] == CUSTOMERS
    assert figures["lost"] == 0
    assert figures["answered_twice"] == 0
    assert figures["answers"] == CUSTOMERS


async def _a_second_bot_on_the_same_file_is_refused(scene: Scene) -> None:
    with pytest.raises(ConfigError, match="另一个知邻正在用"):
        await scene.bot.twin().start()


async def test_killed_after_ten_acknowledged_questions_ten_answers_come_none_twice(
    workspace: Workspace,
) -> None:
    async with open_scene(workspace) as scene:
        at_once = await crash_once(scene, 0.0)
        _each_question_answered_once(at_once)
        assert at_once["answered_before"] < CUSTOMERS

        while_it_answers = await crash_once(scene, 0.25, 1)
        _each_question_answered_once(while_it_answers)

        await _a_second_bot_on_the_same_file_is_refused(scene)
