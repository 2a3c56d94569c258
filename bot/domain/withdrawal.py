"""Texts that were taken out of use: by their hash, in whatever version they stand; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from bot.domain.steps import Overlay, Step

WITHDRAWN = "withdrawn"


def body_hash(text: str) -> str:
    """Return by what a text is known, as its file has it, variables not filled in."""
    return hashlib.sha256(text.strip().encode()).hexdigest()[:16]


def text_of(part: Step | Overlay, variant: str = "") -> str:
    """Return a step's text; of an arm of its 分流 where it has one of its own."""
    bodies = part.bodies if isinstance(part, Step) else None
    if bodies and variant in bodies:
        return bodies[variant]
    return part.body or ""


def texts_of(part: Step | Overlay) -> dict[str, str]:
    """Return every text a step may say, by its hash."""
    bodies = (part.bodies or {}).values() if isinstance(part, Step) else ()
    texts = [text for text in (part.body or "", *bodies) if text.strip()]
    return {body_hash(text): text for text in texts}


class Withdrawn:
    """What may be said no more; false where there is nothing of the kind."""

    def __init__(self, rows: Iterable[tuple[str, str, str]] = ()) -> None:
        self._rows = frozenset(rows)
        self._steps = frozenset((script, step) for script, step, _ in self._rows)

    def __bool__(self) -> bool:
        """Tell whether anything was ever withdrawn."""
        return bool(self._rows)

    def __eq__(self, other: object) -> bool:
        """Tell whether the same texts are withdrawn."""
        return isinstance(other, Withdrawn) and other._rows == self._rows

    def __hash__(self) -> int:
        """Hash by what is withdrawn."""
        return hash(self._rows)

    def covers(self, script: str, part: Step | Overlay, variant: str = "") -> bool:
        """Tell whether what this step would say was withdrawn."""
        if (script, part.id) not in self._steps:
            return False
        return (script, part.id, body_hash(text_of(part, variant))) in self._rows
