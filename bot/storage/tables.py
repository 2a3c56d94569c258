"""Every table. A row whose ``due_at`` is not null is work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept as microseconds since 1970 in UTC: small, and sortable everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn a moment into microseconds."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Turn microseconds into a moment in UTC."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[int]:
    return Column("id", _Id, primary_key=True, autoincrement=True)


def _work() -> list[Column[Any]]:
    return [
        Column("due_at", Moment, nullable=True),
        Column("attempt", Integer, nullable=False, default=0, server_default="0"),
    ]


def _due_index(table: str) -> Index:
    return Index(
        f"ix_{table}_due",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    )


notices = Table(
    "notices",
    metadata,
    _id(),
    Column("key", String(64), nullable=False, unique=True),
    Column("channel", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("error", Text, nullable=False, server_default=""),
    *_work(),
    _due_index("notices"),
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("value", String(256), nullable=False),
)

events = Table(
    "events",
    metadata,
    _id(),
    Column("key", String(160), nullable=False, unique=True),
    Column("lane", String(160), nullable=False),
    Column("body", JSON, nullable=False),
    Column("state", String(10), nullable=False, server_default="ready"),
    Column("received_at", Moment, nullable=False),
    Column("error", Text, nullable=False, server_default=""),
    *_work(),
    _due_index("events"),
    Index(
        "ix_events_lane",
        "lane",
        "id",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    Index(
        "ux_events_lane_running",
        "lane",
        unique=True,
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("key", String(160), nullable=False, unique=True),
    Column("channel", String(16), nullable=False),
    Column("policy", String(20), nullable=False),
    Column("lane", String(160), nullable=False),
    Column("bucket", String(40), nullable=False),
    Column("urgent", Boolean, nullable=False, server_default="0"),
    Column("body", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("state", String(10), nullable=False, server_default="ready"),
    Column("reason", String(160), nullable=False, server_default=""),
    Column("ref", String(160), nullable=False, server_default=""),
    Column("created_at", Moment, nullable=False),
    Column("settled_at", Moment),
    *_work(),
    _due_index("outbox"),
    Index(
        "ix_outbox_lane",
        "lane",
        "id",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    Index("ix_outbox_ref", "ref"),
)

buckets = Table(
    "buckets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("filled_at", Moment, nullable=False),
    Column("blocked_until", Moment),
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", String(160), primary_key=True),
    Column("token", String(600), nullable=False),
    Column("expires_at", Moment, nullable=False),
)

scripts = Table(
    "scripts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("version", String(64), primary_key=True),
    Column("text", Text, nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("current", Boolean, nullable=False),
)

enrolments = Table(
    "enrolments",
    metadata,
    _id(),
    Column("script", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("branch", String(64), nullable=False),
    Column("rotation", Integer, nullable=False, server_default="1"),
    Column("anchor", Date, nullable=False),
    Column("state", String(12), nullable=False),
    Column("reason", String(64), nullable=False, server_default=""),
    Column("weekly_cap", Integer),
    Column("marketing_stopped", Boolean, nullable=False, server_default="0"),
    Column("entered_at", Moment, nullable=False),
    Column("ended_at", Moment),
    *_work(),
    _due_index("enrolments"),
    UniqueConstraint("script", "subject", "rotation"),
    Index(
        "ux_enrolments_live",
        "script",
        "subject",
        unique=True,
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
    Index("ix_enrolments_subject", "subject"),
)

run_steps = Table(
    "run_steps",
    metadata,
    _id(),
    Column("enrolment", _Id, nullable=False),
    Column("step", String(64), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("planned_on", Date, nullable=False),
    Column("opens_at", Moment, nullable=False),
    Column("closes_at", Moment, nullable=False),
    Column("iteration", Integer, nullable=False, server_default="0"),
    Column("state", String(12), nullable=False),
    Column("reason", String(64), nullable=False, server_default=""),
    Column("text", Text, nullable=False, server_default=""),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("enrolment", "step"),
    Index("ix_run_steps_state", "state"),
)

send_tasks = Table(
    "send_tasks",
    metadata,
    _id(),
    Column("msgid", String(128), nullable=False, unique=True),
    Column("run_step", _Id, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("chat", String(64), nullable=False),
    Column("state", String(12), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("closes_at", Moment, nullable=False),
    Column("reminded", Integer, nullable=False, server_default="0"),
    *_work(),
    _due_index("send_tasks"),
)

quota = Table(
    "quota",
    metadata,
    _id(),
    Column("subject", String(64), nullable=False),
    Column("class", String(16), nullable=False),
    Column("key", String(160), nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("key", "class"),
    Index("ix_quota_subject", "subject", "class", "at"),
)

customers = Table(
    "customers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(128), nullable=False, server_default=""),
    Column("managers", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("opted_out_at", Moment),
    Column("marketing_paused_until", Moment),
    Column("seen_at", Moment, nullable=False),
)

groups = Table(
    "groups",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(256), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("branch", String(64), nullable=False, server_default=""),
    Column("tags", JSON, nullable=False),
    Column("members", JSON, nullable=False),
    Column("dismissed", Boolean, nullable=False, server_default="0"),
    Column("seen_at", Moment, nullable=False),
    *_work(),
    _due_index("groups"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("customer", String(64), primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("state", Integer, nullable=False),
    Column("servicer", String(64), nullable=False, server_default=""),
    Column("last_customer_at", Moment),
    Column("sent", Integer, nullable=False, server_default="0"),
    Column("greeted_at", Moment),
)

turns = Table(
    "turns",
    metadata,
    _id(),
    Column("subject", String(64), nullable=False),
    Column("speaker", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("note", JSON, nullable=False),
    Index("ix_turns_subject", "subject", "id"),
)

leads = Table(
    "leads",
    metadata,
    _id(),
    Column("customer", String(64), nullable=False),
    Column("need", String(32), nullable=False),
    Column("stage", String(12), nullable=False),
    Column("rm", String(64), nullable=False),
    Column("chat", String(64), nullable=False, server_default=""),
    Column("script", String(64), nullable=False, server_default=""),
    Column("step", String(64), nullable=False, server_default=""),
    Column("evidence", JSON, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("respond_by", Moment, nullable=False),
    Column("taken_at", Moment),
    Column("closed_at", Moment),
    Column("warned", Integer, nullable=False, server_default="0"),
    *_work(),
    _due_index("leads"),
    Index(
        "ux_leads_open",
        "customer",
        "need",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index("ix_leads_chat", "chat"),
)

drafts = Table(
    "drafts",
    metadata,
    _id(),
    Column("key", String(160), nullable=False, unique=True),
    Column("chat", String(64), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("asker", String(64), nullable=False),
    Column("question", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("citations", JSON, nullable=False),
    Column("state", String(10), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_drafts_chat", "chat", "id"),
)

ledger = Table(
    "ledger",
    metadata,
    _id(),
    Column("at", Moment, nullable=False),
    Column("kind", String(48), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("facts", JSON, nullable=False),
    Index("ix_ledger_kind", "kind", "at"),
    Index("ix_ledger_subject", "subject", "id"),
)
