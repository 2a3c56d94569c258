"""What waits in a customer's lane: which messages are one question, and until when more may come.

A question is every message up to the first event of another kind. It waits a short while for the
rest of what people split over several messages; each further message begins the wait anew, up to
a limit. What cannot wait skips it for the whole question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.domain.delivery import REPLIES_PER_MESSAGE
from bot.domain.events import Event, MessageRecalled, MessageReceived
from bot.domain.persona import Patience
from bot.domain.sessions import silences
from bot.domain.value import Value

Rushes = Callable[[MessageReceived], bool]


class Queued(Value):
    """An event that is not yet worked on; ``begun`` where a worker has, or had, it in hand."""

    id: int
    received_at: datetime
    begun: bool = False
    event: Event | None = None  # None where nobody can read it


class Batch(Value):
    """The messages that are answered together, and what their lane says after them."""

    rows: tuple[int, ...]
    messages: tuple[MessageReceived, ...] = ()  # without those that were taken back
    recalled: tuple[MessageReceived, ...] = ()
    first_at: datetime
    last_at: datetime
    left_to_person: bool = False

    @property
    def newest(self) -> MessageReceived:
        """Return the message whose id names the answer."""
        return self.messages[-1]


def gather(rows: Sequence[Queued], first: int) -> Batch | None:
    """Return the question that begins with a row; None where that row is not first any more."""
    if not rows or rows[0].id != first:
        return None
    questions = _questions(rows)
    head = questions[0]
    account = head[0].event.account if isinstance(head[0].event, MessageReceived) else ""
    after = [
        row.event
        for row in rows[len(head) :]
        if row.event is not None and getattr(row.event, "account", "") == account
    ]
    gone = {event.msgid for event in after if isinstance(event, MessageRecalled)}
    said = [row.event for row in head if isinstance(row.event, MessageReceived)]
    return Batch(
        rows=tuple(row.id for row in head),
        messages=tuple(message for message in said if message.msgid not in gone),
        recalled=tuple(message for message in said if message.msgid in gone),
        first_at=head[0].received_at,
        last_at=head[-1].received_at,
        left_to_person=any(silences(event) for event in after),
    )


def due_moments(
    rows: Sequence[Queued], patience: Patience, rushes: Rushes, now: datetime
) -> dict[int, datetime]:
    """Return when each message of a lane that nobody began on is to be worked on."""
    questions = _questions(rows)
    moments: dict[int, datetime] = {}
    for number, question in enumerate(questions):
        # What is said while a worker has the first part in hand waits for itself.
        fresh = [row for row in question if not row.begun]
        said = [row.event for row in fresh if isinstance(row.event, MessageReceived)]
        if not said:
            continue
        closed = number + 1 < len(questions)
        rushed = closed or any(rushes(message) for message in said)
        until = window_end(fresh[0].received_at, fresh[-1].received_at, patience)
        moments |= {row.id: now if rushed else until for row in fresh}
    return moments


def window_end(first_at: datetime, last_at: datetime, patience: Patience) -> datetime:
    """Return when a question is complete: a while after its last part, but not for ever."""
    return min(last_at + patience.quiet, first_at + patience.at_most)


def answer_key(msgid: str, part: int) -> str:
    """Return the outbox key of a part of an answer, named by the newest message it answers."""
    return f"kf:{msgid}:answer:{part}"


def answer_keys(msgid: str) -> list[str]:
    """Return the keys of every part that an answer can have."""
    return [answer_key(msgid, part) for part in range(1, REPLIES_PER_MESSAGE + 1)]


def kf_lane(customer: str) -> str:
    """Return the lane that keeps a customer's one-to-one talk in order, in and out."""
    return f"kf:{customer}"


def _questions(rows: Sequence[Queued]) -> list[list[Queued]]:
    """Cut a lane: messages to one account that follow each other are together."""
    cut: list[list[Queued]] = []
    for row in rows:
        last = cut[-1][-1].event if cut else None
        if (
            isinstance(last, MessageReceived)
            and isinstance(row.event, MessageReceived)
            and last.account == row.event.account
        ):
            cut[-1].append(row)
        else:
            cut.append([row])
    return cut
