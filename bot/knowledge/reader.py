"""Knowledge files to documents, with every problem of every file in one list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bot.domain.knowledge import (
    Audience,
    Document,
    DocumentKind,
    ProductSheet,
    Section,
    risky,
)
from bot.domain.value import Value
from bot.errors import ContentError, Problem
from bot.knowledge.files import ApprovalMark, QaEntry, QaFile, SheetHead
from bot.knowledge.markdown import sections_of, unreadable
from bot.yamlfile import Node, line_of, read_text, read_yaml, split_front_matter, to_model


class Knowledge(Value):
    """All documents of a workspace and its product catalogue."""

    documents: tuple[Document, ...] = ()
    products: tuple[ProductSheet, ...] = ()

    def document(self, document_id: str) -> Document | None:
        """Return a document by its 编号."""
        return next((one for one in self.documents if one.id == document_id), None)

    def product(self, product_id: str) -> ProductSheet | None:
        """Return a product by its 编号, whether it is on sale or not."""
        return next((one for one in self.products if one.id == product_id), None)


def read_files(folder: Path) -> tuple[Knowledge, tuple[Problem, ...]]:
    """Read every file under ``knowledge/``; a file that cannot be read is left out.

    File names in problems are relative to the folder's parent, the workspace. What the files say
    is checked by ``checks.check``.
    """
    documents: list[Document] = []
    products: list[ProductSheet] = []
    problems: list[Problem] = []
    for path in sorted(folder.rglob("*")):
        # A README explains the folder to the people who fill it.
        if not path.is_file() or path.name.startswith((".", "README")):
            continue
        file = path.relative_to(folder.parent).as_posix()
        try:
            found, sold = _reader_of(path, file)(read_text(path, file), file)
        except ContentError as error:
            problems += error.problems
            continue
        documents += found
        products += sold
    return (
        Knowledge(documents=tuple(documents), products=tuple(products)),
        tuple(sorted(set(problems))),
    )


_Read = tuple[list[Document], list[ProductSheet]]


def _reader_of(path: Path, file: str) -> Callable[[str, str], _Read]:
    if path.name.endswith(".qa.yaml"):
        return read_qa
    if path.suffix == ".md":
        return read_sheet
    raise ContentError(
        [Problem(file, 0, "", "不认识这种知识文件", "问答写成 名字.qa.yaml，说明和公告写成 .md")]
    )


def read_qa(text: str, file: str) -> _Read:
    """Read a Q&A file; raises ``ContentError`` with every problem."""
    node = read_yaml(text, file)
    book = to_model(node, QaFile, file)
    problems: list[Problem] = []
    documents = []
    for number, entry in enumerate(book.entries):
        document = _entry(book, entry, number, node, file, problems)
        if document is not None:
            documents.append(document)
    if problems:
        raise ContentError(problems)
    return documents, []


def _entry(
    book: QaFile, entry: QaEntry, number: int, node: Node, file: str, problems: list[Problem]
) -> Document | None:
    line = line_of(node, ("条目", number))
    given = book.defaults
    audience = entry.audience or given.audience
    valid_from = entry.valid_from or given.valid_from
    valid_to = entry.valid_to or given.valid_to
    approval: ApprovalMark | None = entry.approval or given.approval
    owner = entry.owner or given.owner
    if not (audience and valid_from and valid_to and approval and owner):
        terms = {"受众": audience, "生效": valid_from, "失效": valid_to}
        problems += _missing(entry.id, file, line, terms | {"审批": approval, "负责人": owner})
        return None
    return Document(
        id=entry.id,
        title=book.library,
        kind=DocumentKind.QA,
        file=file,
        line=line,
        audience=Audience(audience),
        valid_from=valid_from,
        valid_to=valid_to,
        owner=owner,
        approval=approval.approval,
        updated_on=book.updated_on,
        topic=entry.topic,
        tone=entry.tone or given.tone or "平常",
        basis=entry.basis or given.basis or "",
        guidance=book.note or "",
        must_warn=bool(entry.must_warn or given.must_warn),
        questions=entry.questions,
        sections=(Section(title=entry.questions[0], text=entry.answer.strip(), line=line),),
        actions=entry.actions,
    )


def _missing(key: str, file: str, line: int, terms: Mapping[str, object]) -> list[Problem]:
    mend = "写在这一条里，或写在「缺省」里"
    return [
        Problem(file, line, term, f"{key} 缺少「{term}」", mend)
        for term, value in terms.items()
        if not value
    ]


def read_sheet(text: str, file: str) -> _Read:
    """Read a Markdown sheet or notice; raises ``ContentError`` with every problem."""
    head_text, body, first_line = split_front_matter(text)
    if not head_text:
        raise ContentError(
            [Problem(file, 1, "", "开头没有用 --- 围起来的信息", "补上编号、名称、受众、审批等")]
        )
    node = read_yaml(head_text, file, first_line=2)
    head = to_model(node, SheetHead, file)
    problems = unreadable(body, first_line, file)
    sections = sections_of(body, first_line)
    if not sections:
        problems.append(Problem(file, first_line, "", "只有开头，没有正文", "在 --- 下面写上正文"))
    if problems:
        raise ContentError(problems)
    products = [_product(head)] if head.category == "产品" else []
    if head.status in ("停用", "草稿"):
        return [], products
    return [_sheet(head, sections, products[0] if products else None, file)], products


def _product(head: SheetHead) -> ProductSheet:
    return ProductSheet(
        id=head.id,
        name=head.title,
        term=head.term or "",
        minimum=head.minimum or "",
        risk_rating=head.risk_rating,
        on_sale=head.status == "在售",
        valid_from=head.valid_from,
        valid_to=head.valid_to,
    )


def _sheet(
    head: SheetHead, sections: tuple[Section, ...], product: ProductSheet | None, file: str
) -> Document:
    return Document(
        id=head.id,
        title=head.title,
        kind=DocumentKind.NOTICE if head.category == "通知" else DocumentKind.SHEET,
        file=file,
        line=1,
        audience=head.audience,
        valid_from=head.valid_from,
        valid_to=head.valid_to,
        owner=head.owner,
        approval=head.approval.approval,
        topic=head.category,
        basis=head.basis or "",
        must_warn=bool(head.must_warn) or risky(head.risk_rating),
        risk_rating=head.risk_rating,
        product=product,
        sections=sections,
    )
