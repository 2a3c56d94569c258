"""Two entries on one thing: the same question twice, or facts that do not agree."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import ceil
from typing import NamedTuple

from bot.domain.facts import CERTAIN, Fact, facts_in, loose_facts_in, told_apart
from bot.domain.knowledge import Audience, Document, DocumentKind
from bot.errors import Problem
from bot.knowledge.lexical import plain

# Of all pairs of characters that two questions have, so many are the same.
_SAME, _NEAR = 0.8, 0.6
# So many earlier questions are looked at for one pair of characters: else it would take long.
_COMMON = 100
# What is told in so many ways depends on the case, and is no fact about one thing.
_MANY = 4
_EMPTY = re.compile(
    r"请问|你们|我们|咱们|您们|一下|怎么办理|如何办理|的|了|呢|吗|嘛|呀|啊|吧|您|你|我|咋|啥"
)
_ALIKE = (
    ("怎么样", "怎么"),
    ("如何", "怎么"),
    ("怎样", "怎么"),
    ("在哪里", "在哪"),
    ("哪儿", "哪"),
)

Found = Iterator[tuple[Document, Problem]]


class Twins(NamedTuple):
    """Two documents that answer the same question, with how they put it."""

    first: Document
    second: Document
    one: str
    other: str
    likeness: float


def named(document: Document) -> str:
    """Name a document for those who mend another: 问答 qa-07."""
    return f"{'问答' if document.kind is DocumentKind.QA else '资料'} {document.id}"


def may_meet(one: Document, other: Document) -> bool:
    """Tell whether one and the same person can be shown both, at one time."""
    if (one.audience is Audience.STAFF) != (other.audience is Audience.STAFF):
        return False
    if one.regions and other.regions and not set(one.regions) & set(other.regions):
        return False
    return one.valid_from <= other.valid_to and other.valid_from <= one.valid_to


def check_twins(documents: Sequence[Document]) -> Found:
    """Give what is asked twice, and what is told in two ways, at the document to be mended."""
    twins = list(find_twins(documents))
    for pair in twins:
        if pair.likeness >= _SAME:
            yield pair.second, _asked_twice(pair)
    certain = list(_contradictions(documents))
    yield from certain
    told = {(document.id, problem.what) for document, problem in certain}
    for pair in twins:
        for document, problem in _loose_contradictions(pair):
            if (document.id, problem.what) not in told:
                told.add((document.id, problem.what))
                yield document, problem


def find_twins(documents: Sequence[Document]) -> Iterator[Twins]:
    """Give pairs of documents with a question in nearly the same words, each pair once."""
    asked = [
        _Asked(number, question, grams)
        for number, document in enumerate(documents)
        for question in document.questions
        if len(grams := _grams(question)) > 1
    ]
    best: dict[tuple[int, int], tuple[float, str, str]] = {}
    for first, second in _neighbours(asked):
        shared = len(first.grams & second.grams)
        likeness = shared / (len(first.grams) + len(second.grams) - shared)
        key = (first.number, second.number)
        if likeness >= _NEAR and likeness > best.get(key, (0.0,))[0]:
            best[key] = (likeness, first.question, second.question)
    for (one, other), (likeness, said, said_other) in sorted(best.items()):
        pair = documents[one], documents[other]
        if may_meet(*pair) and plain(said) != plain(said_other):
            yield Twins(*pair, said, said_other, likeness)


class _Asked(NamedTuple):
    number: int  # of the document
    question: str
    grams: frozenset[str]


def _neighbours(asked: Sequence[_Asked]) -> Iterator[tuple[_Asked, _Asked]]:
    """Give the pairs that may be alike: two such share one of the rarest of what each has."""
    spread = Counter(gram for one in asked for gram in one.grams)
    lists: dict[str, list[_Asked]] = defaultdict(list)
    for one in asked:
        rarest = sorted(one.grams, key=lambda gram: (spread[gram], gram))
        rarest = rarest[: len(rarest) - ceil(_NEAR * len(rarest)) + 1]
        near = {id(other): other for gram in rarest for other in lists[gram][-_COMMON:]}
        for other in near.values():
            if other.number != one.number and len(other.grams) * _NEAR <= len(one.grams):
                yield other, one
        for gram in rarest:
            lists[gram].append(one)


def _grams(question: str) -> frozenset[str]:
    bare = plain(question)
    for one, other in _ALIKE:
        bare = bare.replace(one, other)
    bare = _EMPTY.sub("", bare) or bare
    return frozenset(bare[n : n + 2] for n in range(len(bare) - 1))


def _asked_twice(pair: Twins) -> Problem:
    what = f"「{pair.other}」和 {_place(pair.first)} 的「{pair.one}」几乎一样，答案却写了两份"
    return _note(pair.second, "问", what, "两条合成一条；真是两件事，就把问法写得分得开")


def _contradictions(documents: Sequence[Document]) -> Found:
    """Give facts under one phrase that two documents tell differently.

    What was approved later is believed; of the other a certain contradiction makes a problem.
    """
    known: dict[tuple[str, str], list[tuple[Document, Fact]]] = defaultdict(list)
    for document in documents:
        for fact in _only(facts_in(_text(document))):
            known[fact.kind, fact.phrase].append((document, fact))
    for (kind, _), told in known.items():
        ways = len({fact.says for _, fact in told})
        if ways == 1 or (ways > _MANY and kind not in CERTAIN):
            continue
        # The newest first; of one day, the first in order.
        told.sort(key=lambda one: one[0].approval.approved_on, reverse=True)
        for place, (older, fact) in enumerate(told):
            newer = next(
                (
                    one
                    for one in told[: min(place, _COMMON)]
                    if one[1].says != fact.says and may_meet(one[0], older)
                ),
                None,
            )
            if newer is not None:
                yield older, _differs(older, fact, *newer, certain=kind in CERTAIN)


def _loose_contradictions(pair: Twins) -> Found:
    first = {(f.kind, f.phrase): f for f in _only(loose_facts_in(_text(pair.first)))}
    for fact in _only(loose_facts_in(_text(pair.second))):
        other = first.get((fact.kind, fact.phrase))
        if other is not None and other.says != fact.says:
            newer, older = (pair.first, other), (pair.second, fact)
            if newer[0].approval.approved_on < older[0].approval.approved_on:
                newer, older = older, newer
            yield older[0], _differs(*older, *newer, certain=False)


def _only(facts: Sequence[Fact]) -> Iterator[Fact]:
    """Give the facts of which a text tells one thing: 满一年 and 满三年 are two cases."""
    says: dict[tuple[str, str], set[str]] = defaultdict(set)
    for fact in facts:
        says[fact.kind, fact.phrase].add(fact.says)
    seen: set[tuple[str, str]] = set()
    for fact in facts:
        key = (fact.kind, fact.phrase)
        if len(says[key]) == 1 and key not in seen:
            seen.add(key)
            yield fact


def _differs(
    document: Document, fact: Fact, newer: Document, against: Fact, *, certain: bool
) -> Problem:
    what = told_apart(fact, against, f"{named(newer)}({_place(newer)})")
    mend = "核对哪个对，把两处改成一样；会变的写成变量"
    if certain:
        mend += "。改好之前不用这一条回答"
    line = _line(document, fact.line)
    return Problem(document.file, line, document.place, what, mend, note=not certain)


def _text(document: Document) -> str:
    return "\n".join(section.text for section in document.sections)


def _line(document: Document, line: int) -> int:
    """Return the line in the file of a line in the document's whole text, as near as is known."""
    for section in document.sections:
        length = section.text.count("\n") + 1
        if line <= length:
            at = section.line or document.line
            return at if document.kind is DocumentKind.QA or not at else at + line
        line -= length
    return document.line


def _place(document: Document) -> str:
    where = f"{document.file}:{document.line}" if document.line else document.file
    return f"{where} {document.place}".strip()


def _note(document: Document, key: str, what: str, mend: str) -> Problem:
    return Problem(document.file, document.line, f"{document.place}{key}", what, mend, note=True)
