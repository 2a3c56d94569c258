"""What staff may know of customers: their own, and as a head the branch's; nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.bank import Bank
from bot.domain.compliance import mask
from bot.domain.ids import CustomerId, RmId
from bot.domain.people import Customer
from bot.domain.rights import may_see_customer, team_of
from bot.domain.staff_messages import Card
from bot.domain.staff_question import AskCustomer, choice_key
from bot.storage.conversations import Turn
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.staff_sheet import customer_sheet

_TURNS = 6
_NAMESAKES = 3
_BUTTONS = 6
_NOT_YOURS = "没有找到您名下{called}的客户。只能看自己名下的客户，带团队的可以看团队的。"
_WHICH = "您说的是哪一位？请点下面的名字。"
_TOO_MANY = "叫得上的有 {count} 位：{names}。请写全名再问一次。"


@dataclass(frozen=True)
class Said:
    """An answer, what the ledger keeps of it, and what comes under it: a card, or whom to choose.

    ``choices`` are (key, name) of the customers who may be meant, where it asks back.
    """

    text: str
    facts: dict[str, object] = field(default_factory=dict)
    choices: tuple[tuple[str, str], ...] = ()
    card: Card | None = None
    task: str = ""


class StaffCustomers:
    """Finds the customer who is meant, and shows what the asker may see."""

    def __init__(self, content: Content) -> None:
        self._content = content

    @property
    def _bank(self) -> Bank:
        return self._content.bank

    async def find(
        self, tx: Tx, by: RmId, text: str, asked: AskCustomer, now: datetime
    ) -> Said | None:
        """Answer about a customer; None where the words may mean something else."""
        found = await self.meant(tx, by, text, asked.surname)
        if found and all(name == found[0][1] for _, name in found):
            return await self._shown(tx, [id for id, _ in found[:_NAMESAKES]], now)
        if found:
            return self.which(found)
        return self.nobody(asked.name) if asked.surely else None

    async def meant(
        self, tx: Tx, by: RmId, text: str, surname: str
    ) -> list[tuple[CustomerId, str]]:
        """Return (id, name) of the customers who may be meant, of those whom the asker may see.

        Whoever is called by the whole name, else all who bear the surname.
        """
        members = team_of(self._bank, by)
        found = await tx.staff_view.customers_named(members, within=text, surname=surname)
        exact = [pair for pair in found if pair[1] and pair[1] in text]
        if exact:
            return [pair for pair in exact if pair[1] == exact[0][1]]
        return [pair for pair in found if surname and pair[1].startswith(surname)]

    def nobody(self, name: str) -> Said:
        """Say that no customer of this name may be seen."""
        return Said(_NOT_YOURS.format(called=f"叫「{name}」" if name else "这样"), _facts(0))

    def which(
        self, called: Sequence[tuple[CustomerId, str]], *, says: bool = False, topic: str = ""
    ) -> Said:
        """Ask which of several is meant; a press goes on with what was asked."""
        if len(called) <= _BUTTONS:
            keys = [choice_key(id, name, says=says, topic=topic) for id, name in called]
            names = [name for _, name in called]
            return Said(_WHICH, _facts(0), tuple(zip(keys, names, strict=True)))
        listed = "、".join(name for _, name in called)
        return Said(_TOO_MANY.format(count=len(called), names=listed), _facts(0))

    async def chosen(self, tx: Tx, by: RmId, customer: CustomerId, now: datetime) -> Said:
        """Show a customer that was chosen by a button, if this member may see them."""
        known = await self.seen(tx, by, customer)
        return self.nobody("") if known is None else await self._shown(tx, [customer], now)

    async def seen(self, tx: Tx, by: RmId, customer: CustomerId) -> Customer | None:
        """Return a customer whom a member may see; None for anybody else's, and for nobody."""
        known = await tx.people.customer(customer)
        if known is None:
            return None
        leads = await tx.leads.open_for(customer)
        return known if may_see_customer(self._bank, by, known.managers, leads) else None

    async def _shown(self, tx: Tx, customers: list[CustomerId], now: datetime) -> Said:
        sheets = []
        for customer in customers:
            known = await tx.people.customer(customer)
            if known is not None:
                sheets.append(await self._sheet(tx, known, now))
        return Said("\n\n".join(sheets), _facts(len(sheets)))

    async def _sheet(self, tx: Tx, customer: Customer, now: datetime) -> str:
        leads = await tx.staff_view.open_leads(customer.id)
        turns = await tx.conversations.last_turns(customer.id, _TURNS)
        rules = self._content.snapshot.rules
        masked = [Turn(turn.speaker, mask(turn.text, rules), turn.at) for turn in turns]
        return customer_sheet(customer, leads, masked, self._bank, now)


def _facts(shown: int) -> dict[str, object]:
    return {"about": "customer", "shown": shown}
