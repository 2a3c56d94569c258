"""Knowledge files are read whole, or refused with file, line, key, what and mend."""

from datetime import date
from pathlib import Path

import pytest

from bot.domain.actions import HandOver, PauseMarketing, PlainAction
from bot.domain.compliance import Rules
from bot.domain.knowledge import Audience, DocumentKind, passages_of
from bot.domain.lead import Need
from bot.errors import Problem
from bot.knowledge.checks import Terms, read_knowledge
from bot.knowledge.reader import Knowledge
from bot.yamlfile import load

TODAY = date(2026, 10, 12)
RULES = """\
格式: rules/1
放行仅限: 已审批内容
词表:
  - {编号: FP-01, 级别: 拦截, 名: 保本保收益, 命中: "保本|稳赚", 放行: "不保本|骗"}
个人信息:
  - {编号: PI-03, 名: 手机号, 正则: "(?<!\\\\d)1[3-9]\\\\d{9}(?!\\\\d)"}
"""
QA = """\
格式: qa/1
库: 常见问题
更新: 2026-09-01
缺省: {受众: 群可见, 生效: 2026-09-01, 失效: 2027-08-31, 负责人: 运营-甲, 审批: {
  内容编号: X-1, 审批人: 消保-乙, 审批日: 2026-09-01}}
说明: 会变的数字不写
条目:
  - {编号: qa-1, 类: 服务, 问: [存折还能用吗, 不想用卡], 答: "能用。"}
  - {编号: qa-2, 类: 服务, 问: [老伴走了钱怎么取], 答: "节哀，打 {网点.电话}。", 语气: 关怀,
     受众: 仅一对一, 依据: 某办法, 合规: 须带风险提示,
     动作: [撤回同意, {转人工: 投诉, 时限分钟: 60, 若提到: [生气]}, {停营销: 直到解决}]}
"""
SHEET = """\
---
编号: p-1
名称: 小步
类别: 产品
状态: 在售
风险等级: R2
期限: 90 天
起点: 100 元
生效: 2026-09-01
失效: 2027-08-31
受众: 仅一对一
负责人: 运营-甲
审批: {内容编号: X-2, 审批人: 消保-乙, 审批日: 2026-09-01, 有效期至: 2027-08-31}
---
## 是什么
它**不是**存款，见[说明](x.html)。
理财非存款、产品有风险、投资须谨慎。

## 怎么买
- 先做测评
| 项 | 数 |
|---|---|
| 起点 | 100 |
理财非存款、产品有风险、投资须谨慎。
"""


@pytest.fixture
def terms() -> Terms:
    rules, problems = load(RULES, "rules", Rules)
    assert rules is not None, problems
    return Terms(rules=rules, variables=frozenset({"网点.电话"}), tags=frozenset({"国债提醒"}))


def read(folder: Path, terms: Terms, **files: str) -> tuple[Knowledge, tuple[Problem, ...]]:
    root = folder / "knowledge"
    for name, text in files.items():
        path = root / name.replace("__", ".").replace("_in_", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return read_knowledge(root, terms, TODAY)


def test_every_key_of_a_qa_file_has_its_effect(tmp_path: Path, terms: Terms) -> None:
    knowledge, problems = read(tmp_path, terms, faq_in_a__qa__yaml=QA)
    assert problems == ()
    plain, care = knowledge.documents
    assert (plain.id, plain.kind, plain.title) == ("qa-1", DocumentKind.QA, "常见问题")
    assert (plain.file, plain.line) == ("knowledge/faq/a.qa.yaml", 8)
    assert plain.audience is Audience.GROUP
    assert plain.valid_to == date(2027, 8, 31)
    assert plain.guidance == "会变的数字不写"
    assert plain.updated_on == date(2026, 9, 1)
    assert not plain.must_warn
    assert care.audience is Audience.PRIVATE
    assert (care.tone, care.basis, care.must_warn) == ("关怀", "某办法", True)
    assert care.actions == (
        PlainAction.WITHDRAW_CONSENT,
        HandOver(need=Need.COMPLAINT, within_minutes=60, if_mentioned=("生气",)),
        PauseMarketing(days=None),
    )


def test_a_sheet_is_a_document_of_sections_and_an_entry_of_the_catalogue(
    tmp_path: Path, terms: Terms
) -> None:
    knowledge, problems = read(tmp_path, terms, products_in_p__md=SHEET, README__md="x")
    assert problems == ()
    (sheet,) = knowledge.documents
    assert [section.title for section in sheet.sections] == ["是什么", "怎么买"]
    assert sheet.sections[0].text.startswith("它不是存款，见说明。")
    assert "· 先做测评\n项：数\n起点：100" in sheet.sections[1].text
    assert sheet.must_warn
    product = knowledge.product("p-1")
    assert product is not None
    assert product.variables()["产品.期限"] == "90 天"
    assert product.sold_on(TODAY)
    assert not product.sold_on(date(2027, 9, 1))


def test_an_entry_is_embedded_by_each_wording_and_the_id_is_of_the_text(
    tmp_path: Path, terms: Terms
) -> None:
    knowledge, _ = read(tmp_path, terms, a__qa__yaml=QA)
    document = knowledge.documents[0]
    passages = passages_of(document)
    assert [one.text for one in passages] == [
        "存折还能用吗",
        "不想用卡",
        "存折还能用吗 不想用卡 能用。",
    ]
    longer = document.model_copy(update={"valid_to": date(2030, 1, 1)})
    assert passages_of(longer) == passages


WRONG = {
    "an unknown key": (
        QA.replace("类: 服务, 问: [存折", "类: 服务, 颜色: 红, 问: [存折"),
        8,
        "颜色",
    ),
    "an unknown action": (QA.replace("撤回同意,", "撤回一切,"), 11, "撤回一切"),
    "an unknown tone": (QA.replace("语气: 关怀", "语气: 撒娇"), 9, "语气"),
    "an unknown audience": (QA.replace("受众: 仅一对一", "受众: 大家"), 10, "受众"),
    "an id used twice": (QA.replace("编号: qa-2", "编号: qa-1"), 9, "编号"),
    "a wording used twice": (QA.replace("老伴走了钱怎么取", "存折还能用吗?"), 9, "已经问过"),
    "forbidden words": (QA.replace("能用。", "这个保本。"), 8, "FP-01"),
    "somebody's number": (QA.replace("能用。", "打 13812345678。"), 8, "手机号"),
    "an unknown variable": (QA.replace("{网点.电话}", "{网点.传真}"), 9, "网点.传真"),
    "no dates": (QA.replace("生效: 2026-09-01, ", ""), 8, "生效"),
    "dates the wrong way": (QA.replace("失效: 2027-08-31", "失效: 2026-08-31"), 8, "失效"),
    "an expired approval": (
        QA.replace("审批日: 2026-09-01}", "审批日: 2026-09-01, 有效期至: 2026-10-01}"),
        8,
        "过期",
    ),
    "an approval of tomorrow": (
        QA.replace("审批日: 2026-09-01", "审批日: 2026-10-13"),
        8,
        "还没到",
    ),
    "an answer that is not there": (QA.replace("撤回同意", "{答复: qa-9}"), 9, "qa-9"),
    "a tag nobody registered": (QA.replace("撤回同意", "{打标签: 别的}"), 9, "别的"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_in_a_qa_file_is_said_with_its_line_and_mend(
    tmp_path: Path, terms: Terms, case: str
) -> None:
    text, line, word = WRONG[case]
    _, problems = read(tmp_path, terms, a__qa__yaml=text)
    assert any(
        one.line == line and word in f"{one.key} {one.what}" and one.mend for one in problems
    ), problems
    assert {one.file for one in problems} == {"knowledge/a.qa.yaml"}


WRONG_SHEETS = {
    "no risk notice": (
        SHEET.replace("\n理财非存款、产品有风险、投资须谨慎。\n\n", "\n\n"),
        "风险提示",
    ),
    "no rating": (SHEET.replace("风险等级: R2\n", ""), "风险等级"),
    "a picture": (SHEET.replace("- 先做", "![图](a.png) 先做"), "图片"),
    "raw HTML": (SHEET.replace("- 先做", "<b>先做</b>"), "HTML"),
    "no head": (SHEET.replace("---\n编号", "编号"), "---"),
    "no body": (SHEET[: SHEET.index("## 是什么")], "正文"),
    "an unknown key": (SHEET.replace("起点", "门槛", 1), "门槛"),
    "a service on sale": (SHEET.replace("类别: 产品", "类别: 服务"), "在售"),
}


@pytest.mark.parametrize("case", WRONG_SHEETS)
def test_what_is_wrong_in_a_sheet_is_said(tmp_path: Path, terms: Terms, case: str) -> None:
    text, word = WRONG_SHEETS[case]
    _, problems = read(tmp_path, terms, p__md=text)
    assert any(word in f"{one.key} {one.what}" and one.mend for one in problems), problems


def test_all_files_problems_stand_in_one_list_and_the_sound_rest_stays(
    tmp_path: Path, terms: Terms
) -> None:
    knowledge, problems = read(
        tmp_path,
        terms,
        a__qa__yaml=QA.replace("能用。", "这个保本。"),
        b__md=SHEET.replace("R2", "R9"),
        c__txt="x",
    )
    assert {one.file for one in problems} == {
        "knowledge/a.qa.yaml",
        "knowledge/b.md",
        "knowledge/c.txt",
    }
    assert [one.id for one in knowledge.documents] == ["qa-2"]


def test_a_notice_that_is_over_may_keep_its_expired_approval(tmp_path: Path, terms: Terms) -> None:
    over = SHEET.replace("2027-08-31", "2026-10-01")
    knowledge, problems = read(tmp_path, terms, p__md=over)
    assert all(one.note and "失效" in one.what for one in problems)
    assert not knowledge.documents[0].live_on(TODAY)
