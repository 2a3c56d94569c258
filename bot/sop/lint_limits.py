"""What is wrong with numbers that must agree: rails of nought, an experiment's shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.domain.caps import Reason, SubjectKind, caps_for, classes_of
from bot.domain.script import SopScript
from bot.domain.script_parts import Status, Subject
from bot.domain.steps import Overlay, SendBy, Step
from bot.sop.context import Found, LintContext, Path
from bot.sop.library import SourceFile

_GROUP_KEYS: Mapping[Reason, str] = {
    "daily_cap": "每群每天企业群发",
    "weekly_product_cap": "每群每周含产品内容",
}
_CUSTOMER_KEYS: Mapping[Reason, str] = {
    "daily_cap": "每客每天",
    "weekly_cap": "每客每周一对一营销",
    "monthly_cap": "每客每月一对一营销",
}


def lint_limits(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Give steps for which a rail of 0 leaves no way, and experiments with two sets of shares."""
    yield from _shut(script, source, context)
    yield from _shares(script, source, context)


def _shut(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Give each rail of 0 once, with the first step that it keeps in for ever."""
    told: set[str] = set()
    for part in script.parts:
        ways = part.send_by if isinstance(part, Step) else (part.send_by,)
        shut = [key for way in ways for key in [_shut_by(script, part, way, context)] if key]
        if not ways or len(shut) < len(ways) or shut[0] in told:
            continue
        told.add(shut[0])
        what = f"「{shut[0]}」是 0，步骤 {part.id} 永远发不出去"
        mend = "改成 1 以上，或删掉这样的步骤，或换一种不占这个次数的发送方式"
        yield source.problem(("护栏", shut[0]), what, mend)


def _shut_by(
    script: SopScript, part: Step | Overlay, way: SendBy, context: LintContext
) -> str | None:
    """Return the key of the rail of 0 that a way of a step would need a place of."""
    of_group = script.subject is Subject.GROUP
    kind: SubjectKind = "group" if of_group else "customer"
    keys = _GROUP_KEYS if of_group else _CUSTOMER_KEYS
    step = part if isinstance(part, Step) else None
    product = step is not None and step.product is not None
    marketing = step is not None and step.marketing
    wanted = set(classes_of(way, kind, marketing=marketing, product=product))
    for rule in caps_for(script, context.bank, kind).rules:
        if rule.most == 0 and wanted & rule.kinds and rule.reason in keys:
            return keys[rule.reason]
    return None


def _shares(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Give a split whose experiment has other shares elsewhere: one unit would get two arms."""
    first: dict[str, tuple[str, Mapping[str, int]]] = {}
    for other in context.scripts.values():
        # A draft that changes the shares is told so itself; the script that runs is not.
        if other.script.id == script.id or other.script.status is not Status.PUBLISHED:
            continue
        for experiment, id, shares in _splitting(other.script):
            first.setdefault(experiment, (f" {other.source.file} 的步骤 {id} ", shares))
    for number, step in enumerate(script.steps):
        if step.split is None:
            continue
        name, shares = step.split.experiment, step.split.shares
        where, known = first.setdefault(name, (f"步骤 {step.id} ", shares))
        if dict(known) != dict(shares):
            path: Path = ("步骤", number, "分流", "比例")
            told = "，".join(f"{arm} {share}" for arm, share in known.items())
            what = f"实验「{name}」在{where}里的比例是 {told}，和这里不一样"
            yield source.problem(path, what, "改成一样的比例，或给这个实验另起一个名字")


def _splitting(script: SopScript) -> Iterator[tuple[str, str, Mapping[str, int]]]:
    for step in script.steps:
        if step.split is not None:
            yield step.split.experiment, step.id, step.split.shares
