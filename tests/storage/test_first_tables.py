"""What a database of the first version holds survives the upgrade and is worked on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, bindparam, text
from sqlalchemy.types import JSON, Date

from bot.domain.delivery import Terms
from bot.domain.messages import Broadcast, KfReply
from bot.storage.db import Database, Tx
from bot.storage.migrate import _config, differences, upgrade
from bot.storage.tables.columns import microseconds
from tests.make import (
    ACCOUNT,
    CHAT,
    CUSTOMER,
    MINUTE,
    NOON,
    OWNER,
    answer_terms,
    broadcast,
    message,
    reply,
)
from tests.storage.test_migrations import fresh_url as fresh_url

LONG_AGO, DUE = microseconds(NOON - 60 * MINUTE), microseconds(NOON)
LEASED = microseconds(NOON + MINUTE)


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return a row or more for each table of the first version, as that version wrote them."""
    step = Terms(purpose="step", subject=CHAT, quota=True, enrolment=1, run_step=1)
    return {
        "notices": [
            _notice("waits", due_at=DUE),
            _notice("done"),
            _notice("dead", error="wecom_48007"),
        ],
        "events": [
            _event("waits", "ready", due_at=DUE),
            _event("in-hand", "running", lane="kf:wmOther", due_at=LEASED, attempt=1),
            _event("done", "done"),
        ],
        "outbox": [
            _letter("answer", reply(), answer_terms(), "ready", due_at=DUE),
            _letter("half", broadcast(), step, "sending", due_at=LEASED, attempt=1),
            _letter("sent", reply("好"), answer_terms(), "sent", ref="r1", settled_at=DUE),
        ],
        "cursors": [{"name": f"kf:{ACCOUNT}", "value": "cursor-1"}],
        "conversations": [
            {"customer": CUSTOMER, "account": ACCOUNT, "state": 3, "last_customer_at": LONG_AGO}
        ],
        "customers": [
            {
                "id": CUSTOMER,
                "name": "李女士",
                "managers": [OWNER],
                "tags": ["存款"],
                "opted_out_at": LONG_AGO,
                "seen_at": LONG_AGO,
            }
        ],
        "groups": [
            {
                "id": CHAT,
                "name": "安心群",
                "owner": OWNER,
                "tags": [],
                "members": [],
                "seen_at": LONG_AGO,
                "due_at": DUE,
            }
        ],
        "enrolments": [
            {
                "script": "senior-21d",
                "version": "v1",
                "subject": CHAT,
                "owner": OWNER,
                "branch": "",
                "anchor": date(2026, 10, 1),
                "state": "running",
                "entered_at": LONG_AGO,
                "due_at": DUE,
            }
        ],
        "run_steps": [
            {
                "enrolment": 1,
                "step": "d02",
                "kind": "step",
                "planned_on": date(2026, 10, 12),
                "opens_at": LONG_AGO,
                "closes_at": LEASED,
                "state": "queued",
                "changed_at": LONG_AGO,
            }
        ],
        "send_tasks": [
            {
                "msgid": "task-1",
                "run_step": 1,
                "owner": OWNER,
                "chat": CHAT,
                "state": "waiting",
                "created_at": LONG_AGO,
                "closes_at": LEASED,
                "due_at": DUE,
            }
        ],
        "quota": [{"subject": CHAT, "class": "broadcast", "key": "sop:1:d01:0", "at": LONG_AGO}],
        "buckets": [{"name": "kf_reply", "tokens": 0.0, "filled_at": LONG_AGO}],
        "tokens": [{"name": "corp:1", "token": "t1", "expires_at": LEASED}],
        "turns": [
            {"subject": CUSTOMER, "speaker": "客户", "text": "您好", "at": LONG_AGO, "note": {}}
        ],
        "ledger": [{"at": LONG_AGO, "kind": "message_in", "subject": CUSTOMER, "facts": {}}],
    }


def _notice(key: str, **more: object) -> dict[str, Any]:
    return {"key": key, "channel": "kf", "body": "<xml/>", "received_at": LONG_AGO, **more}


def _event(key: str, state: str, lane: str = "kf:wmLi", **more: object) -> dict[str, Any]:
    said = message(key)
    body = said.model_dump(mode="json", exclude_defaults=True) | {"kind": said.kind}
    return {
        "key": f"kf:{ACCOUNT}:{key}",
        "lane": lane,
        "body": body,
        "state": state,
        "received_at": LONG_AGO,
        **more,
    }


def _letter(
    key: str, said: KfReply | Broadcast, terms: Terms, state: str, **more: object
) -> dict[str, Any]:
    return {
        "key": key,
        "channel": "kf" if said.kind == "kf_reply" else "contact",
        "policy": "idempotent" if said.kind == "kf_reply" else "unknown_on_crash",
        "lane": key,
        "bucket": said.kind,
        "urgent": said.kind == "kf_reply",
        "body": said.model_dump(mode="json"),
        "facts": terms.model_dump(mode="json", exclude_defaults=True) | {"purpose": terms.purpose},
        "state": state,
        "created_at": LONG_AGO,
        **more,
    }


def _fill(connection: Connection, table: str, row: Mapping[str, Any]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    places = ", ".join(f":{name}" for name in row)
    kinds = {list: JSON(), dict: JSON(), date: Date()}
    typed = [
        bindparam(name, type_=kinds[type(value)])
        for name, value in row.items()
        if type(value) in kinds
    ]
    statement = text(f"INSERT INTO {table} ({names}) VALUES ({places})").bindparams(*typed)
    connection.execute(statement, dict(row))


def _first(connection: Connection) -> None:
    command.upgrade(_config(connection), "0001")
    for table, found in rows().items():
        for row in found:
            _fill(connection, table, row)


@pytest.fixture
async def old(fresh_url: str) -> Any:
    """Open a database of the first version with rows in it."""
    database = await Database.open(fresh_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(_first)
    yield database
    await database.close()


async def counted(tx: Tx) -> dict[str, int]:
    return {
        table: (await tx.connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
        for table in rows()
    }


async def test_every_row_is_still_there_and_the_tables_are_this_versions(old: Database) -> None:
    await upgrade(old)
    assert await differences(old) == []
    expected = {table: len(found) for table, found in rows().items()} | {"buckets": 0}
    async with old.read() as tx:
        assert await counted(tx) == expected
        session = await tx.conversations.session(CUSTOMER, ACCOUNT)
        assert session is not None
        assert (session.state, session.rejected) == (3, False)
        customer = await tx.people.customer(CUSTOMER)
        assert customer is not None
        assert customer.name == "李女士"
        assert await tx.inbox.cursor(f"kf:{ACCOUNT}") == "cursor-1"


async def test_what_was_to_be_done_is_done_and_what_was_done_is_not(old: Database) -> None:
    await upgrade(old)
    async with old.begin() as tx:
        assert [one.notice.key for one in await tx.inbox.claim_notices(NOON)] == ["waits"]
        (waiting,) = await tx.inbox.claim_events(NOON)
        assert waiting.key == f"kf:{ACCOUNT}:waits"
        assert waiting.event == message("waits")
        (answer,) = await tx.outbox.claim(NOON, urgent=True)
        assert (answer.key, answer.message, answer.was_sending) == ("answer", reply(), False)
        assert [one.msgid for (one,) in await tx.tasks.claim(NOON)] == ["task-1"]
        assert not await tx.outbox.put("sent", reply("二"), answer_terms(), NOON)
        letters = await tx.connection.execute(text('SELECT "key", state FROM notices ORDER BY id'))
        assert [tuple(row) for row in letters] == [
            ("waits", "running"),
            ("done", "done"),
            ("dead", "dead"),
        ]


async def test_what_was_in_hand_is_taken_up_and_what_may_have_left_is_in_doubt(
    old: Database,
) -> None:
    await upgrade(old)
    later = NOON + 2 * MINUTE
    async with old.begin() as tx:
        taken = [one.key for one in await tx.inbox.claim_events(later)]
        assert f"kf:{ACCOUNT}:in-hand" in taken
        (half,) = await tx.outbox.claim(later, urgent=False)
        assert (half.key, half.was_sending) == ("half", True)
        assert isinstance(half.message, Broadcast)


async def test_the_way_back_and_up_again_keeps_the_rows(old: Database) -> None:
    await upgrade(old)
    async with old.engine.begin() as connection:
        await connection.run_sync(lambda it: command.downgrade(_config(it), "0001"))
        kept = (await connection.execute(text("SELECT body FROM outbox WHERE id = 1"))).scalar_one()
    body = json.loads(kept) if isinstance(kept, str) else kept
    assert body["content"]["text"] == "您好"
    await upgrade(old)
    assert await differences(old) == []
    async with old.read() as tx:
        assert (await counted(tx))["outbox"] == len(rows()["outbox"])
        assert await tx.outbox.state_of("sent") == ("sent", "", "r1")
