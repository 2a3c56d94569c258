"""Carries out the actions of files: leads, tags, refusals, pauses, notices to staff."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from bot.domain.actions import (
    Action,
    AnswerWith,
    HandOver,
    OpenLead,
    PauseMarketing,
    PlainAction,
    PutTag,
    SlowDown,
)
from bot.domain.delivery import Terms
from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Evidence, Lead, Need, Signal
from bot.domain.messages import StaffText
from bot.leads.cards import clock_of
from bot.leads.desk import LeadDesk
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.relations import change_tags

_UNTIL_SOLVED = timedelta(days=365)
_SELLING = frozenset({Need.WEALTH, Need.EVENT, Need.WAKE})
_REFUSES = "已拒收营销，只答不推"


@dataclass(frozen=True)
class Occasion:
    """Who said what, where: what actions are carried out for."""

    key: str
    customer: CustomerId
    quote: str
    at: datetime
    source: str
    owner: RmId | None = None
    chat: str = ""
    group: str = ""
    script: str = ""
    step: str = ""
    cautions: tuple[str, ...] = ()
    ask_first: bool = False


@dataclass
class Done:
    """What came of a list of actions."""

    leads: list[Lead] = field(default_factory=list)
    hand_over: Need | None = None
    recite: list[str] = field(default_factory=list)
    refused: bool = False


class Effects:
    """Does what files ask for, inside the caller's transaction."""

    def __init__(self, desk: LeadDesk, content: Content) -> None:
        self._desk = desk
        self._content = content

    async def carry_out(
        self, tx: Tx, actions: Iterable[Action], occasion: Occasion, now: datetime
    ) -> Done:
        """Carry out actions in their order and return what came of them."""
        done = Done()
        for action in actions:
            await self._one(tx, action, occasion, done, now)
        return done

    async def _one(
        self, tx: Tx, action: Action, occasion: Occasion, done: Done, now: datetime
    ) -> None:
        match action:
            case HandOver(need=need, within_minutes=minutes):
                done.hand_over = need
                await self._lead(tx, occasion, need, minutes, False, done, now)
            case OpenLead(need=need, within_minutes=minutes, ask_first=ask):
                ask_first = ask or occasion.ask_first
                await self._lead(tx, occasion, need, minutes, ask_first, done, now)
            case PutTag(tag=tag):
                await self._tag(tx, occasion, tag, now)
            case AnswerWith(qa=qa):
                done.recite.append(qa)
            case SlowDown(per_week=count):
                await self._slow_down(tx, occasion, count, now)
            case PauseMarketing(days=days):
                until = now + (timedelta(days=days) if days is not None else _UNTIL_SOLVED)
                await tx.people.pause_marketing(occasion.customer, until)
                await tx.ledger.add("marketing_paused", occasion.customer, now)
            case PlainAction():
                await self._plain(tx, action, occasion, done, now)
            case _:
                assert_never(action)

    async def _plain(
        self, tx: Tx, action: PlainAction, occasion: Occasion, done: Done, now: datetime
    ) -> None:
        match action:
            case PlainAction.NOTIFY_MANAGER | PlainAction.NOTIFY_OWNER:
                if not done.leads:  # a lead's card says it already
                    await self._notify(tx, occasion, now)
            case PlainAction.RECORD_REFUSAL | PlainAction.WITHDRAW_CONSENT:
                done.refused = True
                await tx.people.opt_out(occasion.customer, now)
                await tx.ledger.add("opted_out", occasion.customer, now, chat=occasion.chat)
            case PlainAction.STOP_MARKETING_STEPS | PlainAction.EXIT:
                # A group's messages cannot leave one member out, and nothing that sells goes to one
                # person unasked: the refusal is recorded, and who gets a lead is told of it.
                done.refused = True
            case _:
                assert_never(action)

    async def _lead(
        self,
        tx: Tx,
        occasion: Occasion,
        need: Need,
        minutes: int | None,
        ask_first: bool,
        done: Done,
        now: datetime,
    ) -> None:
        customer = await tx.people.customer(occasion.customer)
        cautions = occasion.cautions
        if customer is not None and customer.refuses_marketing(now) and need in _SELLING:
            cautions = (*cautions, _REFUSES)
        signal = Signal(
            customer=occasion.customer,
            need=need,
            evidence=Evidence(quote=occasion.quote, at=occasion.at, source=occasion.source),
            minutes=minutes,
            ask_first=ask_first,
            chat=occasion.chat,
            script=occasion.script,
            step=occasion.step,
            cautions=cautions,
        )
        lead = await self._desk.open(
            tx, signal, owner=occasion.owner, group=occasion.group, now=now
        )
        done.leads.append(lead)
        if need is Need.COMPLAINT:
            await self._stop_marketing(tx, occasion, now)

    async def _stop_marketing(self, tx: Tx, occasion: Occasion, now: datetime) -> None:
        """A complaint stops what sells: for the person, and for the group whose script says so."""
        await tx.people.pause_marketing(occasion.customer, now + _UNTIL_SOLVED)
        if not occasion.chat:
            return
        for run in await tx.runs.of_subject(occasion.chat):
            script = await self._content.script(tx, run.script, run.version)
            if script is not None and script.complaint_stops_group():
                await tx.runs.change(run.id, marketing_stopped=True)
        await tx.ledger.add("complaint", occasion.chat, now, customer=occasion.customer)

    async def _tag(self, tx: Tx, occasion: Occasion, tag: str, now: datetime) -> None:
        customer = await tx.people.customer(occasion.customer)
        manager = next(iter(customer.managers), occasion.owner) if customer else occasion.owner
        managers = [manager] if manager is not None else []
        await change_tags(tx, occasion.customer, managers, now, add=[tag], occasion=occasion.key)

    async def _slow_down(self, tx: Tx, occasion: Occasion, count: int, now: datetime) -> None:
        for run in await tx.runs.of_subject(occasion.chat):
            await tx.runs.change(run.id, weekly_cap=min(count, run.weekly_cap or count))
        await tx.ledger.add("slowed_down", occasion.chat, now, per_week=count)

    async def _notify(self, tx: Tx, occasion: Occasion, now: datetime) -> None:
        if occasion.owner is None:
            return
        where = f"在「{occasion.group}」" if occasion.group else ""
        said_at = clock_of(occasion.at, self._content.bank.zone)
        text = f"客户 {said_at} {where}说：「{occasion.quote}」。请您看一下。"
        await tx.outbox.put(
            f"notify:{occasion.key}",
            StaffText(to=(occasion.owner,), text=text),
            Terms(purpose="staff", subject=occasion.owner),
            now,
        )
