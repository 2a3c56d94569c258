"""Text as rules look at it: in sentences, with the tricks that hide words undone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0]"
)
_ENDS = re.compile(r"([。!?;\n]+)")
# A dot or a comma inside a number belongs to it.
_NOISE = re.compile(r"(?<!\d)[^\w%‰,、:。]|[^\w%‰,、:。](?!\d)|_|(?<=\D)[-~\s](?=\d)|(?<=\d)\s")
_MARK = re.compile(r"[^\w%‰]+|_+")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_CHINESE_PERCENT = re.compile(r"百分之([零一二两三四五六七八九十点\d.]{1,8})")
_CHINESE_DIGITS = str.maketrans("零一二两三四五六七八九点", "0122" + "3456789.")


class Sentence(NamedTuple):
    """A sentence: its line, and the same words as they are and with tricks undone."""

    line: int
    views: tuple[str, ...]


def clean(text: str) -> str:
    """Return text in its plain form: full width made narrow, nothing invisible."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))


def sentences(
    text: str, spelt: Callable[[str], str], *, joined: bool = False
) -> Iterator[Sentence]:
    """Give each sentence of cleaned text; ``spelt`` puts hidden spellings right.

    With ``joined`` the text as a whole follows, without any mark, where single characters stand
    between marks: nobody writes 保。本 but to get past a filter.
    """
    line = 1
    for part in _ENDS.split(text):
        if _ENDS.fullmatch(part):
            line += part.count("\n")
        elif part:
            yield Sentence(line, _views(part, spelt))
    if joined and len(_ENDS.split(text)) > 1 and _torn(text):
        yield Sentence(1, (spelt(_MARK.sub("", text)),))


def _views(sentence: str, spelt: Callable[[str], str]) -> tuple[str, ...]:
    views = [sentence, spelt(_NOISE.sub("", sentence))]
    if _torn(sentence):
        views.append(spelt(_MARK.sub("", sentence)))
    figures = _CHINESE_PERCENT.sub(_in_figures, views[-1])
    if figures != views[-1]:
        views.append(figures)
    return tuple(dict.fromkeys(views))


def _torn(text: str) -> bool:
    """Tell whether single Chinese characters stand alone between marks."""
    pieces = _MARK.split(text)
    return len(pieces) > 1 and any(len(one) == 1 and _HAN.match(one) for one in pieces)


def _in_figures(match: re.Match[str]) -> str:
    figures = match[1]
    if figures.startswith("十"):
        figures = "1" + figures[1:]
    figures = figures[:-1] + "0" if figures.endswith("十") else figures.replace("十", "")
    return figures.translate(_CHINESE_DIGITS) + "%"
