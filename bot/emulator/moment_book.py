"""客户朋友圈 (§5.8) as it is kept: jobs, moments, who published, what customers said."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.emulator.attachments import Body
from bot.emulator.wire import ApiError

MOMENT_MISSING, MOMENT_INVALID = 41059, 41060


@dataclass(frozen=True)
class Reaction:
    """A comment, or a like where there is no text."""

    who: str
    kind: Literal["comment", "like"]
    text: str
    at: datetime


@dataclass
class Moment:
    """One moment; the corp's waits for each member's hand, a personal one is out at once."""

    moment_id: str
    body: Body
    created_at: datetime
    members: list[str]
    tags: list[str]
    personal: bool = False
    creator: str = ""
    cancelled: bool = False
    published: dict[str, list[str]] = field(default_factory=dict)
    """Who published, and the customers who saw it."""
    reactions: dict[str, list[Reaction]] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return the fields of ``get_moment_list``."""
        fields: dict[str, object] = {
            "moment_id": self.moment_id,
            "creator": self.creator,
            "create_time": int(self.created_at.timestamp()),
            "create_type": int(self.personal),
            "visible_type": 0 if self.tags else 1,
        }
        if self.body.text:
            fields["text"] = {"content": self.body.text}
        pictures = []
        for part in self.body.parts():
            if part.msgtype == "image":
                pictures.append({"media_id": part.payload.get("media_id", "")})
            elif part.msgtype != "text":
                fields[part.msgtype] = part.payload
        return fields | ({"image": pictures} if pictures else {})


@dataclass
class MomentJob:
    """What ``add_moment_task`` began; its id is good for 24 hours."""

    jobid: str
    moment_id: str
    created_at: datetime
    bad_members: list[str]
    bad_departments: list[int]
    bad_tags: list[str]
    status: int = 1


@dataclass
class MomentBook:
    """All jobs and moments."""

    jobs: dict[str, MomentJob] = field(default_factory=dict)
    moments: dict[str, Moment] = field(default_factory=dict)

    def need(self, moment_id: str) -> Moment:
        """Return a moment or refuse with 41060."""
        moment = self.moments.get(moment_id)
        if moment is None:
            raise ApiError(MOMENT_INVALID, moment_id)
        return moment
