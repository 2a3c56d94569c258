"""One question, of one message or several: what is said back to it. Nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.answering.answer import Question
from bot.answering.forms import UNCLEAR, VOICE, Form, form_of, most_urgent
from bot.answering.persona import frame, off_hours, with_defaults
from bot.answering.red_flags import FRAUD
from bot.answering.sessions import rating_of
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

_ECHO = 30
_WORST = 3


@dataclass(frozen=True)
class Thought:
    """What is to be said, what the words mean to scripts, and ratings among them."""

    answer: Answer
    meant: Meant = field(default_factory=Meant)
    ratings: tuple[int, ...] = ()


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

    async def think(
        self, messages: tuple[MessageReceived, ...], heard: dict[str, str], scene: Scene
    ) -> Thought:
        """Return the answer to messages that belong together; the gravest words decide."""
        lines = _sorted(messages, heard)
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
        return _with_echo(thought, self._echo(lines.spoken))

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
        if form.actions and (late := off_hours(persona, now, self._content.bank.zone)):
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
        lines = Lines(self._content, scene, self._clock.now())
        meant = lines.read(asked)
        rest: list[str] = []
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
            answer = await self._ask("\n".join(meant.rest), scene)
            text = "\n".join([*meant.said, answer.text])
            actions = (*answer.actions, *meant.actions)
            answer = answer.model_copy(update={"text": text, "actions": actions})
        else:
            answer = self._nothing_asked(meant, scene)
        return Thought(answer, meant, ratings)

    def _nothing_asked(self, meant: Meant, scene: Scene) -> Answer:
        """Say what follows from words that ask nothing: a consent, a reply to a step."""
        text = "\n".join(dict.fromkeys(meant.said))
        if meant.heard or meant.hoped:
            text = frame(
                text,
                kind=AnswerKind.COURTESY,
                persona=self._content.persona,
                plane="kf",
                first_contact=scene.first_contact,
            )
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
