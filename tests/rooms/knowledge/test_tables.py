"""Questions and answers in CSV and XLSX: read row by row, and every fault named by its cell."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from bot.domain.actions import HandOver
from bot.domain.knowledge import Audience
from bot.errors import Problem
from bot.knowledge.reader import Knowledge, read_files
from tests.rooms.knowledge.office_files import APPROVED, with_part, xlsx

FACTS = """\
库: 存款问答
缺省: {受众: 群可见, 生效: 2026-09-01, 失效: 2027-08-31, 负责人: 运营-甲, 审批: {
  内容编号: X-4, 审批人: 消保-乙, 审批日: 2026-09-01}}
"""
CSV = "编号,类,问,答\nq-1,存款,定期怎么存；零存整取,带身份证来。\nq-2,存款,利息怎么算,看存单。\n"


def read(folder: Path) -> tuple[Knowledge, tuple[Problem, ...]]:
    return read_files(folder / "knowledge")


def put(folder: Path, name: str, data: str | bytes, facts: str | None = FACTS) -> Path:
    path = folder / "knowledge" / "faq" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    if facts is not None:
        path.with_name(f"{name}.yaml").write_text(facts, "utf-8")
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_is_read_in_every_encoding_that_excel_writes(tmp_path: Path, encoding: str) -> None:
    put(tmp_path, "存款.csv", CSV.encode(encoding))
    knowledge, problems = read(tmp_path)
    assert problems == ()
    first, second = knowledge.documents
    assert first.questions == ("定期怎么存", "零存整取")
    assert (first.id, first.title, first.topic) == ("q-1", "存款问答", "存款")
    assert (first.file, first.line, second.line) == ("knowledge/faq/存款.csv", 2, 3)
    assert first.audience is Audience.GROUP
    assert first.approval.content_id == "X-4"


def test_semicolons_tabs_and_lines_within_cells_are_read(tmp_path: Path) -> None:
    put(
        tmp_path,
        "a.csv",
        '编号;问;答\nq-1;"定期怎么存\n零存整取";"先说一。\n再说二。"\nq-2;乙乙;答\n',
    )
    put(tmp_path, "b.csv", "编号\t问法1\t问法2\t答\nq-3\t开户\t办卡\t带身份证。\n")
    knowledge, problems = read(tmp_path)
    assert problems == ()
    first, second, third = knowledge.documents
    assert first.questions == ("定期怎么存", "零存整取")
    assert first.sections[0].text == "先说一。\n再说二。"
    assert second.line == 5  # in an editor the row before it has three lines
    assert third.questions == ("开户", "办卡")


def test_what_holds_for_a_row_may_stand_in_columns_of_its_own(tmp_path: Path) -> None:
    path = put(tmp_path, "all.xlsx", b"", None)
    titles = ["问", "答", *APPROVED, "地区", "产品", "风险等级", "动作", "状态", "备注"]
    row = ["定期怎么存", "带身份证来。", *APPROVED.values()]
    row[titles.index("生效")] = datetime(2026, 9, 1)  # noqa: DTZ001 - as Excel keeps days
    row[titles.index("失效")] = "2027/8/31"
    action = "{转人工: 投诉, 时限分钟: 60}"
    rows = [
        ["存款常见问题(运营填)"],
        titles,
        [*row, "城东区、城西区", "p-1", "R2", action, "有效", "内部看"],
        [*["别的", "草稿不用。"], *row[2:], "", "", "", "", "草稿", ""],
    ]
    xlsx(path, 问答=rows)
    knowledge, problems = read(tmp_path)
    assert problems == ()
    (entry,) = knowledge.documents
    assert (entry.valid_from, entry.valid_to) == (date(2026, 9, 1), date(2027, 8, 31))
    assert entry.regions == ("城东区", "城西区")
    assert (entry.about, entry.risk_rating, entry.must_warn) == ("p-1", "R2", True)
    assert [type(action) for action in entry.actions] == [HandOver]
    assert entry.line == 3
    assert entry.id.startswith("t-")


def test_what_holds_for_all_rows_may_stand_on_a_sheet_of_its_own(tmp_path: Path) -> None:
    path = put(tmp_path, "two.xlsx", b"", None)
    rows = [["问", "答", "受众"], ["定期怎么存", "带身份证来。", "仅员工"], ["甲甲", "乙。"]]
    defaults = [["键", "值"], *map(list, APPROVED.items()), ["地区", "城东区"]]
    book = xlsx(path, 存款=rows, 国债=[["问", "答"], ["国债哪天卖", "看公告。"]], 缺省=defaults)
    knowledge, problems = read(tmp_path)
    assert problems == ()
    staff, plain, bond = knowledge.documents
    assert (staff.audience, plain.audience) == (Audience.STAFF, Audience.GROUP)
    assert bond.regions == ("城东区",)
    assert (bond.place, bond.line) == ("表「国债」", 2)
    book["缺省"]["B4"] = "明天"
    book.save(path)
    _, (problem,) = read(tmp_path)
    assert problem.key == "表「缺省」B4"
    assert "不是日期" in problem.what


def test_merged_cells_speak_for_all_their_rows(tmp_path: Path) -> None:
    path = put(tmp_path, "m.xlsx", b"")
    rows = [["类", "问", "答"], ["存款", "定期怎么存", "带身份证来。"], [None, "利息", "看存单。"]]
    book = xlsx(path, 问答=rows)
    book["问答"].merge_cells("A2:A3")
    book.save(path)
    knowledge, problems = read(tmp_path)
    assert problems == ()
    assert [one.topic for one in knowledge.documents] == ["存款", "存款"]


WRONG_CELLS = {
    "no answer": (["q-1", "存款", "怎么存", "", ""], "D2 答", "缺少「答」"),
    "no question": (["q-1", "存款", "", "来。", ""], "C2 问", "缺少「问」"),
    "a wrong id": (["存款一", "存款", "怎么存", "来。", ""], "A2 编号", "编号"),
    "a wrong day": (["q-1", "存款", "怎么存", "来。", "九月一日"], "E2 审批日", "不是日期"),
    "a formula that failed": (["q-1", "存款", "怎么存", "#REF!", ""], "D2", "#REF!"),
}


@pytest.mark.parametrize("case", WRONG_CELLS)
def test_a_wrong_row_is_left_out_with_its_cell_and_the_others_stay(
    tmp_path: Path, case: str
) -> None:
    cells, key, what = WRONG_CELLS[case]
    path = put(tmp_path, "w.xlsx", b"")
    titles = ["编号", "类", "问", "答", "审批日", "内容编号", "审批人"]
    good = ["q-9", "存款", "利息", "看存单。", "2026-09-01", "X-1", "乙"]
    xlsx(path, 问答=[titles, [*cells, "X-1", "乙"] if cells[4] else cells, good])
    knowledge, problems = read(tmp_path)
    assert [one.id for one in knowledge.documents] == ["q-9"]
    assert any(
        one.line == 2 and one.key == key and what in one.what and one.mend for one in problems
    ), problems


WRONG_TABLES: dict[str, tuple[bytes, str, str]] = {
    "no head": ("定期,带身份证\n".encode(), "没有认出表头", "第一行写"),
    "an unknown column": ("问,答,收众\n甲,乙,丙\n".encode(), "收众", "受众"),
    "neither UTF-8 nor GBK": (b"\xff\xfa\x00\x81\x20", "编码", "CSV UTF-8"),
    "an open quote": ('问,答\n甲,"乙\n'.encode(), "读不下去", "引号"),
    "nothing": (b"", "空的", "删掉"),
}


@pytest.mark.parametrize("case", WRONG_TABLES)
def test_a_table_that_cannot_be_read_says_what_to_do(tmp_path: Path, case: str) -> None:
    data, what, mend = WRONG_TABLES[case]
    put(tmp_path, "w.csv", data)
    knowledge, problems = read(tmp_path)
    assert knowledge.documents == ()
    assert any(what in one.what and mend in one.mend for one in problems), problems


def test_a_table_without_its_facts_names_each_that_is_lacking(tmp_path: Path) -> None:
    put(tmp_path, "bare.csv", CSV, None)
    knowledge, (problem,) = read(tmp_path)
    assert knowledge.documents == ()
    assert (
        problem.what
        == "没有写「受众」、「生效」、「失效」、「负责人」、「内容编号」、「审批人」、「审批日」"
    )
    written = problem.mend.partition("写上 ")[2]
    put(tmp_path, "bare.csv", CSV, written)
    knowledge, problems = read(tmp_path)
    assert problems == ()
    assert len(knowledge.documents) == 2


def test_a_cell_left_empty_under_such_a_column_is_that_row_s_fault(tmp_path: Path) -> None:
    path = put(tmp_path, "half.xlsx", b"", None)
    titles = ["问", "答", *APPROVED]
    rows = [["甲甲", "乙。", *APPROVED.values()], ["丙丙", "丁。", "", *[*APPROVED.values()][1:]]]
    xlsx(path, 问答=[titles, *rows])
    knowledge, (problem,) = read(tmp_path)
    assert [one.questions for one in knowledge.documents] == [("甲甲",)]
    assert (problem.line, problem.what) == (3, "丙丙 缺少「受众」")


def test_facts_whose_file_is_gone_are_named(tmp_path: Path) -> None:
    put(tmp_path, "gone.csv", CSV).unlink()
    _, (problem,) = read(tmp_path)
    assert problem.file == "knowledge/faq/gone.csv.yaml"
    assert "gone.csv" in problem.what


def test_a_sheet_nobody_can_read_is_noted_and_the_other_one_read(tmp_path: Path) -> None:
    path = put(tmp_path, "n.xlsx", b"")
    xlsx(
        path,
        问答=[["问", "答"], ["甲甲", "乙。"]],
        汇总=[["月份", "条数"], ["九月", 3]],
        说明=[["填"]],
    )
    knowledge, (note,) = read(tmp_path)
    assert len(knowledge.documents) == 1
    assert note.note
    assert "汇总" in note.key


def test_files_that_must_not_be_opened_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.knowledge.limits._LARGEST_OPEN", 5 << 20)
    path = put(tmp_path, "x.xlsx", b"")
    xlsx(path, 问答=[["问", "答"], ["甲甲", "乙。"]])
    good = path.read_bytes()
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600
    for data, word in (
        (with_part(good, "xl/vbaProject.bin", b"x"), "宏"),
        (old, "旧格式"),
        (old + "EncryptedPackage".encode("utf-16-le"), "密码"),
        (good[:200], "坏了"),
        (good[:60] + bytes(200) + good[260:], "坏了"),
        (good.replace(b"xl/workbook.xml", b"xl/workbork.xml"), "坏了"),
        (with_part(good, "xl/media/zeros", bytes(6 << 20)), "超过 5 MB"),
        (bytes(21 << 20), "最多 20 MB"),
    ):
        path.write_bytes(data)
        knowledge, problems = read(tmp_path)
        assert knowledge.documents == (), word
        assert any(word in one.what and one.mend for one in problems), (word, problems)


@pytest.mark.parametrize("name", ["a.xls", "a.docm", "a.txt", "a.pptx", "a.yaml", "a.jpg"])
def test_other_kinds_of_files_say_what_to_make_of_them(tmp_path: Path, name: str) -> None:
    put(tmp_path, name, b"x", None)
    _, (problem,) = read(tmp_path)
    assert "不认识这种知识文件" in problem.what
    assert problem.mend


def test_what_office_leaves_there_for_a_moment_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, "~$a.xlsx", b"x", None)
    put(tmp_path, ".DS_Store", b"x", None)
    put(tmp_path, "a.md~", b"x", None)
    put(tmp_path, "~WRL0003.tmp", b"x", None)
    assert read(tmp_path) == (Knowledge(), ())
