"""Questions with their answers to documents: what an entry says, and what 缺省 says for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bot.domain.knowledge import Audience, Document, DocumentKind, ProductSheet, Section, risky
from bot.errors import ContentError, Problem
from bot.knowledge.files import ASLEEP, ApprovalMark, BookHead, QaEntry, QaHead
from bot.yamlfile import Items, Node, line_of, read_yaml, to_model
from bot.yamlfile import Mapping as Keys

_ENTRIES = "条目"
OWN_ID = "t-"  # before the id of a row that has none of its own


class Read(NamedTuple):
    """What a file gave, and what of it could not be used."""

    documents: list[Document]
    products: list[ProductSheet]
    problems: list[Problem]


class Where(NamedTuple):
    """Where an entry stands: its file and line, and its part of the file where it has parts."""

    file: str
    line: int
    place: str = ""


def read_qa(text: str, file: str) -> Read:
    """Read a Q&A file; an entry that is wrong is left out, a wrong head raises ``ContentError``."""
    node = read_yaml(text, file)
    entries = node.entry(_ENTRIES) if isinstance(node, Keys) else None
    if not isinstance(node, Keys) or entries is None or not _items(entries.value):
        mend = "写上「条目:」，下面每条以「- 编号: …」开头"
        at = entries.line if entries else node.line
        raise ContentError(
            [*_head_problems(node, file), Problem(file, at, _ENTRIES, "没有一条问答", mend)]
        )
    head = to_model(_without_entries(node), QaHead, file)
    found, problems = list[Document](), list[Problem]()
    for number, item in enumerate(_items(entries.value)):
        try:
            entry = to_model(item, QaEntry, file)
            where = Where(file, line_of(node, (_ENTRIES, number)))
            if entry.status not in ASLEEP:
                found.append(document_of(entry, head, where))
        except ContentError as error:
            problems += [_of_entry(problem, number) for problem in error.problems]
    return Read(found, [], problems)


def _items(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Items) else ()


def _without_entries(node: Keys) -> Keys:
    rest = tuple(entry for entry in node.entries if entry.key != _ENTRIES)
    return Keys(rest, node.line, node.flow)


def _head_problems(node: Node, file: str) -> list[Problem]:
    try:
        to_model(_without_entries(node) if isinstance(node, Keys) else node, QaHead, file)
    except ContentError as error:
        return list(error.problems)
    return []


def _of_entry(problem: Problem, number: int) -> Problem:
    key = f"{_ENTRIES}[{number + 1}]" + (f".{problem.key}" if problem.key else "")
    return Problem(problem.file, problem.line, key, problem.what, problem.mend, problem.note)


def document_of(entry: QaEntry, head: BookHead, where: Where) -> Document:
    """Return the document of an entry; raises ``ContentError`` for what nobody says of it."""
    given = head.defaults
    audience = entry.audience or given.audience
    valid_from = entry.valid_from or given.valid_from
    valid_to = entry.valid_to or given.valid_to
    approval: ApprovalMark | None = entry.approval or given.approval
    owner = entry.owner or given.owner
    if not (audience and valid_from and valid_to and approval and owner):
        terms = {"受众": audience, "生效": valid_from, "失效": valid_to}
        key = entry.questions[0] if entry.id.startswith(OWN_ID) else entry.id
        raise ContentError(_missing(key, where, terms | {"审批": approval, "负责人": owner}))
    rating = entry.risk_rating or given.risk_rating
    return Document(
        id=entry.id,
        title=head.library or entry.topic,
        kind=DocumentKind.QA,
        file=where.file,
        line=where.line,
        place=where.place,
        audience=Audience(audience),
        valid_from=valid_from,
        valid_to=valid_to,
        owner=owner,
        approval=approval.approval,
        updated_on=head.updated_on,
        topic=entry.topic,
        tone=entry.tone or given.tone or "平常",
        basis=entry.basis or given.basis or "",
        guidance=head.note or "",
        must_warn=bool(entry.must_warn or given.must_warn) or risky(rating),
        risk_rating=rating,
        about=entry.product or given.product or "",
        regions=entry.regions or given.regions or (),
        questions=entry.questions,
        sections=(Section(title=entry.questions[0], text=entry.answer.strip(), line=where.line),),
        actions=entry.actions,
    )


def _missing(key: str, where: Where, terms: Mapping[str, object]) -> list[Problem]:
    mend = "写在这一条里，或写在「缺省」里"
    return [
        Problem(where.file, where.line, term, f"{key} 缺少「{term}」", mend)
        for term, value in terms.items()
        if not value
    ]
