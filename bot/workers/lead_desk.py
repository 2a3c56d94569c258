"""The desk of leads, with whoever lets scripts know of a deal."""

from __future__ import annotations

from collections.abc import Callable

from bot.domain.assigning_rules import AssigningRules
from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.leads.desk import LeadDesk
from bot.workers.content import Content
from bot.workers.happenings import Happenings, StoredScripts


def desk_of(content: Content, *, staff_group: bool = False) -> LeadDesk:
    """Return the desk of a bot that runs: it follows the bank's file."""
    tells = Happenings(content.script)
    return LeadDesk(
        lambda: content.bank,
        tables=lambda: content.tables,
        rules=lambda: content.assigning,
        scoring=content.scoring,
        tells=tells,
        staff_group=staff_group,
        page=content.lead_link,
    )


def desk_beside(
    bank: Callable[[], Bank],
    tables: Callable[[], CalendarTables],
    rules: AssigningRules,
    *,
    page: Callable[[int], str] | None = None,
) -> LeadDesk:
    """Return the desk of a process that only listens: leads are moved from its pages."""
    tells = Happenings(StoredScripts().script)
    return LeadDesk(bank, tables=tables, rules=lambda: rules, tells=tells, page=page)


def desk_for(bank: Bank, tables: CalendarTables | None = None) -> LeadDesk:
    """Return the desk for whoever has the database and the bank's file, but no bot.

    Without ``tables`` it may end leads, but not give them to people: limits need the calendar.
    """
    calendar = tables or CalendarTables()
    tells = Happenings(StoredScripts().script)
    return LeadDesk(lambda: bank, tables=lambda: calendar, tells=tells)
