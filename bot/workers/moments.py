"""Asks WeCom which managers posted their moments: nothing tells us when one does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.delivery import Terms
from bot.domain.messages import MomentCancel
from bot.domain.quota import slot_of
from bot.domain.runs import cancel_key
from bot.errors import ChannelError, DatabaseFailed, Undeliverable
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.storage.moments import HeldMoment
from bot.storage.work import backoff

log = logger(__name__)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=5), timedelta(minutes=60)
_NOT_MADE_YET = timedelta(minutes=1)
_AFTER_CANCEL = timedelta(seconds=30)
_GIVE_UP_AFTER = timedelta(days=1)  # after a window that nobody could learn the end of
_THROUGH = ("sent", "failed", "dead", "unknown")
_UNCONFIRMED, _IN_DOUBT = "owner_unconfirmed", "in_doubt"


class States(Protocol):
    """Where moments are asked after; raises ``ChannelError``."""

    async def made(self, job: str) -> str:
        """Return the id of the moment that a job makes; empty while it is not done."""

    async def posted(self, moment: str, manager: str) -> bool:
        """Tell whether a manager has posted."""


class MomentWorker:
    """Looks after moments, ever more rarely, until they are posted or their window is over."""

    watches = ("moments",)

    def __init__(self, database: Database, states: States, clock: Clock) -> None:
        self._database = database
        self._states = states
        self._clock = clock

    async def step(self) -> int:
        """Ask after one batch of moments; return how many there were."""
        async with self._database.begin() as tx:
            held = await tx.moments.claim(self._clock.now())
            # Known before WeCom is asked: once the cancel is through, an answer is the last word.
            cancelled = {one.id: await _cancelled(tx, one) for one in held}
        for one in held:
            try:
                await self._ask(one, cancelled[one.id])
            except DatabaseFailed:
                raise
            except Exception as error:  # one that stumbles does not keep the others waiting
                log.exception("moment_stumbled", moment=one.ref)
                async with self._database.begin() as tx:
                    await self._put_off(tx, one, type(error).__name__, self._clock.now())
        return len(held)

    async def _ask(self, held: HeldMoment, cancelled: bool) -> None:
        try:
            moment = held.moment or await self._states.made(held.ref)
            posted = bool(moment) and await self._states.posted(moment, held.manager)
        except ChannelError as error:
            log.warning("moment_poll_failed", moment=held.ref, reason=str(error))
            async with self._database.begin() as tx:
                now = self._clock.now()
                if isinstance(error, Undeliverable) and not held.moment:
                    await self._over(tx, held, "failed", str(error), now)  # it was never made
                else:
                    await self._put_off(tx, held, str(error), now)
            return
        async with self._database.begin() as tx:
            await self._settle(tx, held, moment, posted, cancelled, self._clock.now())

    async def _settle(
        self,
        tx: Tx,
        held: HeldMoment,
        moment: str,
        posted: bool,
        cancelled: bool,
        now: datetime,
    ) -> None:
        if posted:
            await self._over(tx, held, "confirmed", "", now, moment=moment)
        elif cancelled:
            await self._over(tx, held, "skipped", _UNCONFIRMED, now, moment=moment)
        elif now < held.closes_at:
            waited = max(now - held.made_at, _FIRST_PAUSE)
            pause = min(waited, _LONGEST_PAUSE) if moment else _NOT_MADE_YET
            again = min(now + pause, held.closes_at)
            await tx.moments.finish(held, moment=moment, due_at=again)
        elif moment:
            # Kept from a late press first; only then is it known that nobody posted it.
            cancel = Terms(purpose="control", subject=held.manager)
            await tx.outbox.put(cancel_key(held.ref), MomentCancel(moment=moment), cancel, now)
            again = now + _AFTER_CANCEL
            await tx.moments.finish(held, state="closing", moment=moment, due_at=again)
        else:
            await self._put_off(tx, held, "not_made", now)

    async def _put_off(self, tx: Tx, held: HeldMoment, error: str, now: datetime) -> None:
        """Ask again; a day after its window a moment's steps are in doubt."""
        if now < held.closes_at + _GIVE_UP_AFTER:
            pause = max(_NOT_MADE_YET, backoff(held.attempt))
            await tx.moments.finish(held, state=held.state, due_at=now + pause, error=error)
        else:
            await self._over(tx, held, "failed", _IN_DOUBT, now, error=error)

    async def _over(
        self,
        tx: Tx,
        held: HeldMoment,
        state: str,
        reason: str,
        now: datetime,
        *,
        moment: str = "",
        error: str = "",
    ) -> None:
        """End every step that waited for a moment; a posted one serves those who come later.

        A step that was skipped meanwhile had its moment posted all the same: that counts.
        """
        kept = "posted" if state == "confirmed" else "over"
        moment = moment or held.moment
        if not await tx.moments.finish(held, state=kept, moment=moment, error=error):
            return
        every = await tx.moments.steps_of(held.ref)
        steps = every if state == "confirmed" else [one for one in every if one.state == "waiting"]
        if state == "confirmed":
            await tx.quota.confirm_many([(slot_of(step.key), now) for step in steps])
        else:
            await tx.quota.release_many([slot_of(step.key) for step in every])
        for step in steps:
            await tx.runs.set_due(step.run, now)
            await tx.runs.set_step(step.step, now, state=state, reason=reason)
        facts = {"by": held.manager, "reason": reason, "way": "朋友圈"}
        entries = [(f"step_{state}", one.subject, {"step": one.name, **facts}) for one in steps]
        await tx.planning.note(entries, now)


async def _cancelled(tx: Tx, held: HeldMoment) -> bool:
    """Tell whether the cancel is through: before it is, the manager may still post."""
    if held.state != "closing":
        return False
    state = await tx.outbox.state_of(cancel_key(held.ref))
    return state is not None and state[0] in _THROUGH
