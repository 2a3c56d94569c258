"""What a script is checked against: the rest of the workspace, its calendar, the day."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.compliance import Rules
from bot.domain.knowledge import ProductSheet
from bot.domain.persona import Persona
from bot.errors import Problem
from bot.sop.library import ScriptFile

Path = tuple[str | int, ...]
Found = Iterator[Problem]


@dataclass(frozen=True, slots=True)
class LintContext:
    """What the rest of the workspace says, as far as a script may refer to it."""

    bank: Bank
    rules: Rules
    personas: Mapping[str, Persona]
    scripts: Mapping[str, ScriptFile]
    products: Mapping[str, ProductSheet]
    qa_ids: Collection[str]
    pictures: Collection[str]
    tables: CalendarTables
    today: date
    unread: Collection[str] = ()  # files that could not be read: what they hold is not missing
    qa_texts: Mapping[str, str] = field(default_factory=dict)  # what knowledge says, by its name
    sizes: Mapping[str, int] = field(default_factory=dict)  # of the files, in bytes

    def could_not_read(self, suffix: str) -> bool:
        """Tell whether a file of that kind could not be read, so that its words are not missing."""
        return any(file.endswith(suffix) for file in self.unread)
