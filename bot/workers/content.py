"""All that people edit, as it stands now: the last good version goes on while a file is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from bot.answering.answer import Answerer
from bot.calendars import calendar_tables
from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.compliance import Rules
from bot.domain.knowledge import (
    Approval,
    Audience,
    Document,
    DocumentKind,
    ProductSheet,
    Section,
)
from bot.domain.people import GroupChat
from bot.domain.persona import Persona
from bot.domain.render import KNOWN_VARIABLES
from bot.domain.script import SopScript, content_hash, from_json
from bot.domain.script_parts import Status
from bot.domain.steps import StepKind
from bot.errors import ContentError, Problem
from bot.knowledge.checks import Terms, read_knowledge
from bot.knowledge.reader import Knowledge, read_files
from bot.sop.check import check
from bot.sop.library import Library, load_workspace_files
from bot.storage.db import Tx
from bot.workspace import Workspace

# Steps whose words teach something; an invitation or a quiz would be no answer to a question.
_TEACHING = frozenset(
    {
        StepKind.SERVICE,
        StepKind.ANTI_FRAUD,
        StepKind.SENIOR_SERVICE,
        StepKind.KNOWLEDGE,
    }
)
_YEARS_AHEAD = 2


@dataclass(frozen=True)
class Snapshot:
    """One consistent reading of every file."""

    bank: Bank
    rules: Rules
    personas: dict[str, Persona]
    scripts: dict[str, SopScript]
    knowledge: Knowledge

    def documents(self) -> tuple[Document, ...]:
        """Return all that questions may be answered from: knowledge, and what scripts teach."""
        taught = [
            document for script in self.scripts.values() for document in sop_documents(script)
        ]
        return (*self.knowledge.documents, *taught)


def read_snapshot(workspace: Workspace, today: date) -> Snapshot:
    """Read and check every file; raise ``ContentError`` with every problem of them all."""
    snapshot, problems = inspect(workspace, today)
    if snapshot is None or problems:
        raise ContentError(problems)
    return snapshot


def inspect(workspace: Workspace, today: date) -> tuple[Snapshot | None, tuple[Problem, ...]]:
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
    )
    knowledge, found = read_knowledge(workspace.knowledge, terms, today)
    if not library.personas:
        return None, tuple(sorted({*problems, *found}))
    checked = check(
        library,
        products={sheet.id: sheet for sheet in knowledge.products},
        qa_ids=frozenset(
            document.id for document in knowledge.documents if document.kind is DocumentKind.QA
        ),
        tables=tables_for(today),
        today=today,
    )
    snapshot = Snapshot(
        bank=library.bank,
        rules=library.rules,
        personas=dict(library.personas),
        scripts={key: file.script for key, file in checked.scripts.items()},
        knowledge=knowledge,
    )
    return snapshot, tuple(sorted({*found, *checked.problems}))


def _no_persona(library: Library) -> list[Problem]:
    """Say that nobody is there to speak, unless a persona's own fault says it already."""
    if library.personas or any("personas/" in problem.file for problem in library.problems):
        return []
    mend = "至少要有一份人设，从示例工作目录拷一份过来再改"
    return [Problem("sop/personas", 0, "", "一份人设也没有", mend)]


def sop_documents(script: SopScript) -> list[Document]:
    """Turn what a published script teaches into documents that questions can find."""
    if script.status is not Status.PUBLISHED or script.approval is None:
        return []
    approval = Approval(
        content_id=script.approval.content_id,
        approver=script.approval.approver,
        approved_on=script.approval.approved_on,
        expires_on=script.approval.expires_on,
    )
    return [
        Document(
            id=f"{script.id}/{step.id}",
            title=script.name,
            kind=DocumentKind.SOP,
            file=f"sop/{script.id}.sop.yaml",
            line=0,
            audience=Audience.GROUP,
            valid_from=approval.approved_on,
            valid_to=script.approval.expires_on,
            owner=script.owner,
            approval=approval,
            sections=(Section(title=step.kind.value, text=step.body.strip()),),
        )
        for step in script.steps
        if step.body and step.kind in _TEACHING
    ]


@dataclass
class Content:
    """What every worker reads: swapped as a whole once new files have passed every check."""

    workspace: Workspace
    snapshot: Snapshot
    answerer: Answerer
    tables: CalendarTables
    make_answerer: Callable[[Snapshot], Answerer]
    kf_link: str = ""
    problems: tuple[Problem, ...] = ()
    _versions: dict[tuple[str, str], SopScript] = field(default_factory=dict)

    @property
    def bank(self) -> Bank:
        """Return the bank's facts."""
        return self.snapshot.bank

    @property
    def persona(self) -> Persona:
        """Return who speaks: the first of the personas."""
        return next(iter(self.snapshot.personas.values()))

    def adopt(self, snapshot: Snapshot) -> None:
        """Go on with new files."""
        self.snapshot = snapshot
        self.answerer = self.make_answerer(snapshot)
        self.problems = ()

    def product(self, product_id: str) -> ProductSheet | None:
        """Return a product of the catalogue."""
        return self.snapshot.knowledge.product(product_id)

    async def script(self, tx: Tx, script: str, version: str) -> SopScript | None:
        """Return the very version a run is bound to."""
        known = self._versions.get((script, version))
        if known is None:
            text = await tx.scripts.text(script, version)
            if text is None:
                return None
            known = self._versions[(script, version)] = from_json(text)
        return known

    def opt_out_words(self) -> frozenset[str]:
        """Return every word with which a customer refuses, over all scripts."""
        return frozenset(
            word
            for script in self.snapshot.scripts.values()
            if script.opt_out is not None
            for word in script.opt_out.keywords
        )

    def group_name(self, group: GroupChat | None) -> str:
        """Return a group's name as people know it."""
        return group.name if group is not None and group.name else "客户群"


def tables_for(today: date) -> CalendarTables:
    """Return the calendar around today."""
    return calendar_tables(range(today.year, today.year + _YEARS_AHEAD))


def version_of(script: SopScript) -> str:
    """Return a script's version: the hash of its content."""
    return content_hash(script)


def signature(workspace: Workspace) -> tuple[tuple[str, int, int], ...]:
    """Return what changes whenever a file of the workspace is saved."""
    return tuple(sorted(_stamps((workspace.sop, workspace.knowledge))))


def _stamps(folders: Iterable[Path]) -> Iterable[tuple[str, int, int]]:
    for folder in folders:
        for path in folder.rglob("*"):
            try:
                stat = path.stat()
            except OSError:
                continue  # a file that went away between the listing and the look
            if path.is_file():
                yield str(path), stat.st_mtime_ns, stat.st_size
