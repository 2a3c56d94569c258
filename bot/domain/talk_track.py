"""Talk tracks (话术): approved words for a situation, which a person says himself."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Literal

from pydantic import Field

from bot.domain.fields import Slug, WordList, Words
from bot.domain.knowledge import RiskRating
from bot.domain.lead import Need
from bot.domain.script_parts import Approval
from bot.domain.value import Value

TrackPlace = Literal["一对一", "群里"]
PLANE_OF: dict[TrackPlace, Literal["private", "group"]] = {"一对一": "private", "群里": "group"}


class TalkTrack(Value):
    """What to say in one situation; ``avoid`` is what is not to be said along with it.

    ``needs`` are the leads it helps with, ``product`` the 编号 of the product it speaks of with
    the ``rating`` of its risk: to whom that is too much it is not offered.
    """

    id: Slug = Field(alias="编号")
    situation: Words = Field(alias="情形")
    name: Words = Field(alias="名称")
    text: Words = Field(alias="正文")
    places: tuple[TrackPlace, ...] = Field(("一对一",), alias="场合", min_length=1)
    needs: tuple[Need, ...] = Field((), alias="需求")
    product: Slug | Literal[""] = Field("", alias="产品")
    rating: RiskRating | None = Field(None, alias="风险等级")
    basis: Words | Literal[""] = Field("", alias="依据")
    avoid: tuple[Words, ...] = Field((), alias="不要说")

    def fits(self, needs: Collection[str]) -> bool:
        """Tell whether it helps with one of these needs."""
        return any(need.value in needs for need in self.needs)

    def is_for(self, place: TrackPlace) -> bool:
        """Tell whether it is said there."""
        return place in self.places


class TalkTracks(Value):
    """A file of talk tracks, approved as a whole (NAME.talk.yaml)."""

    format: Literal["talk/1"] = Field(alias="格式")
    name: Words = Field(alias="名称")
    approval: Approval = Field(alias="审批")
    never: WordList | tuple[()] = Field((), alias="都不要说")
    tracks: tuple[TalkTrack, ...] = Field(alias="话术", min_length=1)

    def in_force(self, day: date) -> bool:
        """Tell whether the file's words may be said on that day."""
        return self.approval.holds_on(day)


def tracks_for(
    files: Collection[TalkTracks], place: TrackPlace, needs: Collection[str], day: date
) -> list[tuple[TalkTrack, TalkTracks]]:
    """Return what may be said there that day with its file, what helps with a need first.

    Of these what was written for that need alone comes before what helps with others, too.
    """
    found = [
        (track, file)
        for file in files
        if file.in_force(day)
        for track in file.tracks
        if track.is_for(place)
    ]

    def order(pair: tuple[TalkTrack, TalkTracks]) -> tuple[bool, int]:
        fits = pair[0].fits(needs)
        return not fits, len(pair[0].needs) if fits else 0

    return sorted(found, key=order)  # stable: else as written
