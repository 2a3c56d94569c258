"""Facts that a script tells differently from the bank's knowledge, or from another script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from bot.domain.facts import CERTAIN, Fact, facts_in, told_apart
from bot.errors import Problem
from bot.sop.context import LintContext
from bot.sop.library import ScriptFile
from bot.sop.wording import Said, texts


class _Source(NamedTuple):
    name: str
    fact: Fact


def lint_facts(scripts: Mapping[str, ScriptFile], context: LintContext) -> Iterator[Problem]:
    """Give each fact of a script that the knowledge, or an earlier script, tells differently."""
    known: dict[tuple[str, str], list[_Source]] = {}
    for name, text in context.qa_texts.items():
        _learn(known, name, facts_in(text))
    for id in sorted(scripts):
        file = scripts[id]
        own: list[tuple[str, list[Fact]]] = []
        for said in texts(file.script):
            facts = facts_in(said.text)
            yield from _contradictions(known, said, facts, file)
            own.append((_named(id, said), facts))
        for name, facts in own:
            _learn(known, name, facts)


def _learn(known: dict[tuple[str, str], list[_Source]], name: str, facts: Iterable[Fact]) -> None:
    for fact in facts:
        known.setdefault((fact.kind, fact.phrase), []).append(_Source(name, fact))


def _contradictions(
    known: Mapping[tuple[str, str], list[_Source]],
    said: Said,
    facts: Iterable[Fact],
    file: ScriptFile,
) -> Iterator[Problem]:
    for fact in facts:
        others = known.get((fact.kind, fact.phrase), [])
        other = next((each for each in others if each.fact.says != fact.says), None)
        if other is None:
            continue
        what = told_apart(fact, other.fact, other.name)
        mend = "核对哪个对，把两处改成一样；会变的写成变量"
        if fact.kind in CERTAIN:
            yield file.source.problem(said.path, what, mend, text_line=fact.line)
        else:
            yield file.source.note(said.path, what, mend, text_line=fact.line)


def _named(id: str, said: Said) -> str:
    part = said.part
    return f"剧本 {id} 的 {part.id}" if part is not None else f"剧本 {id}"
