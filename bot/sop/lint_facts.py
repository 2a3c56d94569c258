"""Facts that two texts tell differently: where a button is, a number, how many of something.

A fact is a phrase with what stands at its place. Only phrases that are long or quoted count,
so that texts on different things are not held against each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from bot.errors import Problem
from bot.sop.context import LintContext
from bot.sop.library import ScriptFile
from bot.sop.wording import Said, texts

_CORNER = r"(右上|左上|右下|左下|最上面|最下面|顶部|底部)(?:角|方)?"
_CORNER_THEN_NAME = re.compile(_CORNER + r"的?\s*[「“\"]([^」”\"\n]{1,12})[」”\"]")
_NAME_THEN_CORNER = re.compile(
    r"[「“\"]([^」”\"\n]{1,12})[」”\"](?:就)?在(?:手机)?(?:屏幕)?(?:的)?" + _CORNER
)
_SAME_CORNER = {"最上面": "顶部", "最下面": "底部"}
# The number of one branch is not that of another, so those that name no single place count.
_PHONE = re.compile(
    r"((?!支行|网点|分行)[\u4e00-\u9fff]{2}(?:专线|热线|电话|平台))[是:：]?\s?(\d[\d-]{2,14}\d)(?!\d)"
)
_HAN = r"[\u4e00-\u9fff]"
_AMOUNT = re.compile(
    rf"({_HAN}{{5,12}}?)\s?(\d+(?:\.\d+)?)\s?(万元|万|元|位|个|天|小时|分钟|点半|点|岁|次|条|%|％)"
)
_SPACE = re.compile(r"\s")


class Fact(NamedTuple):
    """A phrase, what it says, and where."""

    kind: str
    phrase: str
    says: str
    line: int


class _Source(NamedTuple):
    name: str
    fact: Fact


def facts_in(text: str) -> list[Fact]:
    """Return what a text states that another may contradict; ``line`` counts from 1."""
    return [
        *(_fact("place", m[2], _corner(m[1]), text, m) for m in _CORNER_THEN_NAME.finditer(text)),
        *(_fact("place", m[1], _corner(m[2]), text, m) for m in _NAME_THEN_CORNER.finditer(text)),
        *(_fact("phone", m[1], m[2].replace("-", ""), text, m) for m in _PHONE.finditer(text)),
        *(_fact("amount", m[1] + m[3], m[2], text, m) for m in _AMOUNT.finditer(text)),
    ]


def lint_facts(scripts: Mapping[str, ScriptFile], context: LintContext) -> Iterator[Problem]:
    """Give each fact of a script that a Q&A, or an earlier script, tells differently."""
    known: dict[tuple[str, str], list[_Source]] = {}
    for name, text in context.qa_texts.items():
        _learn(known, f"问答 {name}", facts_in(text))
    for id in sorted(scripts):
        file = scripts[id]
        own: list[tuple[str, list[Fact]]] = []
        for said in texts(file.script):
            facts = facts_in(said.text)
            yield from _contradictions(known, said, facts, file)
            own.append((_named(id, said), facts))
        for name, facts in own:
            _learn(known, name, facts)


def _fact(kind: str, phrase: str, says: str, text: str, match: re.Match[str]) -> Fact:
    line = text.count("\n", 0, match.start()) + 1
    return Fact(kind, _SPACE.sub("", phrase), says, line)


def _corner(word: str) -> str:
    return _SAME_CORNER.get(word, word)


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
        what = _WORDS[fact.kind].format(fact=fact, other=other)
        mend = "核对哪个对，把两处改成一样；会变的写成变量"
        if fact.kind == "amount":
            yield file.source.note(said.path, what, mend, text_line=fact.line)
        else:
            yield file.source.problem(said.path, what, mend, text_line=fact.line)


_WORDS = {
    "place": "这里说「{fact.phrase}」在{fact.says}，{other.name}说在{other.fact.says}",
    "phone": "这里的{fact.phrase}是 {fact.says}，{other.name}写的是 {other.fact.says}",
    "amount": "这里写「{fact.phrase}」{fact.says}，{other.name}写的是 {other.fact.says}",
}


def _named(id: str, said: Said) -> str:
    part = said.part
    return f"剧本 {id} 的 {part.id}" if part is not None else f"剧本 {id}"
