"""Everything that leaves has a channel and a policy, and keeps what it says when stored."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.domain.events import Event
from bot.domain.messages import (
    CHANNEL_OF,
    POLICIES,
    Broadcast,
    Card,
    Image,
    Link,
    Outbound,
    Text,
)
from tests.make import CHAT, OWNER, broadcast, message, reply, staff_card, staff_text

KINDS = {kind.model_fields["kind"].default for kind in get_args(get_args(Outbound)[0])}
OUTBOUND: TypeAdapter[Any] = TypeAdapter(Outbound)
EVENT: TypeAdapter[Any] = TypeAdapter(Event)


def test_each_kind_of_message_has_a_channel_and_a_policy() -> None:
    assert KINDS == set(CHANNEL_OF) == set(POLICIES)
    assert set(CHANNEL_OF.values()) == {"kf", "app", "contact", "aibot", "webhook"}


@pytest.mark.parametrize(
    "said",
    [
        reply("「引号」\n换行"),
        staff_card(),
        staff_text(),
        broadcast(),
        Broadcast(
            owner=OWNER,
            chats=(CHAT,),
            contents=(Text(text="看图"), Image(file="a.png"), Link(title="活动", url="https://a")),
        ),
    ],
)
def test_a_message_comes_out_of_the_store_as_it_went_in(said: object) -> None:
    stored = OUTBOUND.dump_json(said)
    assert OUTBOUND.validate_json(stored) == said


def test_an_event_comes_out_of_the_store_as_it_went_in() -> None:
    assert EVENT.validate_python(EVENT.dump_python(message(), mode="json")) == message()


def test_a_card_without_a_button_and_words_without_words_are_refused() -> None:
    with pytest.raises(ValidationError):
        Card(title="空", buttons=())
    with pytest.raises(ValidationError):
        Text(text="")
