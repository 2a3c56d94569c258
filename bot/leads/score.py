"""Weighs a lead: reads what a score may look at, asks the rules or the model that was learnt."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.domain.bank import Bank
from bot.domain.delivery import REPLY_WINDOW
from bot.domain.lead import SELLING, Need, Signal
from bot.domain.lead_model import LeadModel
from bot.domain.lead_score import (
    HALF_LIFE,
    LARGE_MOVEMENT_HALF_LIFE,
    LeadRules,
    Scored,
    Sign,
    Weighed,
    score,
)
from bot.domain.needs import Needs
from bot.domain.people import Customer
from bot.domain.registry import CONSENT
from bot.domain.subject import Event, SubjectFacts
from bot.domain.suitability import GRAVE_EVENTS, TOO_RISKY, is_left_in_peace, unfit
from bot.storage.db import Tx

LARGE_MOVEMENT = "大额入金"
_ACTS = {"点击链接": 4.0, "到网点": 8.0, "活动报名": 6.0, "活动到场": 10.0}
_LATELY = timedelta(days=30)
_LONGEST = 4  # half-lives: what is older is worth nothing
_USUAL_RISK = "R2"  # of what a manager speaks about first


class Scale:
    """Weighs signals by the rules of a bank, or by the model in its database."""

    def __init__(self, bank: Callable[[], Bank], rules: LeadRules) -> None:
        self._read_bank = bank
        self._rules = rules

    @property
    def _bank(self) -> Bank:
        return self._read_bank()

    async def weigh(
        self, tx: Tx, signal: Signal, customer: Customer | None, now: datetime
    ) -> Scored:
        """Return the score of the lead that a signal opens or joins, with its reasons."""
        who = signal.customer
        needs = Needs(names=GRAVE_EVENTS, complaint=True)
        facts = (await tx.subjects.load([who], "customer", self._bank, needs, now))[who]
        weighed = await self._read(tx, signal, customer, facts, now)
        unwelcome = signal.need in SELLING and (
            weighed.refuses or facts.datum(CONSENT) is False or is_left_in_peace(facts, now)
        )
        scored = await self._score(tx, weighed, now)
        return scored.model_copy(update={"unwelcome": unwelcome})

    async def _score(self, tx: Tx, weighed: Weighed, now: datetime) -> Scored:
        learnt = await tx.lead_models.in_use()
        if learnt is not None:
            model = LeadModel.model_validate(learnt.model)
            if weighed.need in model.needs:
                return model.score(weighed, now)
        return score(weighed, now)

    def enough(self, scored: Scored) -> bool:
        """Tell whether a score opens a lead."""
        return scored.score >= self._rules.threshold

    async def _read(
        self,
        tx: Tx,
        signal: Signal,
        customer: Customer | None,
        facts: SubjectFacts,
        now: datetime,
    ) -> Weighed:
        who, need = signal.customer, signal.need
        acts = await tx.occurrences.of_subjects([who], sorted(_ACTS), now - _LATELY)
        tired = await tx.lead_signals.weariness(who, need, now - _LATELY)
        friend = customer is not None and bool(customer.managers)
        return Weighed(
            need=need,
            explicit=signal.explicit,
            signs=await self._signs(tx, signal, now),
            acts=tuple(_act(one) for one in acts.get(who, ()) if one.at <= now),
            product=signal.product,
            fits=self._fits(need, facts, now),
            value_band=self._rules.band(facts.datum(self._rules.value_field)),
            friend=friend,
            reachable=await self._reachable(tx, signal, friend, now),
            refuses=customer is not None and customer.refuses_marketing(now),
            leads_lately=tired.leads,
            said_no=tired.said_no,
            was_invalid=tired.was_invalid,
        )

    async def _signs(self, tx: Tx, signal: Signal, now: datetime) -> tuple[Sign, ...]:
        since = now - _LONGEST * HALF_LIFE[signal.need]
        before = await tx.lead_signals.of(signal.customer, signal.need, signal.product, since)
        signs = [_sign(one.points, one.at, one.evidence.source) for one in before]
        own = _sign(signal.points, signal.evidence.at, signal.evidence.source)
        return (*signs, own)

    def _fits(self, need: Need, facts: SubjectFacts, now: datetime) -> bool | None:
        """Tell whether what is sold suits a customer; an age neither helps nor harms a lead."""
        if need is not Need.WEALTH:
            return None
        today = now.astimezone(self._bank.zone).date()
        return {"": True, TOO_RISKY: False}.get(unfit(_USUAL_RISK, facts, today))

    async def _reachable(self, tx: Tx, signal: Signal, friend: bool, now: datetime) -> bool | None:
        """Tell whether a person can reach a customer now; None for a member of a group."""
        if friend:
            return True
        heard_at = await tx.conversations.last_heard(signal.customer)
        if heard_at is not None and now - heard_at < REPLY_WINDOW:
            return True
        return None if signal.chat else False


def _act(event: Event) -> Sign:
    return _sign(_ACTS[event.kind], event.at, event.kind)


def _sign(points: float, at: datetime, source: str) -> Sign:
    return Sign(points, at, LARGE_MOVEMENT_HALF_LIFE if source == LARGE_MOVEMENT else None)
