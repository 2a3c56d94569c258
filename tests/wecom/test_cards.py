"""Whatever the builders let through, the local WeCom takes; what it would refuse, they refuse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.emulator.cards import check_card
from bot.emulator.wire import inner_call
from bot.wecom.cards import (
    Button,
    Fields,
    Row,
    Selection,
    button_card,
    multiple_card,
    news_notice,
    replaced,
    text_notice,
    vote_card,
    with_menu,
)

WORDS = st.text(min_size=0, max_size=14)
URLS = st.sampled_from(["https://bank.example/a", "http://b.example", "ftp://c", "", "bank"])
TASKS = st.sampled_from(["t-1", "t@_2", "", "t 3", "任务", "x" * 128, "x" * 129])
ROWS = st.lists(
    st.builds(
        Row,
        WORDS,
        WORDS,
        st.sampled_from(["", "https://bank.example/r"]),
        st.sampled_from(["", "li.min"]),
    ),
    max_size=8,
)
BUTTON = st.builds(Button, WORDS, WORDS, st.integers(1, 4))  # type: ignore[arg-type]
OPTIONS = st.lists(st.tuples(WORDS, WORDS), max_size=24).map(tuple)
SELECTION = st.builds(Selection, WORDS, WORDS, OPTIONS, st.just(""))


@given(
    TASKS,
    WORDS,
    st.lists(BUTTON, max_size=8),
    WORDS,
    st.text(max_size=130),
    ROWS,
    st.none() | SELECTION,
)
def test_button_cards(
    task: str,
    title: str,
    buttons: list[Button],
    desc: str,
    sub: str,
    rows: list[Row],
    selection: Selection | None,
) -> None:
    agrees(
        lambda: button_card(
            task_id=task,
            title=title,
            buttons=buttons,
            desc=desc,
            sub_title=sub,
            rows=rows,
            selection=selection,
        )
    )


@given(WORDS, URLS, WORDS, ROWS, st.tuples(WORDS, st.text(max_size=18)))
def test_text_notices(
    title: str, url: str, desc: str, rows: list[Row], emphasis: tuple[str, str]
) -> None:
    agrees(lambda: text_notice(title=title, url=url, desc=desc, rows=rows, emphasis=emphasis))


@given(WORDS, URLS, URLS, ROWS, st.lists(st.tuples(WORDS, WORDS), max_size=6), st.floats(1, 2.5))
def test_news_notices(
    title: str,
    url: str,
    picture: str,
    rows: list[Row],
    paragraphs: list[tuple[str, str]],
    aspect: float,
) -> None:
    agrees(
        lambda: news_notice(
            title=title,
            url=url,
            picture=picture,
            rows=rows,
            paragraphs=paragraphs,
            aspect=aspect,
        )
    )


@given(TASKS, WORDS, WORDS, OPTIONS, BUTTON, st.booleans())
def test_vote_cards(
    task: str,
    title: str,
    key: str,
    options: tuple[tuple[str, str], ...],
    submit: Button,
    several: bool,
) -> None:
    agrees(
        lambda: vote_card(
            task_id=task,
            title=title,
            question_key=key,
            options=options,
            submit=submit,
            several=several,
        )
    )


@given(TASKS, WORDS, st.lists(SELECTION, max_size=4), BUTTON)
def test_multiple_cards(task: str, title: str, asked: list[Selection], submit: Button) -> None:
    agrees(lambda: multiple_card(task_id=task, title=title, questions=asked, submit=submit))


@given(TASKS, WORDS, st.lists(st.tuples(WORDS, WORDS), max_size=4))
def test_menus(task: str, desc: str, items: list[tuple[str, str]]) -> None:
    notice = text_notice(title="线索", url="https://bank.example")
    agrees(lambda: with_menu(notice, task, desc, items))


def agrees(build: object) -> None:
    """Build a card; one that is built at all must be taken, also greyed."""
    try:
        card: Fields = build()  # type: ignore[operator]
    except ValueError:
        return
    check_card(inner_call(dict(card)))
    check_card(inner_call(replaced(card, "已处理")))


@pytest.mark.parametrize(
    "build",
    [
        lambda: button_card(task_id="t", title="", buttons=[Button("好", "k")]),
        lambda: button_card(task_id="t", title="题", buttons=[]),
        lambda: button_card(task_id="t", title="题", buttons=[Button("一" * 11, "k")]),
        lambda: text_notice(title="题", url="bank.example"),
        lambda: text_notice(title="题", url="https://b", emphasis=("一" * 11, "")),
        lambda: news_notice(title="题", url="https://b", picture=""),
        lambda: news_notice(title="题", url="https://b", picture="https://p", aspect=1.2),
        lambda: vote_card(
            task_id="t", title="题", question_key="q", options=[], submit=Button("交", "k")
        ),
        lambda: multiple_card(task_id="t", title="题", questions=[], submit=Button("交", "k")),
        lambda: with_menu({}, "t", "", [("a", "一"), ("a", "二")]),
        lambda: replaced({}, ""),
    ],
)
def test_what_wecom_would_refuse_is_refused_here(build: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        build()  # type: ignore[operator]


def test_real_cards_of_every_kind_are_built() -> None:
    """The property above must not hold only because nothing is ever built."""
    options = tuple((str(number), f"第{number}项") for number in range(10))
    questions = [Selection(key, "哪一天", options, "3") for key in "abc"]
    submit = Button("提交", "send")
    built = [
        button_card(task_id="1", title="题", buttons=[submit] * 6, selection=questions[0]),
        text_notice(title="题", url="https://b", emphasis=("20 万", "起存")),
        news_notice(title="题", url="https://b", picture="https://p", paragraphs=[("甲", "乙")]),
        vote_card(task_id="2", title="题", question_key="q", options=options * 1, submit=submit),
        multiple_card(task_id="3", title="题", questions=questions, submit=submit),
    ]
    for card in built:
        check_card(inner_call(dict(with_menu(card, "m", "更多", [("a", "一")]))))
    assert len({card["card_type"] for card in built}) == 5
