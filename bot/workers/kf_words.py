"""What the lines of a question mean to the customer's scripts, before an answer is looked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.answering.answer import Question
from bot.domain.actions import Action, AnswerWith, OpenLead
from bot.domain.lead import Lead
from bot.domain.suitability import NOBODY, Asker
from bot.sop.listen import says_yes, wants_news_again
from bot.sop.listening import Had, Heard, Listening, Refusal
from bot.workers.content import Content
from bot.workers.listening import worded

REFUSED = "好的，以后不再给您发活动和产品消息，您主动问的事照常答复。想恢复随时说「恢复」。"
RESTORED = "好的，恢复了。有合适的活动和提醒，会再告诉您。"
_AGREED = "好的，已经告诉{经理.称呼}了，会联系您。"
_DECLINED = "好的，那就不打扰了。想起来再找我。"
_NOTED = "好的，已经记下了，{经理.称呼}会跟您联系。"
_RECEIVED = "收到，谢谢您。"
Consent = Literal["refused", "restored"]


@dataclass(frozen=True)
class Scene:
    """What was read before thinking.

    ``manager`` is who would be called, ``misses`` how often in this talk the customer was not
    helped already. ``anything`` listens for whatever is said; ``asking`` are the leads whose
    customer was asked by the last words, ``leads`` all that are open; ``asked_twice`` where a
    yes was asked for what the manager knows already. ``promised``: a person comes when somebody is
    there again; ``may_rate``: a talk with a person was over a short while ago.
    """

    variables: dict[str, str]
    manager: str = ""
    history: tuple[str, ...] = ()
    misses: int = 0
    first_contact: bool = False
    asker: Asker = NOBODY
    called: str = ""
    listening: Listening = field(default_factory=Listening)
    anything: Heard | None = None
    leads: tuple[Lead, ...] = ()
    asking: tuple[Lead, ...] = ()
    asked_twice: bool = False
    promised: bool = False
    may_rate: bool = False

    def words(self, text: str | None) -> str:
        """Fill in a script's words for this customer; empty where a value is missing."""
        called = {"客户.称呼": self.called} if self.called else {}
        return worded(text, self.variables | called)


@dataclass
class Meant:
    """What lines mean: what is said to it first, and the lines that are still to be answered."""

    said: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    hoped: list[tuple[Had, str]] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    agreed: bool | None = None

    @property
    def follows(self) -> bool:
        """Tell whether something is done about the words besides answering them."""
        return bool(self.consents or self.heard or self.hoped) or self.agreed is not None


class Lines:
    """Holds each line against consents and refusals first, then against what listens."""

    def __init__(self, content: Content, scene: Scene, now: datetime) -> None:
        self._content = content
        self._scene = scene
        self._now = now

    def read(self, asked: list[str]) -> Meant:
        """Return what the lines mean; nothing is written."""
        meant = Meant()
        for line in asked:
            if not self._consents(line, meant) and not self._listens(line, meant):
                meant.rest.append(line)
        return meant

    def anything(self, meant: Meant, *, asks: bool) -> bool:
        """Hear whatever is said; tell whether that is all the answer the rest wants.

        A question (``asks``) is answered besides, and nobody is asked for consent before that.
        """
        line = "\n".join(meant.rest)
        heard, hoped = self._scene.anything, self._scene.listening.hopes(line, "text", self._now)
        if asks:
            if heard is not None and not heard.listen.ask_first:
                meant.heard.append(heard)
            return False
        if hoped is not None:
            meant.hoped.append((hoped, line))
        if heard is not None:
            self._add(heard, line, meant)
        elif hoped is not None:
            meant.said.append(_RECEIVED)
        return heard is not None or hoped is not None

    def _consents(self, line: str, meant: Meant) -> bool:
        scene = self._scene
        if wants_news_again(line):
            meant.consents.append("restored")
            meant.said.append(RESTORED)
            return True
        refusal = scene.listening.refuses(line, self._content.snapshot.scripts.values())
        if refusal is not None:
            meant.consents.append("refused")
            meant.refusals.append(refusal)
            own = scene.words(refusal.reply) if refusal.run is not None else ""
            meant.said.append(own or REFUSED)
            return True
        agreed = says_yes(line) if scene.asking or scene.asked_twice else None
        if agreed and scene.asked_twice:
            meant.said.append(scene.words(_AGREED))
            return True
        if agreed is None or not scene.asking:
            return False
        meant.agreed = agreed
        meant.said.append(scene.words(_AGREED if agreed else _DECLINED))
        return True

    def _listens(self, line: str, meant: Meant) -> bool:
        listening = self._scene.listening
        heard = listening.hears(line)
        if heard is not None:
            self._add(heard, line, meant)
            return True
        hoped = listening.hopes(line, "text", self._now) if listening.names(line) else None
        if hoped is None:
            return False
        meant.hoped.append((hoped, line))
        meant.said.append(_RECEIVED)
        return True

    def _add(self, heard: Heard, line: str, meant: Meant) -> None:
        """Note what listened, once, with what is said to it."""
        if heard in meant.heard:
            return
        meant.heard.append(heard)
        words = list(self._recited(heard, line, meant))
        own = self._scene.words(heard.listen.ask_first if self._asks(heard) else heard.listen.reply)
        if own or not words:
            leads = any(isinstance(action, OpenLead) for action in heard.listen.actions)
            words.append(own or self._scene.words(_NOTED if leads else _RECEIVED))
        meant.said += words

    def _asks(self, heard: Heard) -> bool:
        """Tell whether a lead of these words waits for the customer's yes."""
        beyond = {lead.need for lead in self._scene.leads if lead.stage != "asking"}
        return bool(heard.listen.ask_first) and any(
            isinstance(action, OpenLead) and action.need not in beyond
            for action in heard.listen.actions
        )

    def _recited(self, heard: Heard, line: str, meant: Meant) -> Iterator[str]:
        for action in heard.listen.actions:
            if isinstance(action, AnswerWith):
                question = Question(
                    text=line,
                    plane="kf",
                    variables=self._scene.variables,
                    asker=self._scene.asker,
                )
                answer = self._content.answerer.recite(action.qa, question, self._now)
                meant.actions += answer.actions
                yield answer.text
