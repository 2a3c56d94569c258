"""What every Channel keeps to."""

from __future__ import annotations

import pytest

from bot.domain.events import Notice
from bot.domain.messages import CHANNEL_OF, Outbound
from bot.errors import ChannelError, Retryable, Undeliverable
from bot.ports import Channel
from tests.channels.bank import Bank


class ChannelContract:
    """Subclass with a channel's ``name``, and fixtures of a ``news`` notice and a ``message``."""

    name: str
    api: str
    """The API that ``message`` is sent with; empty where nothing can be sent."""

    @pytest.fixture
    def channel(self, bank: Bank) -> Channel:
        return bank.channels()[self.name]

    def test_it_is_known_by_its_name(self, channel: Channel) -> None:
        assert channel.name == self.name

    async def test_reading_the_same_again_gives_the_same_keys(
        self, channel: Channel, news: Notice
    ) -> None:
        first, again = await channel.receive(news, ""), await channel.receive(news, "")
        assert first.arrivals
        assert [one.key for one in first.arrivals] == [one.key for one in again.arrivals]
        assert len({one.key for one in first.arrivals}) == len(first.arrivals)
        assert all(one.lane for one in first.arrivals)

    async def test_a_cursor_leads_past_what_was_read(self, channel: Channel, news: Notice) -> None:
        source = channel.cursor_of(news)
        received = await channel.receive(news, "")
        if source is None:
            assert received.cursor is None
            assert not received.more
        else:
            assert received.cursor
            assert (await channel.receive(news, received.cursor)).arrivals == ()

    async def test_a_message_of_another_channel_is_refused(
        self, channel: Channel, others: dict[str, Outbound]
    ) -> None:
        for kind, message in others.items():
            if CHANNEL_OF[kind] != self.name:
                with pytest.raises(Undeliverable):
                    await channel.send("k", message, repeated=False)

    async def test_a_sent_message_has_a_receipt(
        self, channel: Channel, message: Outbound | None
    ) -> None:
        if message is not None:
            assert (await channel.send("k", message, repeated=False)).ref

    async def test_a_busy_wecom_is_tried_again_and_a_refusal_is_not(
        self, channel: Channel, bank: Bank, message: Outbound | None
    ) -> None:
        if message is None:
            return
        for code, error in ((-1, Retryable), (45009, Retryable), (40003, Undeliverable)):
            bank.world.faults.plan(self.api, "errcode", errcode=code)
            with pytest.raises(ChannelError) as caught:
                await channel.send("k", message, repeated=False)
            assert isinstance(caught.value, error)
            assert str(caught.value) == f"wecom_{code}"

    async def test_a_lost_answer_says_that_it_may_have_arrived(
        self, channel: Channel, bank: Bank, message: Outbound | None
    ) -> None:
        if message is None:
            return
        bank.world.faults.plan(self.api, "lost_answer")
        with pytest.raises(Retryable) as caught:
            await channel.send("k", message, repeated=False)
        assert caught.value.may_have_arrived
