"""Who gets a lead: licence and branch first, then the own manager, his team, the region."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Literal

from bot.domain.assigning_rules import AssigningRules
from bot.domain.bank import Bank
from bot.domain.ids import CustomerId, RmId, digest
from bot.domain.institution import SERVING, Licence, Member
from bot.domain.lead import GRAVE, Need
from bot.domain.value import Value

Why = Literal["owner", "deputy", "team", "branch", "region", "pool"]
WORDS: dict[Why, str] = {
    "owner": "本来就管这位客户",
    "deputy": "代班的同事",
    "team": "同组的同事",
    "branch": "同网点的同事",
    "region": "同地区的同事",
    "pool": "暂时没人能接，待分派",
}
_WEIGHTS: dict[Need, int] = {Need.RED_FLAG: 3, Need.COMPLAINT: 2, Need.LATENT_COMPLAINT: 2}
_LICENCE_OF_NEED: dict[Need, Licence] = {Need.LOAN: "贷款"}
_LICENCES: tuple[Licence, ...] = ("基金", "保险", "贷款")


class Desk(Value):
    """What lies on somebody's desk: weighted open leads, and what came within the hour."""

    userid: RmId
    load: int = 0
    hour: datetime | None = None
    taken_in_hour: int = 0
    last_given_at: datetime | None = None

    def taken_since(self, hour: datetime) -> int:
        """Return how many were given in the hour that began then."""
        return self.taken_in_hour if self.hour == hour else 0


class Wanted(Value):
    """What is to be given, and to whom it belongs: the own manager first, then who else knows him.

    ``passed`` let it lie, or are not to have it.
    """

    customer: CustomerId
    need: Need
    product: str = ""
    owners: tuple[RmId, ...] = ()
    branch: str = ""
    passed: frozenset[RmId] = frozenset()

    @property
    def weight(self) -> int:
        """Return how much of a desk it fills."""
        return weight_of(self.need)

    @property
    def urgent(self) -> bool:
        """Tell whether it goes over every capacity: danger and complaints are never left lying."""
        return self.need in GRAVE

    @property
    def licence(self) -> Licence | None:
        """Return the licence without which nobody may have it."""
        return licence_for(self.need, self.product)


class Choice(Value):
    """Who is to have a lead, and why."""

    userid: RmId
    why: Why


def weight_of(need: Need) -> int:
    """Return how much of a desk a lead of this need fills."""
    return _WEIGHTS.get(need, 1)


def licence_for(need: Need, product: str) -> Licence | None:
    """Return the licence that a matter asks for; None where everybody may see to it."""
    own = [one for one in _LICENCES if one in product]
    return own[0] if own else _LICENCE_OF_NEED.get(need)


def lacks_licence(bank: Bank, userid: str, need: Need, product: str) -> Licence | None:
    """Return the licence that somebody would need and has not; None where he may have it.

    It holds for those who serve customers: a head may take a matter over, to give it to somebody.
    """
    licence, member = licence_for(need, product), bank.member(userid)
    if licence is None or member is None or member.role not in SERVING:
        return None
    stated = any(one.licences for one in bank.staff)
    return licence if stated and licence not in member.licences else None


def hour_of(now: datetime) -> datetime:
    """Return when the hour began in which a moment lies."""
    return now.replace(minute=0, second=0, microsecond=0)


class Staffing:
    """The bank's people as they are at a moment: who is there, and how much each has."""

    def __init__(
        self,
        bank: Bank,
        desks: Mapping[RmId, Desk],
        deputies: Mapping[RmId, RmId | None],
        rules: AssigningRules,
        now: datetime,
    ) -> None:
        """Take ``deputies`` of all who are away, None for those who named nobody."""
        self._bank = bank
        self._desks = dict(desks)
        self._deputies = deputies
        self._rules = rules
        self._hour = hour_of(now)
        # A file that states nobody's licences keeps them elsewhere: then none is asked for.
        self._licensed = any(member.licences for member in bank.staff)

    def choices(self, wanted: Wanted) -> Iterator[Choice]:
        """Give whoever may have it, best first; nobody twice.

        Of a set the one with the largest share of his capacity free comes first, then who got
        nothing for longest, then the order of a hash that differs from customer to customer.
        """
        seen = set(wanted.passed)
        for why, members in self._sets(wanted):
            fitting = [one for one in members if one.userid not in seen and self._may(one, wanted)]
            if why not in ("owner", "deputy"):
                fitting.sort(key=lambda one: self._rank(one, wanted))
            for member in fitting:
                if member.userid in seen:
                    continue
                seen.add(member.userid)
                yield Choice(userid=member.userid, why=why)

    def choose(self, wanted: Wanted) -> Choice | None:
        """Return who is to have it; None where nobody can."""
        return next(self.choices(wanted), None)

    def note(self, userid: RmId, weight: int, now: datetime, *, hourly: bool = True) -> None:
        """Note that somebody was given something; what is handed on counts for no hour."""
        desk, hour = self._desk(userid), hour_of(now)
        given = {"load": desk.load + weight, "last_given_at": now, "hour": hour}
        taken = {"taken_in_hour": desk.taken_since(hour) + hourly}
        self._desks[userid] = desk.model_copy(update=given | taken)

    def branch_of(self, wanted: Wanted) -> str:
        """Return the branch that a customer belongs to, "" where nobody knows."""
        for userid in wanted.owners:
            member = self._bank.member(userid)
            if member is not None and member.branch is not None:
                return member.branch
        return wanted.branch

    def capacity_of(self, userid: str) -> int:
        """Return how much may lie on a desk at once."""
        member = self._bank.member(userid)
        own = member.capacity if member is not None else None
        return own or self._rules.capacity

    def _sets(self, wanted: Wanted) -> Iterator[tuple[Why, list[Member]]]:
        yield "owner", self._named(wanted.owners)
        deputies = [self._deputies.get(userid) for userid in wanted.owners]
        yield "deputy", self._named([userid for userid in deputies if userid])
        serving = [member for member in self._bank.staff if member.role in SERVING]
        branch = self.branch_of(wanted)
        if not branch:
            yield "region", serving
            return
        teams = {member.team for member in self._named(wanted.owners, away=True) if member.team}
        own = [member for member in serving if member.branch == branch]
        yield "team", [member for member in own if member.team in teams]
        yield "branch", own
        home = self._bank.branch(branch)
        region = home.region if home is not None else ""
        near = {one.id for one in self._bank.branches if region and one.region == region}
        yield "region", [member for member in serving if member.branch in near]

    def _named(self, userids: Collection[str], *, away: bool = False) -> list[Member]:
        found = [self._bank.member(userid) for userid in userids]
        return [
            one
            for one in found
            if one is not None and one.role != "消保" and (away or self._is_there(one))
        ]

    def _is_there(self, member: Member) -> bool:
        return member.on_duty and member.userid not in self._deputies

    def _may(self, member: Member, wanted: Wanted) -> bool:
        licence = wanted.licence if self._licensed else None
        if not self._is_there(member) or (licence and licence not in member.licences):
            return False
        return wanted.urgent or self._has_room(member.userid, wanted.weight)

    def _has_room(self, userid: RmId, weight: int) -> bool:
        desk = self._desk(userid)
        given = desk.taken_since(self._hour)
        return desk.load + weight <= self.capacity_of(userid) and given < self._rules.per_hour

    def _rank(self, member: Member, wanted: Wanted) -> tuple[float, float, str]:
        desk, capacity = self._desk(member.userid), self.capacity_of(member.userid)
        given_at = desk.last_given_at.timestamp() if desk.last_given_at else 0.0
        spread = digest(wanted.customer, member.userid, size=4)
        return desk.load / capacity, given_at, spread

    def _desk(self, userid: RmId) -> Desk:
        return self._desks.get(userid) or Desk(userid=userid)
