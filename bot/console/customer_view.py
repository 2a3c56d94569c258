"""Who a customer is, for whoever serves them: what the work takes, and no more (S21)."""

from __future__ import annotations

import re
from datetime import date

from bot.console.draft_view import (
    CUSTOMER,
    DROP_REASONS,
    draft_json,
    position_of,
    step_name,
    turn_json,
)
from bot.console.kf_acts import kf_json, open_ticket
from bot.console.lead_view import first_due, lead_json, packet_of
from bot.console.rights import own_drafts
from bot.console.room import Json, Room, Sight, name_of
from bot.domain.expression_values import Grade
from bot.domain.lead import Lead
from bot.domain.needs import Needs
from bot.domain.people import Customer
from bot.domain.registry import AGE, ASSESSED_ON, BUILT_IN_FIELDS, CONSENT, GRADE, MATURITY
from bot.domain.runs import Run
from bot.domain.subject import SubjectFacts
from bot.domain.suitability import asker_of, assessed_lately, is_elderly, is_left_in_peace
from bot.storage.db import Tx

_TURNS = 10
# What nobody needs in order to talk to somebody, whatever the bank's systems were asked to tell.
_NOT_SHOWN = re.compile(r"手机|电话|证件|身份|卡号|账号|地址|邮箱|密码|姓名|民族|宗教|病|婚")


async def customer_view(
    tx: Tx, room: Room, sight: Sight, customer: Customer, leads: list[Lead]
) -> Json:
    """Return everything the page shows beside a customer's chat; rights were looked at before."""
    bank, id = sight.bank, customer.id
    needs = Needs(names=bank.event_names, complaint=True, last_seen=True, since=True)
    facts = (await tx.subjects.load([id], "customer", bank, needs, sight.now))[id]
    turns = await tx.conversations.last_turns(id, _TURNS)
    drafts = own_drafts(await tx.drafts.waiting(id), sight)
    names = await tx.workbench.names([id, *(one.chat for one in leads if one.chat)])
    runs = await tx.runs.of_subject(id)
    kf = kf_json(await open_ticket(tx, id), await tx.workbench.serving(id), customer, sight)
    last = next((turn.text for turn in reversed(turns) if turn.speaker == CUSTOMER), "")
    shown = [
        lead_json(
            lead,
            sight,
            names,
            managers=customer.managers,
            packet=packet_of(lead, sight, customer, facts),
        )
        for lead in first_due(leads)
    ]
    return {
        "customer": _head(customer, facts, kf, sight),
        "leads": shown,
        "drafts": [draft_json(one, sight) for one in drafts],
        "runs": [await _run(tx, room, sight, run) for run in runs],
        "turns": [turn_json(turn, sight, name_of(customer)) for turn in turns],
        "tracks": _tracks(customer, leads, facts, sight),
        "last_words": sight.masked(last),
        "drop_reasons": DROP_REASONS,
        "can_ask": True,
        "now": sight.now.isoformat(),
    }


def _tracks(customer: Customer, leads: list[Lead], facts: SubjectFacts, sight: Sight) -> list[Json]:
    return sight.tracks(
        "一对一",
        frozenset(lead.need.value for lead in leads),
        customer=customer,
        asker=asker_of(facts),
        in_peace=is_left_in_peace(facts, sight.now),
    )


def _head(customer: Customer, facts: SubjectFacts, kf: Json | None, sight: Sight) -> Json:
    return {
        "id": customer.id,
        "name": name_of(customer),
        "managers": [sight.person(one) for one in customer.managers],
        "tags": sorted(customer.tags),
        "risk": risk_of(facts, sight.today),
        "consent": consent_of(customer, facts, sight),
        "products": told_of(facts, sight),
        "notes": notes_of(customer, facts, sight),
        "kf": kf,
    }


def risk_of(facts: SubjectFacts, today: date) -> Json:
    """Say how much risk a customer may bear, and what to do where that is not known (S03)."""
    grade, on = facts.datum(GRADE), facts.datum(ASSESSED_ON)
    if not isinstance(grade, Grade) or not isinstance(on, date):
        words = "没有风险测评：先请客户测评，再谈产品"
        return {"level": None, "words": words, "valid": False}
    valid = assessed_lately(on, today)
    words = f"{grade}，{on:%Y-%m-%d} 测评" + ("" if valid else "，已过期：先请客户重测")
    return {"level": str(grade), "words": words, "valid": valid}


def consent_of(customer: Customer, facts: SubjectFacts, sight: Sight) -> Json:
    """Say whether a customer wants to hear of products."""
    if customer.opted_out_at is not None:
        return {"state": "refused", "words": "已拒收营销：只答客户自己问的"}
    if facts.complaint_open:
        return {"state": "paused", "words": "投诉办结前不发营销"}
    paused = customer.marketing_paused_until
    if paused is not None and sight.now < paused:
        until = paused.astimezone(sight.bank.zone)
        return {"state": "paused", "words": f"营销暂停到 {until:%Y-%m-%d}"}
    match facts.datum(CONSENT):
        case True:
            return {"state": "given", "words": "同意接收营销"}
        case False:
            return {"state": "refused", "words": "不同意接收营销：只答客户自己问的"}
        case _:
            return {"state": "unknown", "words": "没问过愿不愿意收营销：先问一句"}


def notes_of(customer: Customer, facts: SubjectFacts, sight: Sight) -> list[Json]:
    """Return what to mind before the first word, the gravest first."""
    notes: list[tuple[str, str]] = []
    if facts.complaint_open:
        notes.append(("harm", "投诉处理中：先办投诉，不谈产品"))
    elif is_left_in_peace(facts, sight.now):
        notes.append(("harm", "近 30 天有过投诉或家里有事：不谈产品"))
    if is_elderly(facts.datum(AGE)):
        unknown = facts.datum(AGE) is None
        who = "年龄不明，按 65 岁以上办" if unknown else "65 岁以上"
        notes.append(("wait", f"{who}：产品请到网点当面讲"))
    if facts.last_seen is not None:
        seen = sight.at(facts.last_seen)
        notes.append(("quiet", f"最近一次互动：{seen['words'] if seen else ''}"))
    if not customer.managers:
        notes.append(("quiet", "还没有客户经理加过好友"))
    return [{"tone": tone, "words": words} for tone, words in notes]


def told_of(facts: SubjectFacts, sight: Sight) -> list[Json]:
    """Return what the bank's systems told that helps to serve: of its own fields, and 到期日."""
    shown = [name for name in facts.facts if name == MATURITY or name not in BUILT_IN_FIELDS]
    rows: list[Json] = []
    for name in shown:
        value = facts.datum(name)
        if value is None or _NOT_SHOWN.search(name):
            continue
        words = ("有" if value else "没有") if isinstance(value, bool) else str(value)
        rows.append({"name": name, "value": sight.masked(words)})
    return rows


async def _run(tx: Tx, room: Room, sight: Sight, run: Run) -> Json:
    """Say where a customer stands in a script, and what comes next."""
    script = await room.script_of(tx, run.script, run.version)
    position = position_of(script, run, sight.today)
    coming = await tx.workbench.next_steps(run.id, sight.now)
    following = coming[0] if coming else None
    stopped = "营销已停" if run.marketing_stopped else ""
    return {
        "script": run.script,
        "name": script.name if script is not None else "剧本",
        "position": position,
        "next": sight.at(following.opens_at) if following else None,
        "next_words": step_name(script, following.step) if following else "",
        "state_words": stopped or "进行中",
    }
