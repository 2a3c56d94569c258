"""Unknown data never admits and always excludes (I11), for random conditions and random gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from random import Random

import pytest

from bot.domain.subject import Raw
from tests.entering.scene import Scene, script

Facts = Mapping[str, Raw]
Judge = Callable[[Facts], bool]
VALUES: dict[str, tuple[Raw, ...]] = {
    "年龄": (40, 70),
    "风险等级": ("C1", "C3"),
    "营销同意": (True, False),
}
ATOMS: list[tuple[str, Judge]] = [
    ("年龄 >= 65", lambda facts: int(str(facts["年龄"])) >= 65),
    ("年龄 介于 30 到 50", lambda facts: 30 <= int(str(facts["年龄"])) <= 50),
    ("风险等级 >= C2", lambda facts: str(facts["风险等级"]) >= "C2"),
    ("营销同意", lambda facts: facts["营销同意"] is True),
]


@pytest.fixture
def backend() -> str:
    return "sqlite"


def condition(chance: Random, depth: int = 3) -> tuple[str, Judge]:
    """Return a random condition as the file has it, and as Python judges it of known facts."""
    if depth == 0 or chance.random() < 0.25:
        return chance.choice(ATOMS)
    text, judge = condition(chance, depth - 1)
    if chance.random() < 0.3:
        return f"非({text})", lambda facts: not judge(facts)
    other, second = condition(chance, depth - 1)
    if chance.random() < 0.5:
        return f"({text} 且 {other})", lambda facts: judge(facts) and second(facts)
    return f"({text} 或 {other})", lambda facts: judge(facts) or second(facts)


def completions(known: Facts) -> Iterator[Facts]:
    """Give every way in which what is not known of somebody may be."""
    names = [name for name in VALUES if name not in known]
    for values in product(*(VALUES[name] for name in names)):
        yield {**known, **dict(zip(names, values, strict=True))}


@pytest.mark.parametrize("seed", range(10))
async def test_only_those_enter_of_whom_it_is_true_whatever_is_not_known(
    scene: Scene, seed: int
) -> None:
    chance = Random(seed)
    (wanted, fits), (unwanted, excluded) = condition(chance), condition(chance)
    everybody: dict[str, Facts] = {}
    for number, values in enumerate(product(*((None, *each) for each in VALUES.values()))):
        known = {
            name: value for name, value in zip(VALUES, values, strict=True) if value is not None
        }
        everybody[f"wm{number}"] = known
        await scene.customers(f"wm{number}", **known)
    audience = f'{{条件: "{wanted}", 排除: "{unwanted}"}}'
    await scene.publish(script(entry="{方式: 事件, 事件: 到网点, 宽限分钟: 0}", audience=audience))
    await scene.happens("到网点", *everybody)
    entered = set(await scene.states())
    for who, known in everybody.items():
        cases = list(completions(known))
        surely = all(fits(each) and not excluded(each) for each in cases)
        if who in entered:
            assert surely, (wanted, unwanted, known)
        elif len(cases) == 1:
            assert not surely, (wanted, unwanted, known)
