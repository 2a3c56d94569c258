"""A real Chroma server on loopback keeps the contract, and several bots share it."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from bot.ai import chroma as chroma_module
from bot.ai.chroma import Chroma, Imprint, open_server
from bot.domain.knowledge import VectorItem
from bot.errors import ConfigError, Retryable
from bot.ports import VectorStore
from tests.contracts.vector_store import EAST, NORTH, VectorStoreContract

pytestmark = pytest.mark.timeout(60)
_START_WITHIN_S = 40.0
_COMMAND = Path(sys.executable).with_name("chroma")


class Server:
    """``chroma run`` in a folder; it can be ended and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = str(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        place = ["--path", str(self._folder), "--host", "127.0.0.1", "--port", self._port]
        self._process = subprocess.Popen(
            [str(_COMMAND), "run", *place],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"DO_NOT_TRACK": "1"},
        )
        last = time.monotonic() + _START_WITHIN_S
        while time.monotonic() < last:
            try:
                if httpx.get(f"{self.url}/api/v2/heartbeat", timeout=1).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the server did not start")

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("chroma"))
    running.start()
    yield running
    running.end()


@pytest.fixture
async def chroma(server: Server) -> AsyncIterator[Chroma]:
    async with open_server(server.url, "a-token") as connected:
        for imprint in await connected.kept():
            await connected.drop(imprint)
        yield connected


class TestChromaServer(VectorStoreContract):
    @pytest.fixture
    async def store(self, chroma: Chroma) -> VectorStore:
        return chroma.store(Imprint("m", 3))


async def test_two_bots_share_what_either_embedded(server: Server, chroma: Chroma) -> None:
    one = chroma.store(Imprint("m", 3, "http://a"))
    async with open_server(server.url) as second:
        other = second.store(Imprint("m", 3, "http://b"))
        await one.upsert([VectorItem("a", NORTH, "d")])
        await other.upsert([VectorItem("b", EAST, "d")])
        assert await one.ids() == await other.ids() == {"a", "b"}
        assert await second.kept() == {Imprint("m", 3, "http://a"): 2}
        assert second.shared


async def test_a_server_that_is_down_for_a_while_is_retryable(
    server: Server, chroma: Chroma
) -> None:
    store = chroma.store(Imprint("m", 3))
    await store.upsert([VectorItem("a", NORTH, "d")])
    await asyncio.to_thread(server.end)
    with pytest.raises(Retryable, match="chroma"):
        await store.search(NORTH, 1)
    await asyncio.to_thread(server.start)
    assert await store.ids() == {"a"}


async def test_nobody_at_the_address_is_said_in_words() -> None:
    with pytest.raises(ConfigError, match="连不上 Chroma 服务器"):
        async with open_server("http://127.0.0.1:9"):
            pass


async def test_a_server_that_never_answers_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chroma_module, "_SERVER_PATIENCE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ConfigError, match="连不上"):
            async with open_server(address):
                pass
