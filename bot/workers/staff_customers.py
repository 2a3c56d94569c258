"""What staff may know of customers: their own, and as a head the branch's; nobody else's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.bank import Bank
from bot.domain.compliance import mask
from bot.domain.ids import CustomerId, RmId
from bot.domain.people import Customer
from bot.domain.staff_question import AskCustomer
from bot.storage.conversations import Turn
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.staff_sheet import customer_sheet

_TURNS = 6
_NAMESAKES = 3
_BUTTONS = 6
_NOT_YOURS = "没有找到您名下叫「{name}」的客户。只能看自己名下的客户，行长可以看本行的。"
_WHICH = "您说的是哪一位？请点下面的名字。"
_TOO_MANY = "叫得上的有 {count} 位：{names}。请写全名再问一次。"


@dataclass(frozen=True)
class Said:
    """An answer, what the ledger keeps of it, and customers to choose from where it asks back."""

    text: str
    facts: dict[str, object] = field(default_factory=dict)
    choices: tuple[tuple[CustomerId, str], ...] = ()


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
        found = await tx.staff_view.customers_named(
            self._seen_by(by), within=text, surname=asked.surname
        )
        exact = [pair for pair in found if pair[1] and pair[1] in text]
        if exact:
            namesakes = [id for id, name in exact if name == exact[0][1]][:_NAMESAKES]
            return await self._shown(tx, namesakes, now)
        called = [pair for pair in found if asked.surname and pair[1].startswith(asked.surname)]
        if len(called) == 1:
            return await self._shown(tx, [called[0][0]], now)
        if called:
            return _which(called)
        words = _NOT_YOURS.format(name=asked.name)
        return Said(words, _facts(0)) if asked.surely else None

    async def chosen(self, tx: Tx, by: RmId, customer: CustomerId, now: datetime) -> Said:
        """Show a customer that was chosen by a button, if this member may see them."""
        known = await tx.people.customer(customer)
        if known is None or not set(known.managers) & set(self._seen_by(by)):
            return Said(_NOT_YOURS.format(name=known.name if known else ""), _facts(0))
        return await self._shown(tx, [customer], now)

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

    def _seen_by(self, userid: RmId) -> list[str]:
        """Return whose customers a member may see."""
        headed = {branch.id for branch in self._bank.branches if branch.head == userid}
        others = [one.userid for one in self._bank.staff if one.branch in headed]
        return list(dict.fromkeys([userid, *others]))


def _which(called: list[tuple[CustomerId, str]]) -> Said:
    if len(called) <= _BUTTONS:
        return Said(_WHICH, _facts(0), tuple(called))
    names = "、".join(name for _, name in called)
    return Said(_TOO_MANY.format(count=len(called), names=names), _facts(0))


def _facts(shown: int) -> dict[str, object]:
    return {"about": "customer", "shown": shown}
