"""What the list of standing work calls each kind of message and each reason."""

from __future__ import annotations

import pytest

from bot.cli.work_words import KINDS, kind_in_words, reason_in_words
from bot.domain.messages import POLICIES


def test_every_kind_of_message_has_a_name_people_know() -> None:
    assert KINDS.keys() == POLICIES.keys()
    assert kind_in_words("senior-21d") == "senior-21d"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("stopped", "已停发"),
        ("wecom_60020", "企业微信错误码 60020"),
        ("another reason", "another reason"),
        ("", ""),
    ],
)
def test_a_reason_is_said_in_words_where_there_are_some(reason: str, words: str) -> None:
    assert reason_in_words(reason) == words
