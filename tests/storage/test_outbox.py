"""Nothing leaves but from here: keys, policies, lanes, rates."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from bot.domain.delivery import Terms
from bot.domain.messages import POLICIES, Outbound
from bot.storage.db import Database, Tx
from bot.storage.outbox import Envelope
from bot.storage.tables import outbox
from tests.make import (
    MINUTE,
    NOON,
    SECOND,
    answer_terms,
    broadcast,
    reply,
    staff_card,
    staff_terms,
    staff_text,
)

LEASE = timedelta(seconds=120)
STEP = Terms(purpose="step", subject="wrA", quota=True)


async def put(tx: Tx, key: str, message: Outbound, terms: Terms, **more: object) -> bool:
    return await tx.outbox.put(key, message, terms, NOON, **more)  # type: ignore[arg-type]


async def claim(tx: Tx, now: datetime = NOON, limit: int = 10) -> list[Envelope]:
    return await tx.outbox.claim(now, limit=limit, lease=LEASE)


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


async def test_answers_to_customers_leave_before_everything_else(database: Database) -> None:
    async with database.begin() as tx:
        await put(tx, "staff", staff_text(), staff_terms())
        await put(tx, "answer", reply(), answer_terms())
        assert [item.key for item in await claim(tx)] == ["answer"]
        assert [item.key for item in await claim(tx)] == ["staff"]


async def test_void_takes_back_only_what_has_not_begun_to_leave(database: Database) -> None:
    async with database.begin() as tx:
        await put(tx, "waits", reply("一"), answer_terms(), due_at=NOON + MINUTE)
        await put(tx, "leaves", reply("二"), answer_terms())
        await claim(tx)
        assert await tx.outbox.void(["waits", "leaves", "never"], "recalled", NOON) == 1
        assert await tx.outbox.state_of("waits") == ("void", "recalled", "")
        assert (await tx.outbox.state_of("leaves") or ("",))[0] == "sending"
        assert await tx.outbox.state_of("never") is None
        assert await tx.outbox.counts() == {"void": 1, "sending": 1}


async def test_what_wecom_could_not_deliver_turns_from_sent_to_failed(database: Database) -> None:
    async with database.begin() as tx:
        await put(tx, "k", reply(), answer_terms())
        (envelope,) = await claim(tx)
        await tx.outbox.settle(envelope.id, envelope.attempt, "sent", NOON, ref="msg-1")
        await tx.outbox.fail_by_ref("msg-other", "fail_type_1", NOON)
        assert await tx.outbox.state_of("k") == ("sent", "", "msg-1")
        await tx.outbox.fail_by_ref("msg-1", "fail_type_1", NOON)
        assert await tx.outbox.state_of("k") == ("failed", "fail_type_1", "msg-1")


async def fill(tx: Tx, count: int, *, urgent: bool = False) -> None:
    """Put in messages of one API; ``urgent`` ones are answers."""
    for number in range(count):
        terms = answer_terms() if urgent else staff_terms()
        await put(tx, f"{urgent}{number}", staff_text(str(number)), terms)


async def test_an_api_is_used_down_to_the_reserve_which_stays_for_answers(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await fill(tx, 450)
        assert len(await claim(tx, limit=1000)) == 400
        await fill(tx, 120, urgent=True)
        assert len(await claim(tx, limit=1000)) == 100
        assert await claim(tx, limit=1000) == []


async def test_what_is_refused_for_the_rate_uses_up_neither_tokens_nor_tries(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await fill(tx, 401)
        assert len(await claim(tx, limit=400)) == 400
        for _ in range(20):  # without time going on nothing is filled up
            assert await claim(tx) == []
            await tx.connection.execute(
                outbox.update().where(outbox.c.state == "ready").values(due_at=NOON)
            )
        row = (await tx.connection.execute(select(outbox).where(outbox.c.state == "ready"))).one()
        assert (row.attempt, row.reason) == (0, "rate")
        await fill(tx, 100, urgent=True)
        assert len(await claim(tx, limit=100)) == 100
        (late,) = await claim(tx, NOON + 2 * SECOND)
        assert (late.attempt, late.was_sending) == (1, False)


async def test_a_blocked_api_waits_for_its_end_and_forgets_no_doubt(database: Database) -> None:
    until = NOON + timedelta(hours=1)
    async with database.begin() as tx:
        await put(tx, "half", staff_text("半"), staff_terms())
        await put(tx, "new", staff_text("新"), staff_terms(), due_at=NOON + LEASE)
        await put(tx, "card", staff_card(), staff_terms(), due_at=NOON + LEASE)
        assert [item.key for item in await claim(tx)] == ["half"]
        await tx.outbox.block("staff_text", until, NOON)
        (card,) = await claim(tx, NOON + LEASE)
        assert card.key == "card"
        await tx.outbox.settle(card.id, card.attempt, "sent", NOON + LEASE)
        assert await claim(tx, until - SECOND) == []
        after = await claim(tx, until)
        assert {item.key: (item.was_sending, item.attempt) for item in after} == {
            "half": (True, 2),
            "new": (False, 1),
        }


async def test_answers_that_must_wait_do_not_hold_up_the_rest(database: Database) -> None:
    async with database.begin() as tx:
        await put(tx, "answer", reply(), answer_terms())
        await put(tx, "staff", staff_text(), staff_terms())
        await tx.outbox.block("kf_reply", NOON + MINUTE, NOON)
        assert [item.key for item in await claim(tx)] == ["staff"]


def test_what_wecom_cannot_fold_is_never_repeated_blindly() -> None:
    doubtful = {kind for kind, policy in POLICIES.items() if policy == "unknown_on_crash"}
    assert doubtful == {"kf_event_reply", "broadcast", "group_welcome"}
