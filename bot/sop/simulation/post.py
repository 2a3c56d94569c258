"""The way out of a simulation: the real gate, then batches as WeCom would get them; none leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from bot.domain.delivery import Hold, Send, Skip, Terms, decide
from bot.domain.passing import kinds_of, priority_of
from bot.domain.quota import Slot, slot_of
from bot.sop.simulation.gate import Gate
from bot.sop.simulation.hands import Hands, Item
from bot.sop.simulation.player import Player
from bot.sop.simulation.stage import Stage
from bot.storage.letters import Letter


@dataclass(frozen=True, slots=True)
class _Parcel:
    player: Player
    letter: Letter
    terms: Terms

    @property
    def slot(self) -> str:
        """Return by which key the places are known that this message takes."""
        return slot_of(self.letter.key)


class Outgoing:
    """Takes what the outbox would hold, asks the gate, and hands the rest to the managers."""

    def __init__(self, stage: Stage, hands: Hands) -> None:
        self._stage = stage
        self._hands = hands
        stage.post = self

    def deliver(self, letters: Sequence[tuple[Player, Letter]], now: datetime) -> None:
        """Judge messages that are due, in their order."""
        parcels = [
            _Parcel(player, letter, Terms.model_validate_json(letter.facts))
            for player, letter in letters
        ]
        self._judge(parcels, now)

    def _judge(self, parcels: Sequence[_Parcel], now: datetime) -> None:
        gate, leaving = Gate(self._stage, now), list[_Parcel]()
        held: dict[datetime, list[_Parcel]] = {}
        for parcel in parcels:
            facts = gate.facts(parcel.player, parcel.terms, parcel.letter.key)
            match decide(parcel.terms, facts, self._stage.hours, now):
                case Send():
                    self._use_places(parcel, now)
                    leaving.append(parcel)
                case Hold(until=until):
                    held.setdefault(until, []).append(parcel)
                case Skip(reason=reason):
                    self._skip(parcel, reason, now)
        for until, those in held.items():
            self._stage.at(until, partial(self._judge, those))
        self._send(leaving, now)

    def _use_places(self, parcel: _Parcel, now: datetime) -> None:
        """Turn what was planned into what is used."""
        player, key = parcel.player, parcel.slot
        priority = priority_of(self._stage.case.script, parcel.terms)
        player.release(key)
        at = now.astimezone(self._stage.zone)  # once, and not at every look at it
        player.slots += [Slot(kind, at, key, priority) for kind in kinds_of(parcel.terms)]

    def _skip(self, parcel: _Parcel, reason: str, now: datetime) -> None:
        player, terms = parcel.player, parcel.terms
        player.release(parcel.slot)
        row = player.steps.get(terms.run_step or 0)
        subject, note = player.run.subject, self._stage.diary.note
        note(now, "message_skipped", subject, key=parcel.letter.key, reason=reason)
        if row is None:
            return  # its run has ended meanwhile, and the step with it
        player.put(row.model_copy(update={"state": "skipped", "reason": reason}))
        note(now, "step_skipped", subject, step=terms.step, reason=reason, run=player.run.id)
        if player.run.state == "running":
            self._stage.wake(player, now)

    def _send(self, parcels: Sequence[_Parcel], now: datetime) -> None:
        """Hand messages on, those that one call can carry together as one."""
        batches: dict[tuple[str, str], list[Item]] = {}
        for parcel in parcels:
            letter = parcel.letter
            item = Item(parcel.player, parcel.terms, parcel.slot, letter.body)
            batches.setdefault((letter.bucket, letter.batch or letter.key), []).append(item)
        for (kind, _), items in batches.items():
            self._hands.receive(kind, items, now)
