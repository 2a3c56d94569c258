"""The check of scripts that ops run: of all, or of some files held against the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.domain.calendar import CalendarTables
from bot.domain.knowledge import DocumentKind
from bot.domain.render import KNOWN_VARIABLES
from bot.errors import ConfigError, Problem
from bot.knowledge.checks import Terms, read_knowledge, shortest_sentence
from bot.knowledge.reader import Knowledge
from bot.knowledge.twins import named
from bot.sop.check import Checked, check
from bot.sop.library import SCRIPT_SUFFIX, Library, load_workspace_files, with_file
from bot.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Findings:
    """What the check of some files, or of all, came to."""

    files: tuple[str, ...]
    steps: int
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def check_together(
    library: Library, knowledge: Knowledge, tables: CalendarTables, today: date
) -> Checked:
    """Check ``sop/`` against the knowledge that was read with it."""
    answers = [one for one in knowledge.documents if one.kind is DocumentKind.QA]
    return check(
        library,
        products={sheet.id: sheet for sheet in knowledge.products},
        qa_ids=frozenset(document.id for document in answers),
        tables=tables,
        today=today,
        qa_texts={
            named(one): "\n".join(part.text for part in one.sections) for one in knowledge.documents
        },
    )


def check_scripts(
    workspace: Workspace, tables: CalendarTables, today: date, files: Sequence[Path] = ()
) -> Findings:
    """Check every script of the workspace, or only the files named: those may lie elsewhere.

    What is wrong in the files that all scripts stand on is told as well.
    """
    library = load_workspace_files(workspace.root)
    files = [file for path in files for file in _meant(path)]
    names = [_shown(path, workspace) for path in files]
    for path, name in zip(files, names, strict=True):
        library = with_file(library, path, name)
    checked = _checked(library, workspace, tables, today)
    asked = {file.source.file for file in library.scripts.values()} if not names else set(names)
    basis = {problem for problem in checked.problems if not problem.file.endswith(".sop.yaml")}
    return Findings(
        files=tuple(sorted(asked)),
        steps=sum(
            len(file.script.steps) for file in library.scripts.values() if file.source.file in asked
        ),
        problems=tuple(
            problem
            for problem in checked.problems
            if not names or problem.file in asked or problem in basis
        ),
        notes=tuple(note for note in checked.notes if note.file in asked),
    )


def _meant(path: Path) -> list[Path]:
    """Return the file that is named, or the scripts of the folder that is."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ConfigError(f"没有 {path} 这个文件。写剧本文件的路径，或它所在的目录。")
    found = sorted(path.glob(f"*{SCRIPT_SUFFIX}"))
    if not found:
        raise ConfigError(f"目录 {path} 里没有剧本：剧本的文件名以 {SCRIPT_SUFFIX} 结尾。")
    return found


def _checked(
    library: Library, workspace: Workspace, tables: CalendarTables, today: date
) -> Checked:
    if library.bank is None or library.rules is None:
        return Checked({}, library.problems)
    terms = Terms(
        rules=library.rules,
        variables=KNOWN_VARIABLES | set(library.bank.variables),
        tags=frozenset(tag.name for tag in library.bank.tags if tag.on == "客户"),
        regions=library.bank.regions,
        sentence_chars=shortest_sentence(library.personas.values()),
    )
    # What is wrong with the knowledge itself is told by ``zhilin check``.
    knowledge, _ = read_knowledge(workspace.knowledge, terms, today)
    return check_together(library, knowledge, tables, today)


def _shown(path: Path, workspace: Workspace) -> str:
    """Return a file's name as its problems bear it: from the workspace, or as it was given."""
    whole = path.resolve()
    if whole.is_relative_to(workspace.root):
        return whole.relative_to(workspace.root).as_posix()
    return path.as_posix()
