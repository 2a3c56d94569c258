"""One transaction with every store in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import tables, work
from bot.storage.admissions import Admissions
from bot.storage.approvals import Approvals
from bot.storage.asks import Asks
from bot.storage.assignments import Assignments
from bot.storage.buckets import Buckets
from bot.storage.conversations import Conversations
from bot.storage.desks import Desks
from bot.storage.doubts import Doubts
from bot.storage.drafts import Drafts
from bot.storage.enrolling import Enrolling
from bot.storage.erasing import Erasing
from bot.storage.facts import Facts
from bot.storage.folding import Folding
from bot.storage.follows import Follows
from bot.storage.gate import GateReads
from bot.storage.holds import HoldRows
from bot.storage.inbox import Inbox
from bot.storage.lanes import Lanes
from bot.storage.lead_list import LeadList
from bot.storage.lead_models import LeadModels
from bot.storage.lead_signals import LeadSignals
from bot.storage.leads import Leads
from bot.storage.leases import Leases
from bot.storage.ledger import Ledger
from bot.storage.moments import Moments
from bot.storage.moving import Moving
from bot.storage.occurrences import Occurrences
from bot.storage.outbox import Outbox
from bot.storage.parcels import Parcels
from bot.storage.people import People
from bot.storage.planning import Planning
from bot.storage.polls import Polls
from bot.storage.proposals import Proposals
from bot.storage.publications import Publications
from bot.storage.questions import Questions
from bot.storage.quota import Quota
from bot.storage.readbacks import Readbacks
from bot.storage.runs import Runs
from bot.storage.scopes import Scopes
from bot.storage.scripts import Scripts
from bot.storage.staff_view import StaffView
from bot.storage.stops import Stops
from bot.storage.streams import Streams
from bot.storage.subjects import Subjects
from bot.storage.switches import Switches
from bot.storage.tasks import Tasks
from bot.storage.tickets import Tickets
from bot.storage.timers import Timers
from bot.storage.transfers import Transfers
from bot.storage.unsent import Unsent
from bot.storage.waiting import Waiting
from bot.storage.walking import Walking
from bot.storage.ways import Ways
from bot.storage.withdrawals import Withdrawals
from bot.storage.workbench import Workbench
from bot.storage.workloads import Workloads

WORK_TABLES = (
    tables.notices,
    tables.events,
    tables.outbox,
    tables.doubts,
    tables.enrolments,
    tables.send_tasks,
    tables.moments,
    tables.readbacks,
    tables.groups,
    tables.leads,
    tables.lead_timers,
    tables.absences,
    tables.kf_tickets,
    tables.drafts,
    tables.asks,
    tables.customers,
    tables.polls,
    tables.contact_ways,
    tables.transfers,
    tables.occurrences,
    tables.admissions,
)


class _ScriptStores:
    """The stores of scripts, their runs, and who may enter them."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.scripts = Scripts(connection)
        self.approvals = Approvals(connection)
        self.publications = Publications(connection)
        self.holds = HoldRows(connection)
        self.withdrawals = Withdrawals(connection)
        self.scopes = Scopes(connection)
        self.runs = Runs(connection)
        self.tasks = Tasks(connection)
        self.planning = Planning(connection)
        self.walking = Walking(connection)
        self.assignments = Assignments(connection)
        self.moving = Moving(connection)
        self.subjects = Subjects(connection)
        self.occurrences = Occurrences(connection)
        self.admissions = Admissions(connection)
        self.enrolling = Enrolling(connection)
        self.quota = Quota(connection)
        self.readbacks = Readbacks(connection)
        self.gate = GateReads(connection)
        self.stops = Stops(connection)


class _LeadStores(_ScriptStores):
    """The stores of leads, of what a manager works with, and of the talks people are called to."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self.leads = Leads(connection)
        self.lead_list = LeadList(connection)
        self.lead_signals = LeadSignals(connection)
        self.lead_models = LeadModels(connection)
        self.timers = Timers(connection)
        self.desks = Desks(connection)
        self.tickets = Tickets(connection)
        self.drafts = Drafts(connection)
        self.asks = Asks(connection)
        self.staff_view = StaffView(connection)
        self.workbench = Workbench(connection)
        self.workloads = Workloads(connection)


class Tx(_LeadStores):
    """One transaction with every store in it."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self.connection = connection
        self.inbox = Inbox(connection)
        self.lanes = Lanes(connection)
        self.outbox = Outbox(connection)
        self.parcels = Parcels(connection)
        self.folding = Folding(connection)
        self.unsent = Unsent(connection)
        self.buckets = Buckets(connection)
        self.doubts = Doubts(connection)
        self.switches = Switches(connection)
        self.moments = Moments(connection)
        self.waiting = Waiting(connection)
        self.people = People(connection)
        self.follows = Follows(connection)
        self.facts = Facts(connection)
        self.polls = Polls(connection)
        self.ways = Ways(connection)
        self.transfers = Transfers(connection)
        self.conversations = Conversations(connection)
        self.ledger = Ledger(connection)
        self.leases = Leases(connection)
        self.streams = Streams(connection)
        self.questions = Questions(connection)
        self.proposals = Proposals(connection)
        self.erasing = Erasing(connection)

    async def due(self) -> dict[str, datetime]:
        """Return for each table with work when its next piece falls due."""
        return await self._due(work.due_statement(WORK_TABLES))

    async def _due(self, query: Select[Any], **given: Any) -> dict[str, datetime]:
        row = (await self.connection.execute(query, given)).one()
        return {name: moment for name, moment in row._mapping.items() if moment is not None}

    async def next_due(
        self, names: Iterable[str] | None = None, *, after: datetime | None = None
    ) -> datetime | None:
        """Return the moment at which the next piece of work falls due, in the named tables.

        ``after`` passes over what was due by then and is still there: it waits for another.
        """
        if after is None:
            due = await self.due()
        else:
            due = await self._due(work.due_statement(WORK_TABLES, later=True), after=after)
        wanted = due if names is None else due.keys() & set(names)
        return min((due[name] for name in wanted), default=None)

    async def last_sent_at(self) -> datetime | None:
        """Return when a message last left and was taken; None where none ever did."""
        sent = tables.outbox.c.state == "sent"
        newest = select(func.max(tables.outbox.c.settled_at)).where(sent)
        moment: datetime | None = (await self.connection.execute(newest)).scalar_one()
        return moment
