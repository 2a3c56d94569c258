"""What a member of staff asks about, by their words."""

from __future__ import annotations

import pytest

from bot.domain.staff_question import (
    AskCustomer,
    Asked,
    AskFact,
    AskHelp,
    AskLead,
    AskLeads,
    AskSay,
    AskScript,
    AskScripts,
    AskToday,
    AskTodo,
    choice_key,
    read_chosen,
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
        ("我的线索", AskLeads()),
        ("我有哪些线索？", AskLeads()),
        ("团队的线索", AskLeads(team=True)),
        ("我们支行的线索进度", AskLeads(team=True)),
        ("线索 12", AskLead(number=12)),
        ("看看线索12", AskLead(number=12)),
        ("我的待办", AskTodo()),
        ("今天要做什么", AskTodo()),
        ("跟李阿姨怎么说", AskSay(name="李阿姨", surname="李")),
        ("我该怎么回李阿姨", AskSay(name="李阿姨", surname="李")),
        (
            "李阿姨问提前支取怎么算，怎么回她",
            AskSay(name="李阿姨", surname="李", topic="提前支取怎么算"),
        ),
        ("怎么跟李阿姨说理财到期", AskSay(name="李阿姨", surname="李", topic="理财到期")),
        ("给王小明回什么", AskSay(topic="王小明")),
        ("怎么跟王桂芳说", AskSay()),
        ("怎么给王桂芳解释提前支取", AskSay(topic="提前支取")),
        ("我的任务", AskTodo()),
        ("今天有什么任务", AskTodo()),
        ("我有哪些客户要跟进", AskLeads()),
        ("李阿姨的线索", AskCustomer(name="李阿姨", surname="李")),
        ("红线线索怎么接", AskCustomer()),
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


def test_a_button_remembers_what_was_asked_of_whom() -> None:
    shown = read_chosen(choice_key("wm1", "王小明"))
    assert shown is not None
    assert (shown.customer, shown.name, shown.says) == ("wm1", "王小明", False)
    said = read_chosen(choice_key("wm1", "王小明", says=True, topic="利息:怎么算" * 40))
    assert said is not None
    assert (said.name, said.says, said.topic[:6]) == ("王小明", True, "利息:怎么算")
    assert len(choice_key("w" * 64, "王" * 20, says=True, topic="利" * 500).encode()) <= 1024
    assert read_chosen("lead:1:take") is None
