"""Nothing leaves but from here: keys, policies, lanes, rates."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

import pytest

from bot.domain.delivery import Terms
from bot.domain.messages import CHANNEL_OF, POLICIES, SWITCH_OF, Outbound
from bot.storage.db import Database, Tx
from bot.storage.outbox import STOPPED, Envelope
from bot.storage.tables import outbox
from tests.make import (
    CUSTOMER,
    MINUTE,
    NOON,
    SECOND,
    answer_terms,
    broadcast,
    event_reply,
    handover,
    reply,
    staff_card,
    staff_terms,
    staff_text,
)

LEASE = timedelta(seconds=120)
STEP = Terms(purpose="step", subject="wrA", quota=True)


async def put(tx: Tx, key: str, message: Outbound, terms: Terms, **more: object) -> bool:
    return await tx.outbox.put(key, message, terms, NOON, **more)  # type: ignore[arg-type]


async def claim(
    tx: Tx, now: datetime = NOON, limit: int = 10, *, urgent: bool | None = None
) -> list[Envelope]:
    """Take what is due, urgent or not, and mark it as the sender does before it calls."""
    kinds = (True, False) if urgent is None else (urgent,)
    found = []
    for kind in kinds:
        found += await tx.outbox.claim(now, limit=limit, urgent=kind, lease=LEASE)
    await tx.parcels.mark_leaving(found, now)
    return found


async def test_a_key_is_used_once_for_ever(database: Database) -> None:
    async with database.begin() as tx:
        assert await put(tx, "kf:m1:answer", reply("一"), answer_terms())
        assert not await put(tx, "kf:m1:answer", reply("二"), answer_terms())
        (envelope,) = await claim(tx)
        assert envelope.message == reply("一")
        assert await tx.outbox.settle(envelope.id, envelope.attempt, "sent", NOON, ref="r1")
        assert not await put(tx, "kf:m1:answer", reply("三"), answer_terms())
        assert await tx.outbox.state_of("kf:m1:answer") == ("sent", "", "r1")
        assert await claim(tx, NOON + timedelta(days=30)) == []


async def test_a_claimed_message_comes_back_as_it_was_put_in(database: Database) -> None:
    async with database.begin() as tx:
        terms = STEP.model_copy(update={"opens_at": NOON, "closes_at": NOON + MINUTE})
        await put(tx, "sop:1:d02:1", broadcast(), terms)
        (envelope,) = await claim(tx)
    assert (envelope.message, envelope.terms) == (broadcast(), terms)
    assert (envelope.channel, envelope.policy) == ("contact", "unknown_on_crash")
    assert (envelope.attempt, envelope.was_sending, envelope.created_at) == (1, False, NOON)


@pytest.mark.parametrize(
    ("message", "policy"),
    [(reply(), "idempotent"), (staff_card(), "idempotent"), (broadcast(), "unknown_on_crash")],
)
async def test_a_row_found_half_sent_says_so_with_its_policy(
    database: Database, message: Outbound, policy: str
) -> None:
    async with database.begin() as tx:
        await put(tx, "k", message, answer_terms())
        await claim(tx)
    async with database.begin() as tx:
        assert await claim(tx, NOON + LEASE - SECOND) == []
        (again,) = await claim(tx, NOON + LEASE)
    assert (again.was_sending, again.attempt, again.policy) == (True, 2, policy)


async def test_a_sender_whose_lease_ran_out_settles_nothing(database: Database) -> None:
    async with database.begin() as tx:
        await put(tx, "k", broadcast(), STEP)
        (slow,) = await claim(tx)
        (quick,) = await claim(tx, NOON + LEASE)
        assert not await tx.outbox.settle(slow.id, slow.attempt, "sent", NOON, ref="slow")
        await tx.outbox.hold(slow.id, slow.attempt, NOON, "slow")
        assert await tx.outbox.settle(quick.id, quick.attempt, "unknown", NOON, reason="in_doubt")
        assert await tx.outbox.state_of("k") == ("unknown", "in_doubt", "")
        assert await claim(tx, NOON + timedelta(days=1)) == []


async def test_a_message_held_as_unsure_is_found_half_sent_and_one_held_is_not(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await put(tx, "sure", staff_text("一"), staff_terms())
        await put(tx, "unsure", staff_text("二"), staff_terms())
        for envelope in await claim(tx):
            await tx.outbox.hold(
                envelope.id,
                envelope.attempt,
                NOON + MINUTE,
                "timeout",
                unsure=envelope.key == "unsure",
            )
        assert await claim(tx, NOON + MINUTE - SECOND) == []
        again = await claim(tx, NOON + MINUTE)
        assert {item.key: item.was_sending for item in again} == {"sure": False, "unsure": True}


async def test_a_lane_leaves_in_order_and_what_is_ended_lets_the_next_go(
    database: Database,
) -> None:
    async with database.begin() as tx:
        for key in ("1", "2", "3"):
            await put(tx, key, reply(key), answer_terms(), lane="kf:wmLi")
        (first,) = await claim(tx)
        assert first.key == "1"
        assert await claim(tx) == []
        await tx.outbox.hold(first.id, first.attempt, NOON + MINUTE, "busy")
        assert await claim(tx) == []
        (first,) = await claim(tx, NOON + MINUTE)
        await tx.outbox.settle(first.id, first.attempt, "skipped", NOON, reason="x")
        (second,) = await claim(tx, NOON + MINUTE)
        assert second.key == "2"


async def test_what_somebody_waits_for_is_claimed_apart_from_what_can_wait(
    database: Database,
) -> None:
    async with database.begin() as tx:
        for number in range(3):
            await put(tx, f"staff{number}", staff_text(), staff_terms())
        await put(tx, "answer", reply(), answer_terms())
        await put(tx, "over", handover(), Terms(purpose="handover", subject="wmWang"))
        await put(tx, "hello", event_reply(), Terms(purpose="control"))
        urgent = await claim(tx, urgent=True)
        assert sorted(item.key for item in urgent) == ["answer", "hello", "over"]
        assert all(item.urgent for item in urgent)
        assert [item.key for item in await claim(tx, urgent=False, limit=2)] == ["staff0", "staff1"]


async def test_all_that_is_said_to_a_customer_shares_one_lane_unless_another_is_named(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await put(tx, "1", reply("一"), answer_terms())
        await put(tx, "2", reply("二"), answer_terms())
        await put(tx, "3", handover(CUSTOMER), Terms(purpose="handover", subject=CUSTOMER))
        assert [item.key for item in await claim(tx)] == ["1"]


async def test_a_handover_may_pass_what_waits_in_its_lane_but_not_what_is_on_its_way(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await put(tx, "words", reply("一"), answer_terms())
        await put(tx, "over", handover(CUSTOMER), Terms(purpose="handover", subject=CUSTOMER))
        (words,) = await claim(tx)
        assert await tx.outbox.claim_past_others("kf_handover", NOON) == []
        await tx.outbox.put_back(words, NOON + MINUTE, "stopped")
        (over,) = await tx.outbox.claim_past_others("kf_handover", NOON)
        assert (over.key, over.attempt) == ("over", 1)


async def test_to_let_go_on_wakes_what_waits_and_never_what_is_being_sent(
    database: Database,
) -> None:
    async with database.begin() as tx:
        for key in ("waits", "leaves"):
            await put(tx, key, broadcast(), staff_terms(), lane=key)
        for held in await claim(tx):
            await tx.outbox.put_back(held, NOON + MINUTE, STOPPED)
        assert await tx.outbox.wake(STOPPED, ["broadcast"], NOON) == 2
        (leaving,) = await tx.outbox.claim(NOON, limit=1, urgent=False)
        await tx.parcels.mark_leaving([leaving], NOON)
        assert await tx.outbox.wake(STOPPED, ["broadcast"], NOON) == 0
        assert [one.key for one in await claim(tx)] != [leaving.key]
        assert await tx.outbox.settle(leaving.id, leaving.attempt, "sent", NOON)


async def test_a_row_that_nobody_can_read_is_buried_and_the_others_go_on(
    database: Database,
) -> None:
    async with database.begin() as tx:
        for key in ("bad", "good"):
            await put(tx, key, staff_text(), staff_terms(), lane="one")
        await tx.connection.execute(
            outbox.update().where(outbox.c.key == "bad").values(body={"kind": "of yesterday"})
        )
        assert await claim(tx) == []
        found = await tx.outbox.state_of("bad")
        assert found is not None
        assert (found[0], found[1].split(":")[0]) == ("dead", "unreadable")
        assert [item.key for item in await claim(tx)] == ["good"]


async def test_void_takes_back_only_what_has_not_begun_to_leave(database: Database) -> None:
    async with database.begin() as tx:
        await put(tx, "waits", reply("一"), answer_terms(), lane="own", due_at=NOON + MINUTE)
        await put(tx, "leaves", reply("二"), answer_terms())
        await claim(tx)
        assert await tx.outbox.void(["waits", "leaves", "never"], "recalled", NOON) == 1
        assert await tx.outbox.state_of("waits") == ("void", "recalled", "")
        assert (await tx.outbox.state_of("leaves") or ("",))[0] == "sending"
        assert await tx.outbox.state_of("never") is None
        assert await tx.outbox.counts() == {"void": 1, "sending": 1}


async def test_waking_makes_due_only_what_waits_for_that_reason(database: Database) -> None:
    async with database.begin() as tx:
        for key, reason in (("held", "stopped"), ("slow", "rate")):
            await put(tx, key, broadcast(), STEP)
            (envelope,) = await claim(tx)
            await tx.outbox.put_back(envelope, NOON + MINUTE, reason)
        assert await tx.outbox.waiting(["broadcast"]) == 2
        assert await tx.outbox.wake("stopped", ["kf_reply"], NOON) == 0
        assert await tx.outbox.wake("stopped", ["broadcast"], NOON) == 1
        assert [item.key for item in await claim(tx)] == ["held"]


def test_what_wecom_cannot_fold_is_never_repeated_blindly() -> None:
    doubtful = {kind for kind, policy in POLICIES.items() if policy == "unknown_on_crash"}
    assert doubtful >= {"kf_event_reply", "broadcast", "group_welcome", "customer_welcome"}
    assert not doubtful & {"kf_reply", "kf_handover", "broadcast_cancel", "tag_change"}


def test_each_kind_of_message_says_what_stops_it_and_how_it_leaves() -> None:
    kinds = {one.model_fields["kind"].default for one in get_args(get_args(Outbound)[0])}
    assert kinds == set(SWITCH_OF) == set(POLICIES) == set(CHANNEL_OF)
    assert {kind for kind, plane in SWITCH_OF.items() if plane == "kf"} == {
        "kf_reply",
        "kf_event_reply",
        "kf_release",
        "kf_invite",
        "customer_welcome",
    }
