"""The local WeCom as other projects' tests get it: a fixture, a clock, and no event loop needed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from bot.emulator.fixture import AGENT_ID, CORP_ID, CUSTOMER, MANAGER, OPEN_KFID, SECRET
from bot.emulator.fixture import WeComClock as WeComClock
from bot.emulator.fixture import wecom as wecom
from bot.emulator.fixture import wecom_clock as wecom_clock
from bot.emulator.threaded import LocalWeCom
from bot.emulator.world import World

TOKEN, AES_KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


class Bells(HTTPServer):
    """A bot that counts its callbacks and is content with every one of them."""

    heard = 0
    came: threading.Event

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/callback"


class _Ear(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Bells)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.came.set()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def bells() -> Iterator[Bells]:
    server = Bells(("127.0.0.1", 0), _Ear)
    server.came = threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def get(wecom: LocalWeCom, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{wecom.url}{path}") as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def token_of(wecom: LocalWeCom) -> str:
    path = f"/cgi-bin/gettoken?corpid={CORP_ID}&corpsecret={SECRET}"
    return str(get(wecom, path)["access_token"])


def test_a_test_without_an_event_loop_has_a_running_wecom(
    wecom: LocalWeCom, wecom_clock: WeComClock
) -> None:
    path = f"/cgi-bin/externalcontact/get?external_userid={CUSTOMER}"
    token = token_of(wecom)
    shown = get(wecom, f"{path}&access_token={token}")
    assert shown["follow_user"][0]["userid"] == MANAGER
    wecom_clock.advance(hours=2)
    assert get(wecom, f"{path}&access_token={token}")["errcode"] == 42001
    assert get(wecom, "/emulator/clock")["now"] == wecom_clock.now().isoformat()


def test_callbacks_come_by_themselves(wecom: LocalWeCom, bells: Bells) -> None:
    wecom.point_callbacks_at(bells.url, TOKEN, AES_KEY, agent_id=str(AGENT_ID))
    wecom.do(lambda world: world.kf.customer_says(OPEN_KFID, CUSTOMER, "您好"))
    assert bells.came.wait(5)
    assert [(item.config, item.accepted) for item in wecom.settle()] == [("kf", True)]
    assert bells.heard == 1


def test_what_is_due_later_happens_when_the_clock_is_moved(
    wecom: LocalWeCom, wecom_clock: WeComClock, bells: Bells
) -> None:
    wecom.point_callbacks_at(bells.url, TOKEN, AES_KEY)
    wecom.do(lambda world: world.faults.plan("kf", "late", seconds=60))
    wecom.do(lambda world: world.kf.customer_says(OPEN_KFID, CUSTOMER, "您好"))
    assert wecom.settle() == []
    wecom_clock.advance(seconds=60)
    assert [item.accepted for item in wecom.settle()] == [True]


def test_a_port_that_is_taken_is_told_to_whoever_starts(wecom: LocalWeCom) -> None:
    port = int(wecom.url.rpartition(":")[2])
    second = LocalWeCom(World(wecom.world.clock), port=port)
    with pytest.raises(OSError, match="in use"):
        second.start()
    with pytest.raises(RuntimeError, match="call start"):
        LocalWeCom(World(wecom.world.clock)).do(lambda world: None)


def test_pytest_finds_the_fixtures_and_loads_nothing_before(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(
        "import sys\n"
        "def test_light():\n"
        "    assert 'bot.emulator.world' not in sys.modules\n"
        "    assert 'aiohttp' not in sys.modules\n"
        "def test_served(wecom, wecom_clock):\n"
        "    assert wecom.url.startswith('http://127.0.0.1:')\n",
        "utf-8",
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "pytest", "-q"]
    # A checkout that was not installed again after the entry point came has to name the module.
    if "zhilin_emulator" not in entry_points(group="pytest11").names:
        command += ["-p", "bot.emulator.fixture"]
    quiet = [
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:asyncio",
        "-p",
        "no:hypothesispytest",
    ]
    run = subprocess.run(
        [*command, *quiet, f"--rootdir={tmp_path}", "-c", "/dev/null", str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "2 passed" in run.stdout, run.stdout + run.stderr
