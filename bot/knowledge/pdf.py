"""PDF files to sections: lines put together again, tables row by row, with page numbers."""

from __future__ import annotations

import logging
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bot.domain.knowledge import Section
from bot.errors import ContentError, Problem
from bot.knowledge.blocks import Block, looks_like_heading, rows_in_words, sections_from, tidy
from bot.knowledge.entries import Read
from bot.knowledge.limits import read_bytes, refused
from bot.knowledge.sheets import read_head_beside, sheet_of

if TYPE_CHECKING:
    from pdfplumber.page import Page
    from pdfplumber.pdf import PDF

_MOST_PAGES = 300
_MARGIN = 0.1  # of the page's height: there stand what is printed on every page and its number
_PAGE_NUMBER = re.compile(r"[-—–·\s]*(?:第\s*)?\d+\s*页?(?:\s*[/／共]+\s*\d+\s*页?)?[-—–·\s]*")
_UNMAPPED = re.compile(r"\(cid:\d+\)|[\ue000-\uf8ff\ufffd]")
_ENDS = re.compile(r"[。！？；：!?;:]$")
_BULLET = re.compile(
    r"[·•●○■◆▪▶►\-–—*]\s*\S|[(（]?\d{1,2}[.、)）]|[一二三四五六七八九十]+[、.]|第.{1,4}[条章节]"
)
_ANOTHER = re.compile(r"^[·•●○■◆▪▶►*]\s*")


class _Line(NamedTuple):
    """A line of text as it stands on its page; a table's rows are lines as well."""

    text: str
    page: int
    top: float
    right: float
    size: float
    bold: bool
    edge: bool
    table: bool = False


class _Pages(NamedTuple):
    lines: list[_Line]
    scanned: list[int]


def read_pdf(path: Path, file: str) -> Read:
    """Read a PDF with its facts beside it; raises ``ContentError``."""
    head = read_head_beside(path, file)
    stat = path.stat()
    sections, scanned = pdf_sections(path, file, (stat.st_mtime_ns, stat.st_size))
    read = sheet_of(head, sections, file)
    if scanned:
        pages = "、".join(str(page) for page in scanned[:10])
        mend = "图片里有要紧的话，就打成文字；没有就不用管"
        note = Problem(file, 0, f"第 {pages} 页", "这几页只有图片，没有读到字", mend, note=True)
        read.problems.append(note)
    return read


@lru_cache(maxsize=256)
def pdf_sections(
    path: Path, file: str, stamp: tuple[int, int]
) -> tuple[tuple[Section, ...], tuple[int, ...]]:
    """Return a PDF's sections and its pages without text, read once for each ``stamp``.

    Raises ``ContentError``.
    """
    pages = _read(read_bytes(path, file), file)
    text = "".join(line.text for line in pages.lines)
    if not text:
        mend = "用原来的电子版导出 PDF，或打成 .docx、.md"
        raise refused(file, "这份 PDF 是扫描的图片，里面没有文字", mend)
    if len(_UNMAPPED.findall(text)) * 20 > len(text):
        mend = "用原来的电子版重新导出 PDF(嵌入字体)，或另存为 .docx"
        raise refused(file, "这份 PDF 的字读出来是乱码", mend)
    return sections_from(_blocks(_without_edges(pages.lines))), tuple(pages.scanned)


def _read(data: bytes, file: str) -> _Pages:
    from pdfminer.pdfdocument import PDFPasswordIncorrect
    from pdfminer.pdfexceptions import PDFException
    from pdfplumber.utils.exceptions import PdfminerException

    try:
        return _opened(data, file)
    except ContentError:
        raise
    except PdfminerException as error:
        if error.args and isinstance(error.args[0], PDFPasswordIncorrect):
            raise refused(file, "文件加了打开密码", "去掉密码，重新导出 PDF") from error
        raise _broken(file) from error
    except (PDFException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _broken(file) from error
    except (IndexError, AssertionError, RecursionError, OSError, ArithmeticError) as error:
        raise _broken(file) from error


def _broken(file: str) -> ContentError:
    return refused(file, "文件坏了，打不开", "用阅读器打开看看，再重新导出 PDF")


def _opened(data: bytes, file: str) -> _Pages:
    import pdfplumber

    logging.getLogger("pdfminer").setLevel(logging.ERROR)  # it complains of every odd font
    with pdfplumber.open(BytesIO(data)) as document:
        if len(document.pages) > _MOST_PAGES:
            what = f"有 {len(document.pages)} 页，最多 {_MOST_PAGES} 页"
            raise refused(file, what, "按主题拆成几个文件")
        return _all_lines(document)


def _all_lines(document: PDF) -> _Pages:
    found = _Pages([], [])
    for number, page in enumerate(document.pages, start=1):
        lines = sorted(_lines(page, number), key=lambda line: line.top)
        found.lines.extend(lines)
        if not lines and page.images:
            found.scanned.append(number)
        page.close()  # what it has laid out would stay in memory
    return found


def _lines(page: Page, number: int) -> Iterator[_Line]:
    tables = [table for table in page.find_tables() if len(table.rows) > 1]
    for table in tables:
        cells = [[cell or "" for cell in row] for row in table.extract()]
        for place, words in enumerate(rows_in_words(cells)):
            # Rows share their table's top and come in order.
            top = table.bbox[1] + place / 1000
            yield _Line(words, number, top, table.bbox[2], 0.0, False, False, table=True)
    boxes = [table.bbox for table in tables]

    def outside(thing: dict[str, Any]) -> bool:
        return not any(
            box[0] <= (thing["x0"] + thing["x1"]) / 2 <= box[2]
            and box[1] <= (thing["top"] + thing["bottom"]) / 2 <= box[3]
            for box in boxes
        )

    rest = page.filter(lambda thing: thing["object_type"] != "char" or outside(thing))
    for line in rest.extract_text_lines(return_chars=True):
        text = tidy(line["text"])
        if text:
            chars = line["chars"]
            yield _Line(
                text,
                number,
                line["top"],
                line["x1"],
                statistics.median(char["size"] for char in chars),
                all("bold" in char["fontname"].lower() for char in chars),
                _at_the_edge(line, page),
            )


def _at_the_edge(line: dict[str, Any], page: Page) -> bool:
    height = float(page.height)
    return bool(line["bottom"] < height * _MARGIN or line["top"] > height * (1 - _MARGIN))


def _without_edges(lines: Sequence[_Line]) -> list[_Line]:
    """Leave out page numbers, and what stands at the edge of most pages."""
    pages = {line.page for line in lines}
    seen = Counter(words for words, _ in {(_shape(line), line.page) for line in lines if line.edge})
    often = {words for words, times in seen.items() if len(pages) > 1 and times * 2 > len(pages)}
    body = _body_size(lines)
    return [
        line
        for line in lines
        if not line.edge
        or not (
            _PAGE_NUMBER.fullmatch(line.text) or _shape(line) in often or line.size < 0.85 * body
        )
    ]


def _body_size(lines: Sequence[_Line]) -> float:
    """Return the size in which most characters are printed."""
    sizes = Counter(round(line.size, 1) for line in lines if not line.table for _ in line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _shape(line: _Line) -> str:
    return re.sub(r"\d+", "#", line.text)


def _blocks(lines: Sequence[_Line]) -> Iterator[Block]:
    """Put lines together to paragraphs; larger, bolder or numbered lines are headings."""
    body = _body_size(lines)
    right = max((line.right for line in lines if not line.table), default=0.0)
    plain = [line for line in lines if not line.table and not line.bold]
    words, page, before = "", 0, None
    for line in lines:
        level = 0 if line.table else _level(line, body, bold_is_rare=bool(plain))
        if words and not (before is not None and not level and _goes_on(before, line, body, right)):
            yield Block(words, 0, page)
            words = ""
        if level:
            yield Block(line.text, level, line.page)
            before = None
            continue
        if not words:
            page = line.page
        words = _joined(words, _ANOTHER.sub("· ", line.text))
        before = line
    if words:
        yield Block(words, 0, page)


def _level(line: _Line, body: float, *, bold_is_rare: bool) -> int:
    if len(line.text) > 40 or _ENDS.search(line.text):
        return 0
    if line.size >= body * 1.5:
        return 1
    if line.size >= body * 1.12 or (line.bold and bold_is_rare) or looks_like_heading(line.text):
        return 2
    return 0


def _goes_on(before: _Line, line: _Line, body: float, right: float) -> bool:
    """Tell whether a line is the rest of a sentence: the one before it was full and not ended."""
    if before.table or line.table or _ENDS.search(before.text) or _BULLET.match(line.text):
        return False
    return before.right > right - 2.5 * body


def _joined(words: str, more: str) -> str:
    apart = bool(words) and words[-1].isascii() and words[-1].isalnum() and more[:1].isascii()
    return f"{words} {more}" if apart and more[:1].isalnum() else words + more
