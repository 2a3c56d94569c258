"""A customer group, for its owner: who waits for an answer, what goes out today, who is silent."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from bot.console.draft_view import DROP_REASONS, draft_json, position_of, step_json
from bot.console.group_questions import questions_in
from bot.console.lead_view import first_due, lead_json
from bot.console.room import Json, Room, Sight
from bot.domain.lead_rights import may_act
from bot.domain.people import GroupChat
from bot.domain.runs import Run
from bot.storage.db import Tx

_MOST_LEADS = 20
_MOST_NAMES = 12
_LOOK_BACK = timedelta(days=30)
NAMELESS_GROUP = "客户群"


async def group_view(tx: Tx, room: Room, sight: Sight, group: GroupChat) -> Json:
    """Return everything the page shows beside a group; rights were looked at before."""
    drafts = await tx.drafts.waiting(group.id)
    leads = [
        lead
        for lead in await tx.workbench.leads_in(group.id, limit=_MOST_LEADS)
        if may_act(sight.bank, sight.me.userid, lead)
    ]
    runs = await tx.runs.of_subject(group.id)
    names = await tx.workbench.names([group.id, *(one.customer for one in leads)])
    names |= {one.id: one.name for one in group.members if one.name}
    midnight = datetime.combine(sight.today, time(), tzinfo=sight.bank.zone)
    steps = await tx.workbench.steps_between(group.id, midnight, midnight + timedelta(days=1))
    open_needs = frozenset(lead.need.value for lead in leads)
    return {
        "group": {
            "id": group.id,
            "name": group.name or NAMELESS_GROUP,
            "owner": sight.person(group.owner),
            "customers": len(group.customers),
            "staff": len(group.members) - len(group.customers),
            "tags": sorted(group.tags),
        },
        "questions": await questions_in(tx, sight, group, drafts, leads, names),
        "drafts": [draft_json(one, sight) for one in drafts],
        "leads": [lead_json(lead, sight, names) for lead in first_due(leads)],
        "run": await _run(tx, room, sight, runs),
        "today": [await step_json(tx, room, sight, one, owner=group.owner) for one in steps],
        "silent": await silent_in(tx, sight, group, runs),
        "tracks": sight.tracks("群里", open_needs, group=group),
        "drop_reasons": DROP_REASONS,
        "can_ask": not group.dismissed,
        "now": sight.now.isoformat(),
    }


async def silent_in(tx: Tx, sight: Sight, group: GroupChat, runs: list[Run]) -> Json:
    """Say who has not spoken since the script began, or in 30 days; only where we can hear."""
    people = group.customers
    if not await tx.workbench.ever_heard(group.id):
        words = "看不到群里谁说过话：没有开通会话存档，或还没有人说话"
        return {"readable": False, "words": words, "people": [], "more": 0}
    began = [run.entered_at for run in runs if run.entered_at is not None]
    since = max([sight.now - _LOOK_BACK, *began])
    spoke = await tx.workbench.speakers(group.id, since)
    silent = [one for one in people if one.id not in spoke]
    span = "进剧本以来" if since in began else "近 30 天"
    words = f"{len(people)} 人里 {len(silent)} 人还没说过话（{span}）"
    if people and not silent:
        words = f"{len(people)} 人都说过话（{span}）"
    named = [one.name or "未具名的成员" for one in silent]
    shown = named[:_MOST_NAMES]
    return {"readable": True, "words": words, "people": shown, "more": len(named) - len(shown)}


async def _run(tx: Tx, room: Room, sight: Sight, runs: list[Run]) -> Json | None:
    """Say where the group stands in the script that it began last."""
    if not runs:
        return None
    run = runs[-1]
    script = await room.script_of(tx, run.script, run.version)
    position = position_of(script, run, sight.today)
    name = script.name if script is not None else "剧本"
    return {"script": run.script, "name": name, "position": position}
