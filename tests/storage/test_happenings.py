"""What happens is kept, and stops at once what it is to stop: in one transaction, for all runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest

from bot.domain.delivery import Terms
from bot.domain.happening import EventKind, Happened
from bot.domain.ids import CustomerId
from bot.domain.messages import BroadcastCancel, CustomerBroadcast, Receipt, Text
from bot.domain.people import Customer, GroupChat, GroupMember
from bot.domain.runs import cancel_key, slot_key
from bot.domain.script import SopScript
from bot.storage.db import Database, Tx
from bot.storage.outbox import Envelope
from bot.storage.quota import QuotaRow
from bot.workers.happenings import Happenings
from bot.workers.ways_settle import tasks_made
from tests.domain.builders import script, step
from tests.make import CHAT, CUSTOMER, NOON, OWNER, new_step
from tests.storage.plans import noted, plan_of

OTHER = CustomerId("wmOther")
DAY = timedelta(days=1)
TASK = CustomerBroadcast(
    manager=OWNER, customers=(CUSTOMER, OTHER), contents=(Text(text="来上课吗"),)
)
LATER = NOON + timedelta(minutes=10)
EXITS = """\
出口:
  - {{事件: 客户拒收, 停: {refusal}}}
  - {{事件: 大额入金, 停: 全部}}
  - {{事件: 线索成交, 停: 产品类}}
"""
OF_GROUP = """\
出口:
  - {事件: 投诉, 停: 营销类, 范围: 全群}
  - {事件: 线索成交, 停: 产品类, 范围: 本人}
"""
STEPS = (
    step("d01", 1),
    step("d02", 2, kind="活动"),
    step("d03", 3, kind="产品", more="产品: demo-r2-001"),
)


def of_customer(name: str, refusal: str = "全部") -> SopScript:
    made = script(*STEPS, tail=EXITS.format(refusal=refusal), id=name)
    return made.model_copy(update={"subject": "客户"})


SCRIPTS = {
    "ends": of_customer("ends"),
    "narrows": of_customer("narrows", "营销类"),
    "group": script(*STEPS, tail=OF_GROUP, id="group"),
}


async def script_of(tx: Tx, name: str, version: str) -> SopScript | None:
    return SCRIPTS.get(name)


async def begin(tx: Tx, name: str, subject: str = CUSTOMER, waiting: Sequence[str] = ()) -> int:
    """Begin a run, some of whose steps wait in the manager's list."""
    run = await tx.runs.enrol(
        script=name,
        version="v1",
        subject=subject,
        owner=OWNER,
        branch="b01",
        anchor=date(2026, 10, 12),
        state="running",
        now=NOON,
    )
    assert run is not None
    if subject != CHAT:
        await tx.runs.change(run, subject_kind="customer")
    await tx.runs.add_steps(run, [new_step(one.id) for one in SCRIPTS[name].steps], NOON)
    for row in await tx.runs.steps(run):
        if row.step in waiting:
            await tx.runs.set_step(row.id, NOON, state="waiting")
            await wait_for_press(tx, f"msg-{run}-{row.step}", row.id, subject)
    return run


async def wait_for_press(tx: Tx, msgid: str, row: int, subject: str) -> None:
    """Make a task that waits for its owner, with its cancel at the window's end."""
    closes_at = NOON + timedelta(hours=6)
    task = {"msgid": msgid, "run_step": row, "owner": OWNER, "chat": subject}
    await tx.runs.add_task(task | {"created_at": NOON, "closes_at": closes_at, "due_at": closes_at})
    terms = Terms(purpose="control", subject=subject)
    cancel = BroadcastCancel(task=msgid)
    await tx.outbox.put(cancel_key(msgid), cancel, terms, NOON, due_at=closes_at)


async def tell(database: Database, kind: str, *, subject: str = CUSTOMER, chat: str = "") -> None:
    one = Happened(key=f"{kind}:{subject}", kind=kind, subject=subject, at=LATER, chat=chat)
    async with database.begin() as tx:
        await Happenings(script_of).tell(tx, [one], LATER)


async def states(database: Database, run: int) -> dict[str, tuple[str, str]]:
    async with database.read() as tx:
        return {row.step: (row.state, row.reason) for row in await tx.runs.steps(run)}


async def ends(database: Database) -> dict[str, tuple[str, str]]:
    async with database.read() as tx:
        runs = [run for name in SCRIPTS for run in await tx.runs.of_script(name)]
        return {f"{run.script}/{run.subject}": (run.state, run.reason) for run in runs}


async def test_a_refusal_ends_or_narrows_each_run_of_the_customer_and_of_nobody_else(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await begin(tx, "ends")
        narrowed = await begin(tx, "narrows")
        await begin(tx, "ends", OTHER)
    await tell(database, EventKind.REFUSED)
    assert await ends(database) == {
        f"ends/{CUSTOMER}": ("exited", "customer_refused"),
        f"ends/{OTHER}": ("running", ""),
        f"narrows/{CUSTOMER}": ("running", ""),
    }
    async with database.read() as tx:
        run = await tx.runs.get(narrowed)
        assert run is not None
        assert run.marketing_stopped
        assert run.due_at == LATER  # what waits for its day is looked at again
        (entry,) = await tx.ledger.of_kinds(["exited"])
    assert entry.facts["script"] == "ends"
    assert entry.facts["event"] == "客户拒收"


async def test_what_sells_and_waits_for_a_press_is_taken_back_at_once(database: Database) -> None:
    async with database.begin() as tx:
        run = await begin(tx, "narrows", waiting=["d01", "d02"])
    await tell(database, EventKind.REFUSED)
    found = await states(database, run)
    assert found["d01"] == ("waiting", "")  # a service step goes on
    assert found["d02"] == ("skipped", "marketing_refused")
    assert found["d03"] == ("planned", "")
    async with database.read() as tx:
        left = await tx.runs.waiting_tasks()
        due = {one.msgid: one.due_at for one in left}
        assert (await tx.due())["outbox"] == LATER  # its cancel leaves now, not in six hours
    assert due[f"msg-{run}-d02"] < due[f"msg-{run}-d01"]


async def test_a_task_that_was_being_made_while_its_customer_refused_is_taken_back(
    database: Database,
) -> None:
    async with database.begin() as tx:
        runs = [await begin(tx, "narrows"), await begin(tx, "narrows", OTHER)]
        places = [
            QuotaRow(subject, "broadcast", slot_key(run, "d02"), NOON, 2)
            for run, subject in zip(runs, (CUSTOMER, OTHER), strict=True)
        ]
        await tx.quota.use_many(places)
    await tell(database, EventKind.REFUSED)
    made = [
        await envelope(database, run, subject)
        for run, subject in zip(runs, (CUSTOMER, OTHER), strict=True)
    ]
    async with database.begin() as tx:
        await tasks_made(tx, made, TASK, Receipt(ref="msg-1"), LATER)
    assert [(await states(database, run))["d02"] for run in runs] == [
        ("skipped", "marketing_refused"),
        ("waiting", ""),
    ]
    async with database.read() as tx:
        taken = await tx.quota.slots_of([CUSTOMER, OTHER], NOON - DAY, NOON + DAY)
    # Whoever has it in the list may send it all the same: nothing is given back before it is over.
    assert {subject: len(slots) for subject, slots in taken.items()} == {CUSTOMER: 1, OTHER: 1}


async def envelope(database: Database, run: int, subject: str) -> Envelope:
    """Return the message of a run's second step, as the sender has it in hand."""
    async with database.read() as tx:
        row = next(one for one in await tx.runs.steps(run) if one.step == "d02")
    terms = Terms(
        purpose="step",
        subject=subject,
        closes_at=NOON + DAY,
        marketing=True,
        step="d02",
        enrolment=run,
        run_step=row.id,
    )
    return Envelope(
        id=run,
        attempt=1,
        key=f"sop:{run}:d02:1",
        channel="contact",
        policy="at_most_once",
        message=TASK,
        terms=terms,
        batch="b",
        urgent=False,
        reason="",
        created_at=NOON,
        tried_at=None,
    )


async def test_a_deal_stops_products_only(database: Database) -> None:
    async with database.begin() as tx:
        run = await begin(tx, "narrows", waiting=["d02", "d03"])
    await tell(database, EventKind.LEAD_WON)
    found = await states(database, run)
    assert found["d02"][0] == "waiting"
    assert found["d03"] == ("skipped", "product_stopped")
    async with database.read() as tx:
        narrowed = await tx.runs.get(run)
    assert narrowed is not None
    assert (narrowed.marketing_stopped, narrowed.product_stopped) == (False, True)


@pytest.fixture
async def in_group(database: Database) -> int:
    """Give the run of a group whose members are our customer and another."""
    members = tuple(GroupMember(id=one) for one in (CUSTOMER, OTHER))
    async with database.begin() as tx:
        await tx.people.put_customer(Customer(id=CUSTOMER), NOON)
        await tx.people.put_group(
            GroupChat(id=CHAT, name="银龄", owner=OWNER, members=members), NOON
        )
        return await begin(tx, "group", CHAT, waiting=["d02"])


async def test_a_members_complaint_stops_what_sells_to_the_group_wherever_it_was_made(
    database: Database, in_group: int
) -> None:
    await tell(database, EventKind.COMPLAINED)
    async with database.read() as tx:
        run = await tx.runs.get(in_group)
    assert run is not None
    assert run.marketing_stopped
    assert (await states(database, in_group))["d02"] == ("skipped", "marketing_refused")


async def test_a_members_refusal_leaves_the_group_alone(database: Database, in_group: int) -> None:
    await tell(database, EventKind.REFUSED, chat=CHAT)
    async with database.read() as tx:
        run = await tx.runs.get(in_group)
    assert run is not None
    assert not run.marketing_stopped
    assert (await states(database, in_group))["d02"] == ("waiting", "")


async def test_a_members_deal_stops_his_own_products_by_the_groups_script(
    database: Database, in_group: int
) -> None:
    async with database.begin() as tx:
        own = await begin(tx, "ends")
        others = await begin(tx, "ends", OTHER)
    await tell(database, EventKind.LEAD_WON, chat=CHAT)
    async with database.read() as tx:
        runs = [await tx.runs.get(one) for one in (in_group, own, others)]
    assert [one.product_stopped for one in runs if one] == [False, True, False]


async def test_an_event_told_twice_is_kept_once_and_for_its_group_too(database: Database) -> None:
    for _ in range(2):
        await tell(database, EventKind.SIGNED_UP, chat=CHAT)
    async with database.read() as tx:
        found = await tx.occurrences.of_subjects([CUSTOMER, CHAT])
    assert {subject: [one.kind for one in events] for subject, events in found.items()} == {
        CUSTOMER: ["活动报名"],
        CHAT: ["活动报名"],
    }


async def test_events_of_a_kind_are_found_without_reading_all_the_others(
    database: Database,
) -> None:
    await tell(database, EventKind.SIGNED_UP)
    await tell(database, EventKind.LARGE_DEPOSIT)
    async with database.begin() as tx:
        with noted(database) as ran:
            found = await tx.occurrences.since("大额入金", NOON - DAY, 0, limit=20)
        assert "ix_occurrences_kind" in await plan_of(database, tx, *ran[-1])
    assert [one.kind for one in found] == ["大额入金"]


async def test_many_events_of_a_file_stop_each_his_own(database: Database) -> None:
    people = [CustomerId(f"wm{number}") for number in range(40)]
    async with database.begin() as tx:
        for person in people:
            await begin(tx, "ends", person)
    rows = [
        Happened(key=f"deposit:{person}", kind="大额入金", subject=person, at=at(number))
        for number, person in enumerate(people)
    ]
    async with database.begin() as tx:
        await Happenings(script_of).tell(tx, rows, LATER)
    found = await ends(database)
    assert [found[f"ends/{person}"][0] for person in people] == ["exited"] * 20 + ["running"] * 20


def at(number: int) -> datetime:
    """Return a moment after the run's beginning for the first half, days before it for the rest."""
    return NOON if number < 20 else NOON - timedelta(days=3)


async def test_fewer_messages_are_kept_for_the_subject_and_its_runs_the_smaller_wish_stays(
    database: Database, in_group: int
) -> None:
    async with database.begin() as tx:
        run = await begin(tx, "ends")
        for wish in (3, 1, 2):
            await tx.stops.slow_down(CUSTOMER, wish, of_group=False)
        await tx.stops.slow_down(CHAT, 2, of_group=True)
    async with database.read() as tx:
        customer = await tx.people.customer(CUSTOMER)
        group = await tx.people.group(CHAT)
        runs = [await tx.runs.get(one) for one in (run, in_group)]
    assert customer is not None
    assert group is not None
    assert (customer.weekly_cap, group.weekly_cap) == (1, 2)
    assert [one.weekly_cap for one in runs if one] == [1, 2]


async def test_a_refusal_taken_back_lets_one_to_one_runs_sell_again(
    database: Database, in_group: int
) -> None:
    async with database.begin() as tx:
        run = await begin(tx, "narrows")
        await tx.stops.narrow([run, in_group], "marketing_stopped", NOON)
        await tx.stops.slow_down(CUSTOMER, 1, of_group=False)
        await tx.stops.widen(CUSTOMER)
    async with database.read() as tx:
        runs = [await tx.runs.get(one) for one in (run, in_group)]
        customer = await tx.people.customer(CUSTOMER)
    assert [one.marketing_stopped for one in runs if one] == [False, True]
    assert customer is not None
    assert customer.weekly_cap is None
