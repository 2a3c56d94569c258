"""Reads what listens for a subject's words, and writes down that a reply was hoped for."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bot.domain.render import UnknownVariable, render
from bot.domain.steps import Step
from bot.sop.listen import plain
from bot.sop.listening import Had, Heard, Listening, Playing
from bot.storage.db import Tx
from bot.workers.content import Content

_STARTED = frozenset({"waiting", "confirmed"})


class Speaker(NamedTuple):
    """Who said something, where and when."""

    subject: str
    by: str
    text: str
    at: datetime


async def read_listening(tx: Tx, content: Content, subject: str) -> Listening:
    """Read the scripts that run for a group or a customer, and the steps it has had of them."""
    playing: list[Playing] = []
    had: list[tuple[datetime, int, Had]] = []
    for run in await tx.runs.of_subject(subject):
        script = await content.script(tx, run.script, run.version)
        if script is None:
            continue
        playing.append(Playing(run.id, script))
        for row in await tx.runs.steps(run.id):
            part = script.part(row.step)
            if row.state in _STARTED and isinstance(part, Step):
                had.append((row.opens_at, row.id, Had(run.id, part, script, row.opens_at)))
    newest_first = sorted(had, key=lambda each: each[:2], reverse=True)
    return Listening(tuple(playing), tuple(each for _, _, each in newest_first))


async def count_reply(tx: Tx, had: Had, who: Speaker) -> None:
    """Count a reply that a step hoped for, and whether a quiz was answered right (互动)."""
    interaction = had.step.interaction
    if interaction is None:
        return
    facts: dict[str, object] = {
        "script": had.script.id,
        "run": had.run,
        "step": had.step.id,
        "metric": interaction.metric,
    }
    if interaction.correct is not None:
        facts["correct"] = plain(who.text) == plain(interaction.correct)
    await tx.ledger.add("interaction", who.subject, who.at, by=who.by, **facts)


async def note_heard(tx: Tx, heard: Heard, who: Speaker, *, anything: bool = False) -> None:
    """Write down that something listened for these words."""
    facts = {"script": heard.script.id, "run": heard.run, "step": heard.step, "by": who.by}
    kind = "heard_anything" if anything else "heard"
    await tx.ledger.add(kind, who.subject, who.at, **facts)


async def is_first(tx: Tx, heard: Heard, who: Speaker, since: datetime) -> bool:
    """Tell whether this speaker's words are the first that are heard whatever they are.

    What a step does on any reply it does once for each person, not at each line of a talk.
    """
    known = await tx.ledger.facts_of("heard_anything", who.subject, since)
    mine = {"run": heard.run, "step": heard.step, "by": who.by}
    return not any(mine.items() <= facts.items() for facts in known)


def worded(text: str | None, variables: dict[str, str]) -> str:
    """Fill in a reply; nothing is said where a variable has no value here."""
    try:
        return render(text or "", variables).strip()
    except UnknownVariable:
        return ""
