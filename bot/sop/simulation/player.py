"""A subject's run in memory: what the tables of runs, steps, slots and events hold of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.quota import Slot, planned_at
from bot.domain.runs import FINAL_STEPS, Face, Run, RunStep, Standing, Token
from bot.domain.subject import OWN_ACTS, Event, SubjectFacts
from bot.sop.thought import Reserved

_WEEK = timedelta(days=7)


@dataclass(slots=True)
class Player:
    """One subject with its run."""

    run: Run
    face: Face
    facts: SubjectFacts
    size: int  # how many read what is sent
    steps: dict[int, RunStep] = field(default_factory=dict)
    ended: list[RunStep] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)
    happened: list[Event] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    delivered_at: dict[int, datetime] = field(default_factory=dict)
    wake_at: datetime | None = None
    _known: tuple[int, int] = (0, 0)
    _subject: SubjectFacts = field(init=False)

    def __post_init__(self) -> None:
        """Know of the subject what is known at its entry."""
        self._subject = self.facts

    def standing(self, now: datetime) -> Standing:
        """Return how the run stands now, as the planner's bulk read does."""
        due: list[RunStep] = []
        later: datetime | None = None
        unfinished = False
        for row in self.steps.values():
            if row.state == "planned":
                moment = row.opens_at
            elif row.state == "waiting":
                moment = row.closes_at
            else:
                unfinished = True
                continue
            if moment <= now:
                due.append(row)
                continue
            unfinished = True
            if later is None or moment < later:
                later = moment
        due.sort(key=lambda row: (row.opens_at, row.id))
        at = self._row() if self.run.node else None
        return Standing(self.run, self.face, tuple(due), later, unfinished, at)

    def _row(self) -> RunStep | None:
        """Return the step at which a run's token is, whatever became of it."""
        here = (self.run.node, self.run.round)
        rows = (*self.steps.values(), *reversed(self.ended))
        return next((row for row in rows if (row.step, row.round) == here), None)

    def put(self, row: RunStep) -> None:
        """Keep a step as it stands now."""
        if row.state in FINAL_STEPS:
            self.steps.pop(row.id, None)
            self.ended.append(row)
        else:
            self.steps[row.id] = row

    def leave(self, reason: str) -> None:
        """End the run early: what was planned or waited is skipped, its places are free again."""
        for row in list(self.steps.values()):
            if row.state in ("planned", "waiting"):
                self.put(row.model_copy(update={"state": "skipped", "reason": reason}))
        ended = {"state": "exited", "reason": reason, "due_at": None}
        self.run = self.run.model_copy(update=ended)
        self.slots = [slot for slot in self.slots if slot.state == "used"]

    def stand(self, token: Token) -> None:
        """Keep where the run's token is now."""
        self.run = self.run.model_copy(
            update={
                "node": token.node,
                "phase": token.phase,
                "node_at": token.at,
                "round": token.round,
                "arms": token.arms,
                "shifted": token.shifted,
                "been": token.been,
            }
        )

    def subject(self) -> SubjectFacts:
        """Return what is known of the subject by now."""
        known = (len(self.happened), len(self.tags))
        if self._known != known:
            self._known, self._subject = known, self._described()
        return self._subject

    def _described(self) -> SubjectFacts:
        happened, tags = tuple(self.happened), self.facts.tags | self.tags
        refuses = self.facts.refuses or any(one.kind == "客户拒收" for one in happened)
        return self.facts._replace(
            happened=happened,
            tags=tags,
            refuses=refuses,
            complaint_open=self.facts.complaint_open or self.complaints_since(None) > 0,
            last_seen=self._acted_at() or self.facts.last_seen,
        )

    def complaints_since(self, moment: datetime | None) -> int:
        """Count complaints from a moment on."""
        return sum(
            one.kind == "投诉" and (moment is None or one.at >= moment) for one in self.happened
        )

    def replied_at(self) -> datetime | None:
        """Return when the subject said something last."""
        return max((one.at for one in self.happened if one.kind == "客户回复"), default=None)

    def _acted_at(self) -> datetime | None:
        """Return when the subject did anything of its own last, as 最近互动 has it."""
        return max((one.at for one in self.happened if one.kind in OWN_ACTS), default=None)

    def used(self, kind: str, since: datetime, until: datetime) -> int:
        """Count slots used in ``[since, until)``."""
        return sum(
            slot.kind == kind and slot.state == "used" and since <= slot.at < until
            for slot in self.slots
        )

    def hold(self, held: Reserved, zone: ZoneInfo) -> None:
        """Keep a step's places on its day until it is sent or ends."""
        at = planned_at(held.day, zone)
        self.slots += [Slot(kind, at, held.key, held.priority, "planned") for kind in held.kinds]

    def release(self, key: str) -> None:
        """Give back the slots of a key."""
        self.slots = [slot for slot in self.slots if slot.key != key]
