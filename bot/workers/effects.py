"""Carries out the actions of files: leads, tags, refusals, pauses, notices to staff."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
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
    Rescue,
    SlowDown,
)
from bot.domain.delivery import Terms
from bot.domain.happening import EventKind
from bot.domain.lead import SELLING, Evidence, Lead, Need, Signal
from bot.domain.messages import StaffText
from bot.leads.cards import clock_of
from bot.leads.desk import LeadDesk
from bot.leads.intents import Intent, intent_of
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.happenings import Happenings
from bot.workers.occasions import Occasion as Occasion
from bot.workers.occasions import happened
from bot.workers.relations import change_tags

_UNTIL_SOLVED = timedelta(days=365)
_LEFT_IN_PEACE = timedelta(days=30)  # as after a complaint or a death (field_lessons C11)
_REFUSES = "已拒收营销，只答不推"


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
        self._happenings = Happenings(content.script)

    @property
    def desk(self) -> LeadDesk:
        """Return the desk by which leads are opened and moved."""
        return self._desk

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
                danger = action.danger if isinstance(action, Rescue) else ""
                told = replace(occasion, danger=danger)
                await self._lead(tx, told, need, minutes, False, done, now)
            case OpenLead(need=need, within_minutes=minutes, ask_first=ask):
                wait = ask or occasion.ask_first
                await self._lead(tx, occasion, need, minutes, wait, done, now)
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
                await self.refuse(tx, occasion, now)
            case PlainAction.STOP_MARKETING_STEPS:
                # A group's messages cannot leave one member out: what stops is one to one.
                done.refused = True
                stop = happened(occasion, EventKind.REFUSED)
                await self._happenings.narrow_person(tx, stop, now)
            case PlainAction.EXIT:
                done.refused = True
                await self._exit(tx, occasion, done, now)
            case _:
                assert_never(action)

    async def refuse(self, tx: Tx, occasion: Occasion, now: datetime) -> None:
        """Record that a customer wants nothing that sells, and stop it everywhere at once."""
        await tx.people.opt_out(occasion.customer, now)
        await tx.ledger.add("opted_out", occasion.customer, now, chat=occasion.chat)
        await self._happenings.tell(tx, [happened(occasion, EventKind.REFUSED)], now)

    async def restore(self, tx: Tx, occasion: Occasion, now: datetime) -> None:
        """Record that a customer takes a refusal back; the runs under way sell again."""
        await tx.people.opt_out(occasion.customer, None)
        await tx.admissions.ask([occasion.customer], "customer", now)
        await tx.ledger.add("opted_in", occasion.customer, now, chat=occasion.chat)
        await tx.stops.widen(occasion.customer)
        await self._happenings.tell(tx, [happened(occasion, EventKind.RESTORED)], now)

    async def consent(
        self, tx: Tx, leads: Iterable[Lead], occasion: Occasion, *, agreed: bool, now: datetime
    ) -> None:
        """Carry on with leads whose customer was asked first, or close them."""
        for lead in leads:
            await self._desk.consent(tx, lead, agreed=agreed, group=occasion.group, now=now)
            if agreed:
                await self._signed_up(tx, lead, occasion, now)

    async def _exit(self, tx: Tx, occasion: Occasion, done: Done, now: datetime) -> None:
        """Let a customer leave a script; a group's run goes on without asking one member."""
        if occasion.chat:
            return
        wanted = [
            run
            for run in await tx.stops.live([occasion.customer])
            if not run.of_group and occasion.script in ("", run.script)
        ]
        await tx.runs.end_all([run.id for run in wanted], "exited", "asked_to_leave", now)
        for run in wanted:
            about = {"script": run.script, "version": run.version, "run": run.id}
            await tx.ledger.add("exited", run.subject, now, reason="asked_to_leave", **about)

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
        signal = await self._signal(tx, occasion, need, now)
        # The words may name the class of product that a file cannot: whose licence it takes.
        meant = intent_of(occasion.quote)
        product = meant.product if meant is not None and meant.need is need else ""
        told = {"minutes": minutes, "ask_first": ask_first, "product": product}
        signal = signal.model_copy(update=told)
        lead = await self._desk.open(
            tx, signal, owner=occasion.owner, group=occasion.group, now=now
        )
        done.leads.append(lead)
        if need is Need.COMPLAINT:
            await self._complained(tx, occasion, now)
        elif need is Need.RED_FLAG:
            await self._endangered(tx, occasion, now)
        if not ask_first or lead.stage != "asking":
            await self._signed_up(tx, lead, occasion, now)

    async def notice(
        self,
        tx: Tx,
        intent: Intent,
        occasion: Occasion,
        now: datetime,
        *,
        can_ask: bool,
        is_told: bool = False,
    ) -> Lead | None:
        """Weigh a need that was heard in a customer's words; return the lead it led to, if any.

        Who did not wish it outright is asked before a person is told, where he can be asked
        (``can_ask``); ``is_told``: the person who is to know of it has read the words himself.
        """
        signal = await self._signal(tx, occasion, intent.need, now)
        heard = {
            "product": intent.product,
            "explicit": intent.explicit,
            "points": intent.points,
            "ask_first": not intent.explicit and not is_told,
        }
        # What is asked of a member alone is no matter of the group's.
        within = {} if intent.explicit else {"chat": ""}
        return await self._desk.hear(
            tx,
            signal.model_copy(update=heard | within),
            owner=occasion.owner,
            group=occasion.group,
            can_ask=can_ask or is_told,
            now=now,
        )

    async def _signal(self, tx: Tx, occasion: Occasion, need: Need, now: datetime) -> Signal:
        """Make the signal of an occasion, with what whoever gets it should beware of."""
        customer = await tx.people.customer(occasion.customer)
        cautions = occasion.cautions
        if customer is not None and customer.refuses_marketing(now) and need in SELLING:
            cautions = (*cautions, _REFUSES)
        return Signal(
            customer=occasion.customer,
            need=need,
            evidence=Evidence(
                quote=occasion.quote,
                at=occasion.at,
                source=occasion.source,
                danger=occasion.danger,
            ),
            origin=occasion.origin,
            chat=occasion.chat,
            script=occasion.script,
            step=occasion.step,
            cautions=cautions,
        )

    async def _signed_up(self, tx: Tx, lead: Lead, occasion: Occasion, now: datetime) -> None:
        """Tell that somebody wants to come to an event, once for each lead."""
        if lead.need is Need.EVENT:
            signed = happened(occasion, EventKind.SIGNED_UP)
            once = signed.model_copy(update={"key": f"signed-up:{lead.id}", "chat": lead.chat})
            await self._happenings.tell(tx, [once], now)

    async def _endangered(self, tx: Tx, occasion: Occasion, now: datetime) -> None:
        """Stop for a while what sells to somebody in danger (S19); a longer stop stays."""
        await tx.people.pause_marketing(occasion.customer, now + _LEFT_IN_PEACE)
        await tx.ledger.add("marketing_paused", occasion.customer, now, reason="red_flag")
        await self._happenings.narrow_person(tx, happened(occasion, EventKind.REFUSED), now)

    async def _complained(self, tx: Tx, occasion: Occasion, now: datetime) -> None:
        """A complaint stops what sells to the person, and whatever scripts say besides (S20)."""
        await tx.people.pause_marketing(occasion.customer, now + _UNTIL_SOLVED)
        if occasion.chat:
            await tx.ledger.add("complaint", occasion.chat, now, customer=occasion.customer)
        await self._happenings.tell(tx, [happened(occasion, EventKind.COMPLAINED)], now)

    async def _tag(self, tx: Tx, occasion: Occasion, tag: str, now: datetime) -> None:
        customer = await tx.people.customer(occasion.customer)
        manager = next(iter(customer.managers), occasion.owner) if customer else occasion.owner
        managers = [manager] if manager is not None else []
        await change_tags(tx, occasion.customer, managers, now, add=[tag], occasion=occasion.key)

    async def _slow_down(self, tx: Tx, occasion: Occasion, count: int, now: datetime) -> None:
        """Send fewer a week: to the group in which it was said, else to the customer."""
        subject = occasion.chat or occasion.customer
        await tx.stops.slow_down(subject, count, of_group=bool(occasion.chat))
        await tx.ledger.add("slowed_down", subject, now, per_week=count)

    async def _notify(self, tx: Tx, occasion: Occasion, now: datetime) -> None:
        if occasion.owner is None:
            return
        said_at = clock_of(occasion.at, self._content.bank.zone)
        if occasion.quote:
            where = f"在「{occasion.group}」" if occasion.group else ""
            text = f"客户 {said_at} {where}说：「{occasion.quote}」。请您看一下。"
        else:
            customer = await tx.people.customer(occasion.customer)
            name = (customer.name if customer else "") or "一位客户"
            script = self._content.snapshot.scripts.get(occasion.script)
            title = script.name if script is not None else occasion.script
            text = f"{name}的「{title}」{said_at} 走到了要您看一下的地方，请您跟进。"
        await tx.outbox.put(
            f"notify:{occasion.key}",
            StaffText(to=(occasion.owner,), text=text),
            Terms(purpose="staff", subject=occasion.owner),
            now,
        )
