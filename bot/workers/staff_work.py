"""What staff ask of their work: their leads and tasks, one lead, and what to say to a customer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial

from bot.domain.bank import Bank
from bot.domain.events import StaffAsked
from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import GRAVE, Lead, Need
from bot.domain.lead_rights import may_act
from bot.domain.messages import Card
from bot.domain.needs import Needs
from bot.domain.people import Customer
from bot.domain.rights import pools_of, team_of
from bot.domain.staff_question import AskSay
from bot.domain.subject import SubjectFacts
from bot.domain.suitability import NOBODY, asker_of
from bot.domain.workload import Workload
from bot.leads.cards import clip, lead_card
from bot.leads.first_steps import danger_of, first_steps
from bot.leads.lead_steps import asleep_card, step_task, working_card
from bot.leads.packet import avoided, known_for, packet_words
from bot.storage.db import Database, Tx
from bot.workers.content import Content
from bot.workers.packets import Packets
from bot.workers.staff_customers import Said, StaffCustomers
from bot.workers.work_sheet import (
    TeamRow,
    free_line,
    leads_sheet,
    names_in,
    team_lines,
    todo_sheet,
)

_MOST = 200
_FREE = 6  # of which five are named
_TURNS = 12
_CUSTOMER = "客户"
_THINK_S = 8.0
_NOT_YOURS = "没有这条线索，或者它不归您管。发「我的线索」看您手头的。"
_CLOSED = "线索 {number} 已经办结。"
_ASKING = (
    "线索 {number} 在问客户愿不愿意，客户答应了才给卡片。"
    "当面或电话里答应了的，在侧边栏这条线索上点「客户答应了」。"
)
_NO_TEAM = "您名下没有团队，下面是您自己的。"
_ALONE = "线索和客户的事只能在单聊里看，请私下问我。"
_NO_WORDS = "没有找到批过的说法，别自己编。可以先这样接住："
_HOLD = "您说的这个，我去问清楚再回您，一会儿就给您准话。"
_PRODUCTS = re.compile(r"理财|基金|产品|收益|保险|信托|黄金|净值|赎回|申购")


@dataclass(frozen=True)
class _Talk:
    """What is known of the customer whom somebody wants to say something to."""

    customer: Customer
    facts: SubjectFacts | None
    topic: str
    need: Need
    grave: Lead | None = None  # what must be seen to before anything is looked up


class StaffWork:
    """Shows members their own work, and heads their team's; nobody else's."""

    def __init__(self, database: Database, content: Content, customers: StaffCustomers) -> None:
        self._database = database
        self._content = content
        self._customers = customers
        self._packets = Packets(content)

    @property
    def _bank(self) -> Bank:
        return self._content.bank

    async def leads(self, event: StaffAsked, now: datetime, *, team: bool) -> Said:
        """List the asker's open leads, or the team's."""
        if event.reply.chat:
            return Said(_ALONE, {"about": "leads", "shown": 0})
        bank, by = self._bank, event.by
        members = team_of(bank, by) if team else (by,)
        async with self._database.read() as tx:
            loads = await self._loads(tx, members, now)
            pools = pools_of(bank, by)
            found = await tx.workloads.open_leads(members, limit=_MOST, pools=pools)
            free = [] if pools else await self._free(tx, by)
            names = await tx.workbench.names(lead.customer for lead in found)
        total = sum(load.open + load.pooled for load in loads.values())
        shown: dict[str, object] = {"about": "team" if team else "leads", "shown": len(found)}
        alone = len(members) == 1 and not pools
        sheet = leads_sheet(found, names, bank, now, total=total, team=team and not alone)
        if not team or alone:
            sheet = "\n".join(filter(None, [sheet, free_line(free)]))
            return Said(f"{_NO_TEAM}\n\n{sheet}" if team else sheet, shown)
        called = names_in(bank, members)
        rows = [TeamRow(called[userid], load) for userid, load in loads.items()]
        listed = [f"- {line}" for line in team_lines(rows)]
        return Said("\n".join([*listed, "", sheet]), shown)

    async def _loads(self, tx: Tx, members: Sequence[RmId], now: datetime) -> dict[RmId, Workload]:
        """Return what members have to do, heads with the leads that nobody has."""
        head = partial(self._bank.head_over, "")
        return await tx.workloads.of(members, now, self._midnight(now), head_of=head)

    async def _free(self, tx: Tx, by: RmId) -> list[Lead]:
        """Return the leads at somebody's branch that anybody there may take."""
        member = self._bank.member(by)
        pools = [member.branch] if member is not None and member.branch else []
        return await tx.workloads.open_leads((), limit=_FREE, pools=pools)

    async def todo(self, by: RmId, now: datetime) -> Said:
        """Say what the asker has to do."""
        async with self._database.read() as tx:
            loads = await self._loads(tx, [by], now)
        return Said(todo_sheet(loads[by], self._bank, now), {"about": "todo"})

    async def lead(self, event: StaffAsked, number: int, now: datetime) -> Said:
        """Show one lead with its packet and its card, if the asker may act on it."""
        if event.reply.chat:
            return Said(_ALONE, {"about": "lead", "shown": 0})
        async with self._database.read() as tx:
            lead = await tx.leads.get(number)
            customer = await tx.people.customer(lead.customer) if lead is not None else None
            managers = customer.managers if customer is not None else ()
            if lead is None or not may_act(self._bank, event.by, lead, managers):
                return Said(_NOT_YOURS, {"about": "lead", "shown": 0})
            if lead.closed_at is not None or lead.stage == "asking":
                words = _CLOSED if lead.closed_at is not None else _ASKING
                return Said(words.format(number=number), {"about": "lead", "shown": 0})
            known = await self._packets.read(tx, lead, now)
        say, source = await self._packets.think(known, event.by, now)
        packet = self._packets.make(known, say, source, now)
        words = packet_words(lead, packet, known.name, self._bank, now)
        card, task = self._card(lead, customer, event.by, now)
        return Said(words, {"about": "lead", "lead": number, "shown": 1}, card=card, task=task)

    def _card(
        self, lead: Lead, customer: Customer | None, by: RmId, now: datetime
    ) -> tuple[Card, str]:
        bank, link = self._bank, self._content.lead_link(lead.id)
        if lead.stage == "taken" and lead.rm == by:
            card = working_card(lead, customer, bank, now, link=link)
            return card, step_task(lead, "work", now)
        if lead.stage == "later":
            return asleep_card(lead, customer, bank, now, link=link), step_task(lead, "asleep", now)
        made = lead_card(lead, customer, bank, now, link=link, to=by)
        return made.card, step_task(lead, "card", now)

    async def say(self, event: StaffAsked, asked: AskSay, now: datetime) -> Said | None:
        """Give words for one customer; None where no customer of the asker's is meant."""
        if event.reply.chat:
            return Said(_ALONE, {"about": "say", "shown": 0}) if asked.name else None
        async with self._database.read() as tx:
            found = await self._customers.meant(tx, event.by, event.text, asked.surname)
        if not found:
            return self._customers.nobody(asked.name) if asked.name else None
        if len(found) > 1:
            return self._customers.which(found, says=True, topic=asked.topic)
        customer, name = found[0]
        topic = asked.topic.replace(name, "") if name else asked.topic
        return await self.say_to(event.by, customer, topic, now)

    async def say_to(self, by: RmId, customer: CustomerId, topic: str, now: datetime) -> Said:
        """Give words for a customer about a topic, or about what they said last.

        With their sources, and what must not be said to this very customer.
        """
        async with self._database.read() as tx:
            known = await self._customers.seen(tx, by, customer)
            if known is None:
                return self._customers.nobody("")
            talk = await self._talk(tx, known, topic, now)
        words = None
        if talk.grave is not None:
            mine = talk.grave.model_copy(update={"rm": by})
            words = self._packets.opening(mine, talk.customer.name, now)
        elif talk.topic:
            words = await self._packets.in_time(
                _THINK_S, talk.customer.name, talk.facts, by, talk.topic, now
            )
        return Said(self._worded(talk, words, now), {"about": "say", "shown": int(bool(words))})

    async def _talk(self, tx: Tx, known: Customer, topic: str, now: datetime) -> _Talk:
        open_leads = await tx.leads.open_for(known.id)
        found = await tx.subjects.load([known.id], "customer", self._bank, Needs(), now)
        if not topic:
            turns = await tx.conversations.last_turns(known.id, _TURNS)
            theirs = [one.text for one in turns if one.speaker == _CUSTOMER]
            topic = theirs[-1] if theirs else ""
            if not topic and open_leads and open_leads[-1].evidence:
                topic = open_leads[-1].evidence[-1].quote
        need = open_leads[-1].need if open_leads else Need.SERVICE
        if _PRODUCTS.search(topic):
            need = Need.WEALTH
        grave = next((lead for lead in open_leads if lead.need in GRAVE), None)
        return _Talk(known, found.get(known.id), topic, grave.need if grave else need, grave)

    def _worded(self, talk: _Talk, words: tuple[str, str] | None, now: datetime) -> str:
        today = now.astimezone(self._bank.zone).date()
        name = talk.customer.name or "客户"
        refuses = talk.customer.refuses_marketing(now)
        lines = [f"**跟{name}可以这样说**"]
        if talk.topic:
            lines.append(f"（说的是：「{clip(talk.topic)}」）")
        if words is not None:
            lines += ["\n".join(f"> {line}" for line in words[0].splitlines() if line)]
            lines += [f"依据：{words[1]}"] if words[1] else []
        else:
            lines += [_NO_WORDS, f"> {_HOLD}"]
        steps = first_steps(talk.grave, self._bank) if talk.grave is not None else ()
        lines += [f"- 先做：{step}" for step in steps]
        facts = known_for(talk.need, talk.facts, today, refuses=refuses)
        lines += [f"- 要知道：{fact}" for fact in facts]
        asker = asker_of(talk.facts) if talk.facts is not None else None
        danger = danger_of(talk.grave) if talk.grave is not None else "被骗"
        rules = avoided(talk.need, asker or NOBODY, danger)
        lines += [f"- 不要说：{rule}" for rule in rules]
        return "\n".join(lines)

    def _midnight(self, now: datetime) -> datetime:
        zone = self._bank.zone
        begin = datetime.combine(now.astimezone(zone).date(), time(0), tzinfo=zone)
        return begin + timedelta(days=1)
