"""The native archive: a library in a process of its own, RSA keys by version."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import ConfigError, Retryable, WeComError
from bot.wecom.archive_child import LibraryArchive
from tests.wecom.native_archive import NativeArchive, build_library, group_words


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_library(tmp_path_factory.mktemp("library"))


@pytest.fixture
def stored(library: Path, tmp_path: Path) -> NativeArchive:
    archive = NativeArchive(tmp_path, library)
    archive.new_key("1")
    return archive


@pytest.fixture
async def archive(stored: NativeArchive) -> AsyncIterator[LibraryArchive]:
    opened = LibraryArchive(stored.order())
    yield opened
    await opened.close()


def words_of(items: list[dict[str, object]]) -> list[object]:
    return [item["message"]["text"]["content"] for item in items]  # type: ignore[index]


async def test_messages_come_decrypted_and_in_order(
    stored: NativeArchive, archive: LibraryArchive
) -> None:
    for text in ("几点开门", "九点，阿姨", "谢谢😀"):
        stored.add(group_words(text))

    assert words_of(await archive.pull(0, 500)) == ["几点开门", "九点，阿姨", "谢谢😀"]
    assert words_of(await archive.pull(1, 1)) == ["九点，阿姨"]
    assert await archive.pull(3, 500) == []


async def test_each_message_is_opened_by_the_key_of_its_version(
    stored: NativeArchive, archive: LibraryArchive
) -> None:
    stored.new_key("2")
    stored.add(group_words("旧钥匙"), "1")
    stored.add(group_words("新钥匙"), "2")

    assert words_of(await archive.pull(0, 500)) == ["旧钥匙", "新钥匙"]


async def test_what_cannot_be_opened_is_named_and_holds_up_nothing(
    stored: NativeArchive, library: Path
) -> None:
    stored.new_key("2")
    stored.add(group_words("没有这把钥匙"), "2")
    stored.spoil(stored.add(group_words("坏了")))
    stored.add(group_words("好的"))
    only_first = LibraryArchive(stored.order(keys={"1": stored.keys["1"]}))
    try:
        missing, spoilt, good = await only_first.pull(0, 500)
    finally:
        await only_first.close()

    assert (missing["seq"], missing["error"]) == (1, "key_2_missing")
    assert (spoilt["seq"], spoilt["error"]) == (2, "not_decrypted_LibraryRefused")
    assert words_of([good]) == ["好的"]


async def test_a_crash_of_the_library_ends_its_process_only(
    stored: NativeArchive, archive: LibraryArchive
) -> None:
    stored.add(group_words("在吗"))
    stored.trouble("crash")
    with pytest.raises(Retryable):
        await archive.pull(0, 500)
    stored.trouble("crash", on=False)

    assert words_of(await archive.pull(0, 500)) == ["在吗"]


async def test_network_trouble_is_tried_again_and_a_refusal_says_the_mend(
    stored: NativeArchive, archive: LibraryArchive
) -> None:
    stored.trouble("busy")
    with pytest.raises(Retryable, match="10002"):
        await archive.pull(0, 500)
    stored.trouble("busy", on=False)
    stored.trouble("other_ip")
    with pytest.raises(WeComError, match="可信 IP"):
        await archive.pull(0, 500)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"library": "/nowhere/lib.so"}, "打不开.*library"),
        ({"library": os.devnull}, "打不开"),
        ({"keys": {"1": "/nowhere/key.pem"}}, "私钥 /nowhere/key.pem 读不了"),
    ],
)
async def test_a_library_or_key_that_cannot_be_used_is_named(
    stored: NativeArchive, changes: dict[str, object], words: str
) -> None:
    archive = LibraryArchive(stored.order(**changes))
    with pytest.raises(ConfigError, match=words):
        await archive.pull(0, 500)


async def test_another_corp_is_refused(stored: NativeArchive) -> None:
    archive = LibraryArchive(stored.order(corp_id="ww-other"))
    with pytest.raises(WeComError, match="BOT_ARCHIVE__SECRET"):
        await archive.pull(0, 500)
