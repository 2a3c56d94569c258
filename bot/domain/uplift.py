"""What a script brings beyond what would have happened anyway, at most: the stop rule; pure."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

FEWEST = 30  # on either side: of fewer nobody can tell
_UPPER_90 = 1.2816  # of the normal distribution, one-sided


class Conversions(NamedTuple):
    """How many ran a script and how many of them did something; and of those held out."""

    ran: int
    converted: int
    held: int
    held_converted: int


def uplift_bound(counted: Conversions) -> float | None:
    """Return the upper 90% bound of the conversions per subject that the script brings.

    None where too few ran, or were held out, to say anything (sop_semantics C6).
    """
    if min(counted.ran, counted.held) < FEWEST:
        return None
    share, base = counted.converted / counted.ran, counted.held_converted / counted.held
    spread = share * (1 - share) / counted.ran + base * (1 - base) / counted.held
    return share - base + _UPPER_90 * sqrt(spread)
