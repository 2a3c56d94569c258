"""Who said what, where: what the actions of files are carried out for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.happening import EventKind, Happened
from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Origin
from bot.sop.listening import Heard, Refusal

_ORIGINS: dict[str, Origin] = {"微信客服": "kf", "单独聊天": "private"}


@dataclass(frozen=True)
class Occasion:
    """Who said what, where: what actions are carried out for.

    ``chat`` is empty where it was said one to one, ``quote`` where nothing was said and a step's
    own 动作 are carried out. ``run`` is the run whose script asks for the actions.
    """

    key: str
    customer: CustomerId
    quote: str
    at: datetime
    source: str
    owner: RmId | None = None
    chat: str = ""
    group: str = ""
    script: str = ""
    step: str = ""
    run: int | None = None
    cautions: tuple[str, ...] = ()
    ask_first: bool = False
    danger: str = ""  # which the customer is in

    @property
    def origin(self) -> Origin:
        """Return where the words were said; a step that acts by itself is a script's."""
        if self.chat:
            return "group"
        if self.script and not self.quote:
            return "script"
        return _ORIGINS.get(self.source, "private")

    def of_script(self, heard: Heard | None, refused: Refusal | None = None) -> Occasion:
        """Return it with the script that heard the words, or whose words of refusal they are."""
        if heard is not None:
            return replace(
                self,
                script=heard.script.id,
                step=heard.step,
                run=heard.run,
                cautions=tuple(check.value for check in heard.listen.checks),
                ask_first=bool(heard.listen.ask_first),
            )
        if refused is None:
            return self
        return replace(self, script=refused.script or self.script, run=refused.run)


def happened(occasion: Occasion, kind: EventKind) -> Happened:
    """Return the event of a kind that an occasion tells of."""
    return Happened(
        key=f"{kind.name.lower()}:{occasion.key}",
        kind=kind,
        subject=occasion.customer,
        at=occasion.at,
        chat=occasion.chat,
    )
