"""Everybody who works in a bot, in the order in which they are stepped by hand."""

from __future__ import annotations

from bot.channels.doorbells import own_doorbell
from bot.config import Settings
from bot.knowledge.index import KnowledgeIndex
from bot.parts import Wire
from bot.ports import Clock
from bot.storage.db import Database
from bot.workers.absences import AbsenceWorker
from bot.workers.adoption import DraftWorker
from bot.workers.approval_notes import ApprovalNotes
from bot.workers.archive import Rereader
from bot.workers.asked import AskWorker
from bot.workers.brief import BriefWorker
from bot.workers.catching_up import CatchUp
from bot.workers.content import Content
from bot.workers.customers import CustomerWorker
from bot.workers.effects import Effects
from bot.workers.entry_worker import EntryPlanner, EntryWorker
from bot.workers.events import EventWorker
from bot.workers.greeting import Greeting
from bot.workers.group_talk import GroupTalk
from bot.workers.groups import GroupLister, GroupWorker
from bot.workers.hearing import Hearing
from bot.workers.inbox import InboxWorker
from bot.workers.kf_scene import Reader
from bot.workers.lead_days import LeadDays
from bot.workers.lead_desk import desk_of
from bot.workers.loop import Manner, Worker
from bot.workers.moments import MomentWorker
from bot.workers.noticing import Noticing
from bot.workers.outbox import OutboxWorker
from bot.workers.people_desk import PeopleDesk
from bot.workers.people_pass import PeoplePass
from bot.workers.private_talk import PrivateTalk
from bot.workers.readback import ReadbackWorker
from bot.workers.reconcile import DoubtWorker
from bot.workers.retention import RetentionWorker
from bot.workers.runs import RunWorker
from bot.workers.sessions import SessionDesk
from bot.workers.sla import SlaWorker
from bot.workers.staff import StaffDesk
from bot.workers.staff_talk import StaffTalk
from bot.workers.talk import Talk
from bot.workers.tasks import TaskWorker
from bot.workers.teaching import teaching_worker
from bot.workers.ticker import ContentWorker, LeadWorker
from bot.workers.tickets import TicketWorker
from bot.workers.transfers import TransferWorker
from bot.workers.unanswered import Unanswered
from bot.workers.ways import WayPlanner, WayWorker


def crew_of(
    settings: Settings,
    database: Database,
    wire: Wire,
    content: Content,
    content_worker: ContentWorker,
    index: KnowledgeIndex,
    clock: Clock,
    manner: Manner,
) -> tuple[Worker, ...]:
    """Return the workers, each with what it works with."""
    store = Greeting(content).after(Hearing(content).store)
    side = wire.staff_side
    desk = desk_of(content, staff_group=side.has_group)
    a_minute = settings.staff.a_minute
    return (
        CatchUp(database, own_doorbell, clock),
        InboxWorker(database, wire.channels, clock, store=store, manner=manner),
        _event_worker(database, wire, content, clock, manner),
        OutboxWorker(database, wire.channels, content, clock, a_minute=a_minute, manner=manner),
        GroupLister(database, wire.directory, clock),
        GroupWorker(database, wire.directory, content, clock),
        EntryPlanner(database, content, clock),
        EntryWorker(database, content, clock),
        CustomerWorker(database, wire.directory, content, clock),
        PeoplePass(database, wire.directory, content, clock),
        WayPlanner(database, content, clock),
        WayWorker(database, wire.ways, clock),
        TransferWorker(database, wire.inheritance, clock),
        RunWorker(database, content, clock, effects=Effects(desk, content)),
        TaskWorker(database, wire.results, content, clock),
        DoubtWorker(database, wire.made, content, clock),
        ReadbackWorker(database, wire.hand_sends, wire.results, content, clock),
        MomentWorker(database, wire.moments, clock),
        *_for_staff(settings, database, wire, content, clock),
        content_worker,
        *((side.line,) if side.line else ()),
        *_for_the_night(settings, database, content, index, clock),
    )


def _for_the_night(
    settings: Settings, database: Database, content: Content, index: KnowledgeIndex, clock: Clock
) -> tuple[Worker, ...]:
    """Return those whose work waits until nobody else has any."""
    return (
        teaching_worker(database, content, index, clock),
        RetentionWorker(database, settings.retention, content, clock),
    )


def _for_staff(
    settings: Settings, database: Database, wire: Wire, content: Content, clock: Clock
) -> tuple[Worker, ...]:
    """Return those who work for the bank's own people: leads, tickets, drafts, briefs."""
    side, staff = wire.staff_side, settings.staff
    desk = desk_of(content, staff_group=side.has_group)
    return (
        LeadWorker(database, desk, clock),
        LeadDays(database, content, desk, Noticing(content, Effects(desk, content)), clock),
        TicketWorker(database, content, clock),
        SlaWorker(database, content, desk, clock, card_link=side.card_link),
        AbsenceWorker(database, content, desk, clock),
        DraftWorker(database, clock),
        AskWorker(database, content, clock),
        ApprovalNotes(database, content, clock),
        BriefWorker(
            database,
            content,
            clock,
            staff.brief_hour,
            group=side.has_group,
            members=staff.member_briefs,
        ),
    )


def _event_worker(
    database: Database, wire: Wire, content: Content, clock: Clock, manner: Manner
) -> EventWorker:
    """Join everybody who works on some kind of event."""
    desk = desk_of(content, staff_group=wire.staff_side.has_group)
    effects = Effects(desk, content)
    reader = Reader(database, content, wire.sessions, desk, clock)
    talk = Talk(database, content, wire.directory, reader, effects, wire.ears, clock)
    sessions = SessionDesk(content, Unanswered(effects))
    group_talk = GroupTalk(database, content, effects, clock)
    private_talk = PrivateTalk(database, content, effects, clock)
    return EventWorker(
        database,
        talk,
        sessions,
        group_talk,
        private_talk,
        StaffDesk(database, content, desk, clock),
        StaffTalk(database, content, clock, wire.staff_side.so_far),
        PeopleDesk(content),
        Rereader(database, wire.archive, clock),
        clock,
        manner=manner,
    )
