"""Headings, paragraphs and tables of a document to sections that answer by themselves."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.domain.knowledge import Section

# One message to a customer holds about so many characters: a longer section would be cut there.
_LONGEST = 300
_SPOKEN_HEADING = re.compile(
    r"第[一二三四五六七八九十百\d]{1,4}[章节]\s*\S.{0,28}|[一二三四五六七八九十]{1,3}、\S.{0,28}"
)
_SENTENCE_ENDS = re.compile(r"[。！？；!?;：:，,]$")
_BLANK = re.compile(r"[ \t\u3000\xa0]+")
_BETWEEN_HAN = re.compile(
    r"(?<=[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]) (?=[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef])"
)
# Fonts name some characters after the radical that looks the same: these are not the same letter.
_RADICALS = str.maketrans(
    "⺠⺟⻄⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰⻳",
    "民母西见角贝车长门青韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙龟",
) | {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}


class Block(NamedTuple):
    """A heading of a level, or words (level 0) that may have several lines."""

    text: str
    level: int = 0
    page: int = 0


@dataclass
class _Open:
    """The section that is being filled."""

    page: int = 0
    lines: list[str] = field(default_factory=list)


def sections_from(blocks: Iterable[Block]) -> tuple[Section, ...]:
    """Put words under their headings: 一级·二级; deeper headings stay lines of the text."""
    blocks = list(blocks)
    first = [block for block in blocks if block.level == 1]
    # A single heading of the first level is the name of the whole, which the document has anyhow.
    if len(first) == 1 and any(block.level == 2 for block in blocks):
        blocks.remove(first[0])
    blocks = _with_words(blocks)
    found: list[Section] = []
    titles: dict[int, str] = {}
    current = _Open()
    for block in blocks:
        if block.level in (1, 2):
            found += _closed(titles, current)
            titles = {level: title for level, title in titles.items() if level < block.level}
            titles[block.level] = block.text
            current = _Open(block.page)
            continue
        if not current.lines:
            current.page = block.page
        if current.lines and _size(current.lines) + len(block.text) > _LONGEST:
            found += _closed(titles, current)
            current = _Open(block.page)
        current.lines += [f"{block.text}：" if block.level else block.text]
    return (*found, *_closed(titles, current))


def _with_words(blocks: Sequence[Block]) -> list[Block]:
    """Make words of headings that stand one after another with nothing under them.

    The lines of a table without rules, or of a page that is all in large letters, look so. The
    first of them stays the heading.
    """
    made: list[Block] = []
    before = 0  # the level of the bare heading just passed
    for place, block in enumerate(blocks):
        after = blocks[place + 1] if place + 1 < len(blocks) else Block("", 1)
        bare = 0 < after.level <= block.level <= 2
        words = bare and before == block.level
        made.append(Block(block.text, 0, block.page) if words else block)
        before = block.level if bare else 0
    return made


def _closed(titles: dict[int, str], section: _Open) -> list[Section]:
    text = "\n".join(section.lines).strip()
    title = "·".join(titles[level] for level in sorted(titles))
    return [Section(title=title, text=text, page=section.page)] if text else []


def _size(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def looks_like_heading(text: str) -> bool:
    """Tell whether a line that nobody marked is a heading all the same: 一、怎么办理."""
    return bool(_SPOKEN_HEADING.fullmatch(text)) and not _SENTENCE_ENDS.search(text)


def tidy(text: str) -> str:
    """Return a line without the blanks that a layout puts between Chinese characters."""
    return _BETWEEN_HAN.sub("", _BLANK.sub(" ", text.translate(_RADICALS))).strip()


def rows_in_words(rows: Sequence[Sequence[str]]) -> list[str]:
    """Say a table row by row: 列名：值；列名：值. One of two columns reads 名：值."""
    said = [[tidy(cell.replace("\n", " ")) for cell in row] for row in rows]
    said = [row for row in said if any(row)]
    if not said:
        return []
    width = max(len(row) for row in said)
    if width <= 2 or len(said) == 1:
        return ["：".join(filter(None, row)) for row in said]
    head, *rest = _one_head(said)
    return [line for row in rest if (line := _row_in_words(head, row))]


def _one_head(rows: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """Return a table whose head of two rows is one: 利率 over 一年 makes 利率·一年."""
    head, below, *rest = rows
    if len(head) != len(below) or not rest:
        return rows
    places = range(len(head))
    wide = {
        n for n in places if head[n] and head[n] in (*head[max(0, n - 1) : n], *head[n + 1 : n + 2])
    }
    same = {n for n in places if below[n] in ("", head[n])}
    # A name over several columns has others under it; every other column's name is the same.
    if not wide or len(wide) == len(head) or same != set(places) - wide:
        return rows
    joined = [f"{head[n]}·{below[n]}" if n in wide else head[n] for n in places]
    return [joined, *rest]


def _row_in_words(head: Sequence[str], row: Sequence[str]) -> str:
    if len(set(row)) == 1:
        return row[0]  # one cell over the whole width: a heading within the table
    pairs = ((head[n] if n < len(head) else "", cell) for n, cell in enumerate(row))
    return "；".join(f"{name}：{cell}" if name else cell for name, cell in pairs if cell)
