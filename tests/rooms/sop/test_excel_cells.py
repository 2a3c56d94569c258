"""What Excel and its people do to a workbook: read as it was meant, or refused at its cell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from io import BytesIO

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from bot.domain.script import SopScript
from bot.errors import ContentError
from bot.sop.excel.export import export_scripts
from bot.sop.excel.importing import import_scripts
from tests.domain.builders import starter_script

SENIOR = starter_script("senior-21d.sop.yaml")


def letter(sheet: Worksheet, head: str) -> str:
    return next(cell.column_letter for cell in sheet[1] if cell.value == head)


def row_of(sheet: Worksheet, key: str) -> int:
    return next(cell.row for cell in sheet["A"] if cell.value == key)


def edited(edit: Callable[[Workbook], object]) -> list[SopScript]:
    book = load_workbook(BytesIO(export_scripts([SENIOR])))
    edit(book)
    data = BytesIO()
    book.save(data)
    return import_scripts(data.getvalue(), "剧本.xlsx")


def told(edit: Callable[[Workbook], object]) -> list[str]:
    with pytest.raises(ContentError) as caught:
        edited(edit)
    return [str(problem) for problem in caught.value.problems]


def step_cell(head: str, row: int, value: object, number_format: str = "General"):
    def edit(book: Workbook) -> None:
        sheet = book["步骤"]
        cell = sheet[f"{letter(sheet, head)}{row}"]
        cell.value = value
        cell.number_format = number_format

    return edit


def test_numbers_that_excel_made_floats_are_whole_again() -> None:
    (script,) = edited(step_cell("第几天", 3, 4.0))
    assert script.steps[1].day == 4
    (script,) = edited(step_cell("互动.期待回复", 3, 1))
    assert script.steps[1].interaction is not None
    assert script.steps[1].interaction.expects == ("1",)


def test_dates_that_excel_made_days_are_dates_again() -> None:
    def edit(book: Workbook) -> None:
        head, fest = book["剧本"], book["日历叠加"]
        head.cell(row_of(head, "审批.有效期至"), 2).value = date(2027, 7, 31)
        cell = fest[f"{letter(fest, '日期')}2"]
        cell.value = date(2026, 10, 1)
        cell.number_format = 'm"月"d"日"'

    (script,) = edited(edit)
    assert script.approval is not None
    assert script.approval.expires_on.isoformat() == "2027-07-31"
    assert script.overlays[0].on == "10月1日"


@pytest.mark.parametrize("value", [0.395833, time(9, 30)])
def test_an_hour_that_excel_made_a_fraction_is_asked_for_its_end(value: object) -> None:
    (problem,) = told(step_cell("时间", 3, value))
    assert problem.startswith("剧本.xlsx 步骤!")
    assert "「09:30」不是时间段" in problem
    assert '"09:30-10:30"' in problem


@pytest.mark.parametrize(
    ("head", "value", "words"),
    [
        ("时间", "09：30-10：30", "用英文冒号"),
        ("类型", "防诈", "是不是想写：反诈"),
        ("正文", "=A1", "这一格是公式"),
        ("附件", "{类型：图片，素材：a.png}", "中文冒号"),
        ("必含", "［退订］", "中文的括号"),
        ("编号", "d01-welcome", "已经用过"),
        ("第几天", "三", "不是数"),
        ("相隔天", 3, "只能写一个"),
    ],
)
def test_a_slip_is_told_at_its_cell(head: str, value: object, words: str) -> None:
    problems = told(step_cell(head, 3, value))
    book = load_workbook(BytesIO(export_scripts([SENIOR])))
    place = f"剧本.xlsx 步骤!{letter(book['步骤'], head)}3:"
    if head == "相隔天":  # it speaks of the row as a whole
        place = "剧本.xlsx 步骤!A3:"
    assert any(each.startswith(place) and words in each for each in problems), problems


def test_a_missing_value_is_told_where_it_belongs() -> None:
    problems = told(step_cell("编号", 3, None))
    assert any(
        each.startswith("剧本.xlsx 步骤!A3:") and "缺少「编号」" in each for each in problems
    )


def test_a_renamed_column_is_told_with_the_name_it_had() -> None:
    problems = told(step_cell("发送方式", 1, "发送方法"))
    assert any("不认识的表头「发送方法」" in each and "发送方式" in each for each in problems)


def test_merged_cells_are_refused_with_their_place() -> None:
    problems = told(lambda book: book["步骤"].merge_cells("A2:A3"))
    assert any(each.startswith("剧本.xlsx 步骤!A2:A3:") for each in problems)


def test_a_listening_row_for_a_step_that_is_not_there_is_refused() -> None:
    def edit(book: Workbook) -> None:
        book["听到就办"]["A2"].value = "d03-fraud-chidl"

    assert any("是不是想写：d03-fraud-child" in each for each in told(edit))


def test_hidden_sheets_empty_rows_and_moved_columns_do_not_matter() -> None:
    def edit(book: Workbook) -> None:
        draft = book.create_sheet("草稿")
        draft["A1"].value = "随便"
        draft.sheet_state = "hidden"
        book.create_sheet("Sheet1")
        sheet = book["步骤"]
        sheet.cell(sheet.max_row + 40, 1).value = "  "
        sheet.insert_rows(4)
        sheet.move_range(f"B1:B{sheet.max_row}", cols=sheet.max_column)

    assert edited(edit) == [SENIOR]


def test_a_sheet_in_sight_that_nobody_knows_is_refused() -> None:
    def edit(book: Workbook) -> None:
        book["出口"].title = "出口条件"

    (problem,) = told(edit)
    assert problem.startswith("剧本.xlsx 出口条件!A1:")
    assert "出口" in problem.partition("·")[2]


def test_a_slip_in_the_scripts_own_keys_is_told_at_its_cell() -> None:
    def edit(book: Workbook) -> None:
        head = book["剧本"]
        head.cell(row_of(head, "状态"), 2).value = "发布"
        head.cell(row_of(head, "护栏.静默时段"), 2).value = "11:45到14:30"
        head.cell(row_of(head, "互斥组"), 1).value = "互斥群"

    book = load_workbook(BytesIO(export_scripts([SENIOR])))["剧本"]
    for key, words in (("状态", "已发布"), ("护栏.静默时段", "英文的减号")):
        place = f"剧本.xlsx 剧本!B{row_of(book, key)}:"
        assert any(each.startswith(place) and words in each for each in told(edit))
    place = f"剧本.xlsx 剧本!A{row_of(book, '互斥组')}:"
    assert any(each.startswith(place) and "互斥组" in each for each in told(edit))


def test_a_row_of_no_script_is_refused_where_there_are_several() -> None:
    weekly = starter_script("senior-weekly.sop.yaml")
    book = load_workbook(BytesIO(export_scripts([SENIOR, weekly])))
    book["步骤"]["A2"].value = "senior-21"
    book["步骤"]["A3"].value = None
    data = BytesIO()
    book.save(data)
    with pytest.raises(ContentError) as caught:
        import_scripts(data.getvalue(), "剧本.xlsx")
    problems = [str(problem) for problem in caught.value.problems]
    assert any(each.startswith("剧本.xlsx 步骤!A2:") and "senior-21d" in each for each in problems)
    assert any(each.startswith("剧本.xlsx 步骤!A3:") and "没有写" in each for each in problems)


def test_a_sheet_coloured_to_its_end_is_refused_and_not_read() -> None:
    (problem,) = told(lambda book: book["步骤"].cell(1_000_000, 1, " "))
    assert "1000000 行" in problem


def test_rows_keep_the_order_in_which_they_stand() -> None:
    def edit(book: Workbook) -> None:
        sheet = book["步骤"]
        for column in range(1, sheet.max_column + 1):
            one, other = sheet.cell(2, column), sheet.cell(3, column)
            one.value, other.value = other.value, one.value

    (script,) = edited(edit)
    assert [step.id for step in script.steps[:2]] == ["d02-rules", "d01-welcome"]


def test_words_typed_with_any_separator_are_a_list() -> None:
    for typed in ("有，没有", "有、没有", "有\n没有", "[有, 没有]", "有; 没有"):
        (script,) = edited(step_cell("互动.期待回复", 4, typed))
        assert script.steps[2].interaction is not None
        assert script.steps[2].interaction.expects == ("有", "没有")


def test_what_is_no_workbook_is_said_to_be_none() -> None:
    with pytest.raises(ContentError, match="不是能读的 Excel"):
        import_scripts(b"PK not really", "a.xlsx")
