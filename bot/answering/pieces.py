"""The parts of a message, each with what was found for it, judged whether it may be said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from bot.answering.composing import Composer
from bot.answering.follow_ups import has_no_topic, last_topic
from bot.answering.looking import Looker
from bot.answering.outside import Outside, outside, perhaps_outside
from bot.answering.question import Question, Trace
from bot.domain.knowledge import Document, DocumentKind, Found, Hit
from bot.domain.suitability import TOO_RISKY, too_risky_for_a_group, withheld
from bot.domain.value import Value

# From here on a Q&A is said as it was approved: no model could say it better.
_CERTAIN = 0.9
# Nothing that is written down could be the answer to these.
NEVER_SEARCHED = (Outside.OTHER_CUSTOMER, Outside.OWN_ACCOUNT, Outside.PREDICTION)
UNSUITABLE = "unsuitable"


class Piece(Value):
    """One part of a message with what was found for it, or why nothing is said to it."""

    asked: str
    hits: tuple[Hit, ...] = ()
    probability: float = 0.0
    reason: str = ""

    @property
    def certain(self) -> bool:
        """Tell whether a Q&A asks this very question."""
        if not self.hits or self.hits[0].document.kind is not DocumentKind.QA:
            return False
        return self.probability >= _CERTAIN or self.asked in self.hits[0].document.questions


class Judge:
    """Looks for each part of a message, and says of what was found whether it may be said."""

    def __init__(
        self, looker: Looker, composer: Composer, unanswered: Sequence[str], zone: tzinfo
    ) -> None:
        self._looker = looker
        self._composer = composer
        self._unanswered = unanswered
        self._zone = zone

    async def pieces(
        self, parts: Sequence[str], question: Question, now: datetime, trace: Trace
    ) -> list[Piece]:
        """Look for each part; one that leans on another leans on the one before it."""
        topic = last_topic(question.history, self._unanswered)
        pieces = []
        for part in parts:
            kind = outside(part) if question.plane != "staff" else None
            if kind is not None:
                trace.says("outside", kind.value)
            if kind in NEVER_SEARCHED:
                pieces.append(Piece(asked=part, reason=str(kind)))
                continue
            looked = await self._looker.look(part, topic, question, now, trace)
            pieces.append(self._judged(part, looked.found, kind, question, now, trace))
            if not has_no_topic(part):
                topic = part
        return pieces

    def _judged(
        self,
        asked: str,
        found: Found,
        kind: Outside | None,
        question: Question,
        now: datetime,
        trace: Trace,
    ) -> Piece:
        """Say whether what was found may be said to this asker, and if not, why."""
        piece = Piece(asked=asked, hits=found.hits, probability=found.probability)
        if kind is not None and not (found.confident and piece.certain):
            return piece.model_copy(update={"reason": str(kind)})
        if not found.confident:
            maybe = perhaps_outside(asked) if question.plane != "staff" else None
            return piece.model_copy(update={"reason": str(maybe or "no_evidence")})
        best = found.hits[0]
        why = self.unsuitable(best.document, question, now)
        trace.says("suitability", why or "passed")
        if why:
            return piece.model_copy(update={"reason": UNSUITABLE})
        if self._composer.approved(best.document, best.section, question) is None:
            return piece.model_copy(update={"reason": "not_sendable"})
        return piece

    def unsuitable(self, document: Document, question: Question, now: datetime) -> str:
        """Return why the asker is not told of a document's product here; empty where they are."""
        rating = document.risk_rating or (
            document.product.risk_rating if document.product else None
        )
        if question.plane == "group":
            return TOO_RISKY if too_risky_for_a_group(rating) else ""
        if question.plane != "kf":  # staff may know all; a draft to one customer is the manager's
            return ""
        return withheld(rating, question.asker, now.astimezone(self._zone).date())


def apart(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces that have an answer of their own: each document speaks once."""
    kept: dict[tuple[str, int], Piece] = {}
    for piece in pieces:
        place = (piece.hits[0].document.id, piece.hits[0].section.line)
        if place in kept:
            asked = f"{kept[place].asked}，{piece.asked}"
            piece = max(kept[place], piece, key=lambda one: one.probability)
            piece = piece.model_copy(update={"asked": asked})
        kept[place] = piece
    return list(kept.values())
