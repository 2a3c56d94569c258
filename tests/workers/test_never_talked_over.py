"""Whatever happens in whatever order: a person who has the word is never talked over."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.messages import KfEventReply, KfReply, Outbound, Receipt
from bot.emulator.kf_state import State
from bot.storage.db import Database
from bot.workers.content import Content
from tests.make import ACCOUNT
from tests.workers.room import Room, open_room

_HERS = [f"{move}:wmA" for move in ("asks", "wants", "answered", "answered", "heard", "heard")]
_HIS = ["answered:wmB", "spoken:wmB", "ended:wmB"]
_MOVES = st.lists(
    st.sampled_from([*_HERS, "ended:wmA", *_HIS, "pull", "think", "send", "send", "wait"]),
    min_size=10,
    max_size=20,
)


class Ear:
    """Between the sender and WeCom: notes who was spoken to while a person had the word."""

    name = "kf"

    def __init__(self, room: Room) -> None:
        self._room = room
        self.muted: set[str] = set()
        self.talked_over: list[str] = []

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        if isinstance(message, KfReply | KfEventReply) and message.customer in self.muted:
            self.talked_over.append(key)
        return await self._room.kf.send(key, message, repeated=repeated)


class Story:
    """Plays the moves, and knows from the local WeCom's own log who has been heard."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.ear = Ear(room)
        room.channels["kf"] = _Both(room, self.ear)
        self.room.inbox._channels = room.channels
        self.room.outbox._channels = room.channels
        self.asked = 0

    async def play(self, move: str) -> None:
        kind, _, who = move.partition(":")
        room = self.room
        match kind:
            case "answered":  # up to the outbox, and no further
                self._do("asks", who)
                await self._pull()
                room.clock.advance(seconds=4)
                await room.think()
            case "heard":
                self._do("spoken", who)
                await self._pull()
            case "pull":
                await self._pull()
            case "think":
                await room.think()
            case "send":
                await room.send()
            case "wait":
                room.clock.advance(seconds=1)
            case _:
                self._do(kind, who)

    def _do(self, kind: str, who: str) -> None:
        """Let somebody do something in WeChat or in the WeCom client."""
        kf = self.room.world.kf
        match kind:
            case "asks" | "wants":
                self.asked += 1
                words = "转人工" if kind == "wants" else f"第{self.asked}问"
                kf.customer_says(ACCOUNT, who, words)
            case "spoken":
                self._speak(who)
            case "ended":
                talk = kf.conversation(ACCOUNT, who)
                if talk.state(self.room.world.now()) is State.HUMAN:
                    kf.servicer_ends(ACCOUNT, who)

    async def _pull(self) -> None:
        await self.room.pull()
        self._heard()

    def _speak(self, who: str) -> None:
        """Let a person write, however the session came to be theirs."""
        room = self.room
        talk = room.world.kf.conversation(ACCOUNT, who)
        if talk.state(room.world.now()) not in (State.HUMAN, State.ENDED):
            talk.assign(room.servicer, room.world.now())  # in the client: no event tells of it
        userid = talk.servicer or room.servicer
        room.world.kf.servicer_says(ACCOUNT, who, userid, "我来")

    def _heard(self) -> None:
        """After a pull everything in the log is stored: whose last word counts from now on."""
        muted: dict[str, bool] = {}
        for entry in self.room.world.kf.account(ACCOUNT).log.entries:
            item = entry.item
            event = item.get("event")
            inner = event if isinstance(event, dict) else {}
            who = str(item.get("external_userid") or inner.get("external_userid", ""))
            if item["origin"] == 5:
                muted[who] = True
            elif inner.get("change_type") == 3:
                muted[who] = False
        self.ear.muted = {who for who, silent in muted.items() if silent}


class _Both:
    """Reads as the channel does, and sends past the ear."""

    name = "kf"

    def __init__(self, room: Room, ear: Ear) -> None:
        self.cursor_of = room.kf.cursor_of
        self.receive = room.kf.receive
        self.send = ear.send


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=_MOVES)
def test_a_person_who_has_the_word_is_never_talked_over(
    moves: list[str], migrated_sqlite: Path, tmp_path: Path, content: Content
) -> None:
    file = tmp_path / "any.db"
    for leftover in tmp_path.glob("any.db*"):
        leftover.unlink()
    file.write_bytes(migrated_sqlite.read_bytes())
    asyncio.run(_play(moves, f"sqlite:///{file}", content))


async def _play(moves: list[str], url: str, content: Content) -> None:
    database = await Database.open(url, durable=False)
    try:
        async with open_room(database, content) as room:
            story = Story(room)
            for move in [*moves, *["pull", "wait", "think", "send"] * 5]:
                await story.play(move)
            assert story.ear.talked_over == []
            async with database.read() as tx:
                assert await tx.ledger.count("message_in") == story.asked
                due = await tx.due()
            assert "events" not in due, due
            assert "outbox" not in due, due
    finally:
        await database.close()
