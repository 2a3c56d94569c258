from __future__ import annotations

import pytest

from bot.domain.render import UnknownVariable, render, variables_in


def test_variables_are_filled_in() -> None:
    text = render("{群主.称呼}请您打 {网点.电话}", {"群主.称呼": "李经理", "网点.电话": "1"})
    assert text == "李经理请您打 1"


def test_values_are_not_filled_in_again() -> None:
    assert (
        render("{客户.称呼}好", {"客户.称呼": "{网点.电话}", "网点.电话": "1"}) == "{网点.电话}好"
    )


def test_every_missing_value_is_named_once() -> None:
    with pytest.raises(UnknownVariable) as caught:
        render("{甲}{乙}{甲}{丙}", {"丙": "有", "乙": ""})
    assert caught.value.names == ("甲", "乙")


def test_names_come_in_order_once() -> None:
    assert variables_in("{b} {a} {b} { } 没有") == ("b", "a", " ")
