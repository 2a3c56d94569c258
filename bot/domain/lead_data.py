"""The customers' data by which leads are noticed and weighed, held against what is registered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bot.domain.lead_score import LeadRules
from bot.domain.registry import YEARLY_OR_MONTHLY, FieldKind

_REGISTER = "在 sop/_workspace.yaml 的「客户资料」里登记，类型写「{kind}」；或者改成已登记的名称"


class Unread(NamedTuple):
    """A setting of leads that would do nothing: its name, why, and how to mend it."""

    key: str
    what: str
    mend: str


def unread(rules: LeadRules, kinds: Mapping[str, FieldKind]) -> Iterator[Unread]:
    """Give each setting of leads that names what no customer's datum can tell."""
    for name in rules.dates:
        key = f"[leads.dates] {name}"
        if name in YEARLY_OR_MONTHLY:
            what = f"「{name}」年年月月都有，不是一件事的日子"
            yield Unread(key, what, "换成只到一次的日期，如 到期日；年年有的用剧本")
        else:
            yield from _other(key, name, FieldKind.DATE, kinds)
    if rules.value_field:
        yield from _other("[leads] value_field", rules.value_field, FieldKind.NUMBER, kinds)
        if not rules.value_bands:
            mend = "写上分档，如 value_bands = [50000, 200000, 1000000]；或者删掉 value_field"
            yield Unread("[leads] value_bands", "没有分档，value_field 就不起作用", mend)
    elif rules.value_bands:
        mend = "写上 value_field，说明看哪一项客户资料；或者删掉 value_bands"
        yield Unread("[leads] value_field", "只有分档，没写看哪一项资料，分档就不起作用", mend)


def _other(
    key: str, name: str, kind: FieldKind, kinds: Mapping[str, FieldKind]
) -> Iterator[Unread]:
    known = kinds.get(name)
    if known is None:
        what = f"「{name}」没有登记，程序读不到，等于没写"
        yield Unread(key, what, _REGISTER.format(kind=kind))
    elif known is not kind:
        what = f"「{name}」的类型是「{known}」，这里要「{kind}」，等于没写"
        yield Unread(key, what, f"换一项「{kind}」类型的资料，或改它在「客户资料」里的类型")
