"""Filling {variables} into approved text."""

from __future__ import annotations

import re
from collections.abc import Mapping

VARIABLE = re.compile(r"\{([^{}\n]{1,30})\}")
KNOWN_VARIABLES = frozenset(
    {
        "群主.称呼",
        "经理.称呼",
        "客户.称呼",
        "网点.名称",
        "网点.地区",
        "网点.地址",
        "网点.电话",
        "网点.营业时间",
        "机构.名称",
        "客服电话",
        "小安链接",
        "活动.名称",
        "活动.日期",
        "产品.名称",
        "产品.风险等级",
        "产品.期限",
        "隐私.答复时限",
        "时限",
    }
)
_BRACE = re.compile(r"[{}｛｝]")


class UnknownVariable(ValueError):
    """A text asks for something that has no value here."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        super().__init__("no value for " + ", ".join(names))


def variables_in(text: str) -> tuple[str, ...]:
    """Return the names a text asks for, each once, in order."""
    return tuple(dict.fromkeys(VARIABLE.findall(text)))


def stray_brace(text: str) -> int | None:
    """Return where a brace stands that belongs to no {variable} and would be sent as it is.

    A full-width brace never makes a variable.
    """
    rest = VARIABLE.sub(lambda match: " " * len(match[0]), text)
    found = _BRACE.search(rest)
    return None if found is None else found.start()


def render(text: str, variables: Mapping[str, str]) -> str:
    """Fill in every variable; raises ``UnknownVariable`` for those without a value.

    Values are put in as they are: a brace inside a value is not filled in again.
    """
    missing = tuple(name for name in variables_in(text) if not variables.get(name))
    if missing:
        raise UnknownVariable(missing)
    return VARIABLE.sub(lambda match: variables[match[1]], text)
