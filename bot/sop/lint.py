"""What is wrong with a script that reads well: states, references, places in time."""

from __future__ import annotations

from collections.abc import Callable

from bot.domain.approval import same_person
from bot.domain.runnable import missing_in, must_be_runnable, not_runnable
from bot.domain.script import SopScript
from bot.domain.script_parts import RestDays, Status
from bot.errors import Problem
from bot.sop.context import Found, LintContext, Path
from bot.sop.horizon import lint_horizon
from bot.sop.library import ScriptFile, SourceFile
from bot.sop.lint_attachments import lint_attachments
from bot.sop.lint_braces import lint_braces
from bot.sop.lint_events import lint_events
from bot.sop.lint_flow import lint_flow
from bot.sop.lint_hours import lint_hours
from bot.sop.lint_limits import lint_limits
from bot.sop.lint_moments import lint_moments
from bot.sop.lint_rails import lint_rails
from bot.sop.lint_references import lint_references
from bot.sop.lint_terms import lint_terms
from bot.sop.measures import KNOWN_METRICS
from bot.sop.selling import refusal_words


def lint(file: ScriptFile, context: LintContext) -> list[Problem]:
    """Return everything wrong with a script besides its wording, sorted by line."""
    found: list[Problem] = []
    for check in _CHECKS:
        found.extend(check(file.script, file.source, context))
    return sorted(set(found))


def _state(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    for path, what, mend in not_runnable(script):
        yield source.problem(path, what, mend)
    approval = script.approval
    if script.status is Status.PUBLISHED and approval is None:
        mend = "补上审批一节，或把 状态 改为 待审"
        yield source.problem(("状态",), "已发布的剧本缺少审批", mend)
    if approval is not None and same_person(approval.approver, script.owner):
        what = "审批人和负责人是同一个人"
        yield source.problem(("审批", "审批人"), what, "请另一个人来审批")
    if approval is None or script.status is not Status.PUBLISHED:
        return
    if approval.expires_on < context.today:
        what = f"审批已过期({approval.expires_on})"
        mend = "重新审批后改审批日和有效期至"
        yield source.problem(("审批", "有效期至"), what, mend)
    if approval.approved_on > context.today:
        what = f"审批日 {approval.approved_on} 还没到"
        yield source.problem(("审批", "审批日"), what, "改成真实的审批日")


def _ids(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    seen: dict[str, Path] = {}
    for path, part_id in (
        *((("步骤", n, "编号"), step.id) for n, step in enumerate(script.steps)),
        *((("日历叠加", n, "编号"), each.id) for n, each in enumerate(script.overlays)),
    ):
        if part_id in seen:
            line = source.problem(seen[part_id], "", "").line
            what = f"编号「{part_id}」在第 {line} 行已经用过"
            yield source.problem(path, what, "换一个编号；发过的编号不要改")
        seen.setdefault(part_id, path)


def _measures(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Refuse a metric that nothing counts, in a script that runs."""
    if script.measures is None or not must_be_runnable(script):
        return
    mend = f"可以写：{'、'.join(sorted(KNOWN_METRICS))}"
    if script.measures.main not in KNOWN_METRICS:
        what = f"不会算「{script.measures.main}」"
        yield source.problem(("看效果", "主指标"), what, mend)
    for name in script.measures.guards:
        if name not in KNOWN_METRICS:
            yield source.problem(("看效果", "护栏指标", name), f"不会算「{name}」", mend)


def _steps(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    if not must_be_runnable(script):
        return
    for number, step in enumerate(script.steps):
        for key in missing_in(step, script):
            path: Path = ("步骤", number)
            what = f"步骤 {step.id} 缺少「{key}」"
            yield source.problem(path, what, f"补上一行「{key}: …」")
        if script.rest_days is RestDays.SEND and step.kind and not step.kind.allowed_on_rest_days:
            path = ("步骤", number, "类型")
            what = f"「休息日: 照发」时不能有「{step.kind}」类步骤"
            yield source.problem(path, what, "只有公益与祝福类可以照发，改成 顺延")
    if not refusal_words(script) and any(step.marketing for step in script.steps):
        what = "有活动或产品类步骤，却没有「退出」"
        yield source.problem((), what, "补上退出一节：关键词、动作、回话", key="退出")


_CHECKS: tuple[Callable[[SopScript, SourceFile, LintContext], Found], ...] = (
    _measures,
    _state,
    _ids,
    _steps,
    lint_rails,
    lint_hours,
    lint_limits,
    lint_events,
    lint_references,
    lint_attachments,
    lint_moments,
    lint_braces,
    lint_terms,
    lint_flow,
    lint_horizon,
)
