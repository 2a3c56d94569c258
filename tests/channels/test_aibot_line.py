"""The AI bot's one connection: a lease, a standby, pings, replies in turn, a sign of life."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.channels.aibot import AibotChannel
from bot.channels.aibot_line import LEASE, AibotLine
from bot.clock import FakeClock
from bot.domain.staff_messages import ReplyTo, StaffStream
from bot.emulator import aibot_people
from bot.emulator.aibot import AiBot, BotCallback
from bot.emulator.server import EmulatorServer, serve_emulator
from bot.emulator.world import Member, World
from bot.errors import Retryable, Undeliverable, WeComError
from bot.storage.db import Database
from bot.wecom.aibot_socket import BotSocket, Frame
from bot.wecom.transport import Unanswered
from tests.make import NOON, OWNER
from tests.waiting import until

BOT, SECRET = "aib-1", "secret-1"


@dataclass
class Town:
    """A local WeCom with one bot, a database, and as many processes as a test opens."""

    world: World
    clock: FakeClock
    server: EmulatorServer
    file: Path
    open_ones: list[Process] = field(default_factory=list)

    async def process(self, **options: float) -> Process:
        database = await Database.open(f"sqlite:///{self.file}", durable=False)
        process = Process(self, database, options)
        self.open_ones.append(process)
        return process

    def told(self) -> BotCallback:
        return aibot_people.says(self.world, BOT, OWNER, "在吗")

    def texts(self) -> list[str]:
        return [item.text for item in self.world.aibots.seen_by(OWNER)]


class Process:
    """What one process has of the bot."""

    def __init__(self, town: Town, database: Database, options: dict[str, float]) -> None:
        self.database = database
        url = town.server.base_url.replace("http", "ws") + "/aibot/ws"

        def open_socket(on_callback: Callable[[Frame], Awaitable[None]]) -> BotSocket:
            return BotSocket(
                url,
                BOT,
                SECRET,
                on_callback,
                ping_every_s=options.get("ping_every_s", 30),
                ack_within_s=options.get("ack_within_s", 5),
            )

        after = options.get("first_words_after_s", 5.0)
        self.line = AibotLine(open_socket, BOT, database, town.clock, first_words_after_s=after)
        self.channel = AibotChannel(self.line, None, database, town.clock)  # type: ignore[arg-type]

    async def notices(self) -> int:
        async with self.database.begin() as tx:
            return len(await tx.inbox.claim_notices(NOON, limit=100))

    async def close(self) -> None:
        await self.line.close()
        await self.database.close()


@pytest.fixture
async def town(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[Town]:
    clock = FakeClock(NOON)
    world = World(clock)
    world.add_member(Member(OWNER, "李敏"))
    world.aibots.add(AiBot(BOT, SECRET))
    file = shutil.copyfile(migrated_sqlite, tmp_path / "zhilin.db")
    async with serve_emulator(world, live=False) as server:
        town = Town(world, clock, server, file)
        yield town
        for process in town.open_ones:
            await process.close()


def answer(told: BotCallback, text: str = "在的。") -> StaffStream:
    reply = ReplyTo(via="socket", req_id=told.req_id, stream="s1")
    return StaffStream(to=OWNER, reply=reply, text=text, asked_at=told.at)


async def test_one_of_two_processes_connects_and_the_other_takes_over(town: Town) -> None:
    first, second = await town.process(), await town.process()
    for process in (first, second):
        await process.line.step()
    assert (first.line.connected, second.line.connected) == (True, False)
    assert (first.channel.reachable, second.channel.reachable) == (True, False)
    town.clock.advance(seconds=3)
    for process in (second, first):  # the holder renews, the standby looks
        await process.line.step()
    assert not second.line.connected
    # The holder dies: it neither renews nor hangs up. The standby is there within the lease.
    town.clock.advance(seconds=LEASE.total_seconds())
    await second.line.step()
    assert second.line.connected
    assert not second.line._socket.replaced  # type: ignore[union-attr]
    await until(lambda: not first.line.connected)
    await first.line.step()
    town.clock.advance(seconds=30)
    await second.line.step()
    await first.line.step()
    assert (first.line.connected, second.line.connected) == (False, True)
    assert town.world.aibot_lines.connected == 2  # nobody kicked back


async def test_who_ends_in_order_lets_the_standby_in_at_once(town: Town) -> None:
    first, second = await town.process(), await town.process()
    await first.line.step()
    await second.line.step()
    await first.line.close()
    town.clock.advance(seconds=2)
    await second.line.step()
    assert second.line.connected


async def test_kicked_by_a_stranger_the_holder_comes_back_after_a_pause(town: Town) -> None:
    process = await town.process()
    await process.line.step()
    town.world.aibot_lines.kick(BOT)
    await until(lambda: not process.line.connected)
    await process.line.step()
    assert not process.line.connected
    town.clock.advance(seconds=7)
    await process.line.step()
    assert not process.line.connected
    town.clock.advance(seconds=6)
    await process.line.step()
    assert process.line.connected


async def test_a_refused_bot_is_tried_less_and_less_often(town: Town) -> None:
    town.world.aibots.bots[BOT].secret = "another"
    process = await town.process()
    tries = []
    for second in range(60):
        await process.line.step()
        tries.append((second, len(town.world.aibot_lines.commands)))
        town.clock.advance(seconds=1)
    asked = town.world.aibot_lines.commands
    assert 4 <= len(asked) <= 7, asked  # after 1, 2, 4, 8, 16, 30 seconds, more or less


async def test_a_message_is_stored_before_anything_is_done(town: Town) -> None:
    process = await town.process()
    await process.line.step()
    told = town.told()
    town.world.aibots.again(told.req_id)

    async def stored() -> bool:
        return await process.notices() == 1

    await until(stored)
    assert await process.notices() == 0  # the second telling is the same notice


async def test_a_slow_answer_is_preceded_by_a_sign_of_life(town: Town) -> None:
    process = await town.process(first_words_after_s=0.05)
    await process.line.step()
    told = town.told()
    await until(lambda: town.texts() == ["正在查…"])
    stream = town.world.aibots.seen_by(OWNER)[0].stream_id
    late = answer(told).model_copy(
        update={"reply": ReplyTo(via="socket", req_id=told.req_id, stream=stream)}
    )
    await process.channel.send("k", late, repeated=False)
    assert town.texts() == ["在的。"]
    assert len(town.world.deliveries.select("aibot")) == 1


async def test_what_is_written_so_far_is_shown_until_the_answer_is_there(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.aibot_line._FRAME_EVERY_S", 0.02)
    process = await town.process(first_words_after_s=0.02)
    await process.line.step()
    told = town.told()
    await until(lambda: town.texts() == ["正在查…"])
    shown = town.world.aibots.seen_by(OWNER)[0]
    reply = ReplyTo(via="socket", req_id=told.req_id, stream=shown.stream_id)
    await process.channel.so_far(reply, "20 万元起。")
    await until(lambda: shown.text == "20 万元起。")
    message = StaffStream(to=OWNER, reply=reply, text="20 万元起。可转让。", asked_at=told.at)
    await process.channel.send("k", message, repeated=False)
    await process.channel.so_far(reply, "太晚")
    assert shown.frames == ["正在查…", "20 万元起。", "20 万元起。可转让。"]
    assert shown.finished
    assert shown.feedback_id == shown.stream_id


async def test_a_lost_acknowledgement_is_asked_again_and_shows_one_answer(town: Town) -> None:
    process = await town.process(ack_within_s=0.1)
    await process.line.step()
    told = town.told()
    town.world.faults.plan("aibot_respond_msg", "lost_answer")
    await process.channel.send("k", answer(told), repeated=False)
    assert town.texts() == ["在的。"]
    town.world.faults.plan("aibot_respond_msg", "lost_answer", times=2)
    other = town.told()
    slow = answer(other, "第二条").model_copy(
        update={"reply": ReplyTo(via="socket", req_id=other.req_id, stream="s2")}
    )
    with pytest.raises(Unanswered):
        await process.channel.send("k2", slow, repeated=False)
    await process.channel.send("k2", slow, repeated=True)
    assert town.texts() == ["在的。", "第二条"]


async def test_a_stream_that_ended_before_the_answer_says_so(town: Town) -> None:
    process = await town.process()
    await process.line.step()
    told = town.told()
    stream = {"id": "s1", "finish": False, "content": "…"}
    await process.line.send(
        "aibot_respond_msg", {"msgtype": "stream", "stream": stream}, req_id=told.req_id
    )
    assert town.world.aibots.expire_streams() == 1
    with pytest.raises(Undeliverable, match="stream_closed"):
        await process.channel.send("k", answer(told), repeated=False)
    town.clock.advance(minutes=11)
    with pytest.raises(Undeliverable, match="in_doubt"):
        await process.channel.send("k", answer(told), repeated=True)


async def test_two_unanswered_pings_end_the_connection(town: Town) -> None:
    process = await town.process(ping_every_s=0.05, ack_within_s=0.05)
    await process.line.step()
    await until(lambda: ("aib-1", "ping") in town.world.aibot_lines.commands)
    assert process.line.connected
    town.world.faults.plan("ping", "lost_answer", times=2)
    await until(lambda: not process.line.connected)


async def test_without_a_connection_nothing_is_sent_from_here(town: Town) -> None:
    process = await town.process()
    with pytest.raises(Retryable, match="not_connected"):
        await process.channel.send("k", answer(_nobody()), repeated=False)


async def test_replies_to_one_message_go_one_after_the_other(town: Town) -> None:
    process = await town.process()
    await process.line.step()
    told = town.told()
    town.world.faults.plan("aibot_respond_msg", "slow", seconds=0.1)

    async def frame(content: str, finish: bool) -> None:
        stream = {"id": "s1", "finish": finish, "content": content}
        body = {"msgtype": "stream", "stream": stream}
        await process.line.send("aibot_respond_msg", body, req_id=told.req_id)

    await asyncio.gather(frame("一", False), frame("一二", False), frame("一二三", True))
    (shown,) = town.world.aibots.seen_by(OWNER)
    assert shown.frames == ["一", "一二", "一二三"]
    with pytest.raises(WeComError, match="846608"):
        await frame("一二三四", True)


def _nobody() -> BotCallback:
    return BotCallback("r", BOT, "message", OWNER, "", NOON, {})
