"""Facts that a script tells differently from a Q&A or from another script."""

from __future__ import annotations

import pytest

from bot.domain.facts import facts_in
from bot.knowledge.reader import read_files
from tests.domain.builders import ROOT, head, step
from tests.rooms.sop.desk import Desk

HERE = "打开手机银行，点右下「我的」，再点「长辈版」。"


def script(words: str, id: str = "trial") -> str:
    return head(id=id) + "步骤:\n" + step("a", 1).replace("您好", f'"{words}"')


@pytest.mark.parametrize(
    ("here", "there", "said"),
    [
        (HERE, "点右上角的「我的」。", "这里说「我的」在右下，问答 qa-07说在右上"),
        (HERE, "「我的」在屏幕左下角。", "这里说「我的」在右下，问答 qa-07说在左下"),
        ("打反诈专线 96110。", "或打反诈专线：96100。", "反诈专线是 96110"),
        ("拨客服热线 000-95550。", "客服热线是 000-95551。", "客服热线是 00095550"),
    ],
)
def test_a_contradiction_is_a_problem_on_its_line(
    desk: Desk, here: str, there: str, said: str
) -> None:
    desk.write(script(here))
    assert desk.told(qa_texts={"问答 qa-07": here}) == []
    found = desk.told(qa_texts={"问答 qa-07": there})
    assert any(at == 16 and said in told for at, told in found), found


def test_a_figure_told_differently_is_only_noted(desk: Desk) -> None:
    here, there = "同一家银行本息合计 50 万元以内。", "存款保险：同一家银行本息合计 30 万元。"
    desk.write(script(here))
    assert desk.told(qa_texts={"问答 qa-02": there}) == []
    notes = desk.notes(qa_texts={"问答 qa-02": there})
    assert any("50，问答 qa-02写的是 30" in said for _, said in notes), notes
    assert not any("写的是" in said for _, said in desk.notes(qa_texts={"问答 qa-02": here}))


def test_two_scripts_are_held_against_each_other(desk: Desk) -> None:
    desk.write(script(HERE))
    desk.write(script("点左上「我的」就能看到。", id="zz"), "zz.sop.yaml")
    found = [(p.file, p.what) for p in desk.check().problems]
    assert found == [
        ("sop/zz.sop.yaml", "这里说「我的」在左上，剧本 senior-21d 的 d04-bigfont说在右下")
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("梧桐街支行电话 0000-5550101", "河畔路支行电话 0000-5550102"),
        ("点右下「我的」", "点右上「设置」"),
        ("名额 25 位", "名额 30 位"),
        ("约一小时，上午 9 点半开始", "上午 10 点开始"),
        ("打 110 或 96110", "打 12378"),
    ],
)
def test_different_things_are_not_held_against_each_other(one: str, other: str) -> None:
    first = {(fact.kind, fact.phrase): fact.says for fact in facts_in(one)}
    second = {(fact.kind, fact.phrase): fact.says for fact in facts_in(other)}
    assert all(first[key] == second[key] for key in first.keys() & second.keys())


def test_what_ships_agrees_with_itself(desk: Desk) -> None:
    knowledge, _ = read_files(ROOT / "knowledge")
    texts = {one.id: "\n".join(part.text for part in one.sections) for one in knowledge.documents}
    checked = desk.check(qa_texts=texts)
    assert checked.problems == ()
    assert not any("写的是" in note.what for note in checked.notes)
    told = [fact for text in texts.values() for fact in facts_in(text)]
    assert {"place", "phone", "amount"} <= {fact.kind for fact in told}
