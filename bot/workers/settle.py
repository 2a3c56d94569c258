"""What follows once a message was sent, skipped, refused or lost sight of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.calling_back import DONE_BY_COLLEAGUE
from bot.domain.delivery import GIVEN_BACK, Terms
from bot.domain.doubt import FIRST_LOOK
from bot.domain.ids import GroupChatId, RmId
from bot.domain.messages import (
    Broadcast,
    CustomerBroadcast,
    CustomerWelcome,
    GroupWelcome,
    KfEventReply,
    KfHandover,
    KfInvite,
    KfRelease,
    KfReply,
    KfTouch,
    Moment,
    Receipt,
    StaffCard,
    TagChange,
)
from bot.domain.quota import planned_at, slot_of
from bot.errors import SessionMoved
from bot.leads import live_cards
from bot.sop.cards import welcome_card
from bot.sop.fire import step_key
from bot.storage.db import Tx
from bot.storage.outbox import Envelope
from bot.workers.content import Content
from bot.workers.drafting import card_left
from bot.workers.kf_settle import KfSettlement
from bot.workers.staff_settle import say_anew
from bot.workers.ways_settle import kf_said, moment_made, take_back_narrowed, tasks_made

_OFTEN = 3  # tries of one step
_LATER = timedelta(minutes=15)


class Settlement:
    """Moves steps, sessions and tasks on after a message's end."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._kf = KfSettlement(content)

    async def sent(self, tx: Tx, envelope: Envelope, receipt: Receipt, now: datetime) -> None:
        """Write what an accepted message brings about."""
        message, terms = envelope.message, envelope.terms
        match message:
            case KfReply() | KfEventReply() | KfHandover() | KfRelease() | KfInvite():
                await self._kf.sent(tx, envelope, receipt, now)
            case Broadcast() | CustomerBroadcast() | Moment():
                await self.sent_all(tx, [envelope], receipt, now)
            case KfTouch():
                await kf_said(tx, envelope, message, receipt, now)
            case GroupWelcome():
                await self._welcome_made(tx, terms, message, now)
            case TagChange():
                await tx.follows.tagged(
                    message.customer, message.manager, message.add, message.remove
                )
                await tx.people.mark_customers([message.customer], now)
            case CustomerWelcome():
                await tx.ledger.add("welcomed", message.customer, now, by=message.manager)
            case StaffCard():
                key, code = envelope.key, receipt.response_code
                await _card_given(tx, terms, now)
                await card_left(tx, key, code, now)
                await live_cards.card_left(tx, self._content.bank, key, message, code, now)
            case _:
                pass

    async def sent_all(
        self, tx: Tx, envelopes: Sequence[Envelope], receipt: Receipt, now: datetime
    ) -> None:
        """Write what an accepted call brings about for each message that was in it."""
        match envelopes[0].message:
            case Broadcast() | CustomerBroadcast() as task:
                await tasks_made(tx, envelopes, task, receipt, now)
            case Moment() as moment:
                await moment_made(tx, envelopes, moment, receipt, now)
            case _:
                for envelope in envelopes:
                    await self.sent(tx, envelope, receipt, now)

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
        if envelope.terms.run_step is None:
            return
        if reason in GIVEN_BACK:
            await self._give_back(tx, envelope, now)
        else:
            await self._end_step(tx, envelope, "skipped", reason, now)

    async def _give_back(self, tx: Tx, envelope: Envelope, now: datetime) -> None:
        """Let whoever opens steps judge this one anew: by 额度用完, or by 错过时间窗."""
        terms = envelope.terms
        if terms.run_step is None or terms.enrolment is None:
            return
        run = await tx.runs.hold(terms.enrolment)
        if run is None or run.state != "running":
            await self._end_step(tx, envelope, "skipped", "run_ended", now)
            return
        today = now.astimezone(self._content.bank.zone).date()
        places = planned_at(today, self._content.bank.zone)
        await tx.quota.plan_again([slot_of(envelope.key)], places)
        # One that comes back again and again is looked at less often.
        again = now if terms.iteration < _OFTEN else now + _LATER
        await tx.runs.set_due(terms.enrolment, again)
        await tx.runs.set_step(terms.run_step, now, state="planned")

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

        WeCom is asked after a mass-send task or a moment, whose step waits for what comes of that.
        """
        await tx.ledger.add("message_in_doubt", envelope.terms.subject, now, key=envelope.key)
        if isinstance(envelope.message, Broadcast | CustomerBroadcast | Moment):
            tried_at = envelope.tried_at or envelope.created_at
            await tx.doubts.open(envelope.id, tried_at, now, now + FIRST_LOOK)
        elif isinstance(envelope.message, KfInvite):  # it may be there: nobody is invited twice
            await self._kf.sent(tx, envelope, Receipt(), now)
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
        if await tx.runs.is_done(terms.run_step):  # by who had its card before: that stands
            return
        if release:
            await tx.quota.release(envelope.key)
        await tx.runs.set_due(terms.enrolment, now)
        await tx.runs.set_step(terms.run_step, now, state=state, reason=reason)
        await tx.ledger.add(f"step_{state}", terms.subject, now, step=terms.step, reason=reason)


async def _card_given(tx: Tx, terms: Terms, now: datetime) -> None:
    """Let a step wait for whoever has its card."""
    if terms.run_step is None:
        return
    # A run before its steps, here and everywhere: two who do it never wait in a ring.
    ended = {}
    if terms.enrolment is not None:  # it has to know when this step closes
        ended = await tx.waiting.hold_all([terms.enrolment])
        await tx.runs.set_due(terms.enrolment, now)
    if await tx.runs.is_done(terms.run_step):  # by who had its card before
        given = await tx.stops.in_hand([terms.run_step], "confirmed")
        await tx.stops.tell_of_cards(given, DONE_BY_COLLEAGUE, now)
        return
    await tx.runs.set_step(terms.run_step, now, state="waiting")
    for run, reason in ended.items():  # while the card was on its way
        await tx.runs.end(run, "exited", reason, now)
    if terms.enrolment is not None and not ended:
        await take_back_narrowed(tx, {terms.enrolment: terms}, now)


def _key(terms: Terms) -> str:
    return step_key(terms.enrolment or 0, terms.step, terms.iteration, terms.round)
