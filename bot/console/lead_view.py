"""A lead as the sidebar shows it: whose, why, until when, and what this member may do with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from bot.console.room import NAMELESS, Json, Sight
from bot.domain.lead import GRAVE, Lead
from bot.domain.lead_rights import may_act
from bot.domain.lead_words import INVALID_REASONS, LOST_REASONS, STAGE_WORDS
from bot.domain.people import Customer
from bot.domain.putting_off import put_offs
from bot.domain.subject import SubjectFacts
from bot.domain.suitability import NOBODY, asker_of
from bot.leads.cards import colleagues, title_of
from bot.leads.first_steps import first_steps
from bot.leads.lead_steps import sells
from bot.leads.packet import opening_words, what_may_be_known, what_to_avoid

_SHOWN_REASONS = 3
_BOUND = "bound"  # what lies beyond 0 or 100 is arithmetic, and tells a manager nothing
# What a customer who was asked first told somebody on the phone or face to face.
_ANSWERED: tuple[Json, ...] = (
    {"act": "agreed", "label": "客户答应了", "primary": True},
    {"act": "declined", "label": "客户说不用"},
)


def lead_json(
    lead: Lead,
    sight: Sight,
    names: Mapping[str, str],
    *,
    managers: Collection[str] = (),
    packet: Json | None = None,
) -> Json:
    """Return a lead for the page; ``names`` are those of customers and groups."""
    said = lead.evidence[-1] if lead.evidence else None
    waits_for = lead.respond_by if _is_waited_for(lead) else None
    left = int((waits_for - sight.now).total_seconds()) if waits_for is not None else None
    told = [one for one in lead.reasons if one.words and one.code != _BOUND]
    best = sorted(told, key=lambda one: -abs(one.points))
    return {
        "id": lead.id,
        "need": lead.need.value,
        "title": title_of(lead.need),
        "product": lead.product,
        "stage": lead.stage,
        "stage_words": STAGE_WORDS[lead.stage],
        "grave": lead.need in GRAVE,
        "customer": {"id": lead.customer, "name": names.get(lead.customer) or NAMELESS},
        "holder": sight.person(lead.rm),
        "group": names.get(lead.chat, "") if lead.chat else "",
        "quote": sight.masked(said.quote) if said else "",
        "said_at": sight.at(said.at) if said else None,
        "source": said.source if said else "",
        "respond_by": sight.at(waits_for),
        "left_seconds": left,
        "late": left is not None and left < 0,
        "sleeps_until": sight.at(lead.sleeps_until),
        "score": round(lead.score) if best and lead.need not in GRAVE else None,
        "reasons": [f"{one.words}（{one.points:+.0f}）" for one in best[:_SHOWN_REASONS]],
        "packet": packet,
        "acts": acts_of(lead, sight, managers),
    }


def _is_waited_for(lead: Lead) -> bool:
    """Tell whether a customer still waits for a person's first word."""
    open_stage = lead.stage in ("new", "taken")
    return open_stage and lead.closed_at is None and lead.first_response_at is None


def acts_of(lead: Lead, sight: Sight, managers: Collection[str]) -> list[Json]:
    """Return what this member may do with a lead now."""
    if lead.closed_at is not None or not may_act(sight.bank, sight.me.userid, lead, managers):
        return []
    if lead.stage == "asking":
        return [dict(one) for one in _ANSWERED]
    acts: list[Json] = []
    mine = lead.rm == sight.me.userid
    if lead.stage == "new":
        acts.append({"act": "take", "label": "接手", "primary": True})
    if lead.stage != "new" and mine:
        won = ("won", "成交了") if sells(lead.need) else ("done", "办好了")
        acts.append({"act": won[0], "label": won[1], "primary": True})
        lost = "没成" if sells(lead.need) else "没办成"
        acts.append(_chosen("lost", lost, "为什么", LOST_REASONS))
    if lead.first_response_at is None and (mine or lead.stage == "new"):
        acts.append({"act": "contacted", "label": "联系过了"})
    if lead.need not in GRAVE:
        acts.append(_chosen("later", "稍后", "什么时候再提醒", later_choices(sight)))
    others = colleagues(sight.bank, lead.rm or sight.me.userid, lead=lead)
    if others:
        acts.append(_chosen("pass", "转派", "转派给", others))
    acts.append(_chosen("invalid", "无效", "为什么无效", INVALID_REASONS))
    return acts


def later_choices(sight: Sight) -> tuple[tuple[str, str], ...]:
    """Return until when a lead may be put off."""
    offered = put_offs(sight.now, sight.bank.zone, sight.files.tables)
    return tuple((one.code, one.words) for one in offered)


def _chosen(act: str, label: str, ask: str, choices: Sequence[tuple[str, str]]) -> Json:
    return {
        "act": act,
        "label": label,
        "ask": ask,
        "required": True,
        "choices": [{"code": code, "label": words} for code, words in choices],
    }


def packet_of(
    lead: Lead, sight: Sight, customer: Customer | None, facts: SubjectFacts | None
) -> Json:
    """Return what helps with a lead: what comes first, what to know, to say and not to say."""
    asker = asker_of(facts) if facts is not None else NOBODY
    refuses = customer is not None and customer.refuses_marketing(sight.now)
    mine = lead if lead.rm else lead.model_copy(update={"rm": sight.me.userid})
    known = what_may_be_known(lead, facts, sight.today, refuses=refuses)
    return {
        "steps": list(first_steps(lead, sight.bank)),
        "facts": list(known),
        "say": opening_words(mine, sight.bank),
        "source": "",
        "avoid": list(what_to_avoid(lead, asker)),
    }


def first_due(leads: Sequence[Lead]) -> list[Lead]:
    """Return leads as they are to be worked on: what is grave, then what is due first."""

    def order(lead: Lead) -> tuple[bool, bool, datetime]:
        return (lead.need not in GRAVE, not _is_waited_for(lead), lead.respond_by)

    return sorted(leads, key=order)
