"""What a member of staff asks about, by their words."""

from __future__ import annotations

import pytest

from bot.domain.staff_question import (
    AskCustomer,
    Asked,
    AskFact,
    AskHelp,
    AskScript,
    AskScripts,
    AskToday,
    read_question,
)

SCRIPTS = {"senior-21d": "银龄社群二十一天"}


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("帮助", AskHelp()),
        ("你能做什么？", AskHelp()),
        ("", AskHelp()),
        ("我的群今天发什么", AskToday()),
        ("今天要发啥？", AskToday()),
        ("剧本 senior-21d 第5天", AskScript(script="senior-21d", day=5)),
        ("银龄社群二十一天第十二天发什么", AskScript(script="senior-21d", day=12)),
        ("剧本第二十一天", AskScript(script="senior-21d", day=21)),
        ("剧本", AskScript(script="senior-21d")),
        ("客户王小明", AskCustomer(name="王小明", surely=True)),
        ("查一下客户「王小明」", AskCustomer(name="王小明", surely=True)),
        ("客户李阿姨", AskCustomer(name="李阿姨", surname="李", surely=True)),
        ("李阿姨最近怎么样", AskCustomer(name="李阿姨", surname="李")),
        ("李阿姨", AskCustomer(name="李阿姨", surname="李")),
        ("王小明", AskCustomer()),
        ("这位先生想买大额存单要带哪些证件", AskFact()),
        ("大额存单提前支取怎么算", AskFact()),
    ],
)
def test_words_are_sorted(text: str, asked: Asked) -> None:
    assert read_question(text, SCRIPTS) == asked


def test_with_several_scripts_one_has_to_be_named() -> None:
    both = SCRIPTS | {"new-friends": "新朋友"}
    assert read_question("剧本第5天讲什么内容呢", both) == AskScripts()
    assert read_question("新朋友第5天", both) == AskScript(script="new-friends", day=5)
