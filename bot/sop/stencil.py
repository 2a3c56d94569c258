"""A mass message written once for all the groups that get the same words in the same window.

Thousands of groups get a step at the same moment: their letters differ in the group, the run and
the step's number only, and writing those into a finished letter takes a tenth of making one.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.domain.runs import GroupFace, Run, RunStep
from bot.domain.script import SopScript
from bot.domain.steps import Overlay, Step
from bot.sop.fire import Fired, Wording, fire
from bot.storage.letters import Letter, seal

_CHAT, _RUN, _STEP = "=-the-group-=", 9_007_199_254_740_001, 9_007_199_254_740_003
_DAY = date(2000, 1, 1)  # no word of a letter says when its run began


class Stencil:
    """A letter with the group, the run and the step left open."""

    def __init__(self, letter: Letter) -> None:
        self._letter = letter
        self._body = letter.body.split(f'["{_CHAT}"]')
        subject = letter.facts.split(f'"{_CHAT}"')
        run = subject[-1].split(f'"enrolment":{_RUN}')
        step = run[-1].split(f'"run_step":{_STEP}')
        if (len(self._body), len(subject), len(run), len(step)) != (2, 2, 2, 2):
            raise ValueError("a letter does not name its group, run and step once each")
        self._facts = (subject[0], run[0], *step)

    @classmethod
    def of(
        cls,
        script: SopScript,
        part: Step | Overlay,
        row: RunStep,
        span: tuple[datetime, datetime],
        group: GroupFace,
        wording: Wording,
        zone: ZoneInfo,
    ) -> Stencil:
        """Make the stencil of a mass message, whatever its group."""
        run = Run(
            id=_RUN,
            script=script.id,
            version="",
            subject=_CHAT,
            owner=group.owner,
            branch="",
            anchor=_DAY,
            state="running",
        )
        fired = fire(
            script, part, run, row.model_copy(update={"id": _STEP}), span, group, wording, zone
        )
        if not isinstance(fired, Fired):
            raise ValueError(f"nothing goes out: {fired}")
        return cls(seal("", fired.message, fired.terms))

    def letter(self, key: str, group: str, run: int, step: int) -> Letter:
        """Return one group's letter."""
        _, channel, policy, _, bucket, urgent, _, _ = self._letter
        chat = json.encoder.encode_basestring(group)
        body, facts = self._body, self._facts
        return Letter(
            key,
            channel,
            policy,
            key,
            bucket,
            urgent,
            f"{body[0]}[{chat}]{body[1]}",
            f'{facts[0]}{chat}{facts[1]}"enrolment":{run}{facts[2]}"run_step":{step}{facts[3]}',
        )
