"""Finds in an expression what no subject could ever be judged by, before it is published."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from enum import StrEnum

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
)
from bot.domain.expression_tokens import ExpressionError, Kind, tokens
from bot.domain.expression_values import Grade, Known

_JOINTS = ("或", "且", "未知", "已知", "介于", "非")
_AS_MANY = 6


class ValueKind(StrEnum):
    """What a value is; only values of one kind compare."""

    NUMBER = "数"
    TEXT = "文字"
    TRUTH = "是或否"
    DAY = "日期"
    GRADE = "等级"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that a bank's expressions may use: data with their kinds, events, tags, scripts."""

    data: Mapping[str, ValueKind]
    events: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    scripts: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Names that are known, but not for this kind of subject, each with why."""


def check(root: Node, text: str, known: Vocabulary) -> tuple[ExpressionError, ...]:
    """Return every problem, in the order of their columns."""
    found = _Checker(text, known)
    found.as_truth(root)
    return tuple(sorted(found.problems, key=lambda error: error.column))


class _Checker:
    def __init__(self, text: str, known: Vocabulary) -> None:
        self._known = known
        self._columns: dict[str, int] = {}
        for token in tokens(text):
            if token.kind is not Kind.SIGN:
                self._columns.setdefault(token.text, token.column)
        self.problems: list[ExpressionError] = []

    def _say(self, name: str, what: str, mend: str) -> None:
        self.problems.append(ExpressionError(self._columns.get(name, 1), what, mend))

    def as_truth(self, node: Node) -> None:
        """Look at a part of which yes or no is wanted."""
        if isinstance(node, And | Or):
            for part in node.of:
                self.as_truth(part)
        elif isinstance(node, Not):
            self.as_truth(node.of)
        else:
            kind = self._kind(node)
            if kind not in (None, ValueKind.TRUTH):
                what = f"「{node}」是{kind}，不是「是」或「否」"
                self._say(_first_word(node), what, "写成比较，例如 年龄 >= 60")

    def _kind(self, node: Node) -> ValueKind | None:
        """Return what a part's value is; None where that is not known."""
        match node:
            case Constant():
                return kind_of(node.known)
            case Name():
                return self._of_name(node.name)
            case Call():
                return self._of_call(node)
            case Compare():
                self._alike(node.left, [node.right], node.sign in ("=", "!="))
            case Between():
                self._alike(node.left, [node.low, node.high], False)
            case Among():
                self._alike(node.left, node.choices, True)
            case IsKnown():
                self._kind(node.left)
            case _:
                self.as_truth(node)
        return ValueKind.TRUTH

    def _alike(self, left: Node, others: Collection[Node], equal: bool) -> None:
        kind = self._kind(left)
        for other in others:
            its = self._kind(other)
            if kind is None or its is None:
                continue
            if kind is not its:
                what = f"「{left}」是{kind}，「{other}」是{its}，不能比"
                self._say(_first_word(other) or _first_word(left), what, _LIKE[kind])
            elif not equal and kind in (ValueKind.TEXT, ValueKind.TRUTH):
                self._say(_first_word(left), f"「{left}」是{kind}，不能比大小", _LIKE[kind])

    def _of_name(self, name: str) -> ValueKind | None:
        known = self._known
        if name in known.data:
            return known.data[name]
        if name in known.events:
            return ValueKind.TRUTH
        if name in known.elsewhere:
            self._say(name, f"这里不能用「{name}」", known.elsewhere[name])
            return None
        joint = next((word for word in _JOINTS if word in name and word != name), None)
        if joint is not None:
            self._say(name, f"不认识「{name}」", f"「{joint}」前后各空一格")
            return None
        mend = _near(name, (*known.data, *known.events))
        self._say(
            name, f"不认识「{name}」", mend or "先在工作目录的「客户资料」或「客户事件」里登记"
        )
        return None

    def _of_call(self, node: Call) -> ValueKind | None:
        if node.of is not None:
            if self._kind(node.of) not in (None, ValueKind.DAY):
                what = f"「{node.function}」的括号里要是日期，「{node.of}」不是"
                self._say(_first_word(node.of), what, "例如 天数自(最近互动)")
            return ValueKind.NUMBER
        if node.function in ("次数", "最近"):
            self._among(node.name, self._known.events, "事件", "先在「客户事件」里登记")
            return ValueKind.NUMBER if node.function == "次数" else ValueKind.DAY
        if node.function == "有标签":
            self._among(node.name, self._known.tags, "标签", "先在「标签」里登记")
        else:
            self._among(node.name, self._known.scripts, "剧本", "写剧本的编号")
        return ValueKind.TRUTH

    def _among(self, name: str, known: Collection[str], what: str, mend: str) -> None:
        if name not in known:
            self._say(name, f"没有「{name}」这个{what}", _near(name, known) or mend)


def kind_of(value: Known) -> ValueKind:
    """Return what a value is."""
    if isinstance(value, bool):
        return ValueKind.TRUTH
    if isinstance(value, int | float):
        return ValueKind.NUMBER
    if isinstance(value, Grade):
        return ValueKind.GRADE
    return ValueKind.DAY if isinstance(value, date) else ValueKind.TEXT


def _near(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, 1, 0.5)
    if close:
        return f"是不是「{close[0]}」"
    few = sorted(known)
    return f"可以写：{'、'.join(few)}" if 0 < len(few) <= _AS_MANY else ""


def _first_word(node: Node) -> str:
    """Return the word by which a part is found again in the text."""
    match node:
        case Name():
            return node.name
        case Constant():
            return str(node.known)
        case Call():
            return node.function
    parts = node.parts()
    return _first_word(parts[0]) if parts else ""


_LIKE = {
    ValueKind.NUMBER: "写成 年龄 >= 60 的样子，数不加引号",
    ValueKind.TEXT: "写成 网点 = 「b01」的样子，文字要加引号",
    ValueKind.TRUTH: "直接写名字，例如 好友；相反就写 非(好友)",
    ValueKind.DAY: "写成 到期日 <= 2026-12-31 的样子，或用 天数到(到期日)",
    ValueKind.GRADE: "写成 风险等级 >= C2 的样子",
}
