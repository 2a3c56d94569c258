"""Reading the workspace's ``sop/`` folder: scripts, the bank's facts, personas, wording rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import TypeVar

from pydantic import BaseModel

from bot.domain.bank import Bank
from bot.domain.compliance import Rules
from bot.domain.persona import Persona
from bot.domain.script import SopScript
from bot.domain.talk_track import TalkTracks
from bot.errors import ContentError, Problem
from bot.hanzi import simplified
from bot.yamlfile import Node, Path, dotted, find, line_of, read_text, read_yaml, to_model

SCRIPT_SUFFIX = ".sop.yaml"
PERSONA_SUFFIX = ".persona.yaml"
TALK_SUFFIX = ".talk.yaml"
BANK_FILE = "_workspace.yaml"
RULES_FILE = "rules.yaml"
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was read, so that a problem found later still finds its line."""

    file: str
    node: Node

    def problem(
        self, path: Path, what: str, mend: str, *, key: str = "", text_line: int = 0
    ) -> Problem:
        """Make a problem that stands where ``path`` leads in this file."""
        line = line_of(self.node, path, text_line=text_line)
        return Problem(self.file, line, key or dotted(path), what, mend)

    def has(self, path: Path) -> bool:
        """Tell whether the file itself says something there."""
        return find(self.node, path).reached == path

    def note(self, path: Path, what: str, mend: str, *, text_line: int = 0) -> Problem:
        """Make a note that stands where ``path`` leads: worth a look, and stops nothing."""
        return replace(self.problem(path, what, mend, text_line=text_line), note=True)


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """A script with the file it stands in."""

    script: SopScript
    source: SourceFile


@dataclass(frozen=True, slots=True)
class TalkFile:
    """Talk tracks with the file they stand in."""

    talk: TalkTracks
    source: SourceFile


@dataclass(frozen=True, slots=True)
class Library:
    """Everything ``sop/`` says; what could not be read is in ``problems`` instead.

    Problems that come from reading together, such as a missing persona, are found by
    ``bot.sop.check``.
    """

    scripts: Mapping[str, ScriptFile]
    bank: Bank | None
    rules: Rules | None
    personas: Mapping[str, Persona]
    persona_sources: Mapping[str, SourceFile]
    pictures: frozenset[str]
    problems: tuple[Problem, ...]
    bank_source: SourceFile | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)  # of the pictures and files, in bytes
    ids: Mapping[str, str] = field(default_factory=dict)  # of every script that reads, by its file
    talk: tuple[TalkFile, ...] = ()


@dataclass(slots=True)
class _Reading:
    root: FilePath
    problems: list[Problem] = field(default_factory=list)

    def read(self, path: FilePath, model: type[M], name: str = "") -> tuple[M, SourceFile] | None:
        file = name or path.relative_to(self.root).as_posix()
        try:
            node = read_yaml(read_text(path, file), file)
            return to_model(node, model, file), SourceFile(file, node)
        except ContentError as error:
            self.problems.extend(error.problems)
            return None

    def needed(self, path: FilePath, model: type[M]) -> tuple[M, SourceFile] | None:
        if not path.is_file():
            file = path.relative_to(self.root).as_posix()
            mend = "从示例工作目录拷一份过来再改"
            self.problems.append(Problem(file, 0, "", "缺少这个文件", mend))
            return None
        return self.read(path, model)

    def bank(self, path: FilePath) -> tuple[Bank | None, SourceFile | None]:
        """Read the bank's facts, with a problem for each entry that does not agree with others."""
        read = self.needed(path, Bank)
        if read is None:
            return None, None
        bank, source = read
        self.problems += [source.problem(*one) for one in bank.disagreements()]
        return bank, source


def load_bank(root: FilePath) -> Bank:
    """Read the bank's facts alone; raise ``ContentError`` where they cannot be read.

    Who needs nothing else goes on while some script is broken.
    """
    reading = _Reading(root)
    bank, _ = reading.bank(root / "sop" / BANK_FILE)
    if bank is None:
        raise ContentError(reading.problems)
    return bank


def load_workspace_files(root: FilePath) -> Library:
    """Read all of ``root/sop``; never raises for bad content, every problem is in one list."""
    reading = _Reading(root)
    folder = root / "sop"
    bank, bank_source = reading.bank(folder / BANK_FILE)
    rules = reading.needed(folder / RULES_FILE, Rules)
    personas, persona_sources = _personas(reading, folder / "personas")
    scripts, ids = _scripts(reading, folder)
    talk = _talk(reading, folder / "talk")
    sizes = _sizes(folder / "files")
    return Library(
        scripts=scripts,
        bank=bank,
        rules=rules[0].reading(simplified) if rules else None,
        personas=personas,
        persona_sources=persona_sources,
        pictures=frozenset(sizes),
        problems=tuple(sorted(set(reading.problems))),
        bank_source=bank_source,
        sizes=sizes,
        ids=ids,
        talk=talk,
    )


def _talk(reading: _Reading, folder: FilePath) -> tuple[TalkFile, ...]:
    """Read the talk tracks; every track's id is its own among all files."""
    files: list[TalkFile] = []
    places: dict[str, str] = {}
    for path in sorted(folder.glob(f"*{TALK_SUFFIX}")):
        read = reading.read(path, TalkTracks)
        if read is None:
            continue
        talk, source = read
        files.append(TalkFile(talk, source))
        for number, track in enumerate(talk.tracks):
            if track.id in places:
                what = f"编号「{track.id}」在 {places[track.id]} 里已经用过"
                where = ("话术", number, "编号")
                reading.problems.append(source.problem(where, what, "换一个编号"))
            places.setdefault(track.id, source.file)
    return tuple(files)


def _sizes(folder: FilePath) -> dict[str, int]:
    """Return every file that scripts may send, with its bytes."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in found}


def with_file(library: Library, path: FilePath, name: str) -> Library:
    """Return the library with one script file in it, which may lie anywhere.

    It stands for whatever was read under that name, and for the script that has its id: as a newer
    one that lies elsewhere does. One that lies among the others may not have another's id.
    """
    reading = _Reading(path.parent)
    read = reading.read(path, SopScript, name)
    scripts = {id: file for id, file in library.scripts.items() if file.source.file != name}
    if read is not None:
        script, source = read
        scripts[script.id] = ScriptFile(*read)
        if library.ids.get(name) == script.id:
            same = (file for file, id in library.ids.items() if id == script.id and file != name)
            reading.problems += [_doubled(source, script.id, file) for file in same]
    others = (problem for problem in library.problems if problem.file != name)
    return replace(library, scripts=scripts, problems=tuple(sorted({*others, *reading.problems})))


def _doubled(source: SourceFile, id: str, other: str) -> Problem:
    mend = "换一个编号；是拷来备份的，移出 sop 文件夹"
    return source.problem(("编号",), f"编号「{id}」在 {other} 里也用了", mend)


def _scripts(reading: _Reading, folder: FilePath) -> tuple[dict[str, ScriptFile], dict[str, str]]:
    """Read the scripts by their ids, and which id each file has; of two that share one both err.

    Nobody can tell which of them is meant, so neither goes into force.
    """
    scripts: dict[str, ScriptFile] = {}
    ids: dict[str, str] = {}
    for path in sorted(folder.glob("*.y*ml")):
        if path.name in (BANK_FILE, RULES_FILE) or path.name.startswith("."):
            continue
        if not path.name.endswith(SCRIPT_SUFFIX):
            file = path.relative_to(reading.root).as_posix()
            mend = f"剧本的文件名要以 {SCRIPT_SUFFIX} 结尾；不是剧本的，移出 sop 文件夹"
            reading.problems.append(Problem(file, 0, "", "不认识的文件", mend))
            continue
        read = reading.read(path, SopScript)
        if read is None:
            continue
        script, source = read
        ids[source.file] = script.id
        first = scripts.setdefault(script.id, ScriptFile(script, source)).source
        if first is not source:
            reading.problems.append(_doubled(source, script.id, first.file))
            reading.problems.append(_doubled(first, script.id, source.file))
    return scripts, ids


def _personas(
    reading: _Reading, folder: FilePath
) -> tuple[dict[str, Persona], dict[str, SourceFile]]:
    personas: dict[str, Persona] = {}
    sources: dict[str, SourceFile] = {}
    for path in sorted(folder.glob(f"*{PERSONA_SUFFIX}")):
        read = reading.read(path, Persona)
        if read is None:
            continue
        persona, source = read
        if persona.id in personas:
            what = f"编号「{persona.id}」在 {sources[persona.id].file} 已经用过"
            reading.problems.append(source.problem(("编号",), what, "换一个编号"))
            continue
        personas[persona.id], sources[persona.id] = persona, source
    return personas, sources
