"""What is said without a search, and where there is no answer: always with a way to a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from bot.answering.duty import Duty, duty_by_persona
from bot.answering.meaning import Trouble
from bot.answering.outside import Outside
from bot.answering.person_wanted import calls_out, declines_person
from bot.answering.persona import fetching, frame, off_hours, unsure, with_defaults
from bot.answering.question import Question
from bot.answering.wishes import asks_identity, courtesy, wants_person
from bot.domain.actions import Action, HandOver, OpenLead
from bot.domain.knowledge import Answer, AnswerKind
from bot.domain.lead import RESPOND_WITHIN, Need
from bot.domain.persona import Persona
from bot.domain.render import render

_FOR_STAFF = "没有找到有依据的答案，请换个说法再查，或问负责这块的同事。"
_STAFF_WAIT = "资料还在做索引，这会儿查不了。过几分钟再查，急的话问负责这块的同事。"
NOT_READY = "index_not_ready"
"""Why nothing is answered while the first index is being made."""
_A_PERSON = "转人工"
NO_PERSON = "wants_no_person"
"""Why a kind word is said to 「不用转人工」: whoever was promised need not come."""
_WAY = f"想跟人说，回「{_A_PERSON}」。"
_GOING_ON = f"好的，我接着陪您，想问什么直接说。{_WAY}"
_LIMIT = "{时限}"
_HEAD = 8  # characters: enough to know her words again in what was said
# What only a manager may talk of, once the customer says yes to it.
_A_MANAGERS = (Outside.ADVICE.value, "unsuitable")


class Words(NamedTuple):
    """What is said where there is no answer, and what is done besides."""

    text: str
    actions: tuple[Action, ...] = ()


class Declining:
    """Her words for what she does not answer, and for what needs no search."""

    def __init__(self, persona: Persona, zone: tzinfo, duty: Duty | None = None) -> None:
        self._persona = persona
        self._zone = zone
        self._duty = duty or duty_by_persona(persona, zone)
        self._own = _own_words(persona)
        unsure_of = (persona.when_unsure, persona.when_not_ready)
        said = (*(words.replace(_LIMIT, "") for words in unsure_of), *self._own.values())
        self.unanswered = tuple(words.split("{")[0][:_HEAD] for words in said)
        """How her words begin that are no answers."""

    def heard(self, question: Question, now: datetime, trouble: Trouble | None) -> Answer | None:
        """Answer what needs no search: trouble, who she is, a wish for a person, a greeting."""
        if trouble is not None:
            return _alarm(trouble, question)
        variables = with_defaults(question.variables)
        if asks_identity(question.text):
            words = render(self._persona.identity.when_asked, variables)
            return Answer(kind=AnswerKind.IDENTITY, text=words, confidence=1.0)
        if question.plane == "kf" and declines_person(question.text):
            text = self._framed(_GOING_ON, AnswerKind.COURTESY, question)
            kind = AnswerKind.COURTESY
            return Answer(kind=kind, text=text, confidence=1.0, reason=NO_PERSON)
        # In the middle of a talk 「有人吗」 asks for somebody; as its first words it is a greeting.
        called = question.plane == "kf" and question.history and calls_out(question.text)
        if called or wants_person(question.text):
            told = fetching(self._persona, self._opens(question, now), now, self._zone)
            words = render(told, variables)
            return Answer(
                kind=AnswerKind.HANDOVER,
                text=self._framed(words, AnswerKind.HANDOVER, question),
                actions=(_hand_over(Need.PERSON),),
                confidence=1.0,
                reason="asked_for_a_person",
            )
        kind_word = courtesy(question.text)
        if kind_word is not None:
            text = self._framed(kind_word, AnswerKind.COURTESY, question)
            return Answer(kind=AnswerKind.COURTESY, text=text, confidence=1.0)
        return None

    def declined(
        self, question: Question, now: datetime, reason: str, confidence: float = 0.0
    ) -> Answer:
        """Say honestly that there is no answer, in the words for the kind of question."""
        if question.plane == "staff":
            told = _STAFF_WAIT if reason == NOT_READY else _FOR_STAFF
            return Answer(kind=AnswerKind.DECLINED, text=told, reason=reason)
        words = self.words(reason, question, now)
        chat = reason == Outside.CHITCHAT
        kind = AnswerKind.COURTESY if chat else AnswerKind.DECLINED
        return Answer(
            kind=kind,
            text=self._framed(words.text, kind, question),
            actions=words.actions,
            confidence=confidence,
            reason=reason,
        )

    def words(self, reason: str, question: Question, now: datetime) -> Words:
        """Return her words for a reason, without any frame."""
        variables = with_defaults(question.variables)
        own = self._own.get(reason)
        if own is None:
            words = self._persona.when_unsure
            if reason == NOT_READY:
                words = self._persona.when_not_ready
            return self._unsure(words, self._opens(question, now), variables)
        text, actions = render(own, variables), ()
        if reason in _A_MANAGERS:
            return Words(text, _may_call(question))
        if _A_PERSON not in text:
            text = f"{text}{_WAY}"
        return Words(text, actions)

    def _opens(self, question: Question, now: datetime) -> datetime | None:
        """Return when somebody of the customer's branch is there again; None while open."""
        return self._duty(now, question.variables.get("网点.名称", ""))

    def _unsure(self, words: str, opens: datetime | None, variables: Mapping[str, str]) -> Words:
        person = _hand_over(Need.UNANSWERED)
        late = off_hours(self._persona, opens)
        told = unsure(words, person.within_minutes or 0, late)
        return Words(render(told, variables), (person,))

    def _framed(self, text: str, kind: AnswerKind, question: Question) -> str:
        return frame(
            text,
            kind=kind,
            persona=self._persona,
            plane=question.plane,
            first_contact=question.first_contact,
            called=question.variables.get("客户.称呼", ""),
        )


def _own_words(persona: Persona) -> dict[str, str]:
    """Return her words by the reasons that have words of their own."""
    words = persona.declines
    return {name: str(getattr(words, name)) for name in type(words).model_fields}


def _may_call(question: Question) -> tuple[Action, ...]:
    """Ask for a yes before a manager is told (S21); in a group nobody is asked in public."""
    if question.plane != "kf":
        return ()
    return (OpenLead(need=Need.WEALTH, within_minutes=_minutes(Need.WEALTH), ask_first=True),)


def _alarm(trouble: Trouble, question: Question) -> Answer:
    # No greeting and no frame: nothing may stand before what must be done now.
    return Answer(
        kind=AnswerKind.RED_FLAG,
        text=render(trouble.flag.words, with_defaults(question.variables)),
        actions=trouble.flag.actions,
        confidence=1.0,
        reason=trouble.reason,
    )


def _hand_over(need: Need) -> HandOver:
    return HandOver(need=need, within_minutes=_minutes(need))


def _minutes(need: Need) -> int:
    return RESPOND_WITHIN[need] // timedelta(minutes=1)
