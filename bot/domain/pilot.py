"""A version that a part runs before the rest does: named groups, or a share by hash; pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from bot.domain.audience import bucket
from bot.domain.script import SopScript
from bot.domain.value import Value

TAG = "标签:"


class Pilot(Value):
    """Who runs a script's new version already; ``groups`` are ids, or tags as 标签:银龄群.

    The share is drawn by when the pilot began: it only grows when the pilot is widened, and the
    next pilot draws others.
    """

    script: str
    version: str
    groups: tuple[str, ...] = ()
    percent: int = 0
    since: datetime
    by: str

    @property
    def of_nobody(self) -> bool:
        """Tell whether the part was taken back: the new content is kept for nobody."""
        return not self.groups and not self.percent

    @property
    def by_tag(self) -> bool:
        """Tell whether a group's tags are needed to know whether it belongs to the part."""
        return any(name.startswith(TAG) for name in self.groups)

    def covers(self, subject: str, tags: Collection[str] = ()) -> bool:
        """Tell whether a subject belongs to the part."""
        if subject in self.groups or any(TAG + tag in self.groups for tag in tags):
            return True
        seed = f"pilot:{self.script}:{self.since.timestamp():.0f}"
        return bool(self.percent) and bucket(seed, subject) * 100 < self.percent


def version_for(
    in_force: SopScript | None,
    pilot: Pilot | None,
    piloted: SopScript | None,
    subject: str,
    tags: Collection[str] = (),
) -> SopScript | None:
    """Return the version that a subject begins now."""
    if pilot is not None and piloted is not None and pilot.covers(subject, tags):
        return piloted
    return in_force
