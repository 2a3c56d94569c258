"""What is wrong with the names and expressions of a script: events, data, tags, other scripts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress

from bot.domain.calendar import read_day_name
from bot.domain.expression import ExpressionError, parse
from bot.domain.expression_check import Vocabulary
from bot.domain.registry import LUNAR_BIRTHDAY, PAYDAY, TAG_EVENTS, FieldKind
from bot.domain.script import SopScript
from bot.domain.script_parts import ExitEvent, Subject
from bot.domain.step_terms import BOND_DAY
from bot.domain.subject import COST, UPLIFT, SubjectKind, vocabulary
from bot.sop.context import Found, LintContext, Path
from bot.sop.library import SCRIPT_SUFFIX, SourceFile
from bot.yamlfile import nearest

_REGISTER = "本行自己的事件先在 _workspace.yaml 的客户事件里登记"


def lint_terms(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Give every problem of events, dates and expressions that a script names."""
    yield from _events(script, source, context)
    yield from _dates(script, source, context)
    for path, text in _expressions(script):
        yield from _expression(path, text, script, source, context)
    yield from _stop_rule(script, source)
    yield from _coming(script, source, context)


def _events(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    known = context.bank.event_names
    told: list[tuple[Path, str, Collection[str]]] = []
    if script.entry.event is not None:
        told.append((("进入", "事件"), script.entry.event, known | TAG_EVENTS))
    for number, each in enumerate(script.exits):
        told.append((("出口", number, "事件"), each.event, known | set(ExitEvent)))
    for number, step in enumerate(script.steps):
        for place, event in enumerate(step.wait.any_of if step.wait else ()):
            told.append((("步骤", number, "等待", "任一", place), event, known))
    for path, event, allowed in told:
        if event not in allowed:
            mend = f"{nearest(event, sorted(allowed))}；{_REGISTER}"
            yield source.problem(path, f"没有「{event}」这个事件", mend)


def _dates(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    name = script.entry.customer_date
    if name is None:
        return
    kinds = context.bank.field_kinds
    dates = {field for field, kind in kinds.items() if kind is FieldKind.DATE}
    dates |= {LUNAR_BIRTHDAY, PAYDAY}
    if name not in dates:
        mend = f"{nearest(name, sorted(dates))}；或写日历上的日子，例如 10月1日"
        yield source.problem(("进入", "日期"), f"客户资料里没有「{name}」这个日期", mend)


def _expressions(script: SopScript) -> Iterator[tuple[Path, str]]:
    for key, text in (("条件", script.audience.where), ("排除", script.audience.exclude)):
        if text is not None:
            yield ("适用", key), text
    for number, step in enumerate(script.steps):
        if step.guard is not None and step.guard.where is not None:
            yield ("步骤", number, "前提", "条件"), step.guard.where
        for place, branch in enumerate(step.branches):
            if branch.when is not None:
                yield ("步骤", number, "分支", place, "当"), branch.when


def _expression(
    path: Path, text: str, script: SopScript, source: SourceFile, context: LintContext
) -> Found:
    try:
        expression = parse(text)
    except ExpressionError as error:
        yield source.problem(path, f"条件第 {error.column} 个字：{error.what}", error.mend)
        return
    for wrong in expression.check(_known(script, context)):
        yield source.problem(path, f"条件第 {wrong.column} 个字：{wrong.what}", wrong.mend)


def _known(script: SopScript, context: LintContext) -> Vocabulary:
    """Return every word that an expression of this script may use.

    While a script of the workspace cannot be read, whichever script is named may be that one.
    """
    kind: SubjectKind = "group" if script.subject is Subject.GROUP else "customer"
    unread = context.could_not_read(SCRIPT_SUFFIX)
    scripts = {*context.scripts, *(_named_in(script) if unread else ())}
    return vocabulary(context.bank, kind, scripts)


def _named_in(script: SopScript) -> frozenset[str]:
    found: set[str] = set()
    for _, text in _expressions(script):
        with suppress(ExpressionError):
            found.update(name for _, name in parse(text).calls())
    return frozenset(found)


def _stop_rule(script: SopScript, source: SourceFile) -> Found:
    """A stop rule can only be reckoned with a worth, a cost and a holdout."""
    named: dict[str, Path] = {}
    for path, text in _expressions(script):
        for name in (UPLIFT, COST):
            if name in text:
                named.setdefault(name, path)
    measures = script.measures
    if UPLIFT in named and (measures is None or measures.value is None):
        what = "止损要算「本波增量上界」，却没有写每个转化值多少钱，这条分支永远不成立"
        yield source.note(named[UPLIFT], what, "在「看效果」里写上「价值: 元」")
    if COST in named and (measures is None or measures.cost is None):
        what = "用了「成本」，却没有写触达一个人花多少钱，这条分支永远不成立"
        yield source.note(named[COST], what, "在「看效果」里写上「成本: 元」")
    if UPLIFT in named and not script.holdout_share:
        what = "没有留白就算不出增量"
        yield source.note(named[UPLIFT], what, "在「看效果」里写上「对照」")


def _coming(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Note what waits for a day that the bank's file has no more."""
    bank, today = context.bank, context.today
    bonds = any(day >= today for day in bank.bond_days)
    for number, step in enumerate(script.steps):
        anchor = step.relative.anchor if step.relative else ""
        path: Path = ("步骤", number)
        before = step.guard.days_before_bond if step.guard else None
        if not bonds and (anchor == BOND_DAY or before is not None):
            what = "底账里没有以后的储蓄国债发行日，这一步会跳过"
            yield source.note(path, what, "在 _workspace.yaml 的储蓄国债发行日里加上")
    name = script.entry.day_name
    once = read_day_name(name).on if name else None
    if once is not None and once < today:
        what = f"{once} 已经过去，不会再有人进入"
        yield source.note(("进入", "日期"), what, "换一个以后的日子，或写成 10月1日 这样每年都有的")
