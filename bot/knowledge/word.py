"""DOCX files to sections: headings by their style, tables row by row."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from bot.domain.knowledge import Section
from bot.knowledge.blocks import Block, looks_like_heading, rows_in_words, sections_from, tidy
from bot.knowledge.entries import Read
from bot.knowledge.limits import check_office, read_bytes, refused
from bot.knowledge.sheets import read_head_beside, sheet_of

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from lxml.etree import _Element as Element

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"(?:heading|标题)\s*([1-9])", re.IGNORECASE)
_TITLE = ("Title", "标题", "Subtitle", "副标题")
_LIST = re.compile(r"list|列表|列出", re.IGNORECASE)
_NAME, _ITEM = -1, -2
_MOST_CHARS = 500_000
_AGAIN = "用 Word 打开看看，再另存为「Word 文档(.docx)」"


def read_docx(path: Path, file: str) -> Read:
    """Read a Word file with its facts beside it; raises ``ContentError``."""
    head = read_head_beside(path, file)
    stat = path.stat()
    return sheet_of(head, word_sections(path, file, (stat.st_mtime_ns, stat.st_size)), file)


@lru_cache(maxsize=256)
def word_sections(path: Path, file: str, stamp: tuple[int, int]) -> tuple[Section, ...]:
    """Return a Word file's sections, read once for each ``stamp``; raises ``ContentError``."""
    data = read_bytes(path, file)
    check_office(data, file, "Word")
    document = _opened(data, file)
    body = document.element.body
    if next(body.iter(f"{_W}ins", f"{_W}del", f"{_W}moveFrom", f"{_W}moveTo"), None) is not None:
        what = "文件里有没处理的修订，分不清哪句算数"
        raise refused(file, what, "在 Word 的「审阅」里全部接受或拒绝，再存")
    meanings = {style.style_id: _meaning(style.name or "") for style in document.styles}
    sections = sections_from(_blocks(body, meanings))
    if not sections:
        raise refused(file, "没有读到文字", "图片里的话要打成文字；文字在文本框里的，挪到正文")
    if sum(len(section.text) for section in sections) > _MOST_CHARS:
        raise refused(file, f"文字超过 {_MOST_CHARS // 10_000} 万字", "按主题拆成几个文件")
    return sections


def word_title(path: Path, file: str) -> str:
    """Return a Word file's own name: its title, or the one heading over all; empty for none.

    Raise ``ContentError`` where the file cannot be read.
    """
    document = _opened(read_bytes(path, file), file)
    meanings = {style.style_id: _meaning(style.name or "") for style in document.styles}
    named = {style.style_id for style in document.styles if style.name in _TITLE[:2]}
    highest: list[str] = []
    for element in document.element.body.iterchildren(f"{_W}p"):
        style = element.find(f"{_W}pPr/{_W}pStyle")
        style_id = style.get(f"{_W}val", "") if style is not None else ""
        text = tidy(_text(element).replace("\n", " "))
        if text and style_id in named:
            return text
        if text and meanings.get(style_id) == 1:
            highest.append(text)
    return highest[0] if len(highest) == 1 else ""


def _opened(data: bytes, file: str) -> WordDocument:
    from docx import Document
    from docx.opc.exceptions import OpcError
    from lxml.etree import LxmlError

    try:
        return Document(BytesIO(data))
    except (OpcError, LxmlError, BadZipFile, zlib.error, LookupError) as error:
        raise refused(file, "文件坏了，打不开", _AGAIN) from error
    except (ValueError, OSError, AttributeError, TypeError) as error:
        raise refused(file, "文件坏了，打不开", _AGAIN) from error


def _meaning(style: str) -> int:
    """Return a heading's level, or what else a style says of its paragraphs."""
    if match := _HEADING.match(style):
        return int(match[1])
    if style in _TITLE:
        return _NAME
    return _ITEM if _LIST.match(style) else 0


def _blocks(parent: Element, meanings: dict[str, int]) -> Iterator[Block]:
    """Give the paragraphs and tables in order, those too that stand in content controls."""
    for child in parent:
        if child.tag == f"{_W}p":
            yield from _paragraph(child, meanings)
        elif child.tag == f"{_W}tbl":
            yield from (Block(line) for line in rows_in_words(list(_rows(child))))
        elif child.tag == f"{_W}sdt" and not _is_contents(child):
            for content in child.iterchildren(f"{_W}sdtContent"):
                yield from _blocks(content, meanings)


def _is_contents(control: Element) -> bool:
    """Tell whether a content control holds the table of contents, which answers nothing."""
    gallery = control.find(f"{_W}sdtPr/{_W}docPartObj/{_W}docPartGallery")
    return gallery is not None and gallery.get(f"{_W}val") == "Table of Contents"


def _paragraph(element: Element, meanings: dict[str, int]) -> Iterator[Block]:
    lines = [tidy(line) for line in _text(element).split("\n")]
    text = "\n".join(filter(None, lines))
    if not text:
        return
    style = element.find(f"{_W}pPr/{_W}pStyle")
    outline = element.find(f"{_W}pPr/{_W}outlineLvl")
    level = meanings.get(style.get(f"{_W}val", ""), 0) if style is not None else 0
    if level == _NAME:
        return  # the document's own name, which its facts have
    if not level and outline is not None:
        level = int(outline.get(f"{_W}val", "9")) + 1
    if not level and looks_like_heading(text):
        level = 2
    if 0 < level < 9 and "\n" not in text:
        yield Block(text, level)
    else:
        item = level == _ITEM or element.find(f"{_W}pPr/{_W}numPr") is not None
        yield Block(f"· {text}" if item else text)


def _rows(table: Element) -> Iterator[list[str]]:
    for row in table.iterchildren(f"{_W}tr"):
        cells: list[str] = []
        for cell in row.iter(f"{_W}tc"):
            if next(cell.iterancestors(f"{_W}tbl")) is not table:
                continue  # a table within a cell is read as the cell's text
            span = cell.find(f"{_W}tcPr/{_W}gridSpan")
            text = "\n".join(_text(p) for p in cell.iter(f"{_W}p"))
            cells += [text] * (int(span.get(f"{_W}val", "1")) if span is not None else 1)
        yield cells


def _text(paragraph: Element) -> str:
    """Return all text of a paragraph, in links and content controls too."""
    words = {f"{_W}tab": " ", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
    return "".join(
        (part.text or "") if part.tag == f"{_W}t" else words.get(str(part.tag), "")
        for part in paragraph.iter()
        if part.tag == f"{_W}t" or part.getparent().tag == f"{_W}r"
    )
