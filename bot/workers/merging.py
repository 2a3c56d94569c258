"""Puts together what one member of staff would get beyond so many messages a minute."""

from __future__ import annotations

from datetime import datetime

from bot.domain.delivery import Terms
from bot.domain.events import CardPressed
from bot.domain.ids import RmId
from bot.domain.merging import (
    Item,
    cards_together,
    fits_digest,
    item_of,
    member_batch,
    said_by,
    words_together,
)
from bot.domain.messages import StaffCard
from bot.storage.db import Tx
from bot.storage.folding import Folded
from bot.storage.outbox import QUEUED, Envelope
from bot.workers.content import Content
from bot.workers.lead_presses import Shown

_MOST = 100  # messages in one digest
_DIGEST = "digest:"


class Merging:
    """Folds what waits for a member into one message for words and one card for cards."""

    async def fold(self, tx: Tx, envelope: Envelope, now: datetime) -> bool:
        """Put a message whose turn has come together with all that waits behind it.

        False where it goes by itself: nothing waits behind it, it was never held back, it is too
        long to stand among others, or it is such a digest already.
        """
        batch = member_batch(envelope.message, envelope.terms)
        if not batch or envelope.reason != QUEUED or envelope.key.startswith(_DIGEST):
            return False
        if not fits_digest(envelope.message):
            return False
        first = Folded(envelope.id, envelope.key, envelope.message)
        behind = [
            one
            for one in await tx.folding.waiting(batch, limit=_MOST)
            if one.id != first.id and not one.key.startswith(_DIGEST) and fits_digest(one.message)
        ]
        if not behind:
            return False
        await self._put(tx, RmId(envelope.terms.subject), [first, *behind], now)
        return True

    async def _put(self, tx: Tx, to: RmId, folded: list[Folded], now: datetime) -> None:
        number = folded[0].id
        listed = [(one, item_of(one.id, one.message)) for one in folded]
        words = [said_by(one.message) for one, item in listed if item is None]
        items = [item for _, item in listed if item is not None]
        terms = Terms(purpose="staff", subject=to)
        if words:
            key = f"{_DIGEST}{number}:words"
            await tx.outbox.put(key, words_together(to, words), terms, now)
        if items:
            card = cards_together(number, items)
            message = StaffCard(to=to, task=f"digest-{number}", card=card)
            await tx.outbox.put(f"{_DIGEST}{number}:cards", message, terms, now)
        await tx.folding.fold([one.id for one in folded], _ref(number), now)
        await tx.ledger.add("staff_merged", to, now, messages=len(folded))


class Digests:
    """Opens what was put together, one card after the other."""

    def __init__(self, content: Content) -> None:
        self._content = content

    async def pressed(
        self, tx: Tx, number: int, verb: str, event: CardPressed, now: datetime
    ) -> Shown:
        """Send the chosen card by itself, and show what is left in the digest."""
        if verb != "open":
            return Shown()
        left = _items(await tx.folding.of(_ref(number)), event.by)
        chosen = next(iter(event.selected.values()), "")
        picked = next((one for one in left if str(one.id) == chosen), None)
        if picked is None and len(left) == 1:
            picked = left[0]  # nothing else can be meant
        if picked is not None and await tx.folding.open(picked.id, _ref(number), now):
            left.remove(picked)
        if not left:
            return Shown(words="都打开了")
        card = cards_together(number, left, opened=1)
        return Shown(card=card, task=f"digest-{number}-{len(left)}-{now:%H%M%S%f}")


def _ref(number: int) -> str:
    return f"{_DIGEST}{number}"


def _items(folded: list[Folded], by: RmId) -> list[Item]:
    """Return the cards of a digest that are this member's."""
    mine = [one for one in folded if getattr(one.message, "to", None) == by]
    return [item for one in mine if (item := item_of(one.id, one.message)) is not None]
