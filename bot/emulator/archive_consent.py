"""Who agreed to the archive (§8.1): what a customer did not agree to is not handed out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

AGREE, DISAGREE, DEFAULT = "Agree", "Disagree", "Default_Agree"


@dataclass
class Consent:
    """The answers of customers, to a member ("" for all of them) or in a group."""

    by_default: bool = True
    """Whether a customer who has not answered counts as agreeing (Default_Agree)."""
    answers: dict[tuple[str, str], tuple[str, datetime]] = field(default_factory=dict)

    def answer(self, userid: str, external_userid: str, at: datetime, *, agree: bool) -> None:
        """Note an answer."""
        self.answers[userid, external_userid] = (AGREE if agree else DISAGREE, at)

    def status(self, place: str, external_userid: str) -> tuple[str, int]:
        """Return the answer in a place (a member or a group) and when it was given."""
        known = self.answers.get((place, external_userid)) or self.answers.get(
            ("", external_userid)
        )
        if known is None:
            return (DEFAULT if self.by_default else DISAGREE), 0
        return known[0], int(known[1].timestamp())

    def allows(self, sender: str, receivers: Sequence[str], chat_id: str) -> bool:
        """Tell whether a message may be handed out: in a group its sender's answer counts."""
        customers = [who for who in (sender, *receivers) if who.startswith(("wm", "wo"))]
        if chat_id:
            return sender not in customers or self._agreed(chat_id, sender)
        staff = next((who for who in (sender, *receivers) if who not in customers), "")
        return all(self._agreed(staff, customer) for customer in customers)

    def _agreed(self, place: str, external_userid: str) -> bool:
        return self.status(place, external_userid)[0] != DISAGREE
