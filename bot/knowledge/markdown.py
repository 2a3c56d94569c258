"""Markdown to sections of plain text, as a chat can show them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from bot.domain.knowledge import Section
from bot.errors import Problem
from bot.knowledge.blocks import rows_in_words

_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_BOLD = re.compile(r"(\*\*|__|`)(.+?)\1")
_BULLET = re.compile(r"^\s*[-*+]\s+")
_RULE_ROW = re.compile(r"^\s*\|?[\s:|-]+\|[\s:|-]*$")


def sections_of(body: str, first_line: int) -> tuple[Section, ...]:
    """Split at ``##`` headings; text before the first one stands for itself without a title."""
    sections: list[Section] = []
    title, began, lines = "", first_line - 1, list[str]()
    for number, line in enumerate(body.splitlines(), start=first_line):
        heading = _HEADING.match(line)
        if heading is None:
            lines.append(line)
        elif len(heading[1]) > 2:
            lines.append(f"{heading[2]}:")
        else:
            sections += _closed(title, began, lines)
            title = heading[2] if len(heading[1]) == 2 else ""
            began, lines = number, []
    return (*sections, *_closed(title, began, lines))


def unreadable(body: str, first_line: int, file: str) -> list[Problem]:
    """Name what a chat cannot show and an embedder cannot read: pictures and raw HTML."""
    problems = []
    for number, line in enumerate(body.splitlines(), start=first_line):
        if "![" in line:
            problems.append(
                Problem(file, number, "", "知识文件里不能放图片", "把图片里的话写成文字")
            )
        elif re.search(r"</?[a-zA-Z][^>]*>", line):
            problems.append(
                Problem(file, number, "", "知识文件里不能写 HTML", "改成普通的文字或 Markdown")
            )
    return problems


def _closed(title: str, line: int, lines: Sequence[str]) -> list[Section]:
    text = re.sub(r"\n{2,}", "\n", "\n".join(_in_words(lines))).strip()
    return [Section(title=title, text=text, line=line)] if text else []


def _in_words(lines: Sequence[str]) -> Iterator[str]:
    """Give lines without marks; a table is said row by row."""
    for is_table, group in groupby(lines, key=lambda line: line.strip().startswith("|")):
        if is_table:
            rows = [line.strip().strip("|").split("|") for line in group if not _is_rule(line)]
            yield from rows_in_words([[_plain(cell).strip() for cell in row] for row in rows])
        else:
            yield from map(_plain, group)


def _is_rule(line: str) -> bool:
    return _RULE_ROW.match(line) is not None


def _plain(line: str) -> str:
    line = _LINK.sub(r"\1", _BULLET.sub("· ", line))
    return _BOLD.sub(r"\2", line).rstrip()
