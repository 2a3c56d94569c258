"""Every table. A row whose ``due_at`` is not null is work."""

from bot.storage.tables.columns import Moment, metadata
from bot.storage.tables.contacts import contact_ways, follows, polls, transfers
from bot.storage.tables.people import conversations, customers, drafts, groups, leads, ledger, turns
from bot.storage.tables.runs import (
    enrolments,
    moments,
    quota,
    readbacks,
    run_steps,
    scripts,
    send_tasks,
)
from bot.storage.tables.sop import (
    admissions,
    approvals,
    assignments,
    holds,
    occurrences,
    publications,
    withdrawals,
)
from bot.storage.tables.teaching import proposals, questions, signatures
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
    "admissions",
    "approvals",
    "assignments",
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
    "holds",
    "leads",
    "leases",
    "ledger",
    "metadata",
    "moments",
    "notices",
    "occurrences",
    "outbox",
    "polls",
    "proposals",
    "publications",
    "questions",
    "quota",
    "readbacks",
    "run_steps",
    "scripts",
    "send_tasks",
    "signatures",
    "streams",
    "switches",
    "tokens",
    "transfers",
    "turns",
    "withdrawals",
]
