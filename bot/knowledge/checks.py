"""What is wrong with what the knowledge files say: one list for all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from pathlib import Path

from bot.domain.actions import AnswerWith, PutTag
from bot.domain.compliance import Rules, personal_data_in, screen
from bot.domain.knowledge import Document, DocumentKind, risky, warns
from bot.domain.render import variables_in
from bot.domain.value import Value
from bot.errors import Problem
from bot.knowledge.lexical import plain
from bot.knowledge.reader import Knowledge, read_files


class Terms(Value):
    """What the rest of the workspace says that knowledge files may refer to."""

    rules: Rules
    variables: frozenset[str]
    tags: frozenset[str]


def read_knowledge(
    folder: Path, terms: Terms, today: date
) -> tuple[Knowledge, tuple[Problem, ...]]:
    """Read and check every file under ``knowledge/``; what has a problem is left out.

    Every problem of every file is in the list, with names relative to the workspace.
    """
    read, problems = read_files(folder)
    found = list(problems)
    bad: set[tuple[str, int]] = set()
    for document, problem in check(read.documents, terms, today):
        found.append(problem)
        bad.add((document.file, document.line))
    sound = tuple(one for one in read.documents if (one.file, one.line) not in bad)
    return Knowledge(documents=sound, products=read.products), tuple(sorted(set(found)))


def check(
    documents: Sequence[Document], terms: Terms, today: date
) -> Iterator[tuple[Document, Problem]]:
    """Yield each problem with the document it is in."""
    yield from _repeated(documents)
    ids = {document.id for document in documents}
    for document in documents:
        yield from ((document, problem) for problem in _dates(document, today))
        yield from ((document, problem) for problem in _wording(document, terms))
        yield from ((document, problem) for problem in _references(document, ids, terms.tags))
        yield from ((document, problem) for problem in _risk_notice(document))


def _repeated(documents: Sequence[Document]) -> Iterator[tuple[Document, Problem]]:
    ids: dict[str, Document] = {}
    wordings: dict[str, Document] = {}
    for document in documents:
        first = ids.setdefault(document.id, document)
        if first is not document:
            what = f"编号「{document.id}」在 {first.file}:{first.line} 已经用过"
            yield document, _at(document, "编号", what, "换一个没用过的编号")
        for question in document.questions:
            first = wordings.setdefault(plain(question), document)
            if first is not document:
                what = f"「{question}」在 {first.file}:{first.line}({first.id})已经问过"
                yield document, _at(document, "问", what, "两条合成一条，或换一种问法")


def _dates(document: Document, today: date) -> Iterator[Problem]:
    approval = document.approval
    if document.valid_to < document.valid_from:
        yield _at(document, "失效", "「失效」早于「生效」", "把失效日改到生效日之后")
    # A notice that is over may keep the approval it had.
    over = document.valid_to < today
    if approval.expires_on is not None and approval.expires_on < today and not over:
        yield _at(
            document,
            "审批",
            f"审批 {approval.content_id} 已在 {approval.expires_on} 过期",
            "重新审批后改审批日和有效期至",
        )
    if approval.approved_on > today:
        yield _at(
            document,
            "审批日",
            f"审批日 {approval.approved_on} 还没到",
            "改成真实的审批日，审批前不能用",
        )


def _wording(document: Document, terms: Terms) -> Iterator[Problem]:
    for section in document.sections:
        for hit in screen(section.text, terms.rules, approved=True):
            if hit.blocks:
                what = f"「{hit.matched}」碰了词表 {hit.rule}({hit.name})"
                line = section.line + (hit.line if document.kind is not DocumentKind.QA else 0)
                yield _at(document, "答", what, "换个说法", line)
        for found in personal_data_in(section.text, terms.rules):
            yield _at(document, "答", f"写了{found.name}", "删掉个人信息", section.line)
        for name in variables_in(section.text):
            if name not in terms.variables:
                mend = "看看是不是写错了字，或在 sop/_workspace.yaml 的变量里登记"
                yield _at(document, "答", f"不认识变量「{{{name}}}」", mend, section.line)


def _references(
    document: Document, ids: Collection[str], tags: Collection[str]
) -> Iterator[Problem]:
    for action in document.actions:
        if isinstance(action, AnswerWith) and action.qa not in ids:
            what = f"没有编号「{action.qa}」的问答"
            yield _at(document, "动作", what, "改成已有的编号")
        if isinstance(action, PutTag) and action.tag not in tags:
            what = f"标签「{action.tag}」没有登记"
            yield _at(document, "动作", what, "在 sop/_workspace.yaml 的标签里登记它")


def _risk_notice(document: Document) -> Iterator[Problem]:
    if not risky(document.risk_rating):
        return
    for section in document.sections:
        if not warns(section.text):
            yield _at(
                document,
                section.title,
                "这一节讲理财，却没有风险提示",
                "节末写上「理财非存款、产品有风险、投资须谨慎。」",
                section.line,
            )


def _at(document: Document, key: str, what: str, mend: str, line: int = 0) -> Problem:
    return Problem(document.file, line or document.line, key, what, mend)
