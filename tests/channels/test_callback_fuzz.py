"""Whatever is posted to the door: no failure of ours, nothing stored that is not signed, no growth.

``BOT_TEST_FAULTS=full`` plays 20,000 requests instead of some hundreds.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.channels.callback import PATH
from bot.emulator.callbacks import render_xml
from bot.wecom.crypto import CallbackCrypto
from tests.channels.door import (
    BEFORE,
    BOT,
    CORP,
    NOW,
    STRANGER,
    Door,
    Post,
    envelope,
    head,
    locked,
    open_door,
    sealed,
)
from tests.make import NOON

FULL = os.environ.get("BOT_TEST_FAULTS") == "full"
EXAMPLES = 20_000 if FULL else 300
GROWTH = 300_000  # bytes, over all examples but the first hundred
KINDS = ("text/xml", "application/json", "x", "a/b;c=d")
ORDINARY = {"ToUserName": CORP, "CreateTime": 1, "MsgType": "event"}

words = st.text(max_size=60)
elements = st.sampled_from(["Event", "OpenKfId", "MsgId", "AgentID", "Content", "MsgType", "X"])
documents = st.dictionaries(elements, words, max_size=6).map(render_xml)
plains = st.one_of(
    documents,
    st.sampled_from(["kf_msg_or_event", "msgaudit_notify", "change_external_chat", "click"]).map(
        lambda name: render_xml(ORDINARY | {"Event": name, "OpenKfId": "wk1"})
    ),
    st.dictionaries(st.sampled_from(["msgid", "msgtype", "x"]), words | st.none()).map(json.dumps),
    st.recursive(words | st.integers(), st.lists, max_leaves=20).map(json.dumps),
    words,
    st.sampled_from(
        [
            '<!DOCTYPE x [<!ENTITY a "aaaa">]><xml>&a;</xml>',
            "<![CDATA[" * 3000,
            "<Event><![CDATA[" * 2000,
            "[" * 10_000,
            '{"":' * 9000,
            "\0\x01\ufffe",
            "<xml>" * 5000,
            '{"msgid": ' + "9" * 6000 + "}",
            '{"msgid": "\\ud800"}',
        ]
    ),
)
cryptos: st.SearchStrategy[CallbackCrypto] = st.sampled_from([NOW, NOW, NOW, BEFORE, BOT, STRANGER])
moments = st.sampled_from([0, 0, 0, 0, 1, int(NOON.timestamp()) + 3590, 99_999_999_999])
true_posts = st.builds(
    sealed,
    plains,
    cryptos,
    nonce=words,
    at=moments,
    form=st.sampled_from(["xml", "json"]),
)
broken_posts = st.builds(locked, st.binary(max_size=200), cryptos)
loose_posts = st.builds(
    Post,
    st.binary(max_size=300)
    | words.map(lambda text: envelope(text))
    | st.sampled_from([b"<Encrypt>" * 5000, b"<Encrypt>" + b"A" * 60_000, b"[" * 60_000, b""]),
    st.dictionaries(st.sampled_from(["msg_signature", "timestamp", "nonce", "echostr"]), words),
)


@dataclass(frozen=True)
class Asked:
    """A request as it goes over the wire."""

    request: bytes
    hangs_up: bool


@st.composite
def requests(draw: st.DrawFn) -> Asked:
    post = draw(st.one_of(true_posts, true_posts, broken_posts, loose_posts))
    path = PATH + draw(st.sampled_from(["", "", "", "/kf", "/aibot", "/nobody", "/%00"]))
    query = dict(post.query)
    if draw(st.integers(0, 7)) == 0:
        query[draw(st.sampled_from(["msg_signature", "timestamp", "nonce", "é", "\udcff"]))] = draw(
            words | st.just("a" * 5000)
        )
    body = post.body
    if draw(st.integers(0, 7)) == 0:
        place = draw(st.integers(0, len(body)))
        body = body[:place] + draw(st.binary(max_size=8)) + body[place + draw(st.integers(0, 8)) :]
    lines, sent, hangs_up = draw(framings(body))
    start = head(query, f"Content-Type: {draw(st.sampled_from(KINDS))}", *lines, path=path)
    if draw(st.integers(0, 7)) == 0:
        start = start.replace(b"POST", draw(st.sampled_from([b"GET", b"PUT", b"HEAD", b"A"])), 1)
    return Asked(start + sent, hangs_up)


def framings(body: bytes) -> st.SearchStrategy[tuple[tuple[str, ...], bytes, bool]]:
    """Say how a body is sent: its lines of the head, its bytes, and whether the sender hangs up.

    Whoever promises more than he sends hangs up, for he would be waited for.
    """
    whole = (f"Content-Length: {len(body)}",)
    chunked = ("Transfer-Encoding: chunked",)
    return st.sampled_from(
        [
            *[(whole, body, False)] * 6,
            ((*whole, "Content-Encoding: gzip"), body, False),
            ((*whole, "Expect: 100-continue"), body, False),
            (chunked, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), False),
            (chunked, body, True),
            ((f"Content-Length: {len(body) + 9}",), body, True),
            ((), body, False),
        ]
    )


class Play:
    """Plays requests at one door and looks at what they leave behind."""

    def __init__(self, runner: asyncio.Runner, door: Door) -> None:
        self.runner = runner
        self.door = door
        self.played = 0
        self.statuses: dict[int, int] = {}
        self.tasks = len(asyncio.all_tasks(runner.get_loop()))
        self._before: int | None = None

    def __call__(self, asked: Asked) -> None:
        status = self.runner.run(self._ask(asked))
        self.statuses[status] = self.statuses.get(status, 0) + 1
        assert status < 500, asked
        self.played += 1
        if self.played == 100:
            self._before = self.held()

    async def _ask(self, asked: Asked) -> int:
        answer = await self.door.raw(asked.request, end=asked.hangs_up)
        for _ in range(1000):  # rounds of the loop, for the server's side of it to end
            if len(asyncio.all_tasks()) <= self.tasks + 1:
                break
            await asyncio.sleep(0.001)
        else:
            raise AssertionError(f"tasks are left of {asked}")
        return int(answer.split()[1]) if answer else 0

    def held(self) -> int:
        """Return the bytes that our own code and the server hold."""
        gc.collect()  # garbage that nobody has looked at yet is not held
        kept = [tracemalloc.Filter(True, "*/bot/*"), tracemalloc.Filter(True, "*/aiohttp/*")]
        snapshot = tracemalloc.take_snapshot().filter_traces(kept)
        return sum(item.size for item in snapshot.statistics("filename"))

    def growth(self) -> int:
        """Return how many bytes more are held than after the first hundred."""
        assert self._before is not None
        return self.held() - self._before


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with asyncio.Runner() as runner:
        opened = open_door(tmp_path / "door.db")
        door = runner.run(opened.__aenter__())
        tracemalloc.start()
        try:
            yield Play(runner, door)
        finally:
            tracemalloc.stop()
            runner.run(opened.__aexit__(None, None, None))


@pytest.mark.timeout(3600 if FULL else 120)
def test_whatever_is_posted_nothing_fails_and_nothing_grows(play: Play) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(asked=requests())
    def any_request(asked: Asked) -> None:
        play(asked)

    any_request()
    assert play.played >= EXAMPLES
    assert play.growth() < GROWTH  # before the test itself holds all that was stored
    stored = play.runner.run(play.door.stored())
    taken = play.statuses[200]
    assert 0 < len(stored) <= taken
    assert play.statuses[403] > EXAMPLES // 10
