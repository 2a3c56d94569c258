"""The director's desk: the script as a calendar, its file, the clock, and what just happened."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

from aiohttp import web

from bot.demo.director import Director, Push
from bot.demo.feed import feed_of, reason_in_words
from bot.demo.story import SCRIPT
from bot.domain.runs import RunStep
from bot.domain.script import SopScript
from bot.domain.steps import Overlay, Step
from bot.errors import Problem
from bot.workers.content import inspect
from bot.workspace import copy_workspace

_LONGEST_POLL = 20.0
_FILE = f"{SCRIPT}.sop.yaml"
_WEEKDAYS = "一二三四五六日"
_PUSHES = ("hour", "step", "day", "end")
_TITLE = 16
_LARGEST_FILE = 200_000


_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Desk:
    """Answers the page's questions about the bot."""

    def __init__(self, director: Director) -> None:
        self._director = director

    async def answer_state(self, request: web.Request) -> web.Response:
        """Wait until something changed, then say how everything stands."""
        seen = request.query.get("version", "")
        await self._director.wait_for_news(seen, _LONGEST_POLL)
        return web.json_response(await self.state())

    async def state(self) -> dict[str, Any]:
        """Return everything that the desk shows."""
        director = self._director
        version = director.version
        bot = director.demo.bot
        run = await director.shown_run()
        async with bot.database.read() as tx:
            steps = await tx.runs.steps(run.id) if run else []
            entries = await tx.ledger.newest(200)
            kinds = await tx.ledger.counts()
            drafts = await tx.drafts.counts()
            groups = {str(group.id): group.name for group in await tx.people.groups()}
            script = await bot.content.script(tx, run.script, run.version) if run else None
        zone = bot.content.bank.zone
        now = director.demo.clock.now().astimezone(zone)
        return {
            "version": version,
            "now": now.isoformat(),
            "pushing": director.pushing,
            "script": {
                "id": SCRIPT,
                "name": script.name if script else "",
                "file": _FILE,
            },
            "group": {"id": director.chat, "name": groups.get(director.chat, "")},
            "days": self._days(script, steps, run.anchor if run else now.date(), now.date()),
            "feed": feed_of(entries, groups),
            "counts": _counts(kinds, sum(drafts.values())),
        }

    def _days(
        self, script: SopScript | None, steps: list[RunStep], anchor: date, today: date
    ) -> list[dict[str, Any]]:
        """Lay the steps out on days, from day 1 to the last."""
        zone = self._director.demo.bot.content.bank.zone
        tables = self._director.demo.bot.content.tables
        by_day: dict[date, list[dict[str, Any]]] = {}
        for step in steps:
            part = script.part(step.step) if script else None
            if part is None:
                continue
            opens = step.opens_at.astimezone(zone)
            by_day.setdefault(opens.date(), []).append(
                {
                    "step": step.step,
                    "kind": part.kind.value if part.kind else "",
                    "title": _title(part),
                    "time": f"{opens:%H:%M}",
                    "way": _way(part),
                    "state": step.state,
                    "reason": reason_in_words(step.reason) if step.reason else "",
                    "text": step.text or (part.body or "").strip(),
                }
            )
        last = max([anchor, *by_day])
        length = (last - anchor).days + 1
        return [
            {
                "date": day.isoformat(),
                "weekday": f"周{_WEEKDAYS[day.weekday()]}",
                "day": number + 1,
                "rest": not tables.is_workday(day),
                "today": day == today,
                "items": by_day.get(day, []),
            }
            for number in range(length)
            for day in [anchor + timedelta(days=number)]
        ]

    @property
    def _path(self) -> Path:
        return self._director.demo.workspace.sop / _FILE

    async def answer_file(self, request: web.Request) -> web.Response:
        """Give the script's file as it stands."""
        text = await asyncio.to_thread(self._path.read_text, "utf-8")
        return web.json_response({"name": _FILE, "text": text})

    async def answer_check(self, request: web.Request) -> web.Response:
        """Say what is wrong with a text that is not saved yet."""
        text = await _text(request)
        return web.json_response({"problems": _listed(await self._problems(text))})

    async def answer_save(self, request: web.Request) -> web.Response:
        """Save and publish a text, unless something is wrong with it."""
        text = await _text(request)
        problems = await self._problems(text)
        if problems:
            words = f"没有发布：有 {len(problems)} 处要改，现在走的还是上一版。"
            answer = {"problems": _listed(problems), "published": False, "changed": words}
            return web.json_response(answer)
        await asyncio.to_thread(self._path.write_text, text, "utf-8")
        await self._director.demo.bot.content_worker.reload()
        self._director.saved()
        words = "已发布。还没到期的步骤按新文件走，已经发出的不动。"
        return web.json_response({"problems": [], "published": True, "changed": words})

    async def _problems(self, text: str) -> list[Problem]:
        return await asyncio.to_thread(self._inspect, text)

    def _inspect(self, text: str) -> list[Problem]:
        """Check a text as the file it would become, in a copy that nobody runs."""
        director = self._director
        today = director.demo.clock.now().astimezone(director.demo.bot.content.bank.zone).date()
        with tempfile.TemporaryDirectory(prefix="zhilin-check-") as folder:
            copied = copy_workspace(director.demo.workspace, Path(folder) / "workspace")
            (copied.sop / _FILE).write_text(text, "utf-8")
            _, problems = inspect(copied, today)
        return [problem for problem in problems if problem.file == f"sop/{_FILE}"]

    async def answer_group(self, request: web.Request) -> web.Response:
        """Show another group's calendar."""
        body = await request.json()
        self._director.show(str(body.get("id", "")))
        return web.json_response({})

    async def answer_clock(self, request: web.Request) -> web.Response:
        """Push the clock, and say how everything stands then."""
        body = await request.json()
        push = str(body.get("push", ""))
        if push not in _PUSHES:
            return web.json_response({"problem": "没有这个按钮。"}, status=400)
        if self._director.pushing:
            return web.json_response({"problem": "时钟正在走，请等它走完。"}, status=409)
        await self._director.push(cast("Push", push))
        return web.json_response(await self.state())


_Answer = Callable[[Desk, web.Request], Awaitable[web.Response]]


def add_desk(application: web.Application, director: Callable[[], Director]) -> None:
    """Mount the desk; the director comes later than the routes do."""
    for method, path, answer in (
        ("GET", "/desk/state", Desk.answer_state),
        ("GET", "/desk/file", Desk.answer_file),
        ("POST", "/desk/check", Desk.answer_check),
        ("POST", "/desk/save", Desk.answer_save),
        ("POST", "/desk/group", Desk.answer_group),
        ("POST", "/desk/clock", Desk.answer_clock),
    ):
        application.router.add_route(method, path, _late(director, answer))


def _late(director: Callable[[], Director], answer: _Answer) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await answer(Desk(director()), request)

    return handle


async def _text(request: web.Request) -> str:
    body = await request.json()
    return str(body.get("text", ""))[:_LARGEST_FILE]


def _listed(problems: list[Problem]) -> list[dict[str, Any]]:
    return [
        {
            "line": problem.line,
            "key": problem.key,
            "what": problem.what,
            "mend": problem.mend,
        }
        for problem in problems
    ]


def _counts(kinds: dict[str, int], drafts: int) -> dict[str, int]:
    answered = ("answer_approved", "answer_written", "answer_identity")
    return {
        "answered": sum(kinds.get(kind, 0) for kind in answered),
        "handed_over": kinds.get("handed_over", 0),
        "leads": kinds.get("lead_opened", 0),
        "drafts": drafts,
        "confirmed": kinds.get("step_confirmed", 0),
    }


def _title(part: Step | Overlay) -> str:
    first = (part.body or part.id).strip().splitlines()[0]
    return first if len(first) <= _TITLE else first[: _TITLE - 1] + "…"


def _way(part: Step | Overlay) -> str:
    if isinstance(part, Overlay):
        return str(part.send_by.value)
    return str(part.send_by[0].value) if part.send_by else ""
