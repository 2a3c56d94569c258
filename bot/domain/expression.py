"""The small language of 条件, 排除, 当 and 前提.条件: no loops, no I/O, three-valued.

``或`` binds loosest, then ``且``, then ``非``, then comparisons (sop_semantics §2.3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import lru_cache

from bot.domain.expression_check import Vocabulary as Vocabulary
from bot.domain.expression_check import check
from bot.domain.expression_nodes import (
    Among,
    And,
    Between,
    Call,
    Compare,
    Constant,
    IsKnown,
    Name,
    Node,
    Not,
    Or,
    every_part,
)
from bot.domain.expression_tokens import ExpressionError as ExpressionError
from bot.domain.expression_tokens import Kind, Token, tokens
from bot.domain.expression_values import (
    BY_VALUE,
    FUNCTIONS,
    Grade,
    Known,
    Lookup,
    grade_of,
    number,
    truth,
)

MOST_DEPTH = 24
_COMPARISONS = frozenset({">=", "<=", ">", "<", "=", "!="})


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read; ``str`` writes it so that it is read back the same."""

    root: Node
    text: str = field(default="", compare=False)

    def __str__(self) -> str:
        """Write it as the files do."""
        return str(self.root)

    def evaluate(self, lookup: Lookup) -> bool | None:
        """Return true, false, or None where what is known does not say."""
        return truth(self.root.value(lookup))

    def names(self) -> frozenset[str]:
        """Return the data and events that it names outside of functions."""
        return frozenset(p.name for p in every_part(self.root) if isinstance(p, Name))

    def calls(self) -> frozenset[tuple[str, str]]:
        """Return each function of a name that it has, with the name: (有标签, 国债提醒)."""
        return frozenset(
            (p.function, p.name) for p in every_part(self.root) if isinstance(p, Call) and p.name
        )

    def check(self, known: Vocabulary) -> tuple[ExpressionError, ...]:
        """Return what no subject could ever be judged by: unknown names, values of two kinds."""
        return check(self.root, self.text or str(self), known)

    def explain(self, lookup: Lookup) -> tuple[tuple[str, str], ...]:
        """Say what each comparison came to and each datum was: numbers, grades, yes and no only.

        Nothing personal is in it: words and days of a customer are told as known or unknown.
        """
        told: dict[str, str] = {}
        for part in every_part(self.root):
            if not isinstance(part, Constant | And | Or | Not):
                told.setdefault(str(part), _in_words(part.value(lookup)))
        return tuple(told.items())


@lru_cache(maxsize=512)
def parse(text: str) -> Expression:
    """Read an expression; raise ``ExpressionError``, and nothing else, whatever the text is."""
    return Expression(_Parser(tokens(text)).whole(), text)


def _in_words(value: Known | None) -> str:
    if value is None:
        return "未知"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Grade):
        return str(value)
    return number(value) if isinstance(value, int | float) else "已知"


class _Parser:
    """Reads tokens by their binding power; ``depth`` bounds how far brackets go down."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        """Read everything."""
        if self._ended():
            raise ExpressionError(1, "条件是空的", "写上条件，例如 年龄 >= 60，或删掉这一行")
        node = self._any()
        if not self._ended():
            raise self._surprise()
        return node

    def _ended(self) -> bool:
        return self._now.kind is Kind.END

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _take(self, text: str, kind: Kind = Kind.SIGN) -> bool:
        if self._now.kind is kind and self._now.text == text:
            self._at += 1
            return True
        return False

    def _need(self, text: str, after: str) -> None:
        if not self._take(text):
            raise ExpressionError(self._now.column, f"这里少一个「{text}」", f"在{after}后面补上")

    def _any(self) -> Node:
        parts = [self._all()]
        while self._take("或", Kind.KEYWORD):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self) -> Node:
        parts = [self._one()]
        while self._take("且", Kind.KEYWORD):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> Node:
        if self._take("非", Kind.KEYWORD):
            return Not(self._down(self._one))
        left = self._atom()
        node = self._compared(left)
        if node is not left and (self._now.text in _COMPARISONS or self._is_word_sign()):
            mend = "要介于两个数之间就写「年龄 介于 60 到 70」，几个条件用「且」连起来"
            raise ExpressionError(self._now.column, "比较不能一个接一个", mend)
        return node

    def _is_word_sign(self) -> bool:
        words = ("在", "介于", "未知", "已知")
        return self._now.kind is Kind.KEYWORD and self._now.text in words

    def _compared(self, left: Node) -> Node:
        sign = self._now
        if sign.kind is Kind.SIGN and sign.text in _COMPARISONS:
            self._at += 1
            return Compare(sign.text, left, self._atom())
        if self._take("在", Kind.KEYWORD):
            return Among(left, self._choices())
        if self._take("介于", Kind.KEYWORD):
            low = self._atom()
            if not self._take("到", Kind.KEYWORD):
                what = "「介于」后面少一个「到」"
                raise ExpressionError(self._now.column, what, "写成 年龄 介于 60 到 70")
            return Between(left, low, self._atom())
        for word in ("未知", "已知"):
            if self._take(word, Kind.KEYWORD):
                return IsKnown(left, word == "已知")
        return left

    def _choices(self) -> tuple[Constant, ...]:
        self._need("(", "「在」")
        found = [self._choice()]
        while self._take(","):
            found.append(self._choice())
        self._need(")", "最后一项")
        return tuple(found)

    def _choice(self) -> Constant:
        token = self._now
        if token.kind is Kind.NAME:
            self._at += 1
            return Constant(token.text)
        constant = self._constant()
        if constant is None:
            what = f"「在」的括号里不能写「{token.text}」" if token.text else "括号里少了东西"
            raise ExpressionError(token.column, what, "写成 在 (甲、乙)")
        return constant

    def _constant(self) -> Constant | None:
        token = self._now
        known: Known | None = None
        if token.kind is Kind.NUMBER:
            known = float(token.text) if "." in token.text else int(token.text)
        elif token.kind is Kind.TEXT:
            known = token.text
        elif token.kind is Kind.DATE:
            known = date.fromisoformat(token.text)
        elif token.kind is Kind.GRADE:
            known = grade_of(token.text)
        if known is None:
            return None
        self._at += 1
        return Constant(known)

    def _atom(self) -> Node:
        if self._take("("):
            node = self._down(self._any)
            self._need(")", "这一段")
            return node
        constant = self._constant()
        if constant is not None:
            return constant
        token = self._now
        if token.kind is not Kind.NAME:
            raise self._surprise()
        if not token.text[0].isalpha():
            what = f"「{token.text}」不是数，也不是日期"
            raise ExpressionError(token.column, what, "数只写数字，日期写成 2026-10-01")
        self._at += 1
        return self._call(token) if self._take("(") else Name(token.text)

    def _down(self, read: Callable[[], Node]) -> Node:
        if self._depth >= MOST_DEPTH:
            raise ExpressionError(self._now.column, f"括号套了 {MOST_DEPTH} 层以上", "拆简单一些")
        self._depth += 1
        node = read()
        self._depth -= 1
        return node

    def _call(self, token: Token) -> Node:
        function = token.text
        if function not in FUNCTIONS:
            near = get_close_matches(function, FUNCTIONS, 1, 0.4)
            mend = f"是不是「{near[0]}」" if near else f"可以写：{'、'.join(FUNCTIONS)}"
            raise ExpressionError(token.column, f"没有「{function}(…)」这个算法", mend)
        if function in BY_VALUE:
            node = Call(function, of=self._down(self._any))
        elif FUNCTIONS[function] == 1:
            node = Call(function, self._named(function))
        else:
            name = self._named(function)
            self._need(",", f"「{name}」")
            node = Call(function, name, days=self._days(function))
        self._need(")", f"「{function}(…」")
        return node

    def _named(self, function: str) -> str:
        token = self._now
        if token.kind not in (Kind.NAME, Kind.TEXT, Kind.NUMBER) or not token.text.strip():
            what = f"「{function}」的括号里先要写一个名字"
            raise ExpressionError(token.column, what, f"写成 {_LIKE[function]}")
        self._at += 1
        return token.text

    def _days(self, function: str) -> float:
        token = self._now
        constant = self._constant()
        days = constant.known if constant else None
        if isinstance(days, bool) or not isinstance(days, int | float) or days <= 0:
            what = f"「{function}」的第二项要写天数"
            raise ExpressionError(token.column, what, f"写成 {_LIKE[function]}")
        return days

    def _surprise(self) -> ExpressionError:
        token = self._now
        if token.kind is Kind.END:
            return ExpressionError(token.column, "条件没有写完", "补上后面的部分")
        if token.text == ")":
            return ExpressionError(token.column, "多了一个「)」", "删掉它，或补上前面的「(」")
        what = f"这里不该是「{token.text}」"
        return ExpressionError(token.column, what, "两个条件之间写「且」或「或」，前后空一格")


_LIKE = {
    "次数": "次数(到网点, 30)",
    "最近": "最近(到网点)",
    "有标签": "有标签(国债提醒)",
    "在剧本": "在剧本(senior-21d)",
    "走完剧本": "走完剧本(senior-21d)",
}
