"""What all the runs of one batch share: the moment, the files, and what was read for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from bot.domain.audience import bucket
from bot.domain.calendar import ONE_DAY, CalendarTables
from bot.domain.expression import Expression, parse
from bot.domain.expression_values import Known
from bot.domain.hold import Holds
from bot.domain.misfire import Late
from bot.domain.opening import Hours
from bot.domain.placing import Placer
from bot.domain.quota import (
    Caps,
    Kind,
    Slot,
    TenantCaps,
    caps_for,
    is_tired,
    planned_at,
    room,
)
from bot.domain.runs import Run, slot_key
from bot.domain.splitting import Exposure
from bot.domain.steps import Overlay, SendBy, Step
from bot.domain.subject import Seen, SubjectFacts
from bot.domain.withdrawal import Withdrawn
from bot.sop.fire import GuardFacts, Wordings, ways_of
from bot.sop.places import kinds_of
from bot.sop.thought import Advance, Played, Reserved

NOT_KNOWN = "calendar_unknown"


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """What the steps of a batch are judged by, of every subject in it that they ask about.

    ``needs`` are those of which anybody of a group has or had a lead. ``assignments`` are the
    arms of units that were exposed, by (experiment, unit). ``last_seen`` is when those said or did
    something last who have been written to often. ``more`` is what conditions ask of each
    script itself: 本波增量上界, 成本. ``hold_unknown`` has steps wait whose day nobody has
    published yet.
    """

    needs: Mapping[str, Collection[str]] = field(default_factory=dict)
    complaints: Mapping[str, int] = field(default_factory=dict)
    products: Mapping[str, int] = field(default_factory=dict)
    subjects: Mapping[str, SubjectFacts] = field(default_factory=dict)
    assignments: Mapping[tuple[str, str], str] = field(default_factory=dict)
    slots: Mapping[str, Sequence[Slot]] = field(default_factory=dict)
    last_seen: Mapping[str, datetime | None] = field(default_factory=dict)
    holds: Holds = field(default_factory=Holds)
    withdrawn: Withdrawn = field(default_factory=Withdrawn)
    tenant: TenantCaps | None = None
    more: Mapping[str, Mapping[str, Known]] = field(default_factory=dict)
    hold_unknown: bool = False

    def of(self, group: str, today: date) -> GuardFacts:
        """Return what is true of one group."""
        return GuardFacts(
            today=today,
            needs_in_group=self.needs.get(group, ()),
            complaints_this_week=self.complaints.get(group, 0),
            products_this_week=self.products.get(group, 0),
        )


class Batch:
    """The moment and the files by which a batch is judged, with what was read for it."""

    def __init__(
        self, wordings: Wordings, facts: BatchFacts, now: datetime, tables: CalendarTables
    ) -> None:
        self.wordings = wordings
        self.facts = facts
        self.now = now
        self.tables = tables
        self.bank = wordings.bank
        self.zone = wordings.bank.zone
        self.withdrawn = facts.withdrawn or None
        self._holds = facts.holds or None
        self._nobody_knows = facts.hold_unknown
        self.today = now.astimezone(self.zone).date()
        tomorrow = datetime.combine(self.today + ONE_DAY, time(0), tzinfo=self.zone)
        self.midnight = tomorrow.astimezone(UTC)
        self._hours: dict[tuple[str, str], Hours] = {}
        self._caps: dict[tuple[object, ...], Caps] = {}
        self._taken: dict[str, list[Slot]] = {}
        self._empty: dict[tuple[object, ...], str] = {}
        self._exposed = dict(facts.assignments)

    def hours(self, run: Run, played: Played) -> Hours:
        """Return the open hours of a run's version."""
        key = (run.script, run.version)
        if key not in self._hours:
            self._hours[key] = Hours(played.script.rails, self.tables, self.zone)
        return self._hours[key]

    def late(self, run: Run, played: Played) -> Late:
        """Return who judges what missed its window."""
        hours = self.hours(run, played)
        return Late(hours, self.tables, played.script.rest_days, self.now)

    def placer(self, run: Run, played: Played) -> Placer:
        """Return who finds days for steps."""
        return Placer(played.script, self.hours(run, played), self.tables, self.zone)

    @property
    def same_for_all(self) -> bool:
        """Tell whether nobody holds the steps of some subjects only."""
        return self._holds is None

    def held(self, run: Run, step: str, owner: str) -> str:
        """Return why a step has to wait for a person now; empty where it does not."""
        if self._nobody_knows and self.tables.source(self.today) == "provisional":
            return NOT_KNOWN
        if self._holds is None:
            return ""
        return self._holds.pausing(run.script, run.version, step, run.branch, owner, run.subject)

    def passed_over(self, run: Run, step: str) -> str:
        """Return why a run goes on behind a step that has not gone out; empty where it does not."""
        return "" if self._holds is None else self._holds.passing_over(run.script, step)

    def seen(
        self,
        run: Run,
        since: datetime | None = None,
        *,
        heard_at: datetime | None = None,
        until: datetime | None = None,
    ) -> Seen | None:
        """Return what is known of a run's subject; None where nothing was read.

        WeCom's clock may be ahead of ours: what was ``heard_at`` its moment counts already. What
        came after ``until``, a wait's deadline, came too late for the branch that follows it.
        """
        known = self.facts.subjects.get(run.subject)
        if known is None:
            return None
        if more := self.facts.more.get(run.script):
            known = known._replace(more=more)
        if until is not None and any(event.at > until for event in known.happened):
            in_time = tuple(event for event in known.happened if event.at <= until)
            known = known._replace(happened=in_time)
        return known.seen(max(self.now, heard_at or self.now), since)

    def holds_true(self, condition: str, run: Run, since: datetime | None = None) -> bool:
        """Tell whether a condition is true of a run's subject; unknown is not true (I11)."""
        seen = self.seen(run, since)
        return seen is not None and self.read(condition).evaluate(seen) is True

    def read(self, condition: str) -> Expression:
        """Read a condition of a file that was checked."""
        return parse(condition)

    def share(self, run: Run, part: Step | Overlay, owner: str) -> float:
        """Return a run's place in [0, 1), by which what is due together is spread (Q3).

        Those whom one press of a colleague reaches share theirs: else it would take many presses.
        """
        ways = ways_of(part)
        alone = SendBy.BROADCAST not in ways[:1] or self.wordings.personal(part, "")
        return bucket(part.id, str(run.id) if alone else owner)

    def exposed(self) -> Mapping[tuple[str, str], str]:
        """Return the arms of units that were exposed, in this batch too."""
        return self._exposed

    def expose(self, thought: Advance, exposure: Exposure) -> None:
        """Bind a unit to the arm whose words it gets, if this is the first time."""
        key = (exposure.experiment, exposure.unit)
        if key not in self._exposed:
            self._exposed[key] = exposure.arm
            thought.exposures.append(exposure)

    def obstacle(
        self, run: Run, played: Played, part: Step | Overlay, round: int, day: date, way: SendBy
    ) -> str:
        """Say which cap leaves a step no room on a day when it goes out this way; empty: none."""
        if self.taken(run.subject):
            return self._full(run, played, part, round, day, way)
        # Of most subjects nothing is in the way: what their caps say then is worked out once.
        same = (run.script, run.version, part.id, way, run.subject_kind, run.weekly_cap)
        if same not in self._empty:
            self._empty[same] = self._full(run, played, part, round, day, way)
        return self._empty[same]

    def _full(
        self, run: Run, played: Played, part: Step | Overlay, round: int, day: date, way: SendBy
    ) -> str:
        kinds = kinds_of(part, way, run.subject_kind)
        if not kinds:
            return ""
        slots, caps = self.taken(run.subject), self._caps_of(run, played, kinds)
        key, priority = slot_key(run.id, part.id, round), played.script.priority_of(part)
        return room(slots, caps, day, key, priority, kinds) or ""

    def reserve(
        self,
        thought: Advance,
        played: Played,
        part: Step | Overlay,
        round: int,
        day: date,
        way: SendBy,
    ) -> None:
        """Take a step's place on a day, in place of any it had; the batch's next finds it taken."""
        run = thought.run
        key = slot_key(run.id, part.id, round)
        self.release(thought, key)
        kinds = kinds_of(part, way, run.subject_kind)
        if kinds:
            priority = played.script.priority_of(part)
            thought.reserved.append(Reserved(run.subject, key, kinds, day, priority))
            at = planned_at(day, self.zone)
            mine = self.taken(run.subject)
            mine += [Slot(kind, at, key, priority, "planned") for kind in kinds]

    def release(self, thought: Advance, key: str) -> None:
        """Give a step's place back."""
        thought.reserved[:] = [one for one in thought.reserved if one.key != key]
        if key not in thought.released:
            thought.released.append(key)
        mine = self.taken(thought.run.subject)
        mine[:] = [slot for slot in mine if slot.key != key]

    def taken(self, subject: str) -> list[Slot]:
        """Return the places that are taken among a subject's messages, by this batch too."""
        slots = self._taken.get(subject)
        if slots is None:
            slots = self._taken[subject] = list(self.facts.slots.get(subject, ()))
        return slots

    def _caps_of(self, run: Run, played: Played, kinds: tuple[Kind, ...]) -> Caps:
        tired = "private" in kinds and self._is_tired(run)
        known = self.facts.subjects.get(run.subject)
        asked = [run.weekly_cap, known.weekly_cap if known else None]
        weekly_cap = min((cap for cap in asked if cap is not None), default=None)
        key = (run.script, run.version, run.subject_kind, weekly_cap, tired)
        if key not in self._caps:
            self._caps[key] = caps_for(
                played.script,
                self.bank,
                run.subject_kind,
                weekly_cap,
                self.facts.tenant,
                tired=tired,
            )
        return self._caps[key]

    def _is_tired(self, run: Run) -> bool:
        if run.subject_kind != "customer":
            return False
        return is_tired(self.taken(run.subject), self.facts.last_seen.get(run.subject))
