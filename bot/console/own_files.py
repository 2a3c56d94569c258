"""The files as the sidebar reads them in a process that only listens: no worker does it there."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import date

from bot.calendars import calendar_tables
from bot.console.room import Files
from bot.errors import ContentError, Problem
from bot.log import logger
from bot.ports import Clock
from bot.sop.check_talk import check_talk
from bot.sop.context import LintContext
from bot.sop.library import BANK_FILE, RULES_FILE, TALK_SUFFIX, Library, load_workspace_files
from bot.workspace import Workspace

log = logger(__name__)
_LOOK_EVERY_S = 2.0
_YEARS_AHEAD = 2
Stamps = tuple[tuple[str, int, int], ...]


class OwnFiles:
    """The bank's file, the wording rules and the talk tracks, kept in step with what is saved.

    The last good version goes on while a file is broken. Raises ``ContentError`` where the bank's
    file or the rules cannot be read as the process begins.
    """

    def __init__(self, workspace: Workspace, clock: Clock) -> None:
        self._workspace = workspace
        self._clock = clock
        self._seen = self._stamps()
        found, problems = self._read()
        if found is None:
            raise ContentError(problems)
        self._files = found
        self._years = self._this_year()

    def __call__(self) -> Files:
        """Return the files as they are now."""
        return self._files

    async def watch(self, stopping: asyncio.Event) -> None:
        """Read what is saved until told to stop."""
        while not stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _LOOK_EVERY_S)
                return
            try:
                await self.look()
            except OSError as error:
                log.warning("files_not_looked_at", reason=str(error))

    async def look(self) -> bool:
        """Read the files where they were saved, or a year has begun; tell whether it was done."""
        stamps = await asyncio.to_thread(self._stamps)
        if stamps == self._seen and self._this_year() == self._years:
            return False
        found, problems = await asyncio.to_thread(self._read)
        if found is None:
            log.warning("files_not_read", problems=[str(one) for one in problems][:5])
        else:
            self._files = found
        self._seen, self._years = stamps, self._this_year()
        return found is not None

    def _today(self) -> date:
        return self._clock.now().date()

    def _this_year(self) -> int:
        return self._today().year

    def _stamps(self) -> Stamps:
        folder = self._workspace.sop
        files = [folder / BANK_FILE, folder / RULES_FILE, *(folder / "talk").glob("*")]
        return tuple(
            (str(path), stat.st_mtime_ns, stat.st_size)
            for path in sorted(files)
            if path.is_file() and (stat := path.stat())
        )

    def _read(self) -> tuple[Files | None, list[Problem]]:
        library = load_workspace_files(self._workspace.root)
        basis = [f"sop/{BANK_FILE}", f"sop/{RULES_FILE}"]
        problems = [one for one in library.problems if one.file in basis]
        if library.bank is None or library.rules is None or problems:
            return None, problems
        year = self._this_year()
        tables = calendar_tables(range(year, year + _YEARS_AHEAD))
        sound = _sound(library, Files(library.bank, library.rules, (), tables), self._today())
        return sound, []


def _sound(library: Library, files: Files, today: date) -> Files:
    """Add the talk tracks that may be shown: a file with any fault waits until it is mended."""
    broken = {one.file for one in library.problems if one.file.endswith(TALK_SUFFIX)}
    context = LintContext(
        bank=files.bank,
        rules=files.rules,
        personas={},
        scripts={},
        products={},
        qa_ids=(),
        pictures=(),
        tables=files.tables,
        today=today,
        unread=("knowledge/products/unread.md",),  # what is sold is checked where it is read
    )
    talk = [
        file.talk
        for file in library.talk
        if file.source.file not in broken
        and all(problem.note for problem in check_talk(file, context))
    ]
    return Files(files.bank, files.rules, tuple(talk), files.tables)
