"""What is asked, and what is noted on the way to the answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import Field

from bot.domain.knowledge import Found, Plane, Viewer
from bot.domain.suitability import NOBODY, Asker
from bot.domain.value import Value


class Question(Value):
    """What a customer (or a member of staff) asks, where, and what is known for the answer.

    ``history`` holds the newest turns of this very talk, oldest of them first.
    """

    text: str
    plane: Plane
    variables: dict[str, str] = Field(default_factory=dict)
    history: tuple[str, ...] = ()
    first_contact: bool = False
    asker: Asker = NOBODY

    @property
    def viewer(self) -> Viewer:
        """Return who asks: where, and in the region of the branch that the answer speaks for."""
        return Viewer(self.plane, self.variables.get("网点.地区", ""))


@dataclass
class Trace:
    """What was done on the way to an answer, for somebody who wants to know why.

    ``searched`` holds each text that was looked for with what it found, ``verdicts`` what each
    check said, ``ms`` how long each stage took. A stage within another, or beside one that began
    before it, takes the time from that one: all of them together are the time that passed.
    """

    searched: list[tuple[str, Found]] = field(default_factory=list)
    verdicts: list[tuple[str, str]] = field(default_factory=list)
    ms: dict[str, float] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _told_at: float = 0.0

    def says(self, check: str, verdict: str) -> None:
        """Note what a check said."""
        self.verdicts.append((check, verdict))

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Note how long the block takes; several blocks of one stage add up."""
        self._tell()
        self._open.append(stage)
        try:
            yield
        finally:
            self._tell()
            self._open.reverse()
            self._open.remove(stage)
            self._open.reverse()

    def _tell(self) -> None:
        """Count the time since the last look to the stage that began last and still goes on."""
        now = time.perf_counter()
        if self._open:
            spent = (now - self._told_at) * 1000
            self.ms[self._open[-1]] = self.ms.get(self._open[-1], 0.0) + spent
        self._told_at = now
