"""What the sidebar works with, and one member's look at it at one moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime

from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.compliance import Rules, mask
from bot.domain.ids import RmId
from bot.domain.institution import Member
from bot.domain.lead import SELLING
from bot.domain.people import Customer, GroupChat
from bot.domain.render import UnknownVariable, render
from bot.domain.script import SopScript
from bot.domain.suitability import NOBODY, Asker, too_risky_for_a_group, withheld
from bot.domain.talk_track import TalkTrack, TalkTracks, TrackPlace, tracks_for
from bot.domain.variables import variables_for
from bot.leads.cards import when
from bot.leads.desk import LeadDesk
from bot.ports import Clock
from bot.storage.db import Database, Tx

Json = dict[str, object]
ScriptOf = Callable[[Tx, str, str], Awaitable[SopScript | None]]
NAMELESS = "客户"
_NOBODY = "（待分配）"


@dataclass(frozen=True)
class Files:
    """What the sidebar reads of the files that people edit, as they are now."""

    bank: Bank
    rules: Rules
    talk: tuple[TalkTracks, ...]
    tables: CalendarTables


@dataclass(frozen=True)
class Room:
    """Everything the sidebar's routes share; ``script_of`` gives the version a run is bound to."""

    database: Database
    clock: Clock
    files: Callable[[], Files]
    script_of: ScriptOf
    desk: LeadDesk
    kf_link: str = ""


@dataclass(frozen=True)
class Sight:
    """One member's look: what the files say, who looks, and when."""

    files: Files
    me: Member
    now: datetime
    kf_link: str = ""

    @property
    def bank(self) -> Bank:
        """Return the bank's facts."""
        return self.files.bank

    @property
    def today(self) -> date:
        """Return the bank's day."""
        return self.now.astimezone(self.bank.zone).date()

    def at(self, moment: datetime | None) -> Json | None:
        """Say a moment in words and for programs."""
        if moment is None:
            return None
        local = moment.astimezone(self.bank.zone)
        words, ago = when(moment, self.now, self.bank.zone), (self.today - local.date()).days
        if ago == 1:
            words = f"昨天 {local:%H:%M}"
        elif local.year != self.today.year:
            words = f"{local.year}年{local.month}月{local.day}日"
        return {"words": words, "iso": moment.isoformat()}

    def person(self, userid: str) -> Json:
        """Name a member of staff."""
        member = self.bank.member(userid)
        name = member.name if member is not None else userid or _NOBODY
        return {"userid": userid, "name": name, "me": userid == self.me.userid}

    def masked(self, text: str) -> str:
        """Hide what nobody needs to read: numbers of cards, phones and papers."""
        return mask(text, self.files.rules)

    def tracks(
        self,
        place: TrackPlace,
        needs: frozenset[str],
        *,
        customer: Customer | None = None,
        asker: Asker = NOBODY,
        in_peace: bool = False,
        group: GroupChat | None = None,
    ) -> list[Json]:
        """Return the talk tracks for a place, filled in.

        Left out is what cannot be filled in, and what speaks of more risk than the customer may
        hear of (S01, S03), or a group (S06); for who is left ``in_peace`` whatever sells (S20).
        """
        variables = variables_for(
            self.bank,
            today=self.today,
            manager=RmId(group.owner) if group is not None else self.me.userid,
            branch=group.branch if group is not None else None,
            kf_link=self.kf_link,
            customer_name=customer.name if customer is not None else "",
        )
        found: list[Json] = []
        for track, file in tracks_for(self.files.talk, place, needs, self.today):
            if group is not None and too_risky_for_a_group(track.rating):
                continue
            if group is None and withheld(track.rating, asker, self.today):
                continue
            if in_peace and _sells(track):
                continue
            try:
                text = render(track.text, variables)
            except UnknownVariable:
                continue
            found.append(_shown(track, file, text, fits=track.fits(needs)))
        return found


def _sells(track: TalkTrack) -> bool:
    """Tell whether a track is good for nothing but a sale."""
    return bool(track.product) or (bool(track.needs) and SELLING.issuperset(track.needs))


def _shown(track: TalkTrack, file: TalkTracks, text: str, *, fits: bool) -> Json:
    return {
        "id": track.id,
        "situation": track.situation,
        "name": track.name,
        "text": text.strip(),
        "source": track.basis,
        "avoid": [*track.avoid, *file.never],
        "fits": fits,
    }


def name_of(customer: Customer | None) -> str:
    """Return what a customer is called."""
    return customer.name if customer is not None and customer.name else NAMELESS
