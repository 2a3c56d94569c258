"""Facts that two texts tell differently: where a button is, a number, a day, how many.

A fact is a phrase with what stands at its place. Only phrases that are long or quoted count,
so that texts on different things are not held against each other.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_CORNER = r"(右上|左上|右下|左下|最上面|最下面|顶部|底部)(?:角|方)?"
_CORNER_THEN_NAME = re.compile(_CORNER + r"的?\s*[「“\"]([^」”\"\n]{1,12})[」”\"]")
_CORNER_THEN_WORDS = re.compile(
    _CORNER + r"的?([\u4e00-\u9fff]{2,8}?)(?:图标|按钮|标志)?(?=[\s，。；、！？,.;!?」”]|$)"
)
_NAME_THEN_CORNER = re.compile(
    r"[「“\"]([^」”\"\n]{1,12})[」”\"](?:就)?在(?:手机)?(?:屏幕)?(?:的)?" + _CORNER
)
_SAME_CORNER = {"最上面": "顶部", "最下面": "底部"}
# The number of one branch is not that of another, so those that name no single place count.
_PHONE = re.compile(
    r"((?!支行|网点|分行)[\u4e00-\u9fff]{2}(?:专线|热线|电话|平台))(?:号码|号)?(?:是|为)?[:：]?\s?"
    r"(\d[\d-]{2,14}\d)(?!\d)"
)
_HAN = r"[\u4e00-\u9fff]"
_UNITS = "万元|万|元|位|个月|个|天|小时|分钟|点半|点|岁|次|条|%|％|年|周|楼|层"
_AMOUNT = re.compile(rf"({_HAN}{{5,12}}?)\s?(\d+(?:\.\d+)?)\s?({_UNITS})")
_DAY = re.compile(rf"({_HAN}{{3,12}}?)\s?((?:\d{{4}}\s?年\s?)?\d{{1,2}}\s?月\s?\d{{1,2}}\s?[日号])")
_FIGURES = {"两": "2", **{c: str(n) for n, c in enumerate("一二三四五六七八九十", start=1)}}
# 一点 and 一个 are no figures; 二楼 and 三天 are.
_LOOSE = re.compile(
    rf"({_HAN}{{2}})\s?(?:(\d+(?:\.\d+)?)\s?({_UNITS})"
    rf"|([{''.join(_FIGURES)}])(个月|小时|天|岁|楼|层|年|周|点半))"
)
_SPACE = re.compile(r"\s")
_NARROW = str.maketrans("０１２３４５６７８９", "0123456789")

# Such a phrase names one thing wherever it stands: two different tellings cannot both be right.
CERTAIN = frozenset({"place", "phone"})


class Fact(NamedTuple):
    """A phrase, what it says, and where; ``line`` counts from 1."""

    kind: str
    phrase: str
    says: str
    line: int


def facts_in(text: str) -> list[Fact]:
    """Return what a text states that another may contradict."""
    text = text.translate(_NARROW)
    named = [*_CORNER_THEN_NAME.finditer(text), *_CORNER_THEN_WORDS.finditer(text)]
    return [
        *(_fact("place", m[2], _corner(m[1]), text, m) for m in named),
        *(_fact("place", m[1], _corner(m[2]), text, m) for m in _NAME_THEN_CORNER.finditer(text)),
        *(_fact("phone", m[1], m[2].replace("-", ""), text, m) for m in _PHONE.finditer(text)),
        *(_fact("amount", m[1] + m[3], m[2], text, m) for m in _AMOUNT.finditer(text)),
        *(_fact("day", m[1], _SPACE.sub("", m[2]), text, m) for m in _DAY.finditer(text)),
    ]


def loose_facts_in(text: str) -> list[Fact]:
    """Return figures with only the two characters before them.

    That is too little to hold texts on different things against each other, and enough where
    both are known to answer the same question.
    """
    text = text.translate(_NARROW)
    return [
        _fact("amount", m[1] + (m[3] or m[5]), m[2] or _FIGURES[m[4]], text, m)
        for m in _LOOSE.finditer(text)
    ]


def told_apart(mine: Fact, other: Fact, source: str) -> str:
    """Say in words how a text and another one, named ``source``, tell a fact differently."""
    return _WORDS[mine.kind].format(fact=mine, other=other, source=source)


_WORDS = {
    "place": "这里说「{fact.phrase}」在{fact.says}，{source}说在{other.says}",
    "phone": "这里的{fact.phrase}是 {fact.says}，{source}写的是 {other.says}",
    "amount": "这里写「{fact.phrase}」{fact.says}，{source}写的是 {other.says}",
    "day": "这里写「{fact.phrase}」{fact.says}，{source}写的是 {other.says}",
}


def _fact(kind: str, phrase: str, says: str, text: str, match: re.Match[str]) -> Fact:
    line = text.count("\n", 0, match.start()) + 1
    return Fact(kind, _SPACE.sub("", phrase), says, line)


def _corner(word: str) -> str:
    return _SAME_CORNER.get(word, word)
