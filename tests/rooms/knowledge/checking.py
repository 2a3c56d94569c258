"""A desk for single entries: what the checks tell of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from bot.domain.compliance import Rules
from bot.domain.knowledge import (
    Approval,
    Audience,
    Document,
    DocumentKind,
    ProductSheet,
    Section,
)
from bot.errors import Problem
from bot.knowledge.checks import Terms, check
from bot.knowledge.reader import Knowledge
from bot.yamlfile import load

TODAY = date(2026, 10, 12)
RULES = """\
格式: rules/1
放行仅限: 已审批内容
词表:
  - {编号: FP-01, 级别: 拦截, 名: 保本保收益, 命中: "保本|稳赚", 放行: "不保本|骗"}
个人信息:
  - {编号: PI-03, 名: 手机号, 正则: '(?<!\\d)1[3-9]\\d{9}(?!\\d)'}
  - {编号: PI-04, 名: 邮箱, 正则: '[a-z]+@[a-z.]+'}
"""
STEADY = ProductSheet(
    id="p-1",
    name="安稳小步·演示理财",
    risk_rating="R2",
    valid_from=date(2026, 9, 1),
    valid_to=date(2027, 8, 31),
)
OVER = STEADY.model_copy(update={"id": "p-0", "name": "老产品甲", "on_sale": False})


def plain_terms() -> Terms:
    """Return terms with two wording rules and two regions."""
    rules, problems = load(RULES, "rules", Rules)
    assert rules is not None, problems
    return Terms(
        rules=rules,
        variables=frozenset({"网点.电话", "产品.名称"}),
        tags=frozenset(),
        regions=frozenset({"城东区", "城西区"}),
    )


def qa(key: str, question: str, answer: str, **more: object) -> Document:
    approved = more.pop("approved", date(2026, 9, 1))
    values: dict[str, object] = {
        "id": key,
        "title": "问答",
        "kind": DocumentKind.QA,
        "file": "knowledge/a.qa.yaml",
        "line": int(key[1:]) if key[1:].isdigit() else 1,
        "audience": Audience.GROUP,
        "valid_from": date(2026, 9, 1),
        "valid_to": date(2027, 8, 31),
        "approval": Approval(content_id="X", approver="乙", approved_on=approved),
        "questions": (question,),
        "sections": (Section(title=question, text=answer),),
    }
    return Document.model_validate(values | more)


def told(terms: Terms, *documents: Document) -> list[tuple[str, Problem]]:
    knowledge = Knowledge(documents=documents, products=(STEADY, OVER))
    return [(document.id, problem) for document, problem in check(knowledge, terms, TODAY)]


def whats(found: Iterable[tuple[str, Problem]]) -> str:
    return "\n".join(f"{key} {'提醒' if p.note else '问题'} {p.key} {p.what}" for key, p in found)
