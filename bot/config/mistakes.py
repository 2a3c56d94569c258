"""Says a setting's error and its mend in Chinese, with the line it stands on."""

from __future__ import annotations

import os
import re
from typing import Any

from bot.config.addresses import NOT_AN_ADDRESS
from bot.errors import Problem


def problem(file: str, text: str, item: Any) -> Problem:
    """Return one validation error as a problem of the file, or of an environment variable."""
    path = [str(part) for part in item["loc"]]
    what, mend = _explain(item)
    variable = f"BOT_{'__'.join(path).upper()}"
    in_file = _line(text, path)
    if in_file and variable not in os.environ:  # the environment wins, so it is what is wrong
        return Problem(file, in_file, ".".join(path), what, mend)
    return Problem(f"环境变量 {variable}", 0, "", what, mend)


def _explain(item: Any) -> tuple[str, str]:
    """Say a setting's error and its mend in Chinese; the value itself is never repeated."""
    context = item.get("ctx", {})
    kind = item["type"]
    if kind == "extra_forbidden":
        return "没有这一项设置", "删掉它，或对照 README 的设置表改名"
    if kind == "literal_error":
        return "不是允许的值", f"只能写：{_choices(str(context.get('expected', '')))}"
    if kind == NOT_AN_ADDRESS:
        return "不是一个完整的地址", f"以 {' 或 '.join(context['schemes'])} 开头，中间不要有空格"
    if kind.startswith(("int_", "float_")):
        return "应当是一个数", "改成数字，不加引号"
    if kind == "string_pattern_mismatch" and item["loc"][-1] == "base_path":
        return "不是一段路径", '以 / 开头、不以 / 结尾，例如 "/zhilin"；不用就留空'
    if kind.startswith("bool_"):
        return "应当是 true 或 false", "改成 true 或 false"
    bounds = {"greater_than": "大于", "greater_than_equal": "不小于", "less_than_equal": "不大于"}
    if kind in bounds:
        bound = next(iter(context.values()), 0)
        return "数值超出范围", f"应当{bounds[kind]} {bound:g}"
    return "写法不对", "对照示例的 config.toml 改"


def _choices(expected: str) -> str:
    """Return pydantic's list of literals as Chinese has it."""
    words = re.findall(r"'([^']*)'", expected)
    return "、".join(word or "空" for word in words)


def _line(text: str, path: list[str]) -> int:
    """Find the line of a dotted key; 0 where the file does not have it."""
    table, found = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([^\]]+)\]", line):
            table = header.group(1).strip()
            if table == ".".join(path):
                found = number
        elif key := re.match(r"\s*([\w-]+)\s*=", line):
            full = f"{table}.{key.group(1)}" if table else key.group(1)
            if full == ".".join(path):
                return number
    return found
