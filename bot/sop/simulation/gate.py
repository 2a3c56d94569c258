"""What the gate is asked about a simulated message: the sender's own questions, from memory."""

from __future__ import annotations

from datetime import datetime

from bot.domain.delivery import Facts, Session, Terms
from bot.domain.hold import Holds
from bot.domain.passing import Asking, Passing, facts_of
from bot.domain.quota import TenantCaps
from bot.domain.withdrawal import Withdrawn
from bot.sop.simulation.player import Player
from bot.sop.simulation.stage import Stage


class Gate:
    """Gathers facts for ``decide`` of the messages of one moment."""

    def __init__(self, stage: Stage, now: datetime) -> None:
        self._stage = stage
        self._passing = Passing(
            bank=stage.case.bank,
            now=now,
            holds=Holds(),
            withdrawn=Withdrawn(),
            tenant=stage.case.tenant or TenantCaps(),
            holdouts=stage.case.holdouts,
        )

    def facts(self, player: Player, terms: Terms, key: str) -> Facts:
        """Return what is true of a step's message at this moment."""
        case = self._stage.case
        asking = Asking(
            key=key,
            terms=terms,
            run=player.run,
            script=case.script,
            in_force=None,
            subject=player.subject(),
            slots=player.slots,
            product=case.product(terms.product) if terms.product else None,
            session=Session(last_customer_at=player.replied_at()),
        )
        return facts_of(asking, self._passing)
