"""Long words cut where WeCom counts bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.text import split_text, whole


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("短", 2048, ["短"]),
        ("", 10, [""]),
        ("一二三四", 6, ["一二", "三四"]),
        ("一二三四", 7, ["一二", "三四"]),  # a character is never cut in two
        ("先说这件事。再说那个。", 24, ["先说这件事。", "再说那个。"]),
        ("嗯。后面这一句很长很长", 24, ["嗯。后面这一句很", "长很长"]),  # too early to cut there
        ("ab 一\n二三", 8, ["ab 一", "二三"]),
        ("一二" + "\n" * 9, 6, ["一二"]),
        ("字", 1, ["字"]),
        *((f"一二三四{end}五六", 18, [f"一二三四{end}", "五六"]) for end in "。！？；"),
    ],
)
def test_text_is_cut_at_sentence_ends_within_the_bytes(
    text: str, limit: int, parts: list[str]
) -> None:
    assert split_text(text, limit) == parts


@given(text=st.text(min_size=1, max_size=300), limit=st.integers(4, 64))
def test_every_part_fits_and_no_word_is_lost(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    if text.strip():
        assert all(parts)
    assert all(len(part.encode()) <= limit for part in parts) or not text.strip()
    assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("said", "kept"), [("您\0好", "您好"), ("\ud83d您好", "?您好"), ("您好", "您好"), (5, "5")]
)
def test_what_is_kept_is_text_for_every_database(said: object, kept: str) -> None:
    assert whole(said) == kept
