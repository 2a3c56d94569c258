"""Who types a card's number or a password is told kindly not to, once, and still answered."""

from __future__ import annotations

import pytest

from bot.answering.told_secrets import caution
from bot.domain.compliance import mask_numbers
from tests.rooms.answering.shelf import MORNING, Make, Shelf, ask, document

CARD = "我的卡号6222020200112233445，密码是135790，存折还能用吗"


@pytest.mark.parametrize("text", [CARD, mask_numbers(CARD), "驗證碼是482913", "482913是我的验证码"])
def test_a_code_is_cautioned_of_also_where_it_is_hidden_already(text: str) -> None:
    assert "谁都别发" in caution(text, ())


@pytest.mark.parametrize("text", ["卡号 6222 0202 0011 2233 帮我看看", "身份证330106195001011234"])
def test_a_number_alone_is_cautioned_of_gently(text: str) -> None:
    assert caution(text, ()) == caution(mask_numbers(text), ())
    assert "不用发在这里" in caution(text, ())


@pytest.mark.parametrize(
    "text",
    [
        "密码忘了怎么办",
        "密码是几位",
        "我电话13800001234",
        "打我*******1234",
        "存了50000000元",
        "**急**",
    ],
)
def test_what_is_no_secret_gets_no_caution(text: str) -> None:
    assert caution(text, ()) == ""


async def test_the_answer_goes_on_and_it_is_said_once_a_talk(answerer: Make) -> None:
    one = answerer.over(Shelf(document()))
    first = await one.answer(ask(CARD), MORNING)
    assert first.text.startswith("能用。存折、现金都照办。")
    assert "谁都别发" in first.text.splitlines()[-1]
    talk = (f"客户:{mask_numbers(CARD)}", f"小安:{first.text}")
    again = await one.answer(ask(CARD, history=talk), MORNING)
    assert again.text.startswith("能用。")
    assert "谁都别发" not in again.text


async def test_in_a_group_nobody_is_told_so_in_public(answerer: Make) -> None:
    answer = await answerer.over(Shelf(document())).answer(ask(CARD, "group"), MORNING)
    assert "谁都别发" not in answer.text


async def test_danger_has_nothing_added_to_it(answerer: Make) -> None:
    answer = await answerer.over(Shelf()).answer(ask("我被骗了，密码135790告诉他了"), MORNING)
    assert "110" in answer.text
    assert "谁都别发" not in answer.text
