"""Every table. A row whose ``due_at`` is not null is work."""

from bot.storage.tables.columns import Moment, metadata
from bot.storage.tables.contacts import contact_ways, follows, polls, transfers
from bot.storage.tables.people import conversations, customers, drafts, groups, leads, ledger, turns
from bot.storage.tables.runs import enrolments, quota, run_steps, scripts, send_tasks
from bot.storage.tables.wire import (
    buckets,
    cursors,
    doubts,
    events,
    leases,
    notices,
    outbox,
    streams,
    switches,
    tokens,
)

__all__ = [
    "Moment",
    "buckets",
    "contact_ways",
    "conversations",
    "cursors",
    "customers",
    "doubts",
    "drafts",
    "enrolments",
    "events",
    "follows",
    "groups",
    "leads",
    "leases",
    "ledger",
    "metadata",
    "notices",
    "outbox",
    "polls",
    "quota",
    "run_steps",
    "scripts",
    "send_tasks",
    "streams",
    "switches",
    "tokens",
    "transfers",
    "turns",
]
