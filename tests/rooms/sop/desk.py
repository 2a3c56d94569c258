"""A copy of the starter's ``sop/`` that a test changes and then checks."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from bot.domain.knowledge import ProductSheet
from bot.sop.check import Checked, check
from bot.sop.library import load_workspace_files
from tests.domain.builders import ROOT, day, tables

TODAY = day("2026-10-12")
QA = frozenset(f"qa-{number:02d}" for number in range(1, 26))


def product(id: str = "demo-r2-001", risk: str | None = "R2") -> ProductSheet:
    return ProductSheet.model_validate(
        {
            "id": id,
            "name": "安稳小步·演示理财",
            "term": "90 天",
            "risk_rating": risk,
            "valid_from": day("2026-09-01"),
            "valid_to": day("2027-08-31"),
        }
    )


class Desk:
    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "sop", root / "sop")

    def edit(self, name: str, old: str, new: str) -> int:
        path = self.root / "sop" / name
        text = path.read_text(encoding="utf-8")
        assert old in text, old
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return text[: text.index(old)].count("\n") + 1

    def write(self, text: str, name: str = "trial.sop.yaml") -> None:
        (self.root / "sop" / name).write_text(text, encoding="utf-8")

    def check(
        self,
        *,
        today: date = TODAY,
        products: tuple[ProductSheet, ...] = (product(),),
        qa_texts: dict[str, str] | None = None,
    ) -> Checked:
        return check(
            load_workspace_files(self.root),
            products={each.id: each for each in products},
            qa_ids=QA,
            tables=tables(),
            today=today,
            qa_texts=qa_texts,
        )

    def told(self, **given: object) -> list[tuple[int, str]]:
        return [
            (problem.line, f"{problem.key} {problem.what} {problem.mend}")
            for problem in self.check(**given).problems  # type: ignore[arg-type]
        ]

    def notes(self, **given: object) -> list[tuple[int, str]]:
        return [
            (note.line, f"{note.key} {note.what} {note.mend}")
            for note in self.check(**given).notes  # type: ignore[arg-type]
        ]


CUSTOMER_HEAD = """\
格式: sop/1
编号: trial
名称: 试跑
版本: 1
状态: 已发布
负责人: 运营-甲
人设: xiaoan
对象: 客户
进入: {方式: 手工}
审批: {内容编号: XB-1, 审批人: 消保-乙, 审批日: 2026-01-01, 有效期至: 2028-12-31}
起点: 进入日
听到就办: [{关键词: [退订], 动作: [记录拒收, 退出]}]
步骤:
"""


def customer_script(*steps: str, tail: str = "") -> str:
    return CUSTOMER_HEAD + "".join(f"  - {{{line}}}\n" for line in steps) + tail
