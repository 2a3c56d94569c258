"""Decides what a due step becomes: words for a task or a card, or a skip with its reason."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.bank import Bank
from bot.domain.delivery import Terms
from bot.domain.ids import CustomerId, GroupChatId, KfAccountId, RmId
from bot.domain.mass_messages import Broadcast, CustomerBroadcast, Moment
from bot.domain.messages import GroupWelcome, KfTouch, StaffCard
from bot.domain.runs import Face, PersonFace, Run, RunStep, slot_key
from bot.domain.script import SopScript
from bot.domain.step_terms import Guard
from bot.domain.steps import Overlay, SendBy, Step
from bot.sop.cards import nudge_card, private_nudge_card, task_card
from bot.sop.filling import Wording as Wording
from bot.sop.filling import Wordings as Wordings
from bot.sop.filling import is_personal as is_personal
from bot.sop.filling import way_of as way_of
from bot.sop.filling import ways_of as ways_of
from bot.sop.filling import word as word

_NAMELESS = "这位客户"
_NO_WORDS = "no_words"
StepMessage = Broadcast | CustomerBroadcast | Moment | KfTouch | GroupWelcome | StaffCard


class GuardFacts(NamedTuple):
    """What a step's 前提 is judged by."""

    today: date
    needs_in_group: Collection[str] = ()
    complaints_this_week: int = 0
    products_this_week: int = 0


class Fired(NamedTuple):
    """A step that goes out now."""

    message: StepMessage
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


def fire(
    script: SopScript,
    part: Step | Overlay,
    run: Run,
    row: RunStep,
    span: tuple[datetime, datetime],
    face: Face,
    wording: Wording,
    zone: ZoneInfo,
    *,
    way: SendBy | None = None,
) -> Fired | str:
    """Make a step's message for one span of its window; a string is the reason for none.

    ``way`` is the one of the file's ways that was chosen: the row's own, or else the first.
    """
    if wording.no_text:
        return wording.no_text
    if not wording.contents:
        return _NO_WORDS
    way = way or (SendBy(row.way) if row.way else way_of(part))
    if isinstance(face, PersonFace):
        message = _for_person(way, part, run, row, span, face, wording, zone)
    else:
        message = _for_group(way, run, row, span, face, wording, zone)
    if isinstance(message, str):
        return message
    terms = _terms(script, part, run, row, span, way)
    if isinstance(message, KfTouch):
        more = {"account": message.account, "parts": len(message.contents)}
        terms = terms.model_copy(update=more)
    return Fired(message=message, terms=terms, text=wording.text)


def _for_group(
    way: SendBy,
    run: Run,
    row: RunStep,
    span: tuple[datetime, datetime],
    face: Face,
    wording: Wording,
    zone: ZoneInfo,
) -> StepMessage | str:
    owner, number, time = RmId(face.owner), row.id, row.iteration + 1
    contents = wording.contents
    match way:
        case SendBy.BROADCAST:
            chats = (GroupChatId(run.subject),)
            return Broadcast(owner=owner, chats=chats, contents=contents)
        case SendBy.NUDGE_OWNER:
            text, ends = wording.text, span[1]
            return nudge_card(owner, number, time, face.name, text, ends, zone, contents)
        case SendBy.GROUP_WELCOME:
            return GroupWelcome(text=wording.text, attached=next(iter(contents[1:]), None))
        case SendBy.TASK_FOR_MANAGER:
            about = ("群", face.name)
            return task_card(owner, number, time, about, wording.text, row.closes_at, zone)
        case _:
            return "way_not_supported"


def _for_person(
    way: SendBy,
    part: Step | Overlay,
    run: Run,
    row: RunStep,
    span: tuple[datetime, datetime],
    face: PersonFace,
    wording: Wording,
    zone: ZoneInfo,
) -> StepMessage | str:
    manager, customer, contents = RmId(face.owner), CustomerId(run.subject), wording.contents
    number, time, name = row.id, row.iteration + 1, called(face)
    match way:
        case SendBy.BROADCAST:
            return CustomerBroadcast(manager=manager, customers=(customer,), contents=contents)
        case SendBy.MOMENTS:
            tags = part.tags_only if isinstance(part, Step) else ()
            return Moment(manager=manager, tags=tags, contents=contents)
        case SendBy.KF if face.account:
            account = KfAccountId(face.account)
            return KfTouch(account=account, customer=customer, contents=contents)
        case SendBy.KF:
            return "no_session"
        case SendBy.NUDGE_MANAGER:
            text, ends = wording.text, span[1]
            return private_nudge_card(manager, number, time, name, text, ends, zone, contents)
        case SendBy.TASK_FOR_MANAGER:
            about = ("客户", name)
            return task_card(manager, number, time, about, wording.text, row.closes_at, zone)
        case _:
            return "way_not_supported"


def called(face: Face) -> str:
    """Return how staff are told of whom a step is about; a customer may have no name yet."""
    return face.name or (_NAMELESS if isinstance(face, PersonFace) else "")


def step_key(run: int, step: str, iteration: int, round: int = 1) -> str:
    """Return a step's idempotency key; no version is in it, so that an edit sends nothing twice."""
    return f"{slot_key(run, step, round)}:{iteration}"


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
        subject_kind=run.subject_kind,
        opens_at=span[0],
        closes_at=span[1],
        quota=way is SendBy.BROADCAST,
        marketing=step is not None and step.marketing,
        product=(step.product or "") if step is not None else "",
        script=script.id,
        version=run.version,
        step=row.step,
        round=row.round,
        variant=row.variant,
        way=way.value,
        enrolment=run.id,
        run_step=row.id,
        iteration=row.iteration + 1,
    )
