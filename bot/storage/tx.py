"""One transaction with every store in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import tables, work
from bot.storage.buckets import Buckets
from bot.storage.conversations import Conversations
from bot.storage.doubts import Doubts
from bot.storage.drafts import Drafts
from bot.storage.follows import Follows
from bot.storage.inbox import Inbox
from bot.storage.lanes import Lanes
from bot.storage.leads import Leads
from bot.storage.leases import Leases
from bot.storage.ledger import Ledger
from bot.storage.moving import Moving
from bot.storage.outbox import Outbox
from bot.storage.people import People
from bot.storage.planning import Planning
from bot.storage.polls import Polls
from bot.storage.quota import Quota
from bot.storage.runs import Runs
from bot.storage.scripts import Scripts
from bot.storage.staff_view import StaffView
from bot.storage.streams import Streams
from bot.storage.switches import Switches
from bot.storage.transfers import Transfers
from bot.storage.unsent import Unsent
from bot.storage.ways import Ways

WORK_TABLES = (
    tables.notices,
    tables.events,
    tables.outbox,
    tables.doubts,
    tables.enrolments,
    tables.send_tasks,
    tables.groups,
    tables.leads,
    tables.customers,
    tables.polls,
    tables.contact_ways,
    tables.transfers,
)


class Tx:
    """One transaction with every store in it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.inbox = Inbox(connection)
        self.lanes = Lanes(connection)
        self.outbox = Outbox(connection)
        self.unsent = Unsent(connection)
        self.buckets = Buckets(connection)
        self.doubts = Doubts(connection)
        self.switches = Switches(connection)
        self.scripts = Scripts(connection)
        self.runs = Runs(connection)
        self.planning = Planning(connection)
        self.moving = Moving(connection)
        self.people = People(connection)
        self.follows = Follows(connection)
        self.polls = Polls(connection)
        self.ways = Ways(connection)
        self.transfers = Transfers(connection)
        self.leads = Leads(connection)
        self.drafts = Drafts(connection)
        self.conversations = Conversations(connection)
        self.quota = Quota(connection)
        self.ledger = Ledger(connection)
        self.leases = Leases(connection)
        self.streams = Streams(connection)
        self.staff_view = StaffView(connection)

    async def due(self) -> dict[str, datetime]:
        """Return for each table with work when its next piece falls due."""
        row = (await self.connection.execute(work.due_statement(WORK_TABLES))).one()
        return {name: moment for name, moment in row._mapping.items() if moment is not None}

    async def next_due(self, names: Iterable[str] | None = None) -> datetime | None:
        """Return the moment at which the next piece of work falls due, in the named tables."""
        due = await self.due()
        wanted = due if names is None else due.keys() & set(names)
        return min((due[name] for name in wanted), default=None)

    async def last_sent_at(self) -> datetime | None:
        """Return when a message last left and was taken; None where none ever did."""
        sent = tables.outbox.c.state == "sent"
        newest = select(func.max(tables.outbox.c.settled_at)).where(sent)
        moment: datetime | None = (await self.connection.execute(newest)).scalar_one()
        return moment
