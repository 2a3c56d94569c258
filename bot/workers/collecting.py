"""Collects what the bot should have known: reads the ledger on, and what was said around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.answering.group_questions import asks_the_bank
from bot.answering.outside import outside
from bot.domain.bank import Bank
from bot.domain.compliance import Rules, mask
from bot.domain.ids import RmId, digest
from bot.domain.knowledge import Plane
from bot.domain.teaching import Asked, QuestionState, Reason, person_key
from bot.ports import Clock
from bot.sop.listen import sounds_like_question
from bot.storage.conversations import Turn
from bot.storage.db import Database, Tx
from bot.storage.ledger import Entry
from bot.storage.questions import Delivered
from bot.teaching.cleaning import cleaned, same_words
from bot.teaching.hearing import CUSTOMER, DAY, PROGRAM, Heard, Line, Mark, questions_in
from bot.workers.files import Snapshot

CURSOR = "teaching:collected"
_ANSWERS = ("answer_declined", "answer_approved", "answer_written", "answer_courtesy")
_PEOPLE = ("person_spoke", "staff_in_group")
_DRAFTS = {
    "draft_edited": Reason.DRAFT_EDITED,
    "answered_otherwise": Reason.DRAFT_EDITED,
    "draft_dropped": Reason.DRAFT_DROPPED,
}
KINDS = (*_ANSWERS, *_PEOPLE, *_DRAFTS)
_NO_QUESTION = "not_asked"
_AT_ONCE = 200
# A transaction lasts a minute at most: by then every entry of that age can be seen.
_SETTLED = timedelta(minutes=1)
_SHORTEST = 4


class Collector:
    """Reads the ledger on from where it was read last; each question is kept once."""

    def __init__(self, database: Database, files: Callable[[], Snapshot], clock: Clock) -> None:
        self._database = database
        self._files = files
        self._clock = clock

    async def collect(self) -> int:
        """Read all that is new; return how many questions were kept."""
        kept = 0
        while True:
            read, new = await self.step()
            kept += new
            if not read:
                return kept

    async def step(self) -> tuple[int, int]:
        """Read up to 200 entries; return how many there were, and how many questions were kept."""
        until = self._clock.now() - _SETTLED
        async with self._database.read() as tx:
            cursor = await tx.inbox.cursor(CURSOR)
            entries = await tx.questions.entries_after(int(cursor or 0), KINDS, until, _AT_ONCE)
            if not entries:
                return 0, 0
            asked, replies = await self._asked(tx, entries)
        async with self._database.begin() as tx:
            if not await tx.inbox.move_cursor(CURSOR, cursor, str(entries[-1].id)):
                return len(entries), 0
            new = await tx.questions.add(asked)
            await tx.questions.reply(replies)
        return len(entries), new

    async def _asked(self, tx: Tx, entries: Sequence[Entry]) -> tuple[list[Asked], dict[str, str]]:
        """Return the questions that the entries tell of, and what people said to them."""
        talks = [entry for entry in entries if entry.kind not in _DRAFTS]
        rules = self._files().rules
        asked = [one for one in [await self._of_draft(tx, entry) for entry in entries] if one]
        if talks:
            subjects = {entry.subject for entry in talks}
            since = min(entry.at for entry in talks) - DAY
            until = max(entry.at for entry in talks)
            marks = await tx.questions.entries_of(subjects, _ANSWERS, since, until)
            said = await tx.questions.turns_of(subjects, since, until)
            steps = await tx.questions.steps_of(subjects, since - DAY, until)
            for subject in sorted(subjects):
                mine = [mark for mark in marks if mark.subject == subject]
                heard = _heard(said[subject], mine, self._files().bank)
                plane: Plane = "group" if _of_group(said[subject]) else "kf"
                asked += [_question(one, subject, plane, steps[subject], rules) for one in heard]
        kept = [one for one in asked if len(same_words(one.text)) >= _SHORTEST]
        return kept, {one.key: one.reply for one in kept if one.reply}

    async def _of_draft(self, tx: Tx, entry: Entry) -> Asked | None:
        """Return the question of a draft that its owner changed or did not want."""
        reason = _DRAFTS.get(entry.kind)
        number = entry.facts.get("draft")
        draft = await tx.drafts.get(int(number)) if reason and number else None
        if reason is None or draft is None or draft.reason == _NO_QUESTION:
            return None
        rules = self._files().rules
        return Asked(
            key=f"draft:{draft.id}",
            text=cleaned(draft.question, rules),
            plane="private" if draft.of_two else "group",
            place="private" if draft.of_two else draft.chat,
            person=person_key(draft.asker),
            reason=reason,
            asked_at=entry.at,
            reply=cleaned_lines(draft.said, rules),
        )


def _heard(said: Sequence[Turn], entries: Sequence[Entry], bank: Bank) -> list[Heard]:
    lines = [Line(turn.speaker, turn.text, turn.at, _is_staff(turn.speaker, bank)) for turn in said]
    if not _of_group(said):
        return questions_in(lines, map(_mark, entries), "kf", sounds_like_question, _outside)
    asks = partial(asks_the_bank, staff={person.name for person in bank.staff})
    return questions_in(lines, map(_mark, entries), "group", asks, _outside)


def _outside(text: str) -> bool:
    return outside(text) is not None


def _is_staff(speaker: str, bank: Bank) -> bool:
    return speaker not in (CUSTOMER, PROGRAM) and bank.member(RmId(speaker)) is not None


def _of_group(said: Iterable[Turn]) -> bool:
    """Tell whether a talk is a group's: there the members speak in their own names."""
    return not any(turn.speaker in (CUSTOMER, PROGRAM) for turn in said)


def _mark(entry: Entry) -> Mark:
    facts = entry.facts
    until = facts.get("asked_at") or facts.get("complete_at")
    return Mark(
        at=entry.at,
        answered=entry.kind in ("answer_approved", "answer_written"),
        reason=str(facts.get("reason") or ""),
        source=next(iter(facts.get("sources") or ()), ""),
        messages=int(facts.get("messages") or 1),
        until=datetime.fromisoformat(str(until)) if until else None,
        asker=str(facts.get("asker") or ""),
    )


def _question(
    heard: Heard, subject: str, plane: Plane, steps: Sequence[Delivered], rules: Rules
) -> Asked:
    before = [one for one in steps if heard.at - DAY <= one.at <= heard.at]
    state: QuestionState = "known" if heard.reason is Reason.OUTSIDE else "new"
    return Asked(
        key=digest(subject, heard.at.isoformat(), heard.text),
        text=cleaned(heard.text, rules),
        plane=plane,
        place=subject if plane == "group" else plane,
        person=person_key(heard.speaker if plane == "group" else subject),
        reason=heard.reason,
        asked_at=heard.at,
        script=before[-1].script if before else "",
        step=before[-1].step if before else "",
        reply=cleaned_lines(heard.reply, rules),
        state=state,
    )


def cleaned_lines(text: str, rules: Rules) -> str:
    """Return what a person said without personal data, line by line; amounts stay as they are."""
    return "\n".join(mask(line, rules, outside=True) for line in text.splitlines())
