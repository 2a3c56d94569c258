"""What is kept about one customer, table by table, and what erasing does to it (PIPL 44-47, 50).

A new table is named here, too: with its customer's columns, or among those that know nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, Table, Text, cast, func, or_, select

from bot.domain.teaching import person_key
from bot.storage import tables as t

Act = Literal["delete", "blank", "keep"]
Through = Literal["", "runs", "leads"]


@dataclass(frozen=True, slots=True)
class Kept:
    """One table's part: where the customer stands in it, what erasing does, and why it stays.

    ``mine`` are columns that equal his id, ``holds`` those that may hold it among other words;
    ``through`` finds rows by the number of his run or lead.
    """

    table: Table
    title: str
    act: Act
    mine: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    through: Through = ""
    digest: str = ""
    blanks: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""

    def of(self, customer: str, on_sqlite: bool) -> ColumnElement[bool]:
        """Return the condition that a row is about the customer."""
        found = [self.table.c[name] == customer for name in self.mine]
        for name in self.holds:  # JSON has it in quotes, WeCom's XML in brackets
            whole = [f'"{customer}"'] if name != "body" else [f'"{customer}"', f"[{customer}]"]
            found += [holds(self.table.c[name], words, on_sqlite) for words in whole]
        if self.digest:
            found.append(self.table.c[self.digest] == person_key(customer))
        if self.through == "runs":
            runs = select(t.enrolments.c.id).where(t.enrolments.c.subject == customer)
            found.append(self.table.c.enrolment.in_(runs))
        if self.through == "leads":
            his = select(t.leads.c.id).where(t.leads.c.customer == customer)
            found.append(self.table.c.lead.in_(his))
        return or_(*found)


def holds(column: ColumnElement[Any], words: str, on_sqlite: bool) -> ColumnElement[bool]:
    """Return "the column, read as text, holds these words": letter for letter."""
    position = func.instr if on_sqlite else func.strpos
    return position(cast(column, Text), words) > 0


_BARE: Mapping[str, Any] = {
    "name": "",
    "managers": [],
    "tags": [],
    "marketing_paused_until": None,
    "state": "",
    "facts": {},
    "facts_as_of": None,
    "due_at": None,
    "holder": "",
}
_LEAD: Mapping[str, Any] = {"evidence": [], "reasons": [], "outcome_reason": "", "card_code": ""}
_NO_WORDS = "只有编号和时间，没有说过的话"

CATALOGUE = (
    Kept(
        t.customers,
        "客户资料",
        "blank",
        ("id",),
        blanks=_BARE,
        why="只留编号和不收营销的时间，好不再给他发消息",
    ),
    Kept(t.follows, "和客户经理的关系", "delete", ("customer",)),
    Kept(t.turns, "说过的话", "delete", ("subject", "speaker")),
    Kept(t.events, "收到、还没办的消息", "blank", holds=("body",), blanks={"body": {}}),
    Kept(t.notices, "收到的通知", "blank", holds=("body",), blanks={"body": "", "error": ""}),
    Kept(t.outbox, "发出和待发的消息", "delete", holds=("body", "facts")),
    Kept(t.asks, "客户经理请小安拟的回话", "delete", ("customer", "chat")),
    Kept(t.drafts, "草稿", "delete", ("chat", "asker"), ("askers",)),
    Kept(t.questions, "没答上的问题", "delete", digest="person"),
    Kept(t.occurrences, "做过的事", "delete", ("subject",)),
    Kept(t.admissions, "为什么进了或没进剧本", "delete", ("subject",)),
    Kept(t.lead_signals, "线索的信号", "delete", ("customer",)),
    Kept(t.leads, "线索", "blank", ("customer",), blanks=_LEAD, why="办没办、多久办的要能查"),
    Kept(t.lead_timers, "线索的时限", "keep", through="leads", why=_NO_WORDS),
    Kept(t.kf_tickets, "转人工", "keep", ("customer",), why=_NO_WORDS),
    Kept(t.conversations, "微信客服会话", "keep", ("customer",), why=_NO_WORDS),
    Kept(t.enrolments, "剧本", "blank", ("subject",), blanks={"error": ""}, why=_NO_WORDS),
    Kept(t.run_steps, "剧本的步骤", "blank", through="runs", blanks={"text": ""}, why=_NO_WORDS),
    Kept(t.send_tasks, "群发任务", "blank", ("chat",), blanks={"error": ""}, why=_NO_WORDS),
    Kept(t.transfers, "换客户经理", "blank", ("subject",), blanks={"words": ""}, why=_NO_WORDS),
    Kept(t.quota, "发过几条", "keep", ("subject",), why="不超过每天、每月的条数，" + _NO_WORDS),
    Kept(t.assignments, "试验分组", "keep", ("unit",), why=_NO_WORDS),
    Kept(t.holds, "暂停的命令", "keep", ("target",), why="谁下令停的要能查"),
    Kept(
        t.groups,
        "所在的群",
        "keep",
        holds=("members",),
        why="群里有谁以企业微信为准，退群后自己就没了",
    ),
    Kept(t.ledger, "台账", "blank", ("subject",), holds=("facts",), why="审计要查，" + _NO_WORDS),
)
NOBODYS: Mapping[str, str] = {
    "absences": "staff's leave",
    "approvals": "scripts' texts",
    "buckets": "WeCom's limits",
    "contact_ways": "the bank's codes",
    "cursors": "where WeCom's pages go on",
    "desks": "staff's loads",
    "doubts": "numbers of outbox rows; without its row it is swept",
    "lead_models": "figures over all leads",
    "leases": "processes",
    "moments": "one post for a manager's friends",
    "polls": "where WeCom's pages go on",
    "proposals": "entries proposed for many questions, without personal data",
    "publications": "scripts",
    "readbacks": "mass messages as a whole",
    "scripts": "scripts' texts",
    "signatures": "staff's signatures",
    "streams": "answers to staff, gone within the hour",
    "switches": "emergency stops",
    "tokens": "WeCom's tokens",
    "withdrawals": "scripts' wording",
}
