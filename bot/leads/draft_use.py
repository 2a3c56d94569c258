"""What a person made of a draft: written down once, with its card saying so."""

from __future__ import annotations

from datetime import datetime

from bot.domain.delivery import Terms
from bot.domain.draft import Draft, DraftState
from bot.domain.ids import RmId
from bot.domain.messages import StaffCardUpdate
from bot.leads.live_cards import CODE_LASTS
from bot.storage.db import Tx

DONE_WORDS: dict[DraftState, str] = {
    "sent": "已发出",
    "edited": "改过发出",
    "dropped": "已放弃",
    "otherwise": "已另外回复",
    "expired": "过时了",
}

QUESTIONS = "ask:"
"""So begins the key of a draft by which a customer is asked whether he wants to be spoken to."""


def ask_key(lead: int) -> str:
    """Name the draft that asks a customer about a lead: one for each."""
    return f"{QUESTIONS}{lead}"


async def use_draft(
    tx: Tx,
    draft: Draft,
    state: DraftState,
    by: str,
    via: str,
    now: datetime,
    *,
    said: str = "",
    reason: str = "",
    blocked: tuple[str, ...] = (),
) -> bool:
    """Write what became of a draft; False where it was settled before.

    ``said`` are the changed words, masked; ``blocked`` the rules that they break all the same.
    """
    if not await tx.drafts.settle(draft.id, state, now, said=said, reason=reason):
        return False
    facts: dict[str, object] = {"draft": draft.id, "by": by, "via": via}
    facts |= {"reason": reason} if reason else {}
    facts |= {"rules": list(blocked)} if blocked else {}
    await tx.ledger.add(f"draft_{state}", draft.chat, now, **facts)
    await grey_card(tx, draft, state, now)
    return True


async def grey_card(tx: Tx, draft: Draft, state: DraftState, now: datetime) -> None:
    """Say on a card what became of its draft, where it can still be changed."""
    if draft.code:
        update = StaffCardUpdate(
            to=RmId(draft.owner), response_code=draft.code, replace=DONE_WORDS[state]
        )
        await change_card(tx, draft, update, now)


async def change_card(tx: Tx, draft: Draft, update: StaffCardUpdate, now: datetime) -> None:
    """Change a card while WeCom lets it be changed; its code is used up by that."""
    until = draft.at + CODE_LASTS
    if now < until:
        terms = Terms(purpose="staff", subject=RmId(draft.owner), closes_at=until)
        await tx.outbox.put(f"draft-card:{draft.id}", update, terms, now)
    await tx.drafts.card_given(draft.id, "")
