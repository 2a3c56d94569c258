"""Which of what was said is a question the bot should have answered, and what people answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.teaching import Reason
from bot.teaching.cleaning import alike, same_words

CUSTOMER, PROGRAM = "客户", "小安"
DAY = timedelta(days=1)
_REPLY_WITHIN = {"kf": DAY, "group": timedelta(minutes=30)}
# What the bank could have written down; the rest of the reasons are trouble of the moment.
_GAPS = frozenset({"no_evidence", "model_found_nothing", "not_sendable", "no_document"})
_GAP_HERE = "not_for_this_place"
_OUTSIDE = frozenset({"out_of_scope", "chitchat", "medical", "legal", "prediction"})
# Kinds that are also told by single words, which stand in the bank's own questions, too.
_PERHAPS = frozenset({"medical", "legal", "prediction", "own_account", "advice", "other_customer"})
_PARTLY = "partly:"
_TAKEN_BACK = "[已撤回]"
_ALIKE, _ALIKE_BY_SOURCE = 0.5, 0.2
_SHORTEST = 4
_LONGEST_REPLY = 600


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was said; ``staff`` tells that a person of the bank said it."""

    speaker: str
    text: str
    at: datetime
    staff: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of a question: the bot's answer, as the ledger has it.

    The question is the last ``messages`` lines up to ``until``, of ``asker`` where one is named.
    """

    at: datetime
    answered: bool
    reason: str
    source: str = ""
    messages: int = 1
    until: datetime | None = None
    asker: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """A question worth keeping, in the words it was asked in."""

    speaker: str
    text: str
    at: datetime
    reason: Reason
    reply: str = ""


def questions_in(
    lines: Sequence[Line],
    marks: Iterable[Mark],
    plane: str,
    asks: Callable[[str], bool],
    outside: Callable[[str], bool],
) -> list[Heard]:
    """Return the questions of one talk, in their order; ``lines`` and ``marks`` are in order, too.

    ``asks`` tells whether a line is a question, ``outside`` whether one is surely not the bank's.
    A question that was answered is one only where the same person asks it again within a day.
    """
    found: list[Heard] = []
    used: set[int] = set()
    answered: list[tuple[Mark, Heard]] = []
    for mark in marks:
        places = _places(lines, mark, used, plane)
        used.update(places)
        heard = _joined(lines, places)
        if heard is None:
            continue
        reason = _reason(mark, heard, answered, outside)
        if mark.answered:
            answered.append((mark, heard))
        if reason is not None:
            found.append(_with_reply(replace(heard, reason=reason), lines, places[-1], plane))
    for place, line in enumerate(lines):
        if place in used or _of_the_bank(line) or not asks(line.text):
            continue
        heard = Heard(line.speaker, line.text, line.at, Reason.PERSON)
        heard = _with_reply(heard, lines, place, plane)
        if heard.reply:
            found.append(heard)
    return sorted(found, key=lambda one: one.at)


def _of_the_bank(line: Line) -> bool:
    return line.staff or line.speaker == PROGRAM


def _places(lines: Sequence[Line], mark: Mark, used: set[int], plane: str) -> list[int]:
    """Return which lines a mark's question stands in."""
    until = mark.until or mark.at
    free = [
        place
        for place, line in enumerate(lines)
        if place not in used
        and not _of_the_bank(line)
        and line.at <= until
        and (not mark.asker or line.speaker == mark.asker)
    ]
    return free[-max(1, mark.messages) :] if plane == "kf" else free[-1:]


def _joined(lines: Sequence[Line], places: Sequence[int]) -> Heard | None:
    said = [lines[place].text for place in places if lines[place].text != _TAKEN_BACK]
    text = "，".join(filter(None, said))
    if len(same_words(text)) < _SHORTEST:
        return None
    last = lines[places[-1]]
    return Heard(last.speaker, text, last.at, Reason.DECLINED)


def _reason(
    mark: Mark,
    heard: Heard,
    answered: Sequence[tuple[Mark, Heard]],
    outside: Callable[[str], bool],
) -> Reason | None:
    why = mark.reason.removeprefix(_PARTLY)
    if not mark.answered or mark.reason.startswith(_PARTLY):
        maybe = why in _PERHAPS and not outside(heard.text)
        if why in _GAPS or why == _GAP_HERE or maybe:
            return Reason.DECLINED
        return Reason.OUTSIDE if why in _OUTSIDE else None
    again = any(_asked_again(mark, heard, *before) for before in answered)
    return Reason.ASKED_AGAIN if again else None


def _asked_again(mark: Mark, heard: Heard, before: Mark, earlier: Heard) -> bool:
    if heard.speaker != earlier.speaker or heard.at - earlier.at > DAY:
        return False
    same_source = bool(mark.source) and mark.source == before.source
    return alike(heard.text, earlier.text) >= (_ALIKE_BY_SOURCE if same_source else _ALIKE)


def _with_reply(heard: Heard, lines: Sequence[Line], place: int, plane: str) -> Heard:
    """Add what a person said to it: all up to the next words of somebody else."""
    said: list[str] = []
    for line in lines[place + 1 :]:
        if line.at - heard.at > _REPLY_WITHIN.get(plane, DAY):
            break
        if line.staff:
            said.append(line.text)
        elif said and not _of_the_bank(line):
            break
    return replace(heard, reply="\n".join(said)[:_LONGEST_REPLY])
