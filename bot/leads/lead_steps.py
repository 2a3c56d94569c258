"""The cards that come in a lead card's place once it was pressed: whom to, until when, what came.

All of them stand in the same message: a lead costs a member one message, not four.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.bank import Bank
from bot.domain.ids import RmId, digest
from bot.domain.lead import SELLING, Lead, Need
from bot.domain.lead_words import INVALID_REASONS, LOST_REASONS
from bot.domain.messages import Button, Card
from bot.domain.people import Customer
from bot.domain.putting_off import PutOff
from bot.domain.staff_messages import Poll, StaffPoll
from bot.leads.cards import (
    clip,
    colleagues,
    name_of,
    numbered,
    pass_on_choice,
    quoted,
    title_of,
    when,
)
from bot.leads.first_steps import first_steps

_WON_WORDS, _DONE_WORDS = "成交了", "办好了"
_CONTACTED = "已联系"
_LOST_WORDS, _NOT_DONE_WORDS = "没成", "没办成"


def sells(need: Need) -> bool:
    """Tell whether such a lead ends in a deal, or else in something being seen to."""
    return need in SELLING and need is not Need.EVENT


def working_card(
    lead: Lead, customer: Customer | None, bank: Bank, now: datetime, *, link: str = ""
) -> Card:
    """Make the card of a lead that was taken: what is to be done, and the buttons for its end.

    Until a person's word to the customer is known, there is a button to say so: calls are not seen.
    """
    waits = lead.first_response_at is None
    steps = first_steps(lead, bank)
    buttons = [Button(text=_CONTACTED, key=f"deal:{lead.id}:contacted", style=1)] if waits else []
    buttons += _ends(lead, waits=waits)
    if not steps:
        buttons.append(Button(text="稍后", key=f"deal:{lead.id}:later", style=2))
    options = colleagues(bank, lead.rm, lead=lead)
    if options:
        buttons.append(Button(text="转派", key=f"deal:{lead.id}:reassign", style=2))
    return Card(
        title=f"您已接手：{title_of(lead.need).removeprefix('紧急：')}",
        description="联系过了、有结果了，都点一下" if waits else "有结果了，请点一下",
        body="\n".join(filter(None, [quoted(lead), *numbered(steps)])),
        rows=tuple(_rows(lead, customer, bank, now)),
        buttons=tuple(buttons),
        choice=pass_on_choice(lead, options),
        link=link,
    )


def _ends(lead: Lead, *, waits: bool) -> list[Button]:
    deal = sells(lead.need)
    won, lost = (_WON_WORDS, _LOST_WORDS) if deal else (_DONE_WORDS, _NOT_DONE_WORDS)
    verb = "won" if deal else "done"
    return [
        Button(text=won, key=f"deal:{lead.id}:{verb}", style=2 if waits else 1),
        Button(text=lost, key=f"deal:{lead.id}:lost", style=2),
    ]


def asleep_card(
    lead: Lead, customer: Customer | None, bank: Bank, now: datetime, *, link: str = ""
) -> Card:
    """Make the card of a lead that was put off: when it comes back, and a way to go on before."""
    until = when(lead.sleeps_until or now, now, bank.zone)
    return Card(
        title=f"稍后跟进：{title_of(lead.need)}",
        description=f"{until} 提醒您",
        body=quoted(lead),
        rows=(("客户", name_of(customer)), ("提醒时间", until)),
        buttons=(Button(text="现在就办", key=f"lead:{lead.id}:take", style=1),),
        link=link,
    )


def when_card(
    lead: Lead,
    customer: Customer | None,
    choices: Sequence[PutOff],
    bank: Bank,
    now: datetime,
) -> Card:
    """Ask until when a lead is put off; one more press, or take it now."""
    buttons = [
        Button(text=one.words, key=f"lead:{lead.id}:later-{one.code}", style=2) for one in choices
    ]
    back = Button(text="现在就办", key=f"lead:{lead.id}:take", style=1)
    return Card(
        title="什么时候再提醒您？",
        description=title_of(lead.need),
        body=quoted(lead),
        rows=tuple(_rows(lead, customer, bank, now)),
        buttons=(*buttons, back),
    )


def whom_card(lead: Lead, customer: Customer | None, bank: Bank, now: datetime) -> Card | None:
    """Ask whom a lead is passed on to; None where nobody else is there."""
    options = colleagues(bank, lead.rm, "" if lead.rm else lead.branch, lead=lead)
    choice = pass_on_choice(lead, options)
    if choice is None:
        return None
    return Card(
        title="转派给谁？先选一位同事",
        description=title_of(lead.need),
        body=quoted(lead),
        rows=tuple(_rows(lead, customer, bank, now)),
        buttons=(
            Button(text="转派", key=f"lead:{lead.id}:reassign", style=1),
            Button(text="接手", key=f"lead:{lead.id}:take", style=2),
        ),
        choice=choice,
    )


def why_poll(lead: Lead, by: RmId, now: datetime, *, lost: bool = False) -> StaffPoll:
    """Ask why a lead was invalid, or came to nothing: so it is learnt what is heard wrongly."""
    title = "这条线索为什么没成？" if lost else "这条线索为什么无效？"
    reasons = LOST_REASONS if lost else INVALID_REASONS
    return StaffPoll(
        to=by,
        task=f"why-{lead.id}-{digest(by, now.isoformat(), size=4)}",
        title=title,
        description=lead.need.value,
        questions=(Poll(key=f"why-{lead.id}", title="原因", options=reasons),),
        press=f"why:{lead.id}:send",
    )


def step_task(lead: Lead, step: str, now: datetime) -> str:
    """Name a card that comes in another's place: WeCom wants each name once."""
    return f"lead-{lead.id}-{step}-{digest(lead.rm, now.isoformat(), size=4)}"


def _rows(
    lead: Lead, customer: Customer | None, bank: Bank, now: datetime
) -> list[tuple[str, str]]:
    rows = [("客户", name_of(customer))]
    if lead.first_response_at is None:
        rows.append(("请在此前回", when(lead.respond_by, now, bank.zone)))
    if lead.product:
        rows.append(("哪类", clip(lead.product, 26)))
    return rows
