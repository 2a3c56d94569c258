"""One way of saying something, told by its words: a pattern, and what makes it harmless.

A message is looked at without blanks and marks. What ``unless`` matches is taken out first: 「怎么
防骗」 is a question, and the money that went to one's own daughter was not stolen.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Way(NamedTuple):
    """One way of telling of trouble."""

    heard: re.Pattern[str]
    unless: re.Pattern[str] | None

    def told_by(self, text: str) -> bool:
        """Tell whether a message, without blanks and marks, tells of it."""
        rest = self.unless.sub("", text) if self.unless else text
        return bool(self.heard.search(rest))


def said(*heard: str, unless: str = "") -> Way:
    """Return the way that any of the patterns tells of."""
    return Way(
        re.compile("|".join(heard), re.IGNORECASE),
        re.compile(unless, re.IGNORECASE) if unless else None,
    )
