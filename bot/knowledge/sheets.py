"""Sheets and notices to documents: a head that says what holds, and sections that answer."""

from __future__ import annotations

from pathlib import Path

from bot.domain.knowledge import Document, DocumentKind, ProductSheet, Section, risky
from bot.errors import ContentError, Problem
from bot.knowledge.entries import Read
from bot.knowledge.files import ASLEEP, SheetHead
from bot.knowledge.markdown import sections_of, unreadable
from bot.yamlfile import read_text, read_yaml, split_front_matter, to_model

# All that a head must say, on one line that can be copied.
SAMPLE = (
    "编号: loan-guide、名称: 贷款须知、类别: 服务、状态: 有效、受众: 群可见、生效: 2026-01-01、"
    "失效: 2026-12-31、负责人: 姓名、"
    "审批: {内容编号: X-1, 审批人: 姓名, 审批日: 2026-01-01}，一项写一行"
)


def read_markdown(text: str, file: str) -> Read:
    """Read a Markdown sheet or notice; raises ``ContentError`` with every problem."""
    head_text, body, first_line = split_front_matter(text)
    if not head_text:
        what = "开头没有用 --- 围起来的信息"
        raise ContentError([Problem(file, 1, "", what, f"在开头两行 --- 之间写上 {SAMPLE}")])
    head = to_model(read_yaml(head_text, file, first_line=2), SheetHead, file)
    problems = unreadable(body, first_line, file)
    sections = sections_of(body, first_line)
    if not sections:
        problems.append(Problem(file, first_line, "", "只有开头，没有正文", "在 --- 下面写上正文"))
    if problems:
        raise ContentError(problems)
    return sheet_of(head, sections, file)


def read_head_beside(path: Path, file: str) -> SheetHead:
    """Read the facts of a DOCX or PDF from NAME.docx.yaml; raises ``ContentError``."""
    beside = path.with_name(f"{path.name}.yaml")
    name = f"{file}.yaml"
    if not beside.is_file():
        what = f"旁边没有「{beside.name}」，不知道它的编号、受众和审批"
        raise ContentError([Problem(file, 0, "", what, f"新建 {beside.name}，写上 {SAMPLE}")])
    return to_model(read_yaml(read_text(beside, name), name), SheetHead, name)


def sheet_of(head: SheetHead, sections: tuple[Section, ...], file: str) -> Read:
    """Return the document of a sheet, and its entry in the catalogue where it is a product."""
    product = _product(head) if head.category == "产品" else None
    products = [product] if product is not None else []
    if head.status in ASLEEP:
        return Read([], products, [])
    document = Document(
        id=head.id,
        title=head.title,
        kind=DocumentKind.NOTICE if head.category == "通知" else DocumentKind.SHEET,
        file=file,
        line=1 if file.endswith(".md") else 0,
        audience=head.audience,
        valid_from=head.valid_from,
        valid_to=head.valid_to,
        owner=head.owner,
        approval=head.approval.approval,
        topic=head.topic or head.category,
        basis=head.basis or "",
        must_warn=bool(head.must_warn) or risky(head.risk_rating),
        risk_rating=head.risk_rating,
        product=product,
        about=head.product or (head.id if product is not None else ""),
        regions=head.regions or (),
        sections=sections,
    )
    return Read([document], products, [])


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
