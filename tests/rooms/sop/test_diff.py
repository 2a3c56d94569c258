"""What an edit does to a script: steps by their ids, words, and experiments that would break."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.domain.script import SopScript
from bot.sop.diff import blocks, diff, pieces
from tests.domain.builders import head, script, script_of, starter_script, step

A, B, C = step("a", 1), step("b", 2), step("c", 3)
SENIOR = starter_script("senior-21d.sop.yaml")


def how(old: SopScript, new: SopScript) -> dict[str, tuple[str, ...]]:
    return {each.step: each.how for each in diff(old, new).steps}


def test_the_same_script_does_not_differ_whatever_its_number() -> None:
    assert diff(SENIOR, SENIOR).empty
    assert diff(SENIOR, SENIOR.model_copy(update={"number": 9})).empty


def test_steps_are_known_by_their_ids() -> None:
    new = script(A, step("b", 4), step("d", 5))
    assert how(script(A, B, C), new) == {"b": ("moved",), "c": ("removed",), "d": ("added",)}


def test_a_step_that_changed_places_is_moved_and_its_neighbours_are_not() -> None:
    assert how(script(A, B, C), script(B, C, A)) == {"a": ("moved",)}


def test_words_are_told_from_other_keys() -> None:
    old = script(step("a", 1, more="必含: [您好]"))
    new = script(
        step("a", 1, kind="反诈", more="必含: [您好]").replace("正文: 您好", "正文: 您好啊")
    )
    assert how(old, new) == {"a": ("reworded", "changed")}
    changed = diff(old, new).of("a")
    assert changed is not None
    assert [(key.key, key.old, key.new) for key in changed.keys] == [("类型", "服务", "反诈")]
    assert "".join(before for before, _ in changed.words) == "您好"
    assert "".join(after for _, after in changed.words) == "您好啊"


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("点右下「我的」", "点右上「我的」", [("下", "上")]),
        ("打 {网点.电话} 问", "打 {客服电话} 问", [("{网点.电话}", "{客服电话}")]),
        ("每月 10 号", "每月 12 号", [("10", "12")]),
        ("您好", "您好，请坐", [("", "，请坐")]),
        ("早安您好", "您好", [("早安", "")]),
        ("甲乙丙", "丁乙戊", [("甲乙丙", "丁乙戊")]),  # one character alone is no common ground
    ],
)
def test_words_are_compared_by_words(old: str, new: str, changed: Sequence[object]) -> None:
    cut = list(pieces(old, new))
    assert [each for each in cut if each[0] != each[1]] == changed
    assert "".join(before for before, _ in cut) == old
    assert "".join(after for _, after in cut) == new


def test_keys_besides_the_steps_are_listed() -> None:
    found = diff(script(A), script(A, weekly=3)).head
    assert [(each.key, each.old, each.new) for each in found] == [
        ("护栏.每群每周企业群发", "", "3")  # five is what it is where nothing is said
    ]


SPLIT = """\
  - {{编号: s, 第几天: 1, 分流: {{实验: {name}, 单位: 客户群, 比例: {{{shares}}}}}}}
"""
MEASURED = "看效果: {{主指标: {goal}, 对照: {{留白群比例: 0.1, 随机种子: {seed}}}}}\n"


def trial(
    *,
    shares: str = "甲: 50, 乙: 50",
    name: str = "口吻",
    goal: str = "三周留群率",
    seed: str = "t1",
) -> SopScript:
    steps = SPLIT.format(name=name, shares=shares) + A
    return script_of(head() + "步骤:\n" + steps + MEASURED.format(goal=goal, seed=seed))


@pytest.mark.parametrize(
    ("new", "key"),
    [
        (trial(shares="甲: 40, 乙: 30, 丙: 30"), "步骤.分流.比例"),
        (trial(goal="群满意度"), "看效果.主指标"),
        (trial(seed="t2"), "看效果.对照.随机种子"),
    ],
)
def test_a_running_experiment_keeps_its_arms_goals_and_seed(new: SopScript, key: str) -> None:
    found = blocks(trial(), new, running=True)
    assert [problem.key for problem in found] == [key]
    assert found[0].mend
    assert not blocks(trial(), new, running=False)


@pytest.mark.parametrize("new", [trial(shares="甲: 90, 乙: 10"), trial(name="新口吻"), script(A)])
def test_other_shares_a_new_experiment_or_its_end_are_allowed(new: SopScript) -> None:
    blocked = [each for each in blocks(trial(), new, running=True) if "分流" in each.key]
    assert not blocked
    assert diff(trial(), new).experiments
