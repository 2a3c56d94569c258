"""A message written once for all who get the same words from one sender in one window.

Thousands of groups get a step at the same moment: their letters differ in the group, the run and
the step's number only, and writing those into a finished letter takes a tenth of making one.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from json.encoder import encode_basestring
from zoneinfo import ZoneInfo

from bot.domain.runs import Face, PersonFace, Run, RunStep
from bot.domain.script import SopScript
from bot.domain.steps import Overlay, SendBy, Step
from bot.sop.fire import Fired, Wording, fire
from bot.storage.letters import Letter, seal

FOR_MANY = frozenset(SendBy) - {SendBy.MOMENTS, SendBy.KF}
"""The ways whose messages differ in nothing else; what 微信客服 says depends on the session."""

_SUBJECT, _NAME = "=-the-subject-=", "=-the-name-="
_RUN, _STEP = 9_007_199_254_740_001, 9_007_199_254_740_003
_OPEN = {f'"{_SUBJECT}"': "subject", _NAME: "name", str(_RUN): "run", str(_STEP): "step"}
_MARKS = re.compile("|".join(_OPEN))
_OF_FACTS = ["run", "step", "subject"]  # each once
_DAY = date(2000, 1, 1)  # no word of a letter says when its run began


class Stencil:
    """A letter with the group or customer, its name, the run and the step left open."""

    def __init__(self, letter: Letter) -> None:
        self._letter = letter
        self._body, _ = _opened(letter.body)
        self._facts, named = _opened(letter.facts)
        if sorted(named) != _OF_FACTS:
            raise ValueError("a letter does not name its subject, run and step once each")

    @classmethod
    def of(
        cls,
        script: SopScript,
        part: Step | Overlay,
        row: RunStep,
        span: tuple[datetime, datetime],
        face: Face,
        wording: Wording,
        zone: ZoneInfo,
        *,
        version: str = "",
        way: SendBy | None = None,
    ) -> Stencil:
        """Make the stencil of what goes out ``FOR_MANY``, whatever its group or customer.

        ``version`` is the script's, of which its runs are.
        """
        run = Run(
            id=_RUN,
            script=script.id,
            version=version,
            subject=_SUBJECT,
            subject_kind="customer" if isinstance(face, PersonFace) else "group",
            owner=face.owner,
            branch="",
            anchor=_DAY,
            state="running",
        )
        row = row.model_copy(update={"id": _STEP})
        someone = face._replace(name=_NAME)
        fired = fire(script, part, run, row, span, someone, wording, zone, way=way)
        if not isinstance(fired, Fired):
            raise ValueError(f"nothing goes out: {fired}")
        return cls(seal("", fired.message, fired.terms))

    def letter(self, key: str, run: Run, step: int, called: str) -> Letter:
        """Return the letter to a run's group or customer, who is ``called`` that."""
        _, channel, policy, _, bucket, batch, urgent, _, _ = self._letter
        own = {
            "subject": encode_basestring(run.subject),
            "name": encode_basestring(called)[1:-1],
            "run": run.id,
            "step": step,
        }
        body, facts = self._body % own, self._facts % own
        return Letter(key, channel, policy, key, bucket, batch, urgent, body, facts)


def _opened(text: str) -> tuple[str, list[str]]:
    """Return a text with places for what is left open, and whose places they are."""
    named = [_OPEN[mark] for mark in _MARKS.findall(text)]
    return _MARKS.sub(lambda mark: f"%({_OPEN[mark[0]]})s", text.replace("%", "%%")), named
