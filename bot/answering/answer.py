"""One question, one answer: red flags first, then what is written down, else a person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, tzinfo
from functools import partial

from pydantic import Field

from bot.answering.guard import objections
from bot.answering.persona import (
    approved_words,
    basis_line,
    citation,
    fetching,
    frame,
    off_hours,
    perhaps_meant,
    room_for,
    unsure,
    with_defaults,
)
from bot.answering.prompt import NOTHING_FOUND, system_prompt
from bot.answering.red_flags import RedFlag, red_flag
from bot.answering.wishes import asks_identity, courtesy, wants_person
from bot.answering.writing import Show, write
from bot.domain.actions import Action, HandOver, applies
from bot.domain.compliance import Rules, mask, screen
from bot.domain.knowledge import (
    RISK_NOTICE,
    Answer,
    AnswerKind,
    Document,
    Found,
    Hit,
    Plane,
    Prompt,
    Section,
    warns,
)
from bot.domain.lead import RESPOND_WITHIN, Need
from bot.domain.persona import Persona
from bot.domain.render import UnknownVariable, render
from bot.domain.value import Value
from bot.errors import Retryable
from bot.ports import ChatModel

Search = Callable[[str, Plane, datetime], Awaitable[Found]]
Lookup = Callable[[str], Document | None]

# Below this the answer names the question it answers, so that a near miss shows itself.
_SURE = 0.5
_PASSAGES_FOR_MODEL = 3
_TURNS_FOR_MODEL = 6


class Question(Value):
    """What a customer (or a member of staff) asks, where, and what is known for the answer."""

    text: str
    plane: Plane
    variables: dict[str, str] = Field(default_factory=dict)
    history: tuple[str, ...] = ()
    first_contact: bool = False


class _Written(Value):
    """A model's words that passed the guard, or why there are none."""

    text: str = ""
    kind: AnswerKind = AnswerKind.APPROVED
    reason: str = ""


class Answerer:
    """Answers questions; never raises for a model or an index that fails."""

    def __init__(
        self,
        search: Search,
        lookup: Lookup,
        chat: ChatModel,
        persona: Persona,
        rules: Rules,
        zone: tzinfo,
        write_within: timedelta = timedelta(seconds=8),
    ) -> None:
        self._search = search
        self._lookup = lookup
        self._chat = chat
        self._persona = persona
        self._rules = rules
        self._zone = zone
        self._write_within = write_within.total_seconds()

    async def answer(self, question: Question, now: datetime, show: Show | None = None) -> Answer:
        """Return what is said back and what else is to be done.

        Trouble, the wish for a person and the question who speaks come before any search. A model's
        words are given to ``show`` while they are written.
        """
        if question.plane != "staff":
            heard = self._heard(question, now)
            if heard is not None:
                return heard
        try:
            found = await self._search(question.text, question.plane, now)
        except Retryable:
            return self._declined(question, now, "search_failed")
        if not found.confident:
            return self._declined(question, now, "no_evidence", found.probability)
        return await self._from(question, found, now, show)

    def recite(self, document_id: str, question: Question, now: datetime) -> Answer:
        """Answer with a document's own words, as a script asks for with 答复."""
        document = self._lookup(document_id)
        today = now.astimezone(self._zone).date()
        if document is None or not document.live_on(today):
            return self._declined(question, now, "no_document")
        if not document.audience.shown_on(question.plane):
            return self._declined(question, now, "not_for_this_place")
        section = document.sections[0]
        text = self._approved(document, section, question)
        if text is None:
            return self._declined(question, now, "not_sendable")
        return self._answered(question, document, section, _Written(text=text), 1.0)

    def _heard(self, question: Question, now: datetime) -> Answer | None:
        """Answer what needs no search."""
        flag = red_flag(question.text)
        if flag is not None:
            return self._alarm(flag, question)
        variables = with_defaults(question.variables)
        if asks_identity(question.text):
            words = render(self._persona.identity.when_asked, variables)
            return Answer(kind=AnswerKind.IDENTITY, text=words, confidence=1.0)
        if wants_person(question.text):
            words = render(fetching(self._persona, now, self._zone), variables)
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

    def _alarm(self, flag: RedFlag, question: Question) -> Answer:
        # No greeting and no frame: nothing may stand before what must be done now.
        return Answer(
            kind=AnswerKind.RED_FLAG,
            text=render(flag.words, with_defaults(question.variables)),
            actions=flag.actions,
            confidence=1.0,
            reason=flag.name,
        )

    async def _from(
        self, question: Question, found: Found, now: datetime, show: Show | None
    ) -> Answer:
        hit = found.hits[0]
        approved = self._approved(hit.document, hit.section, question)
        if approved is None:
            return self._declined(question, now, "not_sendable", found.probability)
        written = _Written(text=approved)
        # The very wording that was approved needs no model.
        if question.text.strip() not in hit.document.questions:
            written = await self._written(question, found, approved, show)
        if written.kind is AnswerKind.DECLINED:
            return self._declined(question, now, written.reason, found.probability)
        if written.kind is AnswerKind.APPROVED and found.probability < _SURE:
            named = f"{perhaps_meant(hit, question.text)}\n{written.text}"
            written = written.model_copy(update={"text": named})
        return self._answered(question, hit.document, hit.section, written, found.probability)

    def _approved(self, document: Document, section: Section, question: Question) -> str | None:
        """Return the text as it may be sent; None where a variable has no value here."""
        try:
            text = render(section.text, question.variables)
        except UnknownVariable:
            return None
        if any(hit.blocks for hit in screen(text, self._rules, approved=True)):
            return None
        return approved_words(document, text, room_for(self._persona, question.plane))

    async def _written(
        self, question: Question, found: Found, approved: str, show: Show | None
    ) -> _Written:
        """Let the model write from the passages; its failure is answered with the approved text."""
        passages = (approved, *self._others(found.hits[1:], question))
        prompt = self._prompt(question, found, passages)
        wrong_in = partial(
            objections,
            sources=[*passages, *question.variables.values()],
            rules=self._rules,
            persona=self._persona,
            room=room_for(self._persona, question.plane),
        )
        try:
            async with asyncio.timeout(self._write_within):
                text = await write(self._chat, prompt, lambda words: not wrong_in(words), show)
        except TimeoutError:
            return _Written(text=approved, reason="model_too_slow")
        except Retryable:
            return _Written(text=approved, reason="model_failed")
        if text == approved:
            return _Written(text=approved)
        if NOTHING_FOUND in text:
            return _Written(kind=AnswerKind.DECLINED, reason="model_found_nothing")
        if wrong := wrong_in(text):
            return _Written(text=approved, reason="guard:" + ",".join(wrong))
        if found.hits[0].document.must_warn and not warns(text):
            text = f"{text}\n{RISK_NOTICE}"
        return _Written(text=text, kind=AnswerKind.WRITTEN)

    def _prompt(self, question: Question, found: Found, passages: tuple[str, ...]) -> Prompt:
        best = found.hits[0].document
        room = room_for(self._persona, question.plane)
        guidance = [best.guidance] if best.guidance else []
        history = question.history[-_TURNS_FOR_MODEL:]
        return Prompt(
            system=system_prompt(self._persona, room, guidance, care=best.tone == "关怀"),
            question=mask(question.text, self._rules),
            passages=passages,
            history=tuple(mask(turn, self._rules) for turn in history),
        )

    def _others(self, hits: tuple[Hit, ...], question: Question) -> tuple[str, ...]:
        texts = (self._approved(hit.document, hit.section, question) for hit in hits)
        return tuple(text for text in texts if text)[: _PASSAGES_FOR_MODEL - 1]

    def _answered(
        self,
        question: Question,
        document: Document,
        section: Section,
        written: _Written,
        confidence: float,
    ) -> Answer:
        source = citation(document, section)
        basis = basis_line(document, source, question.plane)
        return Answer(
            kind=written.kind,
            text=self._framed(written.text, written.kind, question, basis),
            citations=(source,),
            actions=_actions(document, question.text, sure=confidence >= _SURE),
            confidence=confidence,
            model=self._chat.name if written.kind is AnswerKind.WRITTEN else "",
            reason=written.reason,
        )

    def _declined(
        self, question: Question, now: datetime, reason: str, confidence: float = 0.0
    ) -> Answer:
        if question.plane == "staff":
            text = "没有找到有依据的答案，请换个说法再查，或问负责这块的同事。"
            return Answer(kind=AnswerKind.DECLINED, text=text, reason=reason)
        person = _hand_over(Need.UNANSWERED)
        late = off_hours(self._persona, now, self._zone)
        words = unsure(self._persona, person.within_minutes or 0, late)
        text = render(words, with_defaults(question.variables))
        return Answer(
            kind=AnswerKind.DECLINED,
            text=self._framed(text, AnswerKind.DECLINED, question),
            actions=(person,),
            confidence=confidence,
            reason=reason,
        )

    def _framed(self, text: str, kind: AnswerKind, question: Question, basis: str = "") -> str:
        return frame(
            text,
            kind=kind,
            persona=self._persona,
            plane=question.plane,
            first_contact=question.first_contact,
            basis=basis,
            called=question.variables.get("客户.称呼", ""),
        )


def _actions(document: Document, text: str, *, sure: bool) -> tuple[Action, ...]:
    """Return what a Q&A asks for besides; a near miss calls a person at most."""
    meant = (one for one in document.actions if applies(one, text))
    return tuple(one for one in meant if sure or isinstance(one, HandOver))


def _hand_over(need: Need) -> HandOver:
    return HandOver(need=need, within_minutes=RESPOND_WITHIN[need] // timedelta(minutes=1))
