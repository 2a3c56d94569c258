"""Cuts an expression of a script file into words, numbers and signs, each with its column."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from bot.domain.expression_values import grade_of

MOST_CHARS = 500
KEYWORDS = frozenset({"或", "且", "非", "在", "介于", "到", "未知", "已知"})

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOST_DIGITS = 12
_SIGNS = (">=", "<=", "!=", "==", ">", "<", "=", "(", ")", ",")
_SAME = {"≥": ">=", "≤": "<=", "≠": "!=", "、": ",", "<>": "!=", "==": "="}
_QUOTES = {'"': '"', "“": "”", "”": "”", "「": "」", "『": "』"}


class ExpressionError(ValueError):
    """An expression cannot be read; the column counts from 1, the words are for ops (Chinese)."""

    def __init__(self, column: int, what: str, mend: str) -> None:
        self.column = column
        self.what = what
        self.mend = mend
        super().__init__(f"第 {column} 个字：{what} · {mend}")


class Kind(StrEnum):
    """What a token is."""

    NUMBER = "数"
    TEXT = "文字"
    DATE = "日期"
    GRADE = "等级"
    NAME = "名字"
    KEYWORD = "词"
    SIGN = "符号"
    END = "结尾"


class Token(NamedTuple):
    """A piece of an expression: ``text`` as it is meant, half-width outside of quotes."""

    kind: Kind
    text: str
    column: int


def tokens(text: str) -> list[Token]:
    """Cut an expression into tokens, the last of them its end; raise ``ExpressionError``."""
    if len(text) > MOST_CHARS:
        what = f"写了 {len(text)} 个字，最多 {MOST_CHARS} 个"
        raise ExpressionError(MOST_CHARS + 1, what, "拆成「条件」和「排除」，或减几条")
    plain = "".join(_half_width(char) for char in text)
    found: list[Token] = []
    at = 0
    while at < len(text):
        if plain[at].isspace():
            at += 1
            continue
        token, at = _next(text, plain, at)
        found.append(token)
    return [*found, Token(Kind.END, "", len(text) + 1)]


def is_name(text: str) -> bool:
    """Tell whether a text reads as one name, so that it needs no quotes."""
    try:
        return tokens(text)[:-1] == [Token(Kind.NAME, text, 1)]
    except ExpressionError:
        return False


def _half_width(char: str) -> str:
    if char in _QUOTES or char in "」』":
        return char
    plain = unicodedata.normalize("NFKC", char)
    return plain if len(plain) == 1 else char


def _next(text: str, plain: str, at: int) -> tuple[Token, int]:
    if plain[at] in _QUOTES:
        return _quoted(text, plain, at)
    for sign in (*_SAME, *_SIGNS):
        if plain.startswith(sign, at):
            return Token(Kind.SIGN, _SAME.get(sign, sign), at + 1), at + len(sign)
    end = at
    while end < len(plain) and _in_word(plain[end]):
        end += 1
    if end == at:
        what = f"看不懂「{text[at]}」"
        raise ExpressionError(at + 1, what, "只用 >= <= > < = != ( ) 和「或」「且」「非」")
    return _word(plain[at:end], at + 1), end


def _quoted(text: str, plain: str, at: int) -> tuple[Token, int]:
    closes = {
        _QUOTES[plain[at]],
        '"' if plain[at] in '"“”' else "",
        "”" if plain[at] == '"' else "",
    }
    end = next((n for n in range(at + 1, len(text)) if plain[n] in closes), None)
    if end is None:
        raise ExpressionError(at + 1, "引号没有配成对", f"在文字后面补上 {_QUOTES[plain[at]]}")
    return Token(Kind.TEXT, text[at + 1 : end], at + 1), end + 1


def _in_word(char: str) -> bool:
    return char.isalnum() or char in "-_.·"


def _word(word: str, column: int) -> Token:
    if word in KEYWORDS:
        return Token(Kind.KEYWORD, word, column)
    if _DATE.fullmatch(word):
        try:
            date.fromisoformat(word)
        except ValueError:
            raise ExpressionError(column, f"没有「{word}」这一天", "改成日历上有的日期") from None
        return Token(Kind.DATE, word, column)
    if word.isascii() and _NUMBER.fullmatch(word):
        if len(word) > _MOST_DIGITS:
            raise ExpressionError(column, f"「{word}」这个数太长", f"最多 {_MOST_DIGITS} 位")
        return Token(Kind.NUMBER, word, column)
    if grade_of(word):
        return Token(Kind.GRADE, word, column)
    return Token(Kind.NAME, word, column)
