"""A step's words with the files as they stand: filled in once for all who get the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from bot.domain.attachments import (
    Attachment,
    FileAttachment,
    LinkCard,
    MiniProgram,
    Picture,
)
from bot.domain.bank import Bank
from bot.domain.contents import Content, File, Image, Link, Text, Video
from bot.domain.contents import MiniProgram as MiniProgramCard
from bot.domain.ids import RmId
from bot.domain.knowledge import ProductSheet
from bot.domain.render import UnknownVariable, render, variables_in
from bot.domain.runs import Face, PersonFace
from bot.domain.script import SopScript
from bot.domain.step_terms import NO_EVENT
from bot.domain.steps import Overlay, SendBy, Step
from bot.domain.suitability import PRODUCT_TOO_RISKY
from bot.domain.variables import variables_for
from bot.domain.withdrawal import text_of

if TYPE_CHECKING:
    from bot.sop.stencil import Stencil

_TITLE_CHARS = 20
_NAME = "客户.称呼"
_OPEN = "\x1a"  # where a customer's name goes; no file can hold this character
_NOT_SOLD = "product_not_sold"
_OF_EVENT = "活动."


class Wording(NamedTuple):
    """A step's words for one owner, branch and day; or the reason for which it has none."""

    text: str = ""
    contents: tuple[Content, ...] = ()
    no_text: str = ""

    def to(self, name: str) -> Wording:
        """Return the words with a customer's name in them, where they have a place for it."""
        if _OPEN not in self.text:
            return self
        if not name:
            return Wording(no_text=f"no_value:{_NAME}")
        text = self.text.replace(_OPEN, name)
        return Wording(text=text, contents=(Text(text=text), *self.contents[1:]))


class Wordings:
    """Words steps with the files as they stand: once a day, owner and branch, not once a group."""

    def __init__(
        self, bank: Bank, product: Callable[[str], ProductSheet | None], kf_link: str = ""
    ) -> None:
        self._bank = bank
        self._product = product
        self._kf_link = kf_link
        self._day: date | None = None
        self._known: dict[tuple[str, str, str, str, str, str], Wording] = {}
        self._letters: dict[tuple[object, ...], tuple[Stencil, str]] = {}

    @property
    def bank(self) -> Bank:
        """Return the bank whose facts the words hold."""
        return self._bank

    def word(
        self,
        script: SopScript,
        version: str,
        part: Step | Overlay,
        owner: str,
        branch: str,
        on: date,
        *,
        variant: str = "",
        face: Face | None = None,
    ) -> Wording:
        """Fill in a step's text for whoever this owner and branch serve; ``on`` is the bank's day.

        ``variant`` is the arm whose words are said, ``face`` the customer whose name is in them.
        """
        self._turn_to(on)
        key = (script.id, version, part.id, owner, branch, variant)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._word(script, part, owner, branch, on, variant)
        return known.to(face.name if isinstance(face, PersonFace) else "")

    def letters(self, on: date) -> dict[tuple[object, ...], tuple[Stencil, str]]:
        """Return the letters that were written for many on that day, whatever the batch."""
        self._turn_to(on)
        return self._letters

    def _turn_to(self, on: date) -> None:
        if on != self._day:
            self._day = on
            self._known.clear()
            self._letters.clear()

    def personal(self, part: Step | Overlay, variant: str = "") -> bool:
        """Tell whether a step's text differs from customer to customer, so that each is a call."""
        return is_personal(text_of(part, variant))

    def _word(
        self,
        script: SopScript,
        part: Step | Overlay,
        owner: str,
        branch: str,
        on: date,
        variant: str,
    ) -> Wording:
        named = part.product if isinstance(part, Step) else None
        product = self._product(named) if named else None
        if named and (product is None or not product.on_sale):
            return Wording(no_text=_NOT_SOLD)  # delisted since the step was planned
        if product is not None and not script.rails.admits(product.risk_rating):
            return Wording(no_text=PRODUCT_TOO_RISKY)  # its rating was raised since then
        values = variables_for(
            self._bank,
            today=on,
            manager=RmId(owner),
            branch=branch or None,
            kf_link=self._kf_link,
            product=product,
            customer_name=_OPEN,
        )
        return word(script, part, values, variant)


def is_personal(text: str) -> bool:
    """Tell whether a text differs from customer to customer."""
    return _NAME in variables_in(text)


def word(
    script: SopScript, part: Step | Overlay, variables: Mapping[str, str], variant: str = ""
) -> Wording:
    """Fill in a step's text; a variable without a value here is a reason for none."""
    given = {name: one.default for name, one in (script.variables or {}).items()}
    try:
        text = render(text_of(part, variant), {**given, **variables}).strip()
    except UnknownVariable as error:
        return Wording(no_text=_without(error.names))
    attached = tuple(attached_content(item) for item in part.attachments)
    if way_of(part) is SendBy.GROUP_WELCOME:
        text = welcome_text(script, text, {**given, **variables})
    return Wording(text=text, contents=(Text(text=text), *attached) if text else attached)


def _without(names: tuple[str, ...]) -> str:
    """Return the reason of words whose variables have no value here."""
    other = next((name for name in names if not name.startswith(_OF_EVENT)), None)
    return NO_EVENT if other is None else f"no_value:{other}"


def attached_content(item: Attachment) -> Content:
    """Return what an attachment of the file is as part of a message."""
    match item:
        case Picture():
            return Image(file=item.file, alt=item.alt)
        case LinkCard():
            return Link(
                title=item.title,
                url=item.url,
                description=item.description,
                cover=item.cover or "",
            )
        case MiniProgram():
            return MiniProgramCard(
                title=item.title, app_id=item.app_id, page=item.page, cover=item.cover
            )
        case FileAttachment():
            return File(file=item.file)
        case _:
            return Video(file=item.file)


def welcome_text(script: SopScript, text: str, values: Mapping[str, str]) -> str:
    """Add the list of what was said before, for those who join late (迟到成员)."""
    late = script.late_joiners
    if late is None or late.way != "入群欢迎语附目录":
        return text
    titles = []
    for step_id in late.steps:
        part = script.part(step_id)
        if part is None or part.body is None or SendBy.GROUP_WELCOME in ways_of(part):
            continue
        try:
            first = render(part.body.strip().splitlines()[0], values)
        except UnknownVariable:
            continue  # nobody can say what it was about
        titles.append(first if len(first) <= _TITLE_CHARS else first[: _TITLE_CHARS - 1] + "…")
    if not titles:
        return text
    listed = "\n".join(f"{number}. {title}" for number, title in enumerate(titles, 1))
    return f"{text}\n前几天聊过这些，想看哪条跟群主说：\n{listed}"


def way_of(part: Step | Overlay) -> SendBy:
    """Return the way in which a step goes out: the first that its file names."""
    return next(iter(ways_of(part)), SendBy.BROADCAST)


def ways_of(part: Step | Overlay) -> tuple[SendBy, ...]:
    """Return the ways that a part's file names, the best first."""
    return part.send_by if isinstance(part, Step) else (part.send_by,)
