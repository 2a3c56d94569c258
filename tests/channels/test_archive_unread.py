"""A message that cannot be decrypted waits as an event of its own until its key is there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.channels.archive import ArchiveChannel
from bot.clock import FakeClock
from bot.domain.events import ArchiveUnreadable, GroupMessageReceived
from bot.errors import Retryable
from bot.wecom.archive_child import LibraryArchive
from tests.channels.bank import told
from tests.make import NOON
from tests.wecom.native_archive import NativeArchive, build_library, group_words

NEWS = told("archive", Event="msgaudit_notify")
READ_ON = "0"  # not a first start, which passes over what is old


@pytest.fixture
def stored(tmp_path: Path) -> NativeArchive:
    archive = NativeArchive(tmp_path, build_library(tmp_path))
    archive.new_key("1")
    archive.new_key("2")
    return archive


@pytest.fixture
async def without_second(stored: NativeArchive) -> AsyncIterator[ArchiveChannel]:
    library = LibraryArchive(stored.order(keys={"1": stored.keys["1"]}))
    yield ArchiveChannel(library, FakeClock(NOON))
    await library.close()


@pytest.fixture
async def with_both(stored: NativeArchive) -> AsyncIterator[ArchiveChannel]:
    library = LibraryArchive(stored.order())
    yield ArchiveChannel(library, FakeClock(NOON))
    await library.close()


async def test_it_is_kept_by_its_number_and_the_place_moves_on(
    stored: NativeArchive, without_second: ArchiveChannel
) -> None:
    stored.add(group_words("钥匙还没到"), "2")
    stored.add(group_words("读得到"), "1")

    received = await without_second.receive(NEWS, READ_ON)

    unread, words = [arrival.event for arrival in received.arrivals]
    assert unread == ArchiveUnreadable(seq=1, msgid="m1", reason="key_2_missing")
    assert isinstance(words, GroupMessageReceived)
    assert words.text == "读得到"
    assert received.cursor == "2"


async def test_it_is_read_once_its_key_is_there(
    stored: NativeArchive, without_second: ArchiveChannel, with_both: ArchiveChannel
) -> None:
    seq = stored.add(group_words("钥匙还没到"), "2")
    with pytest.raises(Retryable, match="key_2_missing"):
        await without_second.reread(seq)

    arrival = await with_both.reread(seq)

    assert arrival is not None
    assert isinstance(arrival.event, GroupMessageReceived)
    assert arrival.event.text == "钥匙还没到"
    assert arrival.key == "archive:m1"
