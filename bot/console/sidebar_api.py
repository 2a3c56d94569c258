"""The calls of the sidebar's page: each reads or writes in one transaction."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from bot.console import acts, draft_acts, kf_acts
from bot.console.customer_view import customer_view
from bot.console.group_questions import see_to
from bot.console.group_view import NAMELESS_GROUP, group_view
from bot.console.lead_view import first_due, lead_json
from bot.console.looks import Looks
from bot.console.refusal import Refusal
from bot.console.rights import customer_for, group_for
from bot.console.room import NAMELESS, Json, Room, Sight
from bot.console.web import Caller, Door
from bot.domain.lead import Lead
from bot.domain.lead_rights import seen_everywhere
from bot.domain.rights import pools_of, team_of
from bot.storage.db import Tx
from bot.storage.workbench import DraftsAt

_MOST_LEADS = 50


class SidebarApi:
    """Answers what the page asks, and carries out what a member presses."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._looks = Looks(room)

    def routes(self, door: Door) -> list[web.RouteDef]:
        """Return the routes of the calls."""
        base = f"{door.place.path}/api"
        return [
            web.get(f"{base}/customer", door.api(self.customer)),
            web.get(f"{base}/group", door.api(self.group)),
            web.get(f"{base}/leads", door.api(self.leads)),
            web.get(base + r"/leads/{number:\d{1,15}}", door.api(self.lead)),
            web.post(base + r"/leads/{number:\d{1,15}}", door.api(self.move)),
            web.post(base + r"/drafts/{number:\d{1,15}}", door.api(self.draft)),
            web.post(base + r"/tracks/{name:[a-z0-9-]{1,64}}", door.api(self.track)),
            web.post(f"{base}/questions", door.api(self.question)),
            web.post(f"{base}/check", door.api(self.check)),
            web.post(f"{base}/kf", door.api(self.kf)),
            web.post(f"{base}/ask", door.api(self.ask, status=202)),
            web.get(base + r"/ask/{number:\d{1,15}}", door.api(self.asked)),
        ]

    async def customer(self, caller: Caller) -> Json:
        """Tell who a customer is."""
        sight, id = caller.sight, caller.id
        try:
            async with self._room.database.read() as tx:
                customer, leads = await customer_for(tx, sight, id)
                told = await customer_view(tx, self._room, sight, customer, leads)
        except Refusal:
            await self._looks.note("customer_refused", id, sight)
            raise
        await self._looks.note("customer_shown", customer.id, sight)
        return told

    async def group(self, caller: Caller) -> Json:
        """Tell how a group stands."""
        sight, id = caller.sight, caller.id
        try:
            async with self._room.database.read() as tx:
                group = await group_for(tx, sight, id)
                told = await group_view(tx, self._room, sight, group)
        except Refusal:
            await self._looks.note("group_refused", id, sight)
            raise
        await self._looks.note("group_shown", group.id, sight)
        return told

    async def leads(self, caller: Caller) -> Json:
        """List a member's open leads, for a head the team's, for 消保 what is grave."""
        sight = caller.sight
        me, (_, *others) = sight.me, team_of(sight.bank, sight.me.userid)
        pools = {*pools_of(sight.bank, me.userid), *([me.branch] if me.branch else [])}
        async with self._room.database.read() as tx:
            mine = await tx.workbench.leads_of([me.userid], pools=pools, limit=_MOST_LEADS)
            team = await tx.workbench.leads_of(others, limit=_MOST_LEADS) if others else []
            if needs := seen_everywhere(sight.bank, me.userid):
                team += await tx.workbench.leads_about(needs, limit=_MOST_LEADS)
            own = {lead.id for lead in mine}
            rest = {lead.id: lead for lead in team if lead.id not in own}
            shown = await _shown(tx, sight, mine), await _shown(tx, sight, list(rest.values()))
            waiting = await tx.workbench.drafts_waiting(me.userid)
            names = await tx.workbench.names(one.chat for one in waiting)
        return {
            "me": who_am_i(sight),
            "mine": shown[0],
            "team": shown[1],
            "most": _MOST_LEADS,
            "drafts_at": [_drafts_at(one, names) for one in waiting],
            "now": sight.now.isoformat(),
        }

    async def lead(self, caller: Caller) -> Json:
        """Show one lead."""
        sight = caller.sight
        try:
            async with self._room.database.read() as tx:
                shown, customer = await acts.show_lead(tx, sight, caller.number)
        except Refusal:
            await self._looks.note("customer_refused", f"lead:{caller.number}", sight)
            raise
        await self._looks.note("customer_shown", customer, sight)
        return {"lead": shown, "now": sight.now.isoformat()}

    async def move(self, caller: Caller) -> Json:
        """Move a lead by one of its buttons."""
        act, choice = caller.text("act"), caller.text("choice")
        async with self._room.database.begin() as tx:
            return await acts.move_lead(tx, self._room, caller.sight, caller.number, act, choice)

    async def draft(self, caller: Caller) -> Json:
        """Write what became of a draft."""
        act, text, reason = caller.text("act"), _said(caller), caller.text("reason")
        async with self._room.database.begin() as tx:
            return await draft_acts.settle(
                tx, self._room, caller.sight, caller.number, act, text, reason
            )

    async def track(self, caller: Caller) -> Json:
        """Write that a talk track was sent."""
        customer, group, text = caller.text("customer"), caller.text("group"), _said(caller)
        async with self._room.database.begin() as tx:
            return await draft_acts.track_sent(
                tx, self._room, caller.sight, caller.name, customer, group, text
            )

    async def question(self, caller: Caller) -> Json:
        """Write that a group's question was seen to by a person."""
        group, asker = caller.text("group"), caller.text("asker")
        at, act = caller.text("at"), caller.text("act")
        async with self._room.database.begin() as tx:
            return await see_to(tx, self._room, caller.sight, group, asker, at, act)

    async def check(self, caller: Caller) -> Json:
        """Look at words before they go out."""
        return draft_acts.check_words(_said(caller), caller.text("place"), caller.sight)

    async def kf(self, caller: Caller) -> Json:
        """Press a button of a customer's talk in 微信客服."""
        async with self._room.database.begin() as tx:
            return await kf_acts.press(
                tx, caller.sight, caller.text("customer"), caller.text("act")
            )

    async def ask(self, caller: Caller) -> Json:
        """Ask for a draft."""
        customer, group, text = caller.text("customer"), caller.text("group"), _said(caller)
        async with self._room.database.begin() as tx:
            return await draft_acts.ask(tx, caller.sight, customer, group, text)

    async def asked(self, caller: Caller) -> Json:
        """Tell how far a draft is that was asked for."""
        async with self._room.database.read() as tx:
            return await draft_acts.show_ask(tx, caller.sight, caller.number)


def who_am_i(sight: Sight) -> Json:
    """Return who is signed in, for the page's head."""
    branch = sight.bank.branch(sight.me.branch or "")
    place = branch.name if branch is not None else sight.bank.institution.name
    me = sight.me
    return {"userid": me.userid, "name": me.name, "role": me.role, "branch": place}


def _drafts_at(one: DraftsAt, names: Mapping[str, str]) -> Json:
    kind, nameless = ("customer", NAMELESS) if one.of_two else ("group", NAMELESS_GROUP)
    name = names.get(one.chat) or nameless
    return {"kind": kind, "id": one.chat, "name": name, "count": one.waiting}


def _said(caller: Caller) -> str:
    return caller.text("text", most=draft_acts.MOST_CHARS * 2)


async def _shown(tx: Tx, sight: Sight, leads: list[Lead]) -> list[Json]:
    ids = [lead.customer for lead in leads] + [lead.chat for lead in leads if lead.chat]
    names = await tx.workbench.names(ids)
    return [lead_json(lead, sight, names) for lead in first_due(leads)]
