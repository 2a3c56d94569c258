"""What a subject's running scripts listen for: in which order words are held against them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.domain.actions import Actions, PlainAction
from bot.domain.script import SopScript
from bot.domain.steps import Intent, Listen, Step
from bot.sop.listen import ANYTHING, hears, is_refusal, plain

PICTURE = "图片"
_FRESH_FOR = timedelta(days=7)  # later, any words are no answer to a step
_REFUSING = (PlainAction.RECORD_REFUSAL, PlainAction.WITHDRAW_CONSENT)


class Playing(NamedTuple):
    """A script that runs for the subject."""

    run: int
    script: SopScript


class Had(NamedTuple):
    """A step that the subject has had."""

    run: int
    step: Step
    script: SopScript
    opened_at: datetime


class Heard(NamedTuple):
    """What listens for some words: a step, or the whole script where ``step`` is empty."""

    listen: Listen
    script: SopScript
    run: int
    step: str = ""


class Refusal(NamedTuple):
    """What a script does once its words for a refusal are said; no ``run`` where none runs."""

    actions: Actions
    reply: str
    script: str
    run: int | None = None


@dataclass(frozen=True)
class Listening:
    """The scripts that run for a subject, and the steps it has had, the newest first."""

    playing: tuple[Playing, ...] = ()
    had: tuple[Had, ...] = ()

    def hears(self, text: str) -> Heard | None:
        """Return what listens for these words: the newest step first, whole scripts last.

        Who listens for any words whatever is not asked here, nor who listens for a refusal.
        """
        for each in self._all():
            if not _refuses(each.listen) and hears(each.listen, text):
                return each
        return None

    def hears_anything(self, at: datetime) -> Heard | None:
        """Return what listens for any words: only the newest step does, and only for a week."""
        newest = self._newest(at)
        for each in self._all():
            from_step = newest is not None and (each.run, each.step) == (newest.run, newest.step.id)
            if newest is not None and (from_step or not each.step) and _wants_anything(each.listen):
                return each
        return None

    def intends(self, intent: Intent) -> Heard | None:
        """Return what is done about an intent: the newest step first, whole scripts last."""
        return next((each for each in self._all() if each.listen.intent is intent), None)

    def names(self, text: str) -> bool:
        """Tell whether the newest step hopes for these very words; 任意 names none."""
        return any(plain(text) in _hopes(had.step) for had in self.had[:1])

    def hopes(self, text: str, form: str, at: datetime) -> Had | None:
        """Return the newest step if the words are among those it hopes for."""
        for had in self.had[:1]:
            hoped = _hopes(had.step)
            if form == "image" and PICTURE in hoped:
                return had
            if form == "text" and plain(text) in hoped:
                return had
            if ANYTHING in hoped and self._newest(at) is not None:
                return had
        return None

    def refuses(self, text: str, every: Iterable[SopScript]) -> Refusal | None:
        """Return what a refusal brings about; words of scripts that do not run count, too."""
        for run, script in self.playing:
            for words, refusal in _refusals(script, run):
                if is_refusal(text, words):
                    return refusal
        for script in every:
            for words, refusal in _refusals(script, None):
                if is_refusal(text, words):
                    return refusal
        return None

    def _all(self) -> Iterator[Heard]:
        for had in self.had:
            for listen in had.step.listens:
                yield Heard(listen, had.script, had.run, had.step.id)
        for run, script in self.playing:
            for listen in script.listens:
                yield Heard(listen, script, run)

    def _newest(self, at: datetime) -> Had | None:
        newest = next(iter(self.had), None)
        return newest if newest is not None and at - newest.opened_at <= _FRESH_FOR else None


def _refusals(script: SopScript, run: int | None) -> Iterator[tuple[tuple[str, ...], Refusal]]:
    """Return a script's own words for a refusal, each with what follows."""
    if script.opt_out is not None:
        out = script.opt_out
        yield out.keywords, Refusal(out.actions, out.reply, script.id, run)
    every = [*script.listens, *(listen for step in script.steps for listen in step.listens)]
    for listen in every:
        if _refuses(listen) and listen.keywords is not None:
            yield listen.keywords, Refusal(listen.actions, listen.reply or "", script.id, run)


def _refuses(listen: Listen) -> bool:
    return any(action in _REFUSING for action in listen.actions)


def _wants_anything(listen: Listen) -> bool:
    return listen.keywords is not None and ANYTHING in listen.keywords


def _hopes(step: Step) -> set[str]:
    return {plain(word) for word in step.interaction.expects} if step.interaction else set()
