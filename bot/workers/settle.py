"""What follows once a message was sent, skipped, refused or lost sight of."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.delivery import Terms, open_spans
from bot.domain.doubt import FIRST_LOOK
from bot.domain.ids import GroupChatId, RmId
from bot.domain.messages import (
    Broadcast,
    BroadcastCancel,
    BroadcastReminder,
    CustomerWelcome,
    GroupWelcome,
    KfEventReply,
    KfHandover,
    KfReply,
    Receipt,
    StaffCard,
    TagChange,
)
from bot.domain.runs import REMIND_AFTER, RunStep, cancel_key, remind_keys
from bot.errors import SessionMoved
from bot.sop.cards import welcome_card
from bot.sop.fire import step_key
from bot.storage.db import Tx
from bot.storage.outbox import Envelope
from bot.workers.content import Content
from bot.workers.gate import limits_of
from bot.workers.kf_settle import KfSettlement
from bot.workers.staff_settle import say_anew

FIRST_POLL = timedelta(minutes=5)


class Settlement:
    """Moves steps, sessions and tasks on after a message's end."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._kf = KfSettlement(content)

    async def sent(self, tx: Tx, envelope: Envelope, receipt: Receipt, now: datetime) -> None:
        """Write what an accepted message brings about."""
        message, terms = envelope.message, envelope.terms
        match message:
            case KfReply():
                await self._kf.replied(tx, message, terms, now)
            case KfEventReply():
                await self._kf.said_on_event(tx, message, terms, now)
            case KfHandover():
                await self._kf.handed_over(tx, message, receipt, now)
            case Broadcast():
                await self._task_created(tx, envelope, message, receipt, now)
            case GroupWelcome():
                await self._welcome_made(tx, terms, message, now)
            case TagChange():
                await tx.follows.tagged(
                    message.customer, message.manager, message.add, message.remove
                )
                await tx.people.mark_customers([message.customer], now)
            case CustomerWelcome():
                await tx.ledger.add("welcomed", message.customer, now, by=message.manager)
            case StaffCard() if terms.run_step is not None:
                # A run before its steps, here and everywhere: two who do it never wait in a ring.
                if terms.enrolment is not None:  # it has to know when this step closes
                    await tx.runs.set_due(terms.enrolment, now)
                await tx.runs.set_step(terms.run_step, now, state="waiting")
            case _:
                pass

    async def _task_created(
        self, tx: Tx, envelope: Envelope, message: Broadcast, receipt: Receipt, now: datetime
    ) -> None:
        terms = envelope.terms
        if terms.run_step is None or terms.closes_at is None:
            return
        if terms.subject in receipt.failed:
            await self._end_step(tx, envelope, "failed", "refused_by_wecom", now)
            return
        run = await tx.runs.hold(terms.enrolment) if terms.enrolment is not None else None
        await tx.runs.add_task(
            {
                "msgid": receipt.ref,
                "run_step": terms.run_step,
                "owner": message.owner,
                "chat": terms.subject,
                "created_at": now,
                "closes_at": terms.closes_at,
                "due_at": min(now + FIRST_POLL, terms.closes_at),
            }
        )
        await tx.runs.set_step(terms.run_step, now, state="waiting")
        await tx.ledger.add(
            "task_created", terms.subject, now, step=terms.step, owner=message.owner
        )
        await self._plan_reminders(tx, receipt.ref, terms, now)
        if run is not None and run.state == "exited":  # while its task was being made
            await tx.runs.end(run.id, "exited", run.reason, now)

    async def _plan_reminders(self, tx: Tx, task: str, terms: Terms, now: datetime) -> None:
        """Put the cancel at the window's end, and the reminders before it, into the outbox now."""
        closes_at = terms.closes_at or now
        control = Terms(purpose="control", subject=terms.subject)
        await tx.outbox.put(
            cancel_key(task), BroadcastCancel(task=task), control, now, due_at=closes_at
        )
        for key, after in zip(remind_keys(task), REMIND_AFTER, strict=True):
            if now + after < closes_at:
                until = control.model_copy(update={"closes_at": closes_at})
                await tx.outbox.put(
                    key,
                    BroadcastReminder(task=task),
                    until,
                    now,
                    due_at=now + after,
                )

    async def _welcome_made(
        self, tx: Tx, terms: Terms, message: GroupWelcome, now: datetime
    ) -> None:
        """Ask the owner to attach the welcome: WeCom lets nobody else do it (protocol §5.6)."""
        if terms.run_step is None or terms.enrolment is None:
            return
        run = await tx.runs.get(terms.enrolment)
        if run is None:
            return
        group = await tx.people.group(GroupChatId(run.subject))
        owner = RmId(group.owner if group else run.owner)
        name = self._content.group_name(group)
        card = welcome_card(owner, terms.run_step, terms.iteration, name, message.text)
        own = terms.model_copy(update={"quota": False})
        await tx.outbox.put(f"{_key(own)}:card", card, own, now)

    async def skipped(self, tx: Tx, envelope: Envelope, reason: str, now: datetime) -> None:
        """Write that the gate let a message not leave."""
        await tx.ledger.add(
            "message_skipped", envelope.terms.subject, now, reason=reason, key=envelope.key
        )
        await self._kf.skipped(tx, envelope, reason, now)
        if envelope.terms.run_step is not None:
            await self._end_step(tx, envelope, "skipped", reason, now)

    async def failed(
        self,
        tx: Tx,
        envelope: Envelope,
        reason: str,
        now: datetime,
        *,
        moved: SessionMoved | None = None,
    ) -> None:
        """Write that WeCom refused a message for good."""
        terms = envelope.terms
        await tx.ledger.add("message_failed", terms.subject, now, reason=reason, key=envelope.key)
        await self._kf.failed(tx, envelope, reason, moved, now)
        if isinstance(envelope.message, TagChange):  # WeCom has its own word on this customer
            await tx.people.mark_customers([envelope.message.customer], now)
        await say_anew(tx, envelope, reason, now)
        if terms.run_step is not None:
            await self._end_step(tx, envelope, "failed", reason, now)

    async def unknown(self, tx: Tx, envelope: Envelope, reason: str, now: datetime) -> None:
        """Write that nobody knows whether a message left; it is listed and not sent again.

        WeCom is asked after a mass-send task, whose step waits for what comes of that.
        """
        await tx.ledger.add("message_in_doubt", envelope.terms.subject, now, key=envelope.key)
        if isinstance(envelope.message, Broadcast):
            tried_at = envelope.tried_at or envelope.created_at
            await tx.doubts.open(envelope.id, tried_at, now, now + FIRST_LOOK)
        else:
            await self.never_known(tx, envelope, reason, now)

    async def never_known(self, tx: Tx, envelope: Envelope, reason: str, now: datetime) -> None:
        """End the step of a message of which nobody can tell whether it left."""
        if envelope.terms.run_step is not None:
            await self._end_step(tx, envelope, "failed", reason, now, release=False)

    async def _end_step(
        self,
        tx: Tx,
        envelope: Envelope,
        state: str,
        reason: str,
        now: datetime,
        *,
        release: bool = True,
    ) -> None:
        terms = envelope.terms
        if terms.run_step is None or terms.enrolment is None:
            return
        if release:
            await tx.quota.release(envelope.key)
        await tx.runs.set_due(terms.enrolment, now)
        await tx.runs.set_step(terms.run_step, now, state=state, reason=reason)
        await tx.ledger.add(f"step_{state}", terms.subject, now, step=terms.step, reason=reason)


async def reopen_or_skip(
    tx: Tx, content: Content, step: RunStep, reason: str, now: datetime
) -> None:
    """After an unconfirmed task: use what is left of the step's window, or skip the step."""
    run = await tx.runs.get(step.run)
    if run is None:
        return
    script = await content.script(tx, run.script, run.version)
    later = []
    if script is not None:
        quiet = limits_of(script, None).quiet
        spans = open_spans(step.opens_at, step.closes_at, quiet, content.bank.zone)
        later = [begins for begins, _ in spans if begins >= now]
    await tx.quota.release(step_key(step.run, step.step, step.iteration))
    await tx.runs.set_due(run.id, now)
    if later and run.state == "running":
        await tx.runs.set_step(step.id, now, state="planned", opens_at=later[0])
    else:
        await tx.runs.set_step(step.id, now, state="skipped", reason=reason)
        await tx.ledger.add("step_skipped", run.subject, now, step=step.step, reason=reason)


def _key(terms: Terms) -> str:
    return step_key(terms.enrolment or 0, terms.step, terms.iteration)
