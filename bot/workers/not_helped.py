"""A customer who is not helped: how often she tries again, and when she calls a person herself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.answering.misses import asked_again, says_missed
from bot.answering.persona import at_night, fetching, frame, off_hours, with_defaults
from bot.domain.actions import HandOver, OpenLead
from bot.domain.knowledge import Answer, AnswerKind
from bot.domain.lead import RESPOND_WITHIN, Need
from bot.domain.render import render
from bot.domain.tickets import waits_for_nobody
from bot.workers.content import Content
from bot.workers.kf_words import Scene

MISSED = "answer_missed"
"""What the ledger calls an exchange in which the customer was not helped."""

_REPEATED, _BROKEN = "repeated_misses", "failure"
_HELPED_ELSEWHERE = (HandOver, OpenLead)  # a person comes already, or was offered


class NotHelped:
    """Judges answers by what the customer makes of them."""

    def __init__(self, content: Content) -> None:
        self._content = content

    def judged(
        self, answer: Answer, asked: Sequence[str], scene: Scene, now: datetime
    ) -> tuple[Answer, bool]:
        """Return the answer, and whether this exchange was a miss.

        A decline is one, and so is an answer after which the customer says that it was not what
        was asked, or asks the same again. After so many in one talk (连着没答上) a person comes.
        """
        helped = any(isinstance(one, _HELPED_ELSEWHERE) for one in answer.actions)
        declined = answer.kind is AnswerKind.DECLINED and not helped
        unhappy = any(says_missed(line) for line in asked) or asked_again(asked, scene.history)
        missed = declined or unhappy
        enough = scene.misses + 1 >= self._content.persona.handing_over.misses
        calls = [one for one in answer.actions if isinstance(one, HandOver)]
        if calls:
            urgent = any(waits_for_nobody(one.need) for one in calls)
            return (answer if urgent else self._with_when(answer, scene, now)), missed
        if not missed or not enough:
            return answer, missed
        return self._handed_over(answer, scene, now), True

    def sorry(self, scene: Scene) -> Answer:
        """Return what is said to somebody who says no more than that the answer missed."""
        words = self._content.persona.handing_over.sorry
        text = self._framed(render(words, with_defaults(scene.variables)), scene)
        return Answer(kind=AnswerKind.COURTESY, text=text, reason="missed")

    def broken(self, scene: Scene, error: str, now: datetime) -> Answer:
        """Return what is said where something of our own broke; never what it was."""
        persona = self._content.persona
        late = off_hours(persona, self._content.closed_until(now, scene.manager))
        call = late or "急事打 {客服电话}。"
        words = f"{persona.handing_over.broken}{call}"
        return Answer(
            kind=AnswerKind.HANDOVER,
            text=self._framed(render(words, with_defaults(scene.variables)), scene),
            actions=(_to_a_person(),),
            reason=f"{_BROKEN}:{error}",
        )

    def _handed_over(self, answer: Answer, scene: Scene, now: datetime) -> Answer:
        """Return an answer with a person behind it; what was found is said, a decline is not."""
        persona, zone = self._content.persona, self._content.bank.zone
        opens = self._content.closed_until(now, scene.manager)
        words = persona.handing_over.after_misses
        if opens is not None:
            words = fetching(persona, opens, now, zone)
        told = render(words, with_defaults(scene.variables))
        found = answer.kind in (AnswerKind.APPROVED, AnswerKind.WRITTEN)
        text = f"{answer.text}\n{told}" if found else self._framed(told, scene)
        return answer.model_copy(
            update={
                "kind": answer.kind if found else AnswerKind.HANDOVER,
                "text": text,
                "actions": (*answer.actions, _to_a_person()),
                "reason": _REPEATED,
            }
        )

    def _with_when(self, answer: Answer, scene: Scene, now: datetime) -> Answer:
        """Say when somebody comes whom an approved answer calls while nobody is there."""
        opens = self._content.closed_until(now, scene.manager)
        if opens is None or answer.kind not in (AnswerKind.APPROVED, AnswerKind.WRITTEN):
            return answer
        persona = self._content.persona
        words = at_night(persona, opens, now, self._content.bank.zone)
        told = render(f"{words}\n{persona.off_hours}", with_defaults(scene.variables))
        return answer.model_copy(update={"text": f"{answer.text}\n{told}"})

    def _framed(self, words: str, scene: Scene) -> str:
        return frame(
            words,
            kind=AnswerKind.HANDOVER,
            persona=self._content.persona,
            plane="kf",
            first_contact=scene.first_contact,
        )


def _to_a_person() -> HandOver:
    minutes = RESPOND_WITHIN[Need.UNANSWERED] // timedelta(minutes=1)
    return HandOver(need=Need.UNANSWERED, within_minutes=minutes)
