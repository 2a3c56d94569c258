"""Decides what a due step becomes: words for a task or a card, or a skip with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.bank import Bank
from bot.domain.delivery import Terms
from bot.domain.ids import GroupChatId, RmId
from bot.domain.knowledge import ProductSheet
from bot.domain.messages import Broadcast, Content, GroupWelcome, Image, StaffCard, Text
from bot.domain.render import UnknownVariable, render
from bot.domain.runs import GroupFace, Run, RunStep
from bot.domain.script import SopScript
from bot.domain.steps import Guard, Overlay, SendBy, Step
from bot.domain.value import Value
from bot.domain.variables import variables_for
from bot.sop.cards import nudge_card

_TITLE_CHARS = 20


class GuardFacts(Value):
    """What a step's 前提 is judged by."""

    today: date
    needs_in_group: frozenset[str] = frozenset()
    complaints_this_week: int = 0
    products_this_week: int = 0


class Fired(NamedTuple):
    """A step that goes out now."""

    message: Broadcast | StaffCard | GroupWelcome
    terms: Terms
    text: str


def guard_holds(guard: Guard, facts: GuardFacts, bank: Bank) -> bool:
    """Tell whether a step's 前提 holds today; one that does not is skipped, not made up for."""
    if guard.group_has_lead is not None and guard.group_has_lead not in facts.needs_in_group:
        return False
    days = guard.days_before_bond
    if days is not None and bank.bond_within(facts.today, days) is None:
        return False
    if guard.no_complaint_this_week and facts.complaints_this_week:
        return False
    below = guard.products_this_week_below
    return below is None or facts.products_this_week < below


class Wording(NamedTuple):
    """A step's words for one owner, branch and day; or the reason for which it has none."""

    text: str = ""
    contents: tuple[Content, ...] = ()
    no_text: str = ""


class Wordings:
    """Words steps with the files as they stand: once a day, owner and branch, not once a group."""

    def __init__(
        self, bank: Bank, product: Callable[[str], ProductSheet | None], kf_link: str = ""
    ) -> None:
        self._bank = bank
        self._product = product
        self._kf_link = kf_link
        self._day: date | None = None
        self._known: dict[tuple[str, str, str, str, str], Wording] = {}

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
    ) -> Wording:
        """Fill in a step's text for a group of this owner and branch; ``on`` is the bank's day."""
        if on != self._day:
            self._day = on
            self._known.clear()
        key = (script.id, version, part.id, owner, branch)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = word(script, part, self._values(part, owner, branch, on))
        return known

    def _values(self, part: Step | Overlay, owner: str, branch: str, on: date) -> Mapping[str, str]:
        product = part.product if isinstance(part, Step) else None
        return variables_for(
            self._bank,
            today=on,
            manager=RmId(owner),
            branch=branch or None,
            kf_link=self._kf_link,
            product=self._product(product) if product else None,
        )


def word(script: SopScript, part: Step | Overlay, variables: Mapping[str, str]) -> Wording:
    """Fill in a step's text; a variable without a value here is a reason for none."""
    try:
        text = render(part.body or "", variables).strip()
    except UnknownVariable as error:
        return Wording(no_text=f"no_value:{error.names[0]}")
    if way_of(part) is SendBy.GROUP_WELCOME:
        return Wording(text=welcome_text(script, text))
    contents: list[Content] = [Text(text=text)]
    contents += [Image(file=item.file, alt=item.alt) for item in part.attachments]
    return Wording(text=text, contents=tuple(contents))


def fire(
    script: SopScript,
    part: Step | Overlay,
    run: Run,
    row: RunStep,
    span: tuple[datetime, datetime],
    group: GroupFace,
    wording: Wording,
    zone: ZoneInfo,
) -> Fired | str:
    """Make a step's message for one span of its window; a string is the reason for none."""
    if wording.no_text:
        return wording.no_text
    way, owner, text = way_of(part), RmId(group.owner), wording.text
    terms = _terms(script, part, run, row, span, way)
    match way:
        case SendBy.BROADCAST:
            message: Broadcast | StaffCard | GroupWelcome = Broadcast(
                owner=owner, chats=(GroupChatId(run.subject),), contents=wording.contents
            )
        case SendBy.NUDGE_OWNER:
            message = nudge_card(owner, row.id, terms.iteration, group.name, text, span[1], zone)
        case SendBy.GROUP_WELCOME:
            message = GroupWelcome(text=text)
        case _:
            return "way_not_supported"
    return Fired(message=message, terms=terms, text=text)


def step_key(run: int, step: str, iteration: int) -> str:
    """Return a step's idempotency key; no version is in it, so that an edit sends nothing twice."""
    return f"sop:{run}:{step}:{iteration}"


def _terms(
    script: SopScript,
    part: Step | Overlay,
    run: Run,
    row: RunStep,
    span: tuple[datetime, datetime],
    way: SendBy,
) -> Terms:
    step = part if isinstance(part, Step) else None
    return Terms(
        purpose="step",
        subject=run.subject,
        opens_at=span[0],
        closes_at=span[1],
        quota=way is SendBy.BROADCAST,
        marketing=step is not None and step.marketing,
        product=(step.product or "") if step is not None else "",
        script=script.id,
        step=row.step,
        enrolment=run.id,
        run_step=row.id,
        iteration=row.iteration + 1,
    )


def welcome_text(script: SopScript, text: str) -> str:
    """Add the list of what was said before, for those who join late (迟到成员)."""
    late = script.late_joiners
    if late is None or late.way != "入群欢迎语附目录":
        return text
    titles = []
    for step_id in late.steps:
        part = script.part(step_id)
        if part is None or part.body is None or SendBy.GROUP_WELCOME in _ways(part):
            continue
        first = part.body.strip().splitlines()[0]
        titles.append(first if len(first) <= _TITLE_CHARS else first[: _TITLE_CHARS - 1] + "…")
    if not titles:
        return text
    listed = "\n".join(f"{number}. {title}" for number, title in enumerate(titles, 1))
    return f"{text}\n前几天聊过这些，想看哪条跟群主说：\n{listed}"


def way_of(part: Step | Overlay) -> SendBy:
    """Return the way in which a step goes out: the first that its file names."""
    return next(iter(_ways(part)), SendBy.BROADCAST)


def _ways(part: Step | Overlay) -> tuple[SendBy, ...]:
    return part.send_by if isinstance(part, Step) else (part.send_by,)
