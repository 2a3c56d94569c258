"""What somebody asked without what belongs to that person: numbers, names, amounts, days."""

from __future__ import annotations

import re
import unicodedata

from bot.domain.compliance import Rules, mask
from bot.hanzi import simplified

_LONGEST = 200
_HIDDEN_NUMBER = re.compile(r"\*{5,}\w{0,4}")
_HIDDEN = re.compile(r"[\w]{0,1}\*+")
_CN = "一二两三四五六七八九十百千半"
_AMOUNT = re.compile(
    rf"(?:\d[\d,]*(?:\.\d+)?|[{_CN}]+)\s*(?:个)?(?:万|千|百|亿)*(?:块钱|块|元|万|亿)(?:人民币)?"
)
_DAY = re.compile(
    r"(?:\d{2,4}年)?\d{1,2}月(?:\d{1,2}[日号])?|\d{2,4}年|(?<!\d)\d{1,2}[日号]|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}"
)
_CALLED = re.compile(r"我(?:叫|是)[\u4e00-\u9fff]{2,3}(?=[，,。！!]|$)")
_BLANKS = re.compile(r"\s+")
_NO_WORD = re.compile(r"[\W_]+")
_FORM = re.compile(r"^\[[^\]]{1,8}\]")


def cleaned(text: str, rules: Rules) -> str:
    """Return a question with personal data masked and amounts and days as plain words."""
    said = _FORM.sub("", _BLANKS.sub(" ", text).strip())
    said = mask(said, rules, outside=True)
    said = unicodedata.normalize("NFKC", said).replace("?", "？").replace(",", "，")
    said = _HIDDEN_NUMBER.sub("某号码", said)
    said = _HIDDEN.sub("某某", said)
    said = _CALLED.sub("", said).lstrip("，。！ ")
    said = _AMOUNT.sub("若干元", said)
    return _DAY.sub("某天", said)[:_LONGEST].strip()


def same_words(text: str) -> str:
    """Return what two wordings are alike by: their letters alone."""
    return _NO_WORD.sub("", unicodedata.normalize("NFKC", simplified(text))).lower()


def alike(one: str, other: str) -> float:
    """Return which share of their pairs of letters two texts have in common, 0 to 1."""
    first, second = _pairs(one), _pairs(other)
    both = len(first) + len(second)
    return 2 * len(first & second) / both if both else 0.0


def _pairs(text: str) -> set[str]:
    plain = same_words(text)
    return {plain[at : at + 2] for at in range(len(plain) - 1)}
