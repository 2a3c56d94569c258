"""One consistent reading of every file, with every problem of them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

from bot.calendars import calendar_tables
from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.compliance import Rules
from bot.domain.knowledge import Document
from bot.domain.persona import Persona
from bot.domain.pilot import Pilot
from bot.domain.render import KNOWN_VARIABLES
from bot.domain.script import SopScript, content_hash
from bot.domain.talk_track import TalkTracks
from bot.domain.withdrawal import Withdrawn
from bot.errors import ContentError, Problem
from bot.knowledge.checks import Terms, read_knowledge, shortest_sentence
from bot.knowledge.reader import Knowledge, of_a_program, read_files
from bot.sop.library import Library, load_workspace_files
from bot.workers.checking import check_together
from bot.workers.taught import sop_documents
from bot.workspace import Workspace

_YEARS_AHEAD = 2
_EXPIRY = "审批.有效期至"
Waiting = Literal["approval", "rejected", "command", "experiment"]
Stamps = tuple[tuple[str, int, int], ...]


class Piloted(NamedTuple):
    """A version that a part runs already, with who that is."""

    pilot: Pilot
    script: SopScript


@dataclass(frozen=True)
class Snapshot:
    """One consistent reading of every file; once published, what is in force.

    ``waiting`` says for what a file's newest content waits, ``silent`` which scripts in force may
    not be sent now for want of an approval, ``places`` in which file each script stands.
    """

    bank: Bank
    rules: Rules
    personas: dict[str, Persona]
    scripts: dict[str, SopScript]
    knowledge: Knowledge
    places: Mapping[str, str] = field(default_factory=dict)
    pilots: Mapping[str, Piloted] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    withdrawn: Withdrawn = field(default_factory=Withdrawn)
    notes: tuple[Problem, ...] = ()  # worth a look, and stop nothing
    left_out: tuple[Problem, ...] = ()  # why some of the knowledge is not answered from
    talk: tuple[TalkTracks, ...] = ()

    def documents(self) -> tuple[Document, ...]:
        """Return all that questions may be answered from: knowledge, and what scripts teach."""
        taught = [
            document
            for script in self.scripts.values()
            if script.id not in self.silent
            for document in sop_documents(script, self.withdrawn, self.places.get(script.id, ""))
        ]
        return (*self.knowledge.documents, *taught)


def read_snapshot(workspace: Workspace, today: date) -> Snapshot:
    """Read and check every file; raise ``ContentError`` with every problem that stops the bot.

    An approval that has run out stops its own script only, and a fault in the knowledge leaves out
    what has it: everything else is answered all the same.
    """
    snapshot, problems = inspect(workspace, today)
    serious = [one for one in problems if not (mere_expiry(one) or of_knowledge(one))]
    if snapshot is None or serious:
        raise ContentError(one for one in problems if not mere_expiry(one))
    return snapshot


ReadKnowledge = Callable[[Path, Terms, date], tuple[Knowledge, tuple[Problem, ...]]]


class RememberedKnowledge:
    """Knowledge as it was read last, while none of its files was saved since.

    A bank has thousands of answers and saves one script: reading them all again would take longer
    than the script may wait.
    """

    def __init__(self) -> None:
        self._asked: tuple[object, ...] = ()
        self._read: tuple[Knowledge, tuple[Problem, ...]] = (Knowledge(), ())

    def __call__(
        self, folder: Path, terms: Terms, today: date
    ) -> tuple[Knowledge, tuple[Problem, ...]]:
        """Read the folder as ``read_knowledge`` does, if it has to be."""
        asked = (tuple(sorted(_stamps((folder,)))), terms.model_dump(), today)
        if asked != self._asked:
            self._read = read_knowledge(folder, terms, today)
            self._asked = asked
        return self._read


def inspect(
    workspace: Workspace, today: date, knowledge_of: ReadKnowledge = read_knowledge
) -> tuple[Snapshot | None, tuple[Problem, ...]]:
    """Read every file; return what can be used and every problem."""
    library = load_workspace_files(workspace.root)
    problems = {*library.problems, *_no_persona(library)}
    if library.bank is None or library.rules is None:
        # What needs the missing part cannot be checked; the form of everything else still is.
        return None, tuple(sorted({*problems, *read_files(workspace.knowledge)[1]}))
    terms = Terms(
        rules=library.rules,
        variables=KNOWN_VARIABLES | set(library.bank.variables),
        tags=frozenset(tag.name for tag in library.bank.tags if tag.on == "客户"),
        regions=library.bank.regions,
        sentence_chars=shortest_sentence(library.personas.values()),
    )
    knowledge, told = knowledge_of(workspace.knowledge, terms, today)
    found = {one for one in told if not one.note}
    if not library.personas:
        return None, tuple(sorted({*problems, *found}))
    checked = check_together(library, knowledge, tables_for(today), today)
    places = {key: file.source.file for key, file in library.scripts.items()}
    broken = {problem.file for problem in checked.problems if not mere_expiry(problem)}
    snapshot = Snapshot(
        bank=library.bank,
        rules=library.rules,
        personas=dict(library.personas),
        scripts={
            key: file.script for key, file in library.scripts.items() if places[key] not in broken
        },
        knowledge=knowledge,
        places=places,
        notes=tuple(sorted({*checked.notes, *(one for one in told if one.note)})),
        left_out=tuple(sorted(found)),
        talk=tuple(file.talk for file in library.talk),
    )
    return snapshot, tuple(sorted({*found, *checked.problems}))


def mere_expiry(problem: Problem) -> bool:
    """Tell whether a problem is only that a script's approval has run out."""
    return problem.key == _EXPIRY and problem.what.startswith("审批已过期")


def of_a_script(problem: Problem) -> bool:
    """Tell whether a problem is one script file's own, so that the others may go on."""
    return problem.file.startswith("sop/") and problem.file.endswith(".sop.yaml")


def of_knowledge(problem: Problem) -> bool:
    """Tell whether a problem is one of the knowledge, so that only what has it is left out."""
    return problem.file.startswith("knowledge/")


def _no_persona(library: Library) -> list[Problem]:
    """Say that nobody is there to speak, unless a persona's own fault says it already."""
    if library.personas or any("personas/" in problem.file for problem in library.problems):
        return []
    mend = "至少要有一份人设，从示例工作目录拷一份过来再改"
    return [Problem("sop/personas", 0, "", "一份人设也没有", mend)]


def tables_for(today: date) -> CalendarTables:
    """Return the calendar around today."""
    return calendar_tables(range(today.year, today.year + _YEARS_AHEAD))


def version_of(script: SopScript) -> str:
    """Return a script's version: the hash of its content."""
    return content_hash(script)


def signature(workspace: Workspace) -> Stamps:
    """Return what changes whenever a file of the workspace is saved."""
    return tuple(sorted(_stamps((workspace.sop, workspace.knowledge))))


def _stamps(folders: Iterable[Path]) -> Iterable[tuple[str, int, int]]:
    for folder in folders:
        for path in folder.rglob("*"):
            if of_a_program(path.name):
                continue  # an editor's own file, which nobody reads
            try:
                stat = path.stat()
            except OSError:
                continue  # a file that went away between the listing and the look
            if path.is_file():
                yield str(path), stat.st_mtime_ns, stat.st_size
