"""Word files and PDFs: sections under their headings, tables in words, pages to cite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from docx import Document as WordFile
from docx.oxml import OxmlElement

from bot.domain.knowledge import DocumentKind, passages_of
from bot.errors import Problem
from bot.knowledge.blocks import rows_in_words
from bot.knowledge.reader import Knowledge, read_files
from tests.rooms.knowledge.office_files import HEAD, Line, docx, pdf

FULL = "这份须知说明提前还款和结清证明怎么办，请在办理前看一看，材料带齐，少跑一趟，有不明白的"
TWO_PAGES: list[list[Line]] = [
    [
        (40, 810, 9, "云杉银行内部资料"),
        (40, 760, 20, "贷款须知"),
        (40, 720, 12, FULL),
        (40, 700, 12, "打客服电话，或来网点问。"),
        (40, 660, 15, "一、提前还款"),
        (40, 630, 12, "还款满一年可以申请。"),
        (290, 20, 9, "- 1 -"),
    ],
    [
        (40, 810, 9, "云杉银行内部资料"),
        (40, 760, 15, "二、结清证明"),
        (40, 730, 12, "结清以后三个工作日能打印。"),
        (290, 20, 9, "- 2 -"),
    ],
]


def read(folder: Path) -> tuple[Knowledge, tuple[Problem, ...]]:
    return read_files(folder / "knowledge")


def put(folder: Path, name: str, data: bytes = b"", facts: str | None = HEAD) -> Path:
    path = folder / "knowledge" / "products" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if facts is not None:
        path.with_name(f"{name}.yaml").write_text(facts, "utf-8")
    return path


def test_a_word_file_is_a_document_of_sections(tmp_path: Path) -> None:
    docx(put(tmp_path, "贷款.docx"))
    knowledge, problems = read(tmp_path)
    assert problems == ()
    (document,) = knowledge.documents
    assert (document.id, document.title, document.kind) == (
        "loan-guide",
        "贷款须知",
        DocumentKind.SHEET,
    )
    assert document.file == "knowledge/products/贷款.docx"
    early, papers, proof = document.sections
    assert (early.title, early.text) == (
        "提前还款",
        "还款满一年可以申请，提前 15 天预约。\n· 带身份证",
    )
    assert papers.title == "提前还款·要带什么"
    assert papers.text.splitlines()[1] == "期限：三年；最短持有：12 个月；预约：30 天"
    assert proof.text == "结清以后三个工作日能打印。"


def test_a_pdf_is_read_in_sentences_with_its_pages(tmp_path: Path) -> None:
    put(tmp_path, "贷款.pdf", pdf(TWO_PAGES, table=600))
    knowledge, problems = read(tmp_path)
    assert problems == ()
    (document,) = knowledge.documents
    first, early, proof = document.sections
    assert first.text == FULL + "打客服电话，或来网点问。"
    assert (early.title, early.page) == ("一、提前还款", 1)
    assert early.text.splitlines() == [
        "还款满一年可以申请。",
        "期限：一年；最短持有：6 个月；预约：15 天",
        "期限：三年；最短持有：12 个月；预约：30 天",
    ]
    assert (proof.title, proof.text, proof.page) == (
        "二、结清证明",
        "结清以后三个工作日能打印。",
        2,
    )
    assert "内部资料" not in "".join(one.text for one in passages_of(document))


def test_a_long_section_is_cut_so_that_each_part_fits_a_message(tmp_path: Path) -> None:
    path = put(tmp_path, "long.docx")
    file = WordFile()
    file.add_heading("须知", 1)
    for number in range(20):
        file.add_paragraph(f"第{number}句，" + "说明怎么办理，" * 6 + "就这样。")
    file.save(str(path))
    knowledge, _ = read(tmp_path)
    sections = knowledge.documents[0].sections
    assert len(sections) > 3
    assert {one.title for one in sections} == {"须知"}
    assert max(len(one.text) for one in sections) <= 310
    assert sum(one.text.count("就这样") for one in sections) == 20


def revised(path: Path) -> None:
    file = WordFile()
    paragraph = file.add_paragraph("满一年可以申请。")
    paragraph._p.append(OxmlElement("w:ins"))
    file.save(str(path))


def pictures_alone(path: Path) -> None:
    WordFile().save(str(path))


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (revised, "修订"),
        (pictures_alone, "没有读到文字"),
        (lambda path: path.write_bytes(b"PK\x03\x04 cut short"), "坏了"),
        (lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), "旧格式"),
    ],
)
def test_a_word_file_that_cannot_be_used_says_why(
    tmp_path: Path, make: Callable[[Path], object], word: str
) -> None:
    make(put(tmp_path, "w.docx"))
    knowledge, (problem,) = read(tmp_path)
    assert knowledge.documents == ()
    assert word in problem.what
    assert problem.mend


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (pdf([[]]), "扫描的图片"),
        (pdf(TWO_PAGES, locked=True), "打开密码"),
        (pdf(TWO_PAGES)[:700], "坏了"),
        (b"not a PDF at all", "坏了"),
        (pdf(TWO_PAGES, encoding="Identity-H"), "乱码"),
        (pdf([[(40, 700, 12, "甲")]] * 301), "最多 300 页"),
    ],
)
def test_a_pdf_that_cannot_be_used_says_why(tmp_path: Path, data: bytes, word: str) -> None:
    put(tmp_path, "w.pdf", data)
    knowledge, (problem,) = read(tmp_path)
    assert knowledge.documents == ()
    assert word in problem.what
    assert problem.mend


def test_a_page_that_is_a_picture_is_noted_and_the_rest_is_read(tmp_path: Path) -> None:
    put(tmp_path, "w.pdf", pdf([*TWO_PAGES, []]))
    knowledge, (note,) = read(tmp_path)
    assert len(knowledge.documents) == 1
    assert note.note
    assert note.key == "第 3 页"


@pytest.mark.parametrize("name", ["w.docx", "w.pdf"])
def test_a_file_without_its_facts_shows_what_to_write(tmp_path: Path, name: str) -> None:
    put(tmp_path, name, b"x", None)
    _, (problem,) = read(tmp_path)
    assert f"旁边没有「{name}.yaml」" in problem.what
    assert all(key in problem.mend for key in ("编号", "名称", "受众", "失效", "审批", "负责人"))


def test_wrong_facts_are_named_in_their_own_file(tmp_path: Path) -> None:
    docx(put(tmp_path, "w.docx", facts=HEAD.replace("群可见", "大家")))
    knowledge, (problem,) = read(tmp_path)
    assert knowledge.documents == ()
    assert (problem.file, problem.line) == ("knowledge/products/w.docx.yaml", 5)


def test_a_file_is_parsed_again_only_after_it_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, "贷款.docx")
    docx(path)
    first, _ = read(tmp_path)
    opened: list[str] = []
    from bot.knowledge import word

    real = word._opened
    monkeypatch.setattr(
        word, "_opened", lambda data, file: (opened.append(file), real(data, file))[1]
    )
    path.with_name("贷款.docx.yaml").write_text(HEAD.replace("X-3", "X-9"), "utf-8")
    again, _ = read(tmp_path)
    assert opened == []
    assert again.documents[0].approval.content_id == "X-9"
    assert again.documents[0].sections == first.documents[0].sections
    file = WordFile(str(path))
    file.add_paragraph("又加了一句。")
    file.save(str(path))
    later, _ = read(tmp_path)
    assert opened == ["knowledge/products/贷款.docx"]
    assert "又加了一句。" in later.documents[0].sections[-1].text


def test_lines_that_all_look_like_headings_are_not_lost(tmp_path: Path) -> None:
    # The rows of a table without rules, printed larger than the text of the page.
    page: list[Line] = [
        (40, 760, 14, "一、怎么收费"),
        (40, 720, 10, FULL),
        (40, 680, 14, "二、收多少"),
        (40, 650, 12, "甲类二十元"),
        (40, 620, 12, "乙类三十元"),
        (40, 580, 14, "三、丢了怎么办"),
        (40, 550, 10, "来网点办。"),
    ]
    put(tmp_path, "fee.pdf", pdf([page]))
    knowledge, problems = read(tmp_path)
    assert problems == ()
    (document,) = knowledge.documents
    said = {section.title: section.text for section in document.sections}
    assert said["二、收多少"] == "甲类二十元\n乙类三十元"
    assert said["三、丢了怎么办"] == "来网点办。"


def test_a_head_of_two_rows_names_each_column_in_full() -> None:
    rows = [
        ["期限", "利率", "利率", "起存"],
        ["", "普通", "大额", ""],
        ["一年", "1.1%", "1.4%", "50元"],
    ]
    assert rows_in_words(rows) == ["期限：一年；利率·普通：1.1%；利率·大额：1.4%；起存：50元"]


def test_a_second_row_of_facts_is_no_head() -> None:
    rows = [["项目", "甲", "甲"], ["汇款", "免费", "免费"], ["挂失", "免费", "10元"]]
    said = rows_in_words(rows)
    assert len(said) == 2
    assert said[0].startswith("项目：汇款")
