"""Who there is, what was said, and what came of it."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table, Text, text

from bot.storage.tables.columns import (
    Moment,
    due_index,
    holder_column,
    id_column,
    metadata,
    work_columns,
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
    Column("state", String(64), nullable=False, server_default=""),
    Column("facts", JSON, nullable=False, server_default="{}"),  # what the bank's systems told
    Column("facts_as_of", Moment),
    Column("weekly_cap", Integer),  # how many messages a week were asked for, over all scripts
    Column("seen_at", Moment, nullable=False),
    *work_columns(),
    holder_column(),
    due_index("customers"),
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
    Column("version", String(64), nullable=False, server_default=""),
    Column("announced", String(64), nullable=False, server_default=""),
    Column("weekly_cap", Integer),
    Column("seen_at", Moment, nullable=False),
    *work_columns(),
    holder_column(),
    due_index("groups"),
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
    Column("rejected", Boolean, nullable=False, server_default="0"),
)

turns = Table(
    "turns",
    metadata,
    id_column(),
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
    id_column(),
    Column("customer", String(64), nullable=False),
    Column("need", String(32), nullable=False),
    Column("product", String(64), nullable=False, server_default=""),
    Column("origin", String(12), nullable=False, server_default="kf"),
    Column("stage", String(12), nullable=False),
    Column("rm", String(64), nullable=False),
    Column("branch", String(64), nullable=False, server_default=""),
    Column("chat", String(64), nullable=False, server_default=""),
    Column("script", String(64), nullable=False, server_default=""),
    Column("step", String(64), nullable=False, server_default=""),
    Column("evidence", JSON, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("respond_by", Moment, nullable=False),
    Column("taken_at", Moment),
    Column("closed_at", Moment),
    Column("score", Float, nullable=False, server_default="0"),
    Column("reasons", JSON, nullable=False, server_default="[]"),
    Column("features", JSON, nullable=False, server_default="{}"),  # as it was opened; for the fit
    Column("asked", Boolean, nullable=False, server_default="0"),  # for a yes, before anybody knew
    Column("offers", Integer, nullable=False, server_default="0"),
    Column("accept_by", Moment),
    Column("sleeps_until", Moment),
    Column("first_response_at", Moment),
    Column("outcome_reason", String(160), nullable=False, server_default=""),
    Column("card_to", String(64), nullable=False, server_default=""),
    Column("card_code", String(160), nullable=False, server_default=""),  # changes its card once
    Column("card_at", Moment),
    *work_columns(),
    due_index("leads"),
    Index(
        "ux_leads_open",
        "customer",
        "need",
        "product",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index("ix_leads_chat", "chat"),
    Index("ix_leads_customer", "customer", "opened_at"),
    Index("ix_leads_opened", "opened_at"),
    Index(
        "ix_leads_rm",
        "rm",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)

drafts = Table(
    "drafts",
    metadata,
    id_column(),
    Column("key", String(160), nullable=False, unique=True),
    Column("chat", String(64), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("asker", String(64), nullable=False),
    Column("question", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("citations", JSON, nullable=False),
    Column("state", String(10), nullable=False),
    Column("at", Moment, nullable=False),
    Column("askers", JSON, nullable=False, server_default="[]"),  # all who asked this
    Column("said", Text, nullable=False, server_default=""),  # what a person said; masked
    Column("reason", String(32), nullable=False, server_default=""),
    Column("code", String(160), nullable=False, server_default=""),  # changes its card once
    Column("settled_at", Moment),
    *work_columns(),
    due_index("drafts"),
    Index("ix_drafts_chat", "chat", "id"),
    Index("ix_drafts_at", "at"),
)

ledger = Table(
    "ledger",
    metadata,
    id_column(),
    Column("at", Moment, nullable=False),
    Column("kind", String(48), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("facts", JSON, nullable=False),
    Index("ix_ledger_kind", "kind", "at"),
    Index("ix_ledger_subject", "subject", "id"),
)
