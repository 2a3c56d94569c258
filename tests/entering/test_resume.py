"""Whoever waited to enter while a script was paused comes in with the word that lets it go on."""

from __future__ import annotations

import pytest

from bot.domain.targets import Target
from bot.workers.orders import Orders
from tests.entering.scene import Scene, script

ON_VISIT = "{方式: 事件, 事件: 到网点}"
LIMITED = "{方式: 事件, 事件: 到网点, 每天最多: 5}"


@pytest.mark.parametrize("entry", [ON_VISIT, LIMITED], ids=["open", "limited"])
@pytest.mark.parametrize(
    ("scope", "target"), [("script", "trial"), ("manager", "li.min"), ("customer", "wmA")]
)
async def test_who_waited_at_the_gate_enters_at_once(
    scene: Scene, entry: str, scope: str, target: str
) -> None:
    await scene.customers("wmA")
    await scene.publish(script(entry=entry))
    orders = Orders(scene.database, scene.content.bank, scene.clock, "王芳", "演练")
    meant = Target(scope=scope, target=target)  # type: ignore[arg-type]
    await orders.hold(meant, "pause")
    await scene.happens("到网点", "wmA")
    scene.clock.advance(minutes=1)
    await scene.work()
    assert (await scene.decision("wmA")).reason == "paused"
    assert await orders.resume(meant) == ["pause"]
    await scene.work()
    assert await scene.states() == {"wmA": "running"}


async def test_another_scripts_gate_is_left_as_it_is(scene: Scene) -> None:
    await scene.customers("wmA")
    await scene.publish(script(entry=ON_VISIT), script("other", entry=ON_VISIT))
    orders = Orders(scene.database, scene.content.bank, scene.clock, "王芳", "演练")
    for name in ("trial", "other"):
        await orders.hold(Target(scope="script", target=name), "pause")
    await scene.happens("到网点", "wmA")
    await scene.work()
    async with scene.database.read() as tx:
        before = (await tx.admissions.all_errands())["other", "gate"].due_at
    await orders.resume(Target(scope="script", target="trial"))
    async with scene.database.read() as tx:
        errands = await tx.admissions.all_errands()
    assert errands["other", "gate"].due_at == before
    assert errands["trial", "gate"].due_at == scene.now
