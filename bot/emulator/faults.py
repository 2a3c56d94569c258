"""Faults on order: the next n calls of one API go wrong in a chosen way."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

from bot.emulator.errcodes import is_known

Kind = Literal[
    "errcode",
    "slow",
    "token_expiry",
    "rate_limited",
    "lost_answer",
    "empty_page",
    "cursor_loss",
    "send_fail",
    "duplicate",
    "late",
    "reorder",
    "lost",
]
ANY_API = "*"


@dataclass
class Fault:
    """One order; ``left`` counts down to nothing.

    ``errcode`` answers with that code and does nothing. ``slow`` waits ``seconds`` of wall time
    first. ``token_expiry`` makes the caller's token expire before the call. ``lost_answer`` does
    the work and then cuts the line. ``rate_limited`` answers 45009 for ``seconds`` (60) of the
    world's time. ``empty_page`` is an empty sync_msg page with has_more=1. ``cursor_loss``
    refuses the sync_msg cursor that is given (50100, or ``errcode``). ``send_fail`` accepts a kf
    message that never arrives (``fail_type``).

    Callbacks have four, whose API is the callback configuration's name: ``duplicate`` posts one
    once more after it was accepted, ``late`` posts it ``seconds`` of the world's time later,
    ``reorder`` posts it behind the one that follows, ``lost`` never posts it.
    """

    api: str
    kind: Kind
    left: int
    errcode: int = 0
    seconds: float = 0.0
    fail_type: int = 0


@dataclass
class Faults:
    """The orders not yet used up, oldest first."""

    orders: list[Fault] = field(default_factory=list)

    def plan(
        self,
        api: str,
        kind: Kind,
        *,
        times: int = 1,
        errcode: int = 0,
        seconds: float = 0.0,
        fail_type: int = 0,
    ) -> Fault:
        """Let the next ``times`` calls of ``api`` (such as kf/send_msg, or * for any) go wrong."""
        if kind not in get_args(Kind):
            raise ValueError(f"unknown kind of fault: {kind}")
        if kind == "errcode" and (errcode == 0 or not is_known(errcode)):
            raise ValueError(f"not an error code of WeCom's: {errcode}")
        fault = Fault(api, kind, times, errcode, seconds, fail_type)
        self.orders.append(fault)
        return fault

    def listed(self) -> list[dict[str, object]]:
        """Return the orders not yet used up as JSON fields."""
        return [asdict(fault) for fault in self.orders]

    def take(self, api: str, kind: Kind) -> Fault | None:
        """Use up one fault of this kind for this API, if one is ordered."""
        for fault in self.orders:
            if fault.kind == kind and fault.left > 0 and fault.api in (api, ANY_API):
                fault.left -= 1
                if fault.left == 0:
                    self.orders.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Forget every order."""
        self.orders.clear()
