"""The card of a talk in 微信客服 that somebody is called to: what was said, what to say.

It goes to whoever has the talk, beside the lead's own card, and holds what only a talk has: take
it now, give it back, invite the customer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.bank import Bank
from bot.domain.ids import RmId, digest
from bot.domain.messages import Button, Card, Choice, StaffCard
from bot.domain.tickets import Ticket
from bot.leads.cards import clip, when

FRIEND = "friend"
"""The choice that invites a customer to the person himself; any other is a group's id."""
_TURNS, _TURN_CHARS = 6, 60
_SAY_CHARS = 200
_GROUPS = 9  # beside the person himself: a drop-down holds ten (wecom_protocol §3.5)
_OPTION_CHARS = 10
_WHERE = "企业微信「微信客服」里直接回"
_QUEUE = "企业微信「微信客服」待接入"


def talk_card(
    ticket: Ticket,
    to: RmId,
    name: str,
    turns: Sequence[tuple[str, str]],
    say: tuple[str, str],
    groups: Sequence[tuple[str, str]],
    bank: Bank,
    now: datetime,
) -> StaffCard:
    """Make the card; ``say`` are words to begin with and their source, ``groups`` are (id, name).

    While a talk waits for the morning, its one button takes it at once.
    """
    card = Card(
        title=_title(ticket),
        description=ticket.reason or "客户在微信客服里",
        body="\n".join(_lines(turns, say)),
        rows=_rows(ticket, name, bank, now),
        buttons=_talk_buttons(ticket),
        choice=Choice(key=f"invite-{ticket.id}", title="邀请客户", options=_targets(groups)),
    )
    if ticket.state == "later":
        take = Button(text="现在就接", key=f"ticket:{ticket.id}:take", style=1)
        card = card.model_copy(update={"buttons": (take,), "choice": None})
    return StaffCard(to=to, task=talk_task(ticket, to, now), card=card)


def invited_card(ticket: Ticket, words: str) -> Card:
    """Make the card that stands in its place once the customer was invited, or could not be."""
    back, _ = _talk_buttons(ticket)
    return Card(title=words, description="聊完了，把客户还给小安", buttons=(back,))


def talk_task(ticket: Ticket, to: RmId, at: datetime) -> str:
    """Name a talk's card for WeCom, anew each time."""
    return f"talk-{ticket.id}-{digest(to, at.isoformat(), size=4)}"


def _title(ticket: Ticket) -> str:
    if ticket.state == "later":
        return "客户找真人，小安先陪着"
    if ticket.taken_by:
        return "微信客服里有客户在等您"
    return "微信客服里有客户排队等人"


def _rows(ticket: Ticket, name: str, bank: Bank, now: datetime) -> tuple[tuple[str, str], ...]:
    since = when(ticket.given_at or ticket.opened_at, now, bank.zone)
    rows = [("客户", clip(name or "客户", 26)), ("从什么时候", since)]
    if ticket.state == "later" and ticket.opens_at is not None:
        rows.append(("几点转给您", when(ticket.opens_at, now, bank.zone)))
    elif ticket.taken_by:
        rows.append(("在哪儿回", _WHERE))
    else:
        rows.append(("在哪儿接", _QUEUE))
    return tuple(rows)


def _lines(turns: Sequence[tuple[str, str]], say: tuple[str, str]) -> list[str]:
    lines = [f"{who}：{clip(text, _TURN_CHARS)}" for who, text in turns[-_TURNS:]]
    words, source = say
    if words:
        lines += [
            "",
            f"可以这样回{f'（依据：{source}）' if source else ''}：",
            clip(words, _SAY_CHARS),
        ]
    return lines


def _talk_buttons(ticket: Ticket) -> tuple[Button, ...]:
    return (
        Button(text="还给小安", key=f"ticket:{ticket.id}:back", style=1),
        Button(text="发邀请", key=f"ticket:{ticket.id}:invite", style=2),
    )


def _targets(groups: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    named = [(chat, _tail(name)) for chat, name in groups[:_GROUPS]]
    return ((FRIEND, "加我为好友"), *named)


def _tail(name: str) -> str:
    """Cut a group's name for the list at its beginning: most differ at their ends."""
    return name if len(name) <= _OPTION_CHARS else "…" + name[1 - _OPTION_CHARS :]
