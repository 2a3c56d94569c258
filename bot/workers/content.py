"""All that people edit, as it stands now: the last good version goes on while a file is broken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from bot.answering.answer import Answerer
from bot.answering.duty import closed_until
from bot.domain.admission import Holdouts
from bot.domain.approval import ApprovalMode, Decision, approved_until, substance
from bot.domain.assigning_rules import AssigningRules
from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.hold import Holds
from bot.domain.knowledge import ProductSheet
from bot.domain.lead_data import unread
from bot.domain.lead_score import LeadRules
from bot.domain.people import GroupChat
from bot.domain.persona import Persona
from bot.domain.pilot import version_for
from bot.domain.quota import TenantCaps
from bot.domain.script import SopScript, from_json
from bot.domain.script_parts import Approval, Status
from bot.domain.tickets import Times
from bot.errors import Problem
from bot.log import logger
from bot.storage.db import Tx
from bot.workers.files import Snapshot as Snapshot
from bot.workers.files import inspect as inspect
from bot.workers.files import read_snapshot as read_snapshot
from bot.workers.files import signature as signature
from bot.workers.files import tables_for as tables_for
from bot.workers.files import version_of as version_of
from bot.workspace import Workspace

log = logger(__name__)

Version = tuple[str, str]
"""A script's 编号 with the hash of one of its versions."""


class Versions(Protocol):
    """Where the versions are read that runs are bound to."""

    async def script(self, tx: Tx, script: str, version: str) -> SopScript | None:
        """Return the very version a run is bound to."""


class StoredVersions:
    """Versions as the database has them; each is read once."""

    def __init__(self) -> None:
        self._known: dict[Version, SopScript] = {}

    async def script(self, tx: Tx, script: str, version: str) -> SopScript | None:
        """Return the very version a run is bound to."""
        known = self._known.get((script, version))
        if known is None:
            text = await tx.scripts.text(script, version)
            if text is None:
                return None
            known = self._known[(script, version)] = from_json(text)
        return known


@dataclass
class Content:
    """What every worker reads: swapped as a whole once new files have passed every check."""

    workspace: Workspace
    snapshot: Snapshot
    answerer: Answerer
    tables: CalendarTables
    make_answerer: Callable[[Snapshot], Answerer]
    kf_link: str = ""
    sidebar: str = ""  # the address of the page that shows customers and leads
    card_link: str = ""  # the page that cards open where that has no address
    problems: tuple[Problem, ...] = ()
    approval: ApprovalMode = "file"
    tenant_caps: TenantCaps = field(default_factory=TenantCaps)
    hold_unknown_years: bool = False
    holdouts: Holdouts = field(default_factory=Holdouts)
    assigning: AssigningRules = field(default_factory=AssigningRules)
    scoring: LeadRules = field(default_factory=LeadRules)
    handing_over: Times = field(default_factory=Times)
    _versions: StoredVersions = field(default_factory=StoredVersions)
    _substances: dict[Version, str] = field(default_factory=dict)
    _claims: dict[Version, list[Approval]] = field(default_factory=dict)
    _claims_in: Snapshot | None = None

    def __post_init__(self) -> None:
        """Say in the log what is set of leads and would do nothing."""
        self._tell_unread()

    @property
    def bank(self) -> Bank:
        """Return the bank's facts."""
        return self.snapshot.bank

    @property
    def persona(self) -> Persona:
        """Return who speaks: the first of the personas."""
        return next(iter(self.snapshot.personas.values()))

    def lead_link(self, lead: int) -> str:
        """Return the page on which a member of staff sees one lead; "" where there is none."""
        return f"{self.sidebar}?lead={lead}" if self.sidebar else self.card_link

    def closed_until(self, now: datetime, userid: str = "") -> datetime | None:
        """Return when somebody is there again where a member works; None while somebody is."""
        member = self.bank.member(userid) if userid else None
        branch = member.branch if member is not None and member.branch else ""
        return closed_until(self.bank, branch, self.tables, now)

    def adopt(self, snapshot: Snapshot) -> None:
        """Go on with new files."""
        self.snapshot = snapshot
        self.answerer = self.make_answerer(snapshot)
        self.problems = ()
        self._tell_unread()

    def _tell_unread(self) -> None:
        for one in unread(self.scoring, self.bank.field_kinds):
            log.warning("lead_setting_does_nothing", key=one.key, what=one.what, mend=one.mend)

    def product(self, product_id: str) -> ProductSheet | None:
        """Return a product of the catalogue."""
        return self.snapshot.knowledge.product(product_id)

    async def script(self, tx: Tx, script: str, version: str) -> SopScript | None:
        """Return the very version a run is bound to."""
        return await self._versions.script(tx, script, version)

    def version_for(
        self, script: str, subject: str, tags: Collection[str] = ()
    ) -> SopScript | None:
        """Return what a subject begins that enters a script now: a pilot's part the new version.

        ``tags`` are those of a group.
        """
        piloted = self.snapshot.pilots.get(script)
        return version_for(
            self.snapshot.scripts.get(script),
            piloted.pilot if piloted else None,
            piloted.script if piloted else None,
            subject,
            tags,
        )

    async def holds(self, tx: Tx, versions: Iterable[Version], now: datetime) -> Holds:
        """Return what stands still: what people hold, and versions that nobody allows to be sent.

        One call serves a batch; ``versions`` are those that are bound to it.
        """
        wanted = sorted(set(versions))
        decisions = await tx.approvals.of([script for script, _ in wanted])
        today = now.astimezone(self.bank.zone).date()
        unapproved = []
        for script_id, version in wanted:
            script = await self.script(tx, script_id, version)
            if script is not None:
                until = self._until(script, version, decisions)
                if until is None or until < today:
                    unapproved.append((script_id, version))
        return Holds(await tx.holds.in_force(), unapproved)

    async def approved_until(self, tx: Tx, script: SopScript, version: str) -> date | None:
        """Return the last day on which this version may be sent; None where it may not be."""
        return self._until(script, version, await tx.approvals.of([script.id]))

    def _until(
        self, script: SopScript, version: str, decisions: Mapping[Version, Decision]
    ) -> date | None:
        """Judge by the version's own 审批, or by a newer file's for the very same content."""
        key = (script.id, version)
        if key not in self._substances:
            self._substances[key] = substance(script)
        its = (script.id, self._substances[key])
        claims = [script.approval, *self._claimed().get(its, ())]
        found = (approved_until(self.approval, claim, decisions.get(its)) for claim in claims)
        return max((day for day in found if day is not None), default=None)

    def _claimed(self) -> Mapping[Version, list[Approval]]:
        """Return the 审批 of what is in force, by the content that each is for."""
        if self._claims_in is not self.snapshot:
            self._claims_in, self._claims = self.snapshot, {}
            piloted = [each.script for each in self.snapshot.pilots.values()]
            for script in (*self.snapshot.scripts.values(), *piloted):
                if script.status is Status.PUBLISHED and script.approval is not None:
                    its = (script.id, substance(script))
                    self._claims.setdefault(its, []).append(script.approval)
        return self._claims

    def group_name(self, group: GroupChat | None) -> str:
        """Return a group's name as people know it."""
        return group.name if group is not None and group.name else "客户群"
