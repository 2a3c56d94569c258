"""Small documents as office programs write them: PDF by hand, DOCX and XLSX by their libraries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from docx import Document
from openpyxl import Workbook

HEAD = """\
编号: loan-guide
名称: 贷款须知
类别: 服务
状态: 有效
受众: 群可见
生效: 2026-09-01
失效: 2027-08-31
负责人: 运营-甲
审批: {内容编号: X-3, 审批人: 消保-乙, 审批日: 2026-09-01}
"""
APPROVED = {
    "受众": "群可见",
    "生效": "2026-09-01",
    "失效": "2027-08-31",
    "负责人": "运营-甲",
    "内容编号": "X-4",
    "审批人": "消保-乙",
    "审批日": "2026-09-01",
}
TABLE = (("期限", "最短持有", "预约"), ("一年", "6 个月", "15 天"), ("三年", "12 个月", "30 天"))

Line = tuple[float, float, float, str]  # x, y from below, size, words


def pdf(
    pages: Sequence[Iterable[Line]],
    *,
    table: float = 0,
    locked: bool = False,
    encoding: str = "UniGB-UTF16-H",
) -> bytes:
    """Write a PDF in a font that every reader has to know; ``table`` rules TABLE at that height."""
    letters = "Identity" if encoding.startswith("Identity") else "GB1"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(pages)}/Kids[{_kids(len(pages))}]>>",
        f"<</Type/Font/Subtype/Type0/BaseFont/STSong/Encoding/{encoding}/DescendantFonts[4 0 R]>>",
        "<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong/DW 1000"
        f"/CIDSystemInfo<</Registry(Adobe)/Ordering({letters})/Supplement 0>>"
        "/FontDescriptor 5 0 R>>",
        "<</Type/FontDescriptor/FontName/STSong/Flags 4/FontBBox[0 -200 1000 900]/ItalicAngle 0"
        "/Ascent 880/Descent -120/CapHeight 880/StemV 80>>",
        "<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8"
        "/Length 1>>stream\nx\nendstream",
    ]
    for number, lines in enumerate(pages):
        drawn = "".join(_show(*line) for line in lines) or "q 500 0 0 700 40 40 cm /Im Do Q\n"
        drawn += _ruled(table) if table and number == 0 else ""
        page = 7 + 2 * number
        objects += [
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {page + 1} 0 R"
            "/Resources<</Font<</F 3 0 R>>/XObject<</Im 6 0 R>>>>>>",
            f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream",
        ]
    return _file(objects, locked=locked)


def _kids(count: int) -> str:
    return " ".join(f"{7 + 2 * number} 0 R" for number in range(count))


def _show(x: float, y: float, size: float, words: str) -> str:
    return f"BT /F {size} Tf {x} {y} Td <{words.encode('utf-16-be').hex()}> Tj ET\n"


def _ruled(top: float) -> str:
    drawn = ""
    for number, row in enumerate(TABLE):
        for column, words in enumerate(row):
            drawn += _show(45 + 120 * column, top - 25 * number - 18, 12, words)
    lines = [(40, top - 25 * n, 400, top - 25 * n) for n in range(len(TABLE) + 1)]
    lines += [(40 + 120 * n, top, 40 + 120 * n, top - 25 * len(TABLE)) for n in range(4)]
    return drawn + "".join(f"{a} {b} m {c} {d} l S\n" for a, b, c, d in lines)


def _file(objects: Sequence[str], *, locked: bool) -> bytes:
    out, places = b"%PDF-1.7\n", []
    for number, text in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n".encode("latin-1")
    lock = f"/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/O<{'11' * 32}>/U<{'22' * 32}>/P -4>>"
    start = len(out)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    out += f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R{lock if locked else ''}>>\n".encode()
    return out + f"startxref\n{start}\n%%EOF\n".encode()


def docx(path: Path) -> None:
    """Write a Word file with its name, headings, a list and a table."""
    document = Document()
    document.add_heading("贷款须知", 0)
    document.add_heading("提前还款", 1)
    document.add_paragraph("还款满一年可以申请，提前 15 天预约。")
    document.add_paragraph("带身份证", style="List Bullet")
    document.add_heading("要带什么", 2)
    table = document.add_table(rows=0, cols=3)
    for row in TABLE:
        for cell, words in zip(table.add_row().cells, row, strict=True):
            cell.text = words
    document.add_heading("结清证明", 1)
    document.add_paragraph("结清以后三个工作日能打印。")
    document.save(str(path))


def xlsx(path: Path, **sheets: Sequence[Sequence[object]]) -> Workbook:
    """Write a workbook and return it, so that a test can change and save it again."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return book


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """Put one more part into an Office file."""
    copied = BytesIO(data)
    with ZipFile(copied, "a") as archive:
        archive.writestr(name, content, ZIP_DEFLATED)
    return copied.getvalue()
