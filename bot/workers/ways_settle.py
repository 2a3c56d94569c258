"""What follows once a step's message was taken: tasks, moments, words said in 微信客服."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.domain.delivery import Terms
from bot.domain.mass_messages import Broadcast, Moment, Task, sender_of
from bot.domain.messages import BroadcastCancel, KfTouch, Receipt
from bot.domain.polling import FIRST_POLL
from bot.domain.quota import slot_of
from bot.domain.runs import cancel_key
from bot.storage.db import Tx
from bot.storage.outbox import Envelope

FIRST_LOOK_AT_MOMENT = timedelta(minutes=1)  # WeCom has made it by then
FOUND = "moment:"  # before a moment's own id, where its job is not known
Step = tuple[Envelope, int, int]


async def tasks_made(
    tx: Tx, envelopes: Sequence[Envelope], message: Task, receipt: Receipt, now: datetime
) -> None:
    """Let the steps that one task is for wait for its sender; few statements, however many."""
    failed = set(receipt.failed)
    steps = _steps(envelopes)
    await _refused(tx, [step for step in steps if step[0].terms.subject in failed], now)
    taken = [step for step in steps if step[0].terms.subject not in failed]
    if not taken:
        return
    ended = await tx.waiting.hold_all([run for _, run, _ in taken])
    closes_at = taken[0][0].terms.closes_at or now
    sender = sender_of(message)
    given = await _reminded(tx, taken)
    rows: list[dict[str, Any]] = [
        {
            "msgid": receipt.ref,
            "run_step": step,
            "owner": sender,
            "chat": envelope.terms.subject,
            "subject_kind": "group" if isinstance(message, Broadcast) else "customer",
            "created_at": now,
            "closes_at": closes_at,
            "due_at": min(now + FIRST_POLL, closes_at),
            "reminded": given.get(step, 0),
        }
        for envelope, _, step in taken
    ]
    await tx.waiting.add_tasks(rows)
    await tx.waiting.let_wait([step for _, _, step in taken], now)
    await tx.planning.note([_made(one.terms, "task_created", sender) for one, _, _ in taken], now)
    await _plan_cancel(tx, receipt.ref, taken[0][0].terms, closes_at, now)
    for run, reason in ended.items():  # while their task was being made
        await tx.runs.end(run, "exited", reason, now)
    await take_back_narrowed(tx, {run: one.terms for one, run, _ in taken}, now)


async def _reminded(tx: Tx, taken: Sequence[Step]) -> dict[int, int]:
    """Return how often steps were reminded of already, in tasks that were taken back unsent."""
    again = [step for one, _, step in taken if one.terms.iteration > 1]
    return await tx.tasks.reminded_of(again) if again else {}


async def take_back_narrowed(tx: Tx, taken: Mapping[int, Terms], now: datetime) -> None:
    """Take back what may not be sold any more, since while it was being handed over (S08)."""
    selling = {run: terms for run, terms in taken.items() if terms.marketing or terms.product}
    if not selling:
        return
    for run, flags in (await tx.stops.flags(selling)).items():
        terms = selling[run]
        if flags.marketing_stopped and terms.marketing:
            await tx.stops.take_back_steps({run: [terms.step]}, "marketing_refused", now)
        elif flags.product_stopped and terms.product:
            await tx.stops.take_back_steps({run: [terms.step]}, "product_stopped", now)


async def moment_made(
    tx: Tx, envelopes: Sequence[Envelope], message: Moment, receipt: Receipt, now: datetime
) -> None:
    """Let steps wait for a manager to post; those whose moment is out already are done."""
    steps = _steps(envelopes)
    if not steps:
        return
    ended = await tx.waiting.hold_all([run for _, run, _ in steps])
    closes_at = max(one.terms.closes_at or now for one, _, _ in steps)
    moment = receipt.ref.removeprefix(FOUND) if receipt.ref.startswith(FOUND) else ""
    due_at = min(now + FIRST_LOOK_AT_MOMENT, closes_at)
    batch = envelopes[0].batch
    state = await tx.moments.add(
        receipt.ref, moment, message.manager, batch, now, closes_at, due_at
    )
    if state == "posted":
        for envelope, run, step in steps:
            await end_step(tx, envelope.terms, run, step, now, "confirmed", by=message.manager)
        return
    await tx.waiting.let_wait([step for _, _, step in steps], now)
    entries = [_made(one.terms, "moment_created", message.manager) for one, _, _ in steps]
    await tx.planning.note(entries, now)
    for run, reason in ended.items():  # while it was being made
        await tx.runs.end(run, "exited", reason, now)
    await take_back_narrowed(tx, {run: one.terms for one, run, _ in steps}, now)


async def kf_said(
    tx: Tx, envelope: Envelope, message: KfTouch, receipt: Receipt, now: datetime
) -> None:
    """Count what a customer was told in 微信客服, and end its step: nobody has to press."""
    terms = envelope.terms
    for _ in range(receipt.said):
        await tx.conversations.count_sent(message.customer, message.account)
    words = [one.text for one in message.contents if one.kind == "text"]
    if words:
        await tx.conversations.add_turn(message.customer, "小安", "\n".join(words), now)
    if terms.enrolment is not None and terms.run_step is not None:
        run, step = terms.enrolment, terms.run_step
        await tx.waiting.hold_all([run])
        await end_step(tx, terms, run, step, now, "confirmed", by="bot")
        await tx.quota.confirm_many([(slot_of(envelope.key), now)])


async def end_step(
    tx: Tx,
    terms: Terms,
    run: int,
    step: int,
    now: datetime,
    state: str,
    *,
    reason: str = "",
    by: str = "",
) -> None:
    """Write a step's end and wake its run; a run before its steps, here and everywhere."""
    await tx.runs.set_due(run, now)
    await tx.runs.set_step(step, now, state=state, reason=reason)
    facts = {"step": terms.step, "reason": reason, "by": by, "way": terms.way}
    await tx.ledger.add(
        f"step_{state}", terms.subject, now, **{name: one for name, one in facts.items() if one}
    )


def _steps(envelopes: Sequence[Envelope]) -> list[Step]:
    """Return what belongs to runs, in the order in which all lock them."""
    found = [
        (one, one.terms.enrolment, one.terms.run_step)
        for one in envelopes
        if one.terms.enrolment is not None and one.terms.run_step is not None
    ]
    return sorted(found, key=lambda step: (step[1], step[2]))


async def _refused(tx: Tx, steps: Sequence[Step], now: datetime) -> None:
    """End the steps whose groups or customers WeCom would not put into the task."""
    await tx.quota.release_many([slot_of(envelope.key) for envelope, _, _ in steps])
    for envelope, run, step in steps:
        why = "refused_by_wecom"
        await end_step(tx, envelope.terms, run, step, now, "failed", reason=why)


def _made(terms: Terms, kind: str, by: str) -> tuple[str, str, dict[str, str]]:
    return kind, terms.subject, {"step": terms.step, "owner": by}


async def _plan_cancel(tx: Tx, task: str, terms: Terms, closes_at: datetime, now: datetime) -> None:
    """Put the cancel at the window's end into the outbox now."""
    control = Terms(purpose="control", subject=terms.subject)
    cancel = BroadcastCancel(task=task)
    await tx.outbox.put(cancel_key(task), cancel, control, now, due_at=closes_at)
