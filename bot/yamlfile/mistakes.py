"""The classic slips of hand-written YAML, said in words that mend them."""

from __future__ import annotations

import re

import yaml

from bot.errors import Problem

_TAB = re.compile(r"^ *\t")
_BRACE_VALUE = re.compile(r"(?:^|[:\-,])\s*\{[^{}]*\}\s*[^\s,}\]#]")
_WIDE_COLON_KEY = re.compile(r"^\s*(?:- )?\{?\s*[\w.·-]{1,16}\uff1a")
_TIGHT_COLON_KEY = re.compile(r"^\s*(?:- )?\w[\w.·-]{0,15}:[^\s/]")
_STAR = re.compile(r"[:\-]\s+[*&!%@`]")

WIDE_COLON_SIGN = "\uff1a"
WIDE_COMMA_SIGN = "\uff0c"

QUOTE_BRACE = ("以 { 开头的值没有加引号", '给整段文字加上英文双引号，例如 "{群主.称呼}可以…"')
WIDE_COLON = ("键后面用了中文冒号「\uff1a」", "改成英文冒号，后面空一格，例如「名称: 银龄群」")
TIGHT_COLON = ("英文冒号后面没有空格", "冒号后面空一格，例如「版本: 3」")
WIDE_COMMA = (
    "方括号或花括号里用了中文逗号「\uff0c」",
    "改成英文逗号；逗号本来就是文字的，给这一项加引号",
)


def reader_problem(error: yaml.reader.ReaderError, text: str, file: str) -> Problem:
    """Say where an invisible character stands that YAML does not allow."""
    position = error.position if isinstance(error.position, int) else 0
    line = text.count("\n", 0, position) + 1
    return Problem(file, line, "", "这一行有看不见的控制字符", "把这一行删掉重新打一遍")


def syntax_problem(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    """Turn the parser's complaint into a line, what is wrong and how to mend it."""
    lines = text.splitlines()
    at = error.problem_mark.line if error.problem_mark else 0
    began = error.context_mark.line if error.context_mark else at
    for number in dict.fromkeys((began, at, max(0, at - 1))):
        said = _slip(lines[number]) if number < len(lines) else None
        if said is not None:
            return Problem(file, number + 1, "", *said)
    number, what, mend = _by_complaint(error, began, at)
    return Problem(file, min(number, max(len(lines) - 1, 0)) + 1, "", what, mend)


def _slip(line: str) -> tuple[str, str] | None:
    if _TAB.match(line):
        return "缩进里有制表符(Tab)", "缩进只用空格，每层两个"
    if _BRACE_VALUE.search(line):
        return QUOTE_BRACE
    if _WIDE_COLON_KEY.match(line):
        return WIDE_COLON
    if _TIGHT_COLON_KEY.match(line):
        return TIGHT_COLON
    if ("[" in line or "{" in line) and "\uff0c" in line.split("#")[0]:
        return WIDE_COMMA
    if _STAR.search(line):
        return "值以特殊符号(* & ! % @ `)开头", "给这个值加上英文双引号"
    return None


def _by_complaint(error: yaml.MarkedYAMLError, began: int, at: int) -> tuple[int, str, str]:
    context, problem = error.context or "", error.problem or ""
    if "quoted scalar" in context:
        return began, "引号没有成对", "在这段文字的末尾补上同样的引号；文字里有引号，外面就用另一种"
    if "flow sequence" in context:
        return began, "方括号没有成对，或两项之间少了英文逗号", "补上「]」或英文逗号"
    if "flow mapping" in context:
        return began, "花括号没有成对，或两项之间少了英文逗号", "补上「}」或英文逗号"
    if "mapping values are not allowed" in problem:
        return (
            at,
            "这一行的冒号放错了地方",
            "与同级的键左对齐；冒号本来就是文字的，整段加引号",
        )
    if "could not find expected ':'" in problem:
        return began, "这一行缺少英文冒号", "写成「键: 值」，英文冒号后空一格"
    if "block mapping" in context or "block sequence" in context or "block collection" in context:
        return at, "缩进没有对齐", "同一级的内容左边对齐，每层缩进两个空格"
    return at, "这一行的写法读不懂", "检查缩进、冒号、引号和括号是否成对"
