"""What people type of cards, identities and codes stands in no file of the bot's, only its end."""

from __future__ import annotations

import re

from bot.demo.town import AGENT_ID
from bot.emulator import app_hands
from bot.workspace import Workspace
from tests.journeys.friends import writes
from tests.journeys.staff import RM, ask, town_with_a_bot
from tests.journeys.town import Life

CARD, SPACED = "6222021234567890123", "6217 0028-7001.2345 678"
IDENTITY, MOBILE, CODE = "11010119900307451X", "13812345678", "830592"
BARE = (CARD, "6217002870012345678", IDENTITY, MOBILE, CODE)
_BETWEEN = re.compile(rb"[ \-.]")


def words(number: int) -> str:
    return (
        f"第{number}回：卡号{CARD}，另一张 {SPACED}，身份证{IDENTITY}，"
        f"电话138-1234-5678，验证码是{CODE}，养老金怎么查？"
    )


def kept(life: Life) -> bytes:
    """Return every byte of the bot's database and of its journal."""
    folder = life.demo.workspace.root / "data"
    return b"".join(file.read_bytes() for file in sorted(folder.glob("demo.db*")))


async def test_no_number_that_somebody_typed_is_in_the_database(workspace: Workspace) -> None:
    async with town_with_a_bot(workspace) as life:
        await life.asks(words(1))
        await life.sends("text", {"content": f"被骗了，我把钱转到{CARD}了"})
        await life.says(life.chat, life.member(life.chat), words(2))
        await writes(life, words(3))
        app_hands.sends(life.world, RM, AGENT_ID, "text", {"Content": words(4)})
        await life.settle()
        await ask(life, f"客户说卡号{CARD}，大额存单提前支取怎么算")
        stored = kept(life)
        assert "养老金怎么查".encode() in stored
        assert b"0123" in stored
        bare = _BETWEEN.sub(b"", stored)
        for digits in BARE:
            assert digits.encode() not in bare, digits
