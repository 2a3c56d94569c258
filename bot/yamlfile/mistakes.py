"""The classic slips of hand-written YAML, said in words that mend them."""

from __future__ import annotations

import re

import yaml

from bot.errors import Problem

_TAB = re.compile(r"^ *\t")
_WIDE_INDENT = re.compile(r"^[ \t]*[\u3000\u00a0\u2002\u2003]")
_WIDE_DASH = re.compile(r"^\s*[\uff0d\u2014\u2013\u2022\u00b7\u25cf]\s*\w[\w.·-]{0,15}[:\uff1a]")
_TIGHT_DASH = re.compile(r"^\s*-(?:[^\W\d][\w.·]{0,15}:|\{)")
_WIDE_BRACKET = re.compile(r":\s*[\uff3b\u3010\uff5b]")
_BRACE_VALUE = re.compile(r"(?:^|[:\-,])\s*\{[^{}]*\}\s*[^\s,}\]#]")
_WIDE_COLON_KEY = re.compile(r"^\s*(?:- )?\{?\s*[\w.·-]{1,16}\uff1a")
_TIGHT_COLON_KEY = re.compile(r"^\s*(?:- )?\w[\w.·-]{0,15}:[^\s/]")
_STAR = re.compile(r"[:\-]\s+[*&!%@`]")
_HALF_QUOTED = re.compile(r"(?:[:\-,\[{]\s*)(?:\"[^\"]*\"|'[^']*')\s*[^\s#,\]}:\"']")
_OPENS_BLOCK = re.compile(r"(?:[:\-]\s+)?[|>][+-]?\s*(?:#.*)?$")
_QUOTE_OPENS = re.compile(r"(?:[:\-,\[{]\s*)([\"'])")
_COMMENT = re.compile(r"(?:^|\s)#.*$")

# Keys of what is said to people: a comma there is a part of the words.
KEYS_OF_WORDS = frozenset({"正文", "回话", "先问同意", "说明", "标题", "替代文字", "缺省"})
_WORDS_WITH_COMMA = re.compile(
    rf"(?:{'|'.join(sorted(KEYS_OF_WORDS))}):\s+(?![\"'])[^,{{}}\[\]]*\uff0c"
)
WIDE_COLON_SIGN = "\uff1a"
WIDE_COMMA_SIGN = "\uff0c"
_CURLY = frozenset("\u201c\u201d\u2018\u2019")

QUOTE_BRACE = ("以 { 开头的值没有加引号", '给整段文字加上英文双引号，例如 "{群主.称呼}可以…"')
WIDE_COLON = ("键后面用了中文冒号「\uff1a」", "改成英文冒号，后面空一格，例如「名称: 银龄群」")
TIGHT_COLON = ("英文冒号后面没有空格", "冒号后面空一格，例如「版本: 3」")
TIGHT_DASH = ("短横「-」后面没有空格", "短横后面空一格，例如「- 编号: a」")
WIDE_COMMA = (
    "方括号或花括号里用了中文逗号「\uff0c」",
    "改成英文逗号；逗号本来就是文字的，给这一项加引号",
)
WIDE_COMMA_IN_WORDS = (
    "花括号里的文字有中文逗号「\uff0c」，却没有加引号",
    '给这段文字加上英文双引号，例如 正文: "您好\uff0c…"；是用来分隔的，才改成英文逗号',
)
CURLY_QUOTES = (
    "这里用了中文引号「\u201c \u201d」",
    '改成英文引号 " "；中文引号本来就是文字的，外面再加一对英文引号',
)
HALF_QUOTED = (
    "引号只括住了一部分文字",
    "整段都括进引号；文字里有英文引号的，外面换成另一种引号",
)
OPEN_QUOTE = (
    "引号没有成对",
    "在这段文字的末尾补上同样的引号；文字里有引号，外面就用另一种",
)


WIDE_BAR = ("用了中文竖线「\uff5c」", "改成英文竖线 |，下面各行多缩进两个空格")


def in_curly_quotes(text: str) -> bool:
    """Tell whether a text without quotes of YAML's own is put into Chinese ones."""
    return len(text) > 1 and text[0] in _CURLY and text[-1] in _CURLY


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
    opened = _open_quote(lines[: at + 1])
    if opened is not None:
        return Problem(file, opened + 1, "", *OPEN_QUOTE)
    number, what, mend = _by_complaint(error, began, at, lines)
    return Problem(file, min(number, max(len(lines) - 1, 0)) + 1, "", what, mend)


def _slip(line: str) -> tuple[str, str] | None:
    for pattern, said in _SLIPS:
        if pattern.search(line):
            return said
    if ("[" in line or "{" in line) and WIDE_COMMA_SIGN in line.split("#")[0]:
        return WIDE_COMMA_IN_WORDS if _WORDS_WITH_COMMA.search(line) else WIDE_COMMA
    if _STAR.search(line):
        return "值以特殊符号(* & ! % @ `)开头", "给这个值加上英文双引号"
    if _HALF_QUOTED.search(_COMMENT.sub("", line)):
        return HALF_QUOTED
    return None


_SLIPS: tuple[tuple[re.Pattern[str], tuple[str, str]], ...] = (
    (_TAB, ("缩进里有制表符(Tab)", "缩进只用空格，每层两个")),
    (_WIDE_INDENT, ("缩进里有中文空格", "删掉行首的空白，改用英文空格，每层两个")),
    (_WIDE_DASH, ("行首用了中文的横线或圆点", "改成英文短横，后面空一格，例如「- 编号: a」")),
    (_WIDE_BRACKET, ("用了中文的括号", "改成英文的 [ ] 或 { }")),
    (_BRACE_VALUE, QUOTE_BRACE),
    (_WIDE_COLON_KEY, WIDE_COLON),
    (_TIGHT_DASH, TIGHT_DASH),
    (_TIGHT_COLON_KEY, TIGHT_COLON),
)


def _open_quote(lines: list[str]) -> int | None:
    """Return the line on which a quote opens that does not close on it: the parser reads on.

    Text under ``|`` or ``>`` may hold any quotes.
    """
    block: int | None = None
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if block is not None and (not line.strip() or indent > block):
            continue
        block = None
        plain = _COMMENT.sub("", line)
        opening = _QUOTE_OPENS.search(plain)
        if opening is not None and plain.count(opening[1]) % 2:
            return number
        if _OPENS_BLOCK.search(plain):
            block = indent
    return None


def _by_complaint(
    error: yaml.MarkedYAMLError, began: int, at: int, lines: list[str]
) -> tuple[int, str, str]:
    context, problem = error.context or "", error.problem or ""
    if "quoted scalar" in context:
        return began, *OPEN_QUOTE
    if "expected the node content, but found ','" in problem:
        return at, "多了一个逗号，两个逗号之间没有内容", "删掉多的逗号"
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
        if began and _OPENS_BLOCK.search(_COMMENT.sub("", lines[began - 1])):
            what = "「|」下面的文字没有缩进"
            return began, what, "每一行都比上面的键多缩进两个空格"
        return began, "这一行缺少英文冒号", "写成「键: 值」，英文冒号后空一格"
    return _by_indent(error, context, at, lines)


def _by_indent(
    error: yaml.MarkedYAMLError, context: str, at: int, lines: list[str]
) -> tuple[int, str, str]:
    if "block collection" in context and error.context_mark and at < len(lines):
        line = lines[at]
        if len(line) - len(line.lstrip()) == error.context_mark.column:
            return at, "这一项的开头少了短横「- 」", "写成「- 编号: …」，和上面各项左对齐"
    if "block mapping" in context or "block sequence" in context or "block collection" in context:
        return at, "缩进没有对齐", "同一级的内容左边对齐，每层缩进两个空格"
    return at, "这一行的写法读不懂", "检查缩进、冒号、引号和括号是否成对"
