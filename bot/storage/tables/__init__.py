"""Every table. A row whose ``due_at`` is not null is work."""

from bot.storage.tables.columns import Moment, metadata
from bot.storage.tables.people import conversations, customers, drafts, groups, leads, ledger, turns
from bot.storage.tables.runs import enrolments, quota, run_steps, scripts, send_tasks
from bot.storage.tables.wire import (
    buckets,
    cursors,
    events,
    leases,
    notices,
    outbox,
    switches,
    tokens,
)

__all__ = [
    "Moment",
    "buckets",
    "conversations",
    "cursors",
    "customers",
    "drafts",
    "enrolments",
    "events",
    "groups",
    "leads",
    "leases",
    "ledger",
    "metadata",
    "notices",
    "outbox",
    "quota",
    "run_steps",
    "scripts",
    "send_tasks",
    "switches",
    "tokens",
    "turns",
]
