"""What is said of what was found: the approved text as it may be sent, or a model's words of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from bot.answering.citing import cited_in, without_marks
from bot.answering.guard import objections
from bot.answering.persona import approved_words, room_for
from bot.answering.prompt import NOTHING_FOUND, system_prompt
from bot.answering.question import Question, Trace
from bot.answering.writing import Show, write
from bot.domain.compliance import Rules, mask, screen
from bot.domain.knowledge import (
    RISK_NOTICE,
    AnswerKind,
    Document,
    Prompt,
    Section,
    warns,
)
from bot.domain.persona import Persona
from bot.domain.render import UnknownVariable, render
from bot.errors import Retryable
from bot.ports import ChatModel

PASSAGES = 3


class Source(NamedTuple):
    """A section that may be said from, in its words as they may be sent."""

    document: Document
    section: Section
    text: str


class Written(NamedTuple):
    """What is said, why it is not a model's words where they were asked for, and its sources."""

    text: str
    kind: AnswerKind
    sources: tuple[Source, ...]
    reason: str = ""


class Composer:
    """Puts approved text, or a model's words under guard, into what may be sent."""

    def __init__(
        self, chat: ChatModel, persona: Persona, rules: Rules, write_within: float
    ) -> None:
        self._chat = chat
        self._persona = persona
        self._rules = rules
        self._write_within = write_within

    def approved(
        self, document: Document, section: Section, question: Question, room: int = 0
    ) -> Source | None:
        """Return the text as it may be sent; None where a variable has no value here."""
        try:
            text = render(section.text, question.variables)
        except UnknownVariable:
            return None
        hits = screen(text, self._rules, approved=True, plane=question.plane)
        if any(hit.blocks for hit in hits):
            return None
        room = room or room_for(self._persona, question.plane)
        return Source(document, section, approved_words(document, text, room))

    async def written(
        self,
        question: Question,
        sources: Sequence[Source],
        approved: Written,
        show: Show | None,
        trace: Trace,
    ) -> Written:
        """Let the model write from the sources; its failure is answered with the approved text."""
        prompt = self._prompt(question, sources)
        wrong_in = self._objections(question)
        known = [*(source.text for source in sources), *question.variables.values()]

        def allowed(words: str) -> bool:
            return not wrong_in(words, known)

        try:
            with trace.timing("model"):
                async with asyncio.timeout(self._write_within):
                    text = await write(self._chat, prompt, allowed, show)
        except TimeoutError:
            return approved._replace(reason="model_too_slow")
        except Retryable:
            return approved._replace(reason="model_failed")
        if NOTHING_FOUND in text:
            return Written("", AnswerKind.DECLINED, (), "model_found_nothing")
        words, cited = without_marks(text).strip(), cited_in(text)
        used = tuple(sources[number - 1] for number in cited if 1 <= number <= len(sources))
        with trace.timing("guard"):
            said = [*(source.text for source in used), *question.variables.values()]
            wrong = _uncited(cited, len(sources)) or wrong_in(words, said)
        trace.says("guard", ",".join(wrong) or "passed")
        if wrong:
            return approved._replace(reason="guard:" + ",".join(wrong))
        if any(source.document.must_warn for source in used) and not warns(words):
            words = f"{words}\n{RISK_NOTICE}"
        return Written(words, AnswerKind.WRITTEN, used)

    def _objections(self, question: Question) -> Callable[[str, Sequence[str]], tuple[str, ...]]:
        """Return what names the reasons why words may not be said there."""
        return partial(
            objections,
            rules=self._rules,
            persona=self._persona,
            room=room_for(self._persona, question.plane),
            plane=question.plane,
        )

    def _prompt(self, question: Question, sources: Sequence[Source]) -> Prompt:
        room = room_for(self._persona, question.plane)
        guidance = [one.document.guidance for one in sources if one.document.guidance]
        care = sources[0].document.tone == "关怀"
        history = question.history[-self._persona.memory.turns :] if question.history else ()
        return Prompt(
            system=system_prompt(self._persona, room, guidance[:1], care=care),
            question=mask(question.text, self._rules, outside=True),
            passages=tuple(source.text for source in sources),
            history=tuple(mask(turn, self._rules, outside=True) for turn in history),
        )


def _uncited(cited: tuple[int, ...], passages: int) -> tuple[str, ...]:
    """Name what is wrong with the marks of a model's sources."""
    if not cited:
        return ("uncited",)
    return () if all(1 <= number <= passages for number in cited) else ("unknown_citation",)
