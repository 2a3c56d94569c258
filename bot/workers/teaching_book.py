"""What is proposed to be taught: listed by what it is worth, looked at, allowed or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.teaching import (
    Asked,
    Proposal,
    Role,
    Signature,
    Volume,
    lacking,
    may_not_sign,
    volume_of,
)
from bot.errors import ConfigError
from bot.ports import Clock
from bot.storage.db import Database, Tx

MONTH = timedelta(days=30)
_WEEK = timedelta(days=7)
_TODO = ("open", "drafted")


@dataclass(frozen=True, slots=True)
class Page:
    """A proposal with all that was asked in it, and who allowed what."""

    proposal: Proposal
    asked: tuple[Asked, ...]
    signatures: tuple[Signature, ...]
    volume: Volume

    @property
    def lacking(self) -> tuple[Role, ...]:
        """Name who has to allow the draft yet."""
        return lacking(self.proposal.draft, self.signatures) if self.proposal.draft else ()


@dataclass(frozen=True, slots=True)
class Effect:
    """What was asked of one proposal in so many days before and after it was published."""

    proposal: Proposal
    days: int
    before: Volume
    after: Volume
    complete: bool


class TeachingBook:
    """Reads and decides; nothing here needs the knowledge itself."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def pages(self, *, everything: bool = False) -> list[Page]:
        """Return what is to be done, the most worthwhile first; or all there ever was."""
        states = ("open", "drafted", "rejected", "published") if everything else _TODO
        async with self._database.read() as tx:
            found = await tx.proposals.in_states(states)  # type: ignore[arg-type]  # literals
            return await self._pages(tx, found)

    async def _pages(self, tx: Tx, found: Sequence[Proposal]) -> list[Page]:
        since = self._clock.now() - MONTH
        asked = await tx.questions.of_proposals([one.id for one in found])
        pages = []
        for one in found:
            recent = [each for each in asked[one.id] if each.asked_at >= since]
            given = tuple(await tx.proposals.signatures(one.id)) if one.draft else ()
            pages.append(Page(one, tuple(asked[one.id]), given, volume_of(recent)))
        return sorted(pages, key=lambda page: (-page.volume.rank, page.proposal.id))

    async def page(self, number: int) -> Page:
        """Return one proposal; raise ``ConfigError`` where there is none of that number."""
        async with self._database.read() as tx:
            found = await tx.proposals.get(number)
            if found is None:
                raise ConfigError(f"没有第 {number} 号。用 zhilin teach list 看有哪些。")
            return (await self._pages(tx, [found]))[0]

    async def approve(self, number: int, role: Role, by: str) -> Page:
        """Allow the draft as it stands; raise ``ConfigError`` where that may not be."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            found = await _open(tx, number)
            if found.draft is None:
                raise ConfigError(f"第 {number} 号还没有写好：先 zhilin teach draft {number}。")
            given = await tx.proposals.signatures(number)
            if no := may_not_sign(found.draft, given, role, by):
                raise ConfigError(f"{no}。")
            signature = Signature(role, by, found.draft.content, now)
            if not await tx.proposals.sign(number, signature):
                raise ConfigError(f"这一稿的{role}已经批过了。")
            facts = {"by": by, "role": role, "content": found.draft.content}
            await tx.ledger.add("teaching_approved", str(number), now, **facts)
        return await self.page(number)

    async def reject(self, number: int, by: str, why: str) -> None:
        """Put a proposal aside; what asks the same later joins it, and is not proposed again."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            await _open(tx, number)
            await tx.proposals.close(number, "rejected", why, now)
            await tx.ledger.add("teaching_rejected", str(number), now, by=by, why=why)

    async def effects(self, days: Sequence[int] = (7, 30)) -> list[Effect]:
        """Return what publishing did to how often the same is asked."""
        now = self._clock.now()
        async with self._database.read() as tx:
            found = [one for one in await tx.proposals.in_states(["published"]) if one.closed_at]
            asked = await tx.questions.of_proposals([one.id for one in found])
        effects = []
        for one in found:
            for count in days:
                effects.append(_effect(one, asked[one.id], count, now))
        return effects

    async def half_life(self) -> tuple[timedelta | None, int, int]:
        """Return after what time half of the gaps are closed, how many are, and of how many.

        None where not even half of them are closed.
        """
        async with self._database.read() as tx:
            found = await tx.proposals.in_states(["open", "drafted", "published"])
        ages = sorted(one.closed_at - one.made_at for one in found if one.closed_at is not None)
        half = (len(found) + 1) // 2
        return (ages[half - 1] if ages and len(ages) >= half else None), len(ages), len(found)

    async def weeks(self) -> dict[str, dict[str, int]]:
        """Return what was collected in the last 7 and 30 days, by reason."""
        now = self._clock.now()
        async with self._database.read() as tx:
            return {
                "7": await tx.questions.counts(now - _WEEK, now),
                "30": await tx.questions.counts(now - MONTH, now),
            }


async def _open(tx: Tx, number: int) -> Proposal:
    found = await tx.proposals.get(number, hold=True)
    if found is None:
        raise ConfigError(f"没有第 {number} 号。用 zhilin teach list 看有哪些。")
    if found.state not in _TODO:
        done = "发布" if found.state == "published" else "退回"
        raise ConfigError(f"第 {number} 号已经{done}了。")
    return found


def _effect(proposal: Proposal, asked: Sequence[Asked], days: int, now: datetime) -> Effect:
    span, at = timedelta(days=days), proposal.closed_at or now
    before = [one for one in asked if at - span <= one.asked_at < at]
    after = [one for one in asked if at <= one.asked_at < at + span]
    return Effect(proposal, days, volume_of(before), volume_of(after), now >= at + span)
