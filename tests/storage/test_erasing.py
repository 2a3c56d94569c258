"""Everything kept about a customer is shown, and erased whole; no table can be forgotten."""

from __future__ import annotations

from sqlalchemy import JSON, Text, select, update

from bot.domain.events import Arrival
from bot.domain.messages import KfReply
from bot.storage.db import Database
from bot.storage.personal import CATALOGUE, NOBODYS
from bot.storage.tables import (
    customers,
    enrolments,
    events,
    leads,
    ledger,
    metadata,
    notices,
    outbox,
    run_steps,
)
from tests.make import ACCOUNT, CUSTOMER, NOON, answer_terms, message, reply

OTHER = "wmLiX"
_CUSTOMERS = {"customer", "subject", "chat", "asker", "askers", "person", "unit", "speaker"}


def test_every_table_is_in_the_catalogue_or_knows_nobody() -> None:
    named = {kept.table.name for kept in CATALOGUE}
    assert named | set(NOBODYS) == set(metadata.tables)
    assert not named & set(NOBODYS)


def test_a_table_that_knows_nobody_has_no_customers_column() -> None:
    for name in NOBODYS:
        found = _CUSTOMERS & {column.name for column in metadata.tables[name].columns}
        assert not found, f"{name}.{found}: put it into the catalogue"


def test_free_text_and_lists_of_a_kept_row_are_blanked_or_named_as_wordless() -> None:
    wordless = {
        "customers": set(),
        "groups": {"tags", "members"},  # the group's, not his
        "leads": {"features"},  # figures for the fit
        "lead_timers": {"passed"},
        "enrolments": {"arms", "been"},
        "ledger": {"facts"},  # free words in it are blanked one by one
        "events": {"error"},  # blanked with the rest of an unfinished one
    }
    for kept in CATALOGUE:
        if kept.act == "delete":
            continue
        free = {c.name for c in kept.table.columns if isinstance(c.type, Text | JSON)}
        left = free - set(kept.blanks) - wordless.get(kept.table.name, set())
        assert not left, f"{kept.table.name}.{left}: blank it, or say why it stays"


async def _fill(database: Database, who: str) -> None:
    async with database.begin() as tx:
        await tx.connection.execute(
            customers.insert().values(
                id=who, name="李女士", managers=[], tags=["老客户"], seen_at=NOON, facts={"到期": 1}
            )
        )
        await tx.conversations.add_turn(who, "客户", "我的钱到期了", NOON)
        said = message(f"e-{who}").model_copy(update={"customer": who})
        await tx.inbox.add_events([Arrival(key=f"e-{who}", lane=f"kf:{who}", event=said)], NOON)
        await tx.outbox.put(f"a-{who}", _to(who), answer_terms(who), NOON, lane=f"kf:{who}")
        await tx.tickets.open(who, ACCOUNT, "waiting", NOON)
        await tx.ledger.add("complaint_solved", who, NOON, by="li.min", why="她说钱拿到了")
        row = {"customer": who, "need": "理财咨询", "stage": "new", "rm": "li.min"}
        heard = {"at": NOON.isoformat(), "source": "said", "quote": "到期"}
        row |= {"evidence": [heard], "opened_at": NOON, "respond_by": NOON}
        await tx.connection.execute(leads.insert().values(**row))


def _to(who: str) -> KfReply:
    return reply().model_copy(update={"customer": who})


async def test_erasing_leaves_a_bare_rest_and_nothing_of_another_is_touched(
    database: Database,
) -> None:
    for who in (CUSTOMER, OTHER):
        await _fill(database, who)
    async with database.read() as tx:
        theirs = await tx.erasing.rows(OTHER)
    async with database.begin() as tx:
        await tx.erasing.erase(CUSTOMER, NOON)
    async with database.read() as tx:
        rest = await tx.erasing.rows(CUSTOMER)
        assert await tx.erasing.rows(OTHER) == theirs
        keys = set((await tx.connection.execute(select(outbox.c.key))).scalars())
    assert keys == {f"a-{OTHER}"}
    assert set(rest) == {"customers", "leads", "kf_tickets", "ledger"}
    (person,) = rest["customers"]
    assert (person["name"], person["facts"], person["opted_out_at"]) == ("", {}, NOON)
    assert (rest["leads"][0]["evidence"], rest["leads"][0]["closed_at"]) == ([], NOON)
    assert rest["kf_tickets"][0]["state"] == "over"
    assert rest["ledger"][0]["facts"] == {"by": "li.min", "why": ""}


async def test_a_worker_with_the_question_in_hand_finds_it_gone(database: Database) -> None:
    await _fill(database, CUSTOMER)
    async with database.begin() as tx:
        (held,) = await tx.inbox.claim_events(NOON, limit=5)
    async with database.begin() as tx:
        await tx.erasing.erase(CUSTOMER, NOON)
    async with database.begin() as tx:
        assert not await tx.inbox.finish_event(held)
        assert await tx.inbox.claim_events(NOON, limit=5) == []
        row = (await tx.connection.execute(select(events.c.state, events.c.body))).one()
    assert tuple(row) == ("dropped", {})


async def test_a_raw_callback_that_names_him_is_blanked_and_anothers_is_not(
    database: Database,
) -> None:
    await _fill(database, CUSTOMER)
    async with database.begin() as tx:
        for who in (CUSTOMER, OTHER):
            raw = f"<ExternalUserID><![CDATA[{who}]]></ExternalUserID>"
            row = {"key": who, "channel": "contact", "body": raw, "received_at": NOON, "attempt": 0}
            await tx.connection.execute(notices.insert().values(**row))
        await tx.erasing.erase(CUSTOMER, NOON)
        told = dict((await tx.connection.execute(select(notices.c.key, notices.c.body))).all())
    assert told[CUSTOMER] == ""
    assert OTHER in told[OTHER]


async def test_danger_and_complaints_come_first(database: Database) -> None:
    await _fill(database, CUSTOMER)
    async with database.begin() as tx:
        assert await tx.erasing.stands_in_the_way(CUSTOMER) == []
        await tx.connection.execute(update(leads).values(need="投诉"))
        assert await tx.erasing.stands_in_the_way(CUSTOMER) == ["投诉"]
        await tx.connection.execute(update(leads).values(closed_at=NOON))
        assert await tx.erasing.stands_in_the_way(CUSTOMER) == []


async def test_who_refused_long_ago_keeps_that_moment(database: Database) -> None:
    await _fill(database, CUSTOMER)
    async with database.begin() as tx:
        await tx.connection.execute(update(customers).values(opted_out_at=NOON.replace(hour=1)))
        await tx.erasing.erase(CUSTOMER, NOON)
        kept = (await tx.connection.execute(select(customers.c.opted_out_at))).scalar_one()
        assert (await tx.connection.execute(select(ledger.c.id))).all()
    assert kept == NOON.replace(hour=1)


async def test_a_run_ends_with_its_reason_and_its_words_go(database: Database) -> None:
    await _fill(database, CUSTOMER)
    async with database.begin() as tx:
        (desk,) = (await tx.connection.execute(select(leads.c.rm))).scalars()
        await tx.desks.recount()
        run = {"script": "dormant", "version": "v1", "subject": CUSTOMER, "state": "running"}
        run |= {"subject_kind": "customer", "key": "k", "owner": desk, "entered_at": NOON}
        run |= {"anchor": NOON.date(), "due_at": NOON, "arms": {}, "been": [], "branch": "b01"}
        number = await tx.connection.execute(enrolments.insert().values(**run))
        step = {"enrolment": number.inserted_primary_key[0], "step": "d1", "kind": "send"}
        step |= {"way": "nudge", "planned_on": NOON.date(), "opens_at": NOON, "closes_at": NOON}
        step |= {"state": "planned", "text": "李女士您好", "changed_at": NOON, "round": 1}
        step |= {"variant": "", "priority": 1, "iteration": 1, "reason": ""}
        await tx.connection.execute(run_steps.insert().values(**step))
        await tx.erasing.erase(CUSTOMER, NOON)
        rest = await tx.erasing.rows(CUSTOMER)
        assert await tx.desks.recount() == 0  # the manager's load was let go with the lead
    (ended,) = rest["enrolments"]
    assert (ended["state"], ended["reason"], ended["due_at"]) == ("exited", "customer_erased", None)
    (left,) = rest["run_steps"]
    assert (left["state"], left["text"]) == ("skipped", "")
