"""What words in a group mean to a script."""

from __future__ import annotations

import pytest

from bot.domain.steps import Listen
from bot.sop.listen import (
    hears,
    is_refusal,
    plain,
    says_yes,
    sounds_like_question,
    wants_news_again,
)

REFUSALS = ("退订", "别发了", "TD")


def listening(*words: str) -> Listen:
    return Listen.model_validate({"关键词": list(words), "动作": ["通知群主"]})


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("报名", True),
        ("我要报名!", True),
        ("  报 名 ", False),
        ("我来", True),
        ("孩子学校的事我还没想好呢,等他们周末回来商量商量,要是行的话我再报名", False),
        ("早上好", False),
        ("ａ", True),
        ("A", True),
    ],
)
def test_a_short_reply_with_a_keyword_is_heard(said: str, heard: bool) -> None:
    assert hears(listening("报名", "我来", "a"), said) is heard


@pytest.mark.parametrize(
    ("said", "refuses"),
    [
        ("退订", True),
        ("退订。", True),
        ("td", True),
        ("ＴＤ", True),
        ("能不能别发了?", True),
        ("TDS是什么", False),
        ("我昨天去网点退订了那个短信服务,排了好久的队", False),
        ("好", False),
    ],
)
def test_a_refusal_is_short_and_an_english_word_stands_alone(said: str, refuses: bool) -> None:
    assert is_refusal(said, REFUSALS) is refuses


@pytest.mark.parametrize(
    ("said", "agreed"),
    [
        ("可以", True),
        ("可以的,谢谢", True),
        ("好呀", True),
        ("好的好的，麻烦了", True),
        ("好嘞", True),
        ("OK", True),
        ("不需要，谢谢", False),
        ("不用", False),
        ("不用了", False),
        ("不可以", False),
        ("可以存定期吗", None),
        ("好不好呢", None),
        ("", None),
    ],
)
def test_a_yes_is_a_yes_and_nothing_more(said: str, agreed: bool | None) -> None:
    assert says_yes(said) is agreed


@pytest.mark.parametrize(
    ("said", "asks"),
    [
        ("几点开门", True),
        ("存折还能用吗", True),
        ("请问国债在哪买", True),
        ("到期了自动转存？", True),
        ("谢谢李经理", False),
        ("吗", False),
        ("今天天气真好", False),
    ],
)
def test_a_question_sounds_like_one(said: str, asks: bool) -> None:
    assert sounds_like_question(said) is asks


def test_taking_a_refusal_back() -> None:
    assert wants_news_again("恢复。")
    assert not wants_news_again("恢复得怎么样了")


def test_words_are_compared_without_width_case_and_outer_marks() -> None:
    assert plain(" ＡbＣ。!") == "ABC"
