"""One question, one answer: red flags first, then what is written down, else a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo

from bot.answering.composing import PASSAGES, Composer, Source, Written
from bot.answering.declining import NOT_READY, Declining
from bot.answering.duty import Duty
from bot.answering.looking import Looker, Search
from bot.answering.meaning import Meaning, Trouble
from bot.answering.persona import (
    basis_line,
    citation,
    frame,
    perhaps_meant,
    room_for,
)
from bot.answering.pieces import UNSUITABLE, Judge, Piece, apart
from bot.answering.question import Question as Question
from bot.answering.question import Trace as Trace
from bot.answering.splitting import parts_of
from bot.answering.told_secrets import caution
from bot.answering.writing import Show
from bot.domain.actions import Action, HandOver, applies
from bot.domain.compliance import Rules
from bot.domain.knowledge import Answer, AnswerKind, Document
from bot.domain.persona import Persona
from bot.errors import IndexNotReady, Retryable
from bot.ports import ChatModel

Lookup = Callable[[str], Document | None]

# Below this the answer names the question it answers, so that a near miss shows itself.
_SURE = 0.5
_LEAST_ROOM = 80


class Answerer:
    """Answers questions; never raises for a model or an index that fails.

    ``writes`` tells that ``chat`` is a language model; without one what is approved is said.
    ``duty`` tells when somebody is there to take over; without it her own hours do.
    """

    def __init__(
        self,
        search: Search,
        lookup: Lookup,
        chat: ChatModel,
        persona: Persona,
        rules: Rules,
        zone: tzinfo,
        write_within: timedelta = timedelta(seconds=8),
        *,
        writes: bool = False,
        meaning: Meaning | None = None,
        duty: Duty | None = None,
    ) -> None:
        within = write_within.total_seconds()
        self._meaning = meaning or Meaning()
        self._composer = Composer(chat, persona, rules, within)
        self._declining = Declining(persona, zone, duty)
        looker = Looker(search, rules, chat if writes else None, within)
        self._judge = Judge(looker, self._composer, self._declining.unanswered, zone)
        self._lookup = lookup
        self._chat = chat
        self._writes = writes
        self._persona = persona
        self._zone = zone

    async def answer(
        self,
        question: Question,
        now: datetime,
        show: Show | None = None,
        trace: Trace | None = None,
    ) -> Answer:
        """Return what is said back and what else is to be done.

        Trouble, the wish for a person and the question who speaks come before any search. A model's
        words are given to ``show`` while they are written.
        """
        trace = Trace() if trace is None else trace
        answer = await self._answer(question, now, show, trace)
        words = caution(question.text, question.history) if question.plane == "kf" else ""
        if not words or answer.kind is AnswerKind.RED_FLAG:
            return answer
        return answer.model_copy(update={"text": f"{answer.text}\n{words}"})

    async def _answer(
        self, question: Question, now: datetime, show: Show | None, trace: Trace
    ) -> Answer:
        parts: tuple[str, ...] = (question.text.strip(),)
        if question.plane != "staff":
            with trace.timing("trouble"):
                trouble = await self.trouble(question.text)
            heard = self._declining.heard(question, now, trouble)
            if heard is not None:
                return heard
            parts = parts_of(question.text)
        try:
            pieces = await self._judge.pieces(parts, question, now, trace)
        except IndexNotReady:
            return self._declining.declined(question, now, NOT_READY)
        except Retryable:
            return self._declining.declined(question, now, "search_failed")
        answerable = apart([piece for piece in pieces if not piece.reason])
        if not answerable:
            worst = max(pieces, key=lambda piece: piece.probability)
            return self._declining.declined(question, now, worst.reason, worst.probability)
        if len(pieces) == 1 or (len(answerable) == 1 and not any(one.reason for one in pieces)):
            return await self._one(answerable[0], question, now, show, trace)
        return await self._several(pieces, answerable, question, now, show, trace)

    async def trouble(self, text: str) -> Trouble | None:
        """Return the gravest trouble a message tells of, by rules or meaning. Never raises."""
        return await self._meaning.trouble(text)

    def recite(self, document_id: str, question: Question, now: datetime) -> Answer:
        """Answer with a document's own words, as a script asks for with 答复."""
        document = self._lookup(document_id)
        today = now.astimezone(self._zone).date()
        if document is None or not document.live_on(today):
            return self._declining.declined(question, now, "no_document")
        if not document.shown_to(question.viewer):
            return self._declining.declined(question, now, "not_for_this_place")
        if self._judge.unsuitable(document, question, now):
            return self._declining.declined(question, now, UNSUITABLE)
        source = self._composer.approved(document, document.sections[0], question)
        if source is None:
            return self._declining.declined(question, now, "not_sendable")
        written = Written(source.text, AnswerKind.APPROVED, (source,))
        return self._answered(question, written, 1.0, _actions(document, question.text, sure=True))

    async def _one(
        self, piece: Piece, question: Question, now: datetime, show: Show | None, trace: Trace
    ) -> Answer:
        sources = self._sources([piece], question, now)
        written = Written(sources[0].text, AnswerKind.APPROVED, sources[:1])
        if self._writes and not piece.certain:
            written = await self._composer.written(question, sources, written, show, trace)
        if written.kind is AnswerKind.DECLINED:
            return self._declining.declined(question, now, written.reason, piece.probability)
        if written.kind is AnswerKind.APPROVED and piece.probability < _SURE:
            named = f"{perhaps_meant(piece.hits[0], question.text)}\n{written.text}"
            written = written._replace(text=named)
        sure = piece.probability >= _SURE
        actions = _actions(piece.hits[0].document, question.text, sure=sure)
        return self._answered(question, written, piece.probability, actions)

    async def _several(
        self,
        pieces: Sequence[Piece],
        answerable: Sequence[Piece],
        question: Question,
        now: datetime,
        show: Show | None,
        trace: Trace,
    ) -> Answer:
        """Answer each part in one message; one person at most is called for the rest."""
        whole = room_for(self._persona, question.plane)
        room = max(_LEAST_ROOM, whole // len(pieces))
        sources = self._sources(answerable, question, now, room)
        declined = [piece for piece in pieces if piece.reason]
        lines = [_line(piece, source) for piece, source in zip(answerable, sources, strict=False)]
        actions = [
            action
            for piece in answerable
            for action in _actions(
                piece.hits[0].document, question.text, sure=piece.probability >= _SURE
            )
        ]
        for piece in declined:
            words = self._declining.words(piece.reason, question, now)
            lines.append(f"「{piece.asked}」：{words.text}")
            actions += words.actions
        written = Written("\n".join(lines), AnswerKind.APPROVED, sources[: len(answerable)])
        if self._writes and not declined and not all(one.certain for one in answerable):
            written = await self._composer.written(question, sources, written, show, trace)
            if written.kind is AnswerKind.DECLINED:
                return self._declining.declined(question, now, written.reason)
        elif declined:
            written = written._replace(reason=f"partly:{declined[0].reason}")
        sure = min(piece.probability for piece in answerable)
        return self._answered(question, written, sure, _one_hand_over(actions))

    def _sources(
        self, pieces: Sequence[Piece], question: Question, now: datetime, room: int = 0
    ) -> tuple[Source, ...]:
        """Return what may be said from: the best of each piece first, then what else was found."""
        best = [piece.hits[0] for piece in pieces]
        rest = [hit for piece in pieces for hit in piece.hits[1:]]
        kept: dict[tuple[str, int], Source] = {}
        for hit in (*best, *rest):
            place = (hit.document.id, hit.section.line)
            if place in kept or (hit not in best and len(kept) >= max(PASSAGES, len(best))):
                continue
            if self._judge.unsuitable(hit.document, question, now):
                continue
            source = self._composer.approved(hit.document, hit.section, question, room)
            if source is not None:
                kept[place] = source
        return tuple(kept.values())

    def _answered(
        self,
        question: Question,
        written: Written,
        confidence: float,
        actions: tuple[Action, ...],
    ) -> Answer:
        cited = [(one.document, citation(one.document, one.section)) for one in written.sources]
        basis = dict.fromkeys(basis_line(one, source, question.plane) for one, source in cited)
        text = frame(
            written.text,
            kind=written.kind,
            persona=self._persona,
            plane=question.plane,
            first_contact=question.first_contact,
            basis="；".join(filter(None, basis)),
            called=question.variables.get("客户.称呼", ""),
        )
        return Answer(
            kind=written.kind,
            text=text,
            citations=tuple(source for _, source in cited),
            actions=actions,
            confidence=confidence,
            model=self._chat.name if written.kind is AnswerKind.WRITTEN else "",
            reason=written.reason,
        )


def _line(piece: Piece, source: Source) -> str:
    """Say one part's answer below its own words; a near miss names the question it answers."""
    text = source.text
    if piece.probability < _SURE:
        text = f"{perhaps_meant(piece.hits[0], piece.asked)}{text}"
    return f"「{piece.asked}」：{text}"


def _actions(document: Document, text: str, *, sure: bool) -> tuple[Action, ...]:
    """Return what a Q&A asks for besides; a near miss calls a person at most."""
    meant = (one for one in document.actions if applies(one, text))
    return tuple(one for one in meant if sure or isinstance(one, HandOver))


def _one_hand_over(actions: Sequence[Action]) -> tuple[Action, ...]:
    """Return each action once, and of those that call a person the most urgent one."""
    calls = [one for one in actions if isinstance(one, HandOver)]
    first = min(calls, key=lambda one: one.within_minutes or 0, default=None)
    rest = [one for one in actions if not isinstance(one, HandOver)]
    return tuple(dict.fromkeys([*([first] if first else []), *rest]))
