"""One question, of one message or several: what is said back to it. Nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.answering.answer import Question
from bot.answering.forms import UNCLEAR, VOICE, Form, form_of, most_urgent
from bot.answering.misses import only_missed
from bot.answering.person_wanted import gives_up_person
from bot.answering.persona import frame, off_hours, with_defaults
from bot.answering.red_flags import FRAUD
from bot.answering.sessions import choice_of, rating_of, rating_said
from bot.answering.wishes import asks_identity, courtesy, wants_person
from bot.domain.actions import OpenLead
from bot.domain.compliance import mask
from bot.domain.events import MessageReceived
from bot.domain.knowledge import Answer, AnswerKind
from bot.domain.lead import Need
from bot.domain.render import render
from bot.domain.steps import Intent
from bot.leads.cards import clip
from bot.ports import Clock
from bot.sop.listen import sounds_like_question
from bot.workers.content import Content
from bot.workers.kf_words import Lines, Meant, Scene
from bot.workers.not_helped import NotHelped
from bot.workers.wished import TOLD, wished, wishes

_ECHO = 30
_WORST = 3
_CHOSEN = {"person": "转人工", "bot": "在吗"}  # what a press after a long wait is as good as saying
_NOBODY = "不用转人工"  # what 「算了」 is as good as saying where a person was promised


@dataclass(frozen=True)
class Thought:
    """What is to be said, what the words mean to scripts, and ratings among them.

    ``missed`` tells that the customer was not helped, now or by the answer before.
    """

    answer: Answer
    meant: Meant = field(default_factory=Meant)
    ratings: tuple[int, ...] = ()
    missed: bool = False


@dataclass
class _Lines:
    """The words of a question, sorted by what is to be done with them."""

    asked: list[str] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    ratings: list[int] = field(default_factory=list)
    unclear: bool = False


class Thinker:
    """Finds the answer to what a customer wrote, said or sent."""

    def __init__(self, content: Content, clock: Clock, *, deaf: bool) -> None:
        self._content = content
        self._clock = clock
        self._deaf = deaf
        self._not_helped = NotHelped(content)

    async def think(
        self, messages: tuple[MessageReceived, ...], heard: dict[str, str], scene: Scene
    ) -> Thought:
        """Return the answer to messages that belong together; the gravest words decide."""
        lines = _sorted(messages, heard)
        self._rate(lines, scene)
        alarm = await self._grave(lines.asked)
        if alarm is not None:
            return await self._alarmed(alarm, scene, tuple(lines.ratings))
        needs_eyes = self._needs_eyes(lines)
        if needs_eyes is not None:
            return Thought(self._unread(needs_eyes, scene), ratings=tuple(lines.ratings))
        if not lines.asked:
            thought = self._no_words(lines, scene)
        else:
            thought = await self._words(lines.asked, scene, tuple(lines.ratings))
            judged = (thought.answer, lines.asked, scene, self._clock.now())
            answer, missed = self._not_helped.judged(*judged)
            thought = replace(thought, answer=answer, missed=missed)
        return _with_echo(thought, self._echo(lines.spoken))

    def broken(self, scene: Scene, error: str) -> Thought:
        """Return what is said where thinking itself fails: the truth, and a person."""
        return Thought(self._not_helped.broken(scene, error, self._clock.now()))

    def _rate(self, lines: _Lines, scene: Scene) -> None:
        """Take typed words for ratings where a rating has just been asked for."""
        for line in list(lines.asked) if scene.may_rate else ():
            rating = rating_said(line, self._content.persona)
            if rating is not None:
                lines.asked.remove(line)
                lines.ratings.append(rating)

    async def _grave(self, asked: list[str]) -> str | None:
        """Return the words that tell of trouble: one message alone, or all of them together."""
        together = "\n".join(asked)
        for words in dict.fromkeys([*asked, together]):
            if await self._content.answerer.trouble(words) is not None:
                return words
        return None

    async def _alarmed(self, alarm: str, scene: Scene, ratings: tuple[int, ...]) -> Thought:
        """Answer trouble; a script may have its own words and limits for somebody being robbed."""
        answer = await self._ask(alarm, scene)
        own = scene.listening.intends(Intent.BEING_DEFRAUDED)
        if own is None or not answer.reason.startswith(FRAUD.name):
            return Thought(answer, ratings=ratings)
        words = scene.words(own.listen.reply) or answer.text
        answer = answer.model_copy(update={"text": words, "actions": ()})
        return Thought(answer, Meant(heard=[own]), ratings)

    def _needs_eyes(self, lines: _Lines) -> Form | None:
        """Return the form that a person has to look at or listen to, if there is one."""
        if lines.unclear:
            return VOICE if self._deaf else UNCLEAR
        return most_urgent(lines.unread)

    def _unread(self, form: Form, scene: Scene) -> Answer:
        persona, now = self._content.persona, self._clock.now()
        words = form.words
        opens = self._content.closed_until(now, scene.manager)
        if form.actions and (late := off_hours(persona, opens)):
            words = f"{words}\n{late}"
        return Answer(
            kind=AnswerKind.HANDOVER if form.actions else AnswerKind.COURTESY,
            text=render(words, with_defaults(scene.variables)),
            actions=form.actions,
            reason="cannot_read",
        )

    def _no_words(self, lines: _Lines, scene: Scene) -> Thought:
        """Answer a press on the farewell's menu, or a form that needs nobody."""
        if not lines.ratings:
            return Thought(self._unread(form_of(lines.unread[-1] if lines.unread else ""), scene))
        session = self._content.persona.session
        badly = lines.ratings[-1] == _WORST
        words = session.rated_badly if badly else session.rated
        lead = OpenLead(need=Need.LATENT_COMPLAINT)
        answer = Answer(
            kind=AnswerKind.COURTESY,
            text=render(words, with_defaults(scene.variables)),
            actions=(lead,) if badly else (),
            reason="rated",
        )
        return Thought(answer, ratings=tuple(lines.ratings))

    async def _words(self, asked: list[str], scene: Scene, ratings: tuple[int, ...]) -> Thought:
        person = next((line for line in asked if wants_person(line)), None)
        if person is not None:
            return Thought(await self._ask(person, scene), ratings=ratings)
        if scene.promised and all(gives_up_person(line) for line in asked):
            return Thought(await self._ask(_NOBODY, scene), ratings=ratings)
        lines = Lines(self._content, scene, self._clock.now())
        meant = lines.read(asked)
        rest: list[str] = []
        if meant.rest and all(only_missed(line) for line in meant.rest):
            answer = self._not_helped.sorry(scene)
            return Thought(answer, meant, ratings)
        for line in meant.rest:
            if asks_identity(line) and len(asked) > 1:
                meant.said.append((await self._ask(line, scene)).text)
            else:
                rest.append(line)
        # A greeting in front of a question is not what is asked.
        meant.rest = [line for line in rest if courtesy(line) is None]
        if not meant.rest and not meant.said:
            meant.rest = rest
        asks = any(sounds_like_question(line) for line in meant.rest)
        enough = bool(meant.rest) and lines.anything(meant, asks=asks)
        if meant.rest and not enough:
            rest_of_it = "\n".join(meant.rest)
            answer = await self._ask(rest_of_it, scene)
            if wishes(answer, rest_of_it):
                answer = wished(answer, self._framed(scene.words(TOLD), scene))
            text = "\n".join([*meant.said, answer.text])
            actions = (*answer.actions, *meant.actions)
            answer = answer.model_copy(update={"text": text, "actions": actions})
        else:
            answer = self._nothing_asked(meant, scene)
        return Thought(answer, meant, ratings)

    def _framed(self, text: str, scene: Scene) -> str:
        return frame(
            text,
            kind=AnswerKind.COURTESY,
            persona=self._content.persona,
            plane="kf",
            first_contact=scene.first_contact,
        )

    def _nothing_asked(self, meant: Meant, scene: Scene) -> Answer:
        """Say what follows from words that ask nothing: a consent, a reply to a step."""
        text = "\n".join(dict.fromkeys(meant.said))
        if meant.heard or meant.hoped:
            text = self._framed(text, scene)
        reason = meant.consents[-1] if meant.consents else "heard" if meant.heard else ""
        kind = AnswerKind.COURTESY
        return Answer(kind=kind, text=text, actions=tuple(meant.actions), reason=reason)

    async def _ask(self, text: str, scene: Scene) -> Answer:
        question = Question(
            text=text,
            plane="kf",
            variables=scene.variables,
            history=scene.history,
            first_contact=scene.first_contact,
            asker=scene.asker,
        )
        return await self._content.answerer.answer(question, self._clock.now())

    def _echo(self, spoken: list[str]) -> str:
        if not spoken:
            return ""
        heard = mask(" ".join(spoken), self._content.snapshot.rules)
        return f"听到您说：「{clip(heard, _ECHO)}」。"


def _sorted(messages: tuple[MessageReceived, ...], heard: dict[str, str]) -> _Lines:
    lines = _Lines()
    for message in messages:
        lines.asked += [line for line in message.earlier.splitlines() if line.strip()]
        rating = rating_of(message.menu)
        if rating is not None:
            lines.ratings.append(rating)
        elif (chosen := choice_of(message.menu)) is not None:
            lines.asked.append(_CHOSEN[chosen])
        elif message.form == "text" and message.text.strip():
            lines.asked.append(message.text.strip())
        elif message.form == "voice" and heard.get(message.msgid):
            lines.asked.append(heard[message.msgid])
            lines.spoken.append(heard[message.msgid])
        elif message.form == "voice":
            lines.unclear = True
        else:
            lines.unread.append(message.form)
    return lines


def _with_echo(thought: Thought, echo: str) -> Thought:
    """Begin with what was heard, so that a wrong hearing shows itself."""
    if not echo:
        return thought
    text = f"{echo}\n{thought.answer.text}"
    return replace(thought, answer=thought.answer.model_copy(update={"text": text}))
