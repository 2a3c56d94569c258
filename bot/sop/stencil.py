"""A mass message written once for all who get the same words from one sender in one window.

Thousands of groups get a step at the same moment: their letters differ in the group, the run and
the step's number only, and writing those into a finished letter takes a tenth of making one.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.domain.runs import Face, PersonFace, Run, RunStep
from bot.domain.script import SopScript
from bot.domain.steps import Overlay, SendBy, Step
from bot.sop.fire import Fired, Wording, fire
from bot.storage.letters import Letter, seal

_SUBJECT, _RUN, _STEP = "=-the-subject-=", 9_007_199_254_740_001, 9_007_199_254_740_003
_DAY = date(2000, 1, 1)  # no word of a letter says when its run began


class Stencil:
    """A letter with the group or customer, the run and the step left open."""

    def __init__(self, letter: Letter) -> None:
        self._letter = letter
        self._body = letter.body.split(f'["{_SUBJECT}"]')
        subject = letter.facts.split(f'"{_SUBJECT}"')
        run = subject[-1].split(f'"enrolment":{_RUN}')
        step = run[-1].split(f'"run_step":{_STEP}')
        if (len(self._body), len(subject), len(run), len(step)) != (2, 2, 2, 2):
            raise ValueError("a letter does not name its subject, run and step once each")
        self._facts = (subject[0], run[0], *step)

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
        """Make the stencil of a 企业群发, whatever its group or customer.

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
        fired = fire(script, part, run, row, span, face, wording, zone, way=way)
        if not isinstance(fired, Fired):
            raise ValueError(f"nothing goes out: {fired}")
        return cls(seal("", fired.message, fired.terms))

    def letter(self, key: str, subject: str, run: int, step: int) -> Letter:
        """Return the letter to one group or customer."""
        _, channel, policy, _, bucket, batch, urgent, _, _ = self._letter
        name = json.encoder.encode_basestring(subject)
        body, facts = self._body, self._facts
        return Letter(
            key,
            channel,
            policy,
            key,
            bucket,
            batch,
            urgent,
            f"{body[0]}[{name}]{body[1]}",
            f'{facts[0]}{name}{facts[1]}"enrolment":{run}{facts[2]}"run_step":{step}{facts[3]}',
        )
