"""What a script names that is not there: personas, tags, answers, steps, scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from bot.domain.actions import Action, AnswerWith, PutTag
from bot.domain.script import SopScript
from bot.domain.script_parts import Subject
from bot.sop.context import Found, LintContext, Path
from bot.sop.library import PERSONA_SUFFIX, SCRIPT_SUFFIX, SourceFile

_TagOn = Literal["客户", "客户群"]


def lint_references(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Give every reference of a script that leads nowhere."""
    yield from _persona_and_roles(script, source, context)
    yield from _late_joiners(script, source)
    yield from _endings(script, source, context)
    yield from _tags(script, source, context)
    yield from _answers(script, source, context)


def _persona_and_roles(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    if script.persona not in context.personas and not context.could_not_read(PERSONA_SUFFIX):
        known = "、".join(sorted(context.personas)) or "(还没有)"
        what = f"没有人设「{script.persona}」"
        yield source.problem(("人设",), what, f"可以写：{known}")
    roles = {member.role for member in context.bank.staff}
    for number, role in enumerate(script.audience.owner_roles):
        if role not in roles:
            what = f"员工里没有「{role}」"
            mend = f"可以写：{'、'.join(sorted(roles))}"
            yield source.problem(("适用", "群主角色", number), what, mend)


def _late_joiners(script: SopScript, source: SourceFile) -> Found:
    steps = {step.id for step in script.steps}
    for number, step_id in enumerate(script.late_joiners.steps if script.late_joiners else ()):
        if step_id not in steps:
            path: Path = ("迟到成员", "目录步骤", number)
            yield source.problem(path, f"没有步骤「{step_id}」", "改成已有的编号")


def _endings(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    group = script.subject is Subject.GROUP
    for number, step in enumerate(script.steps):
        if step.after is None:
            continue
        at: Path = ("步骤", number, "结束后")
        follow_up = step.after.follow_up
        if follow_up is not None:
            yield from _follow_up(follow_up, (*at, "转入"), script, source, context)
        wrong = step.after.customer_tags if group else step.after.group_tags
        if wrong:
            key = "打标签" if group else "群打标签"
            right = "群打标签" if group else "打标签"
            what = f"{script.subject}的剧本结束后不能写「{key}」"
            yield source.problem((*at, key), what, f"改成「{right}: […]」")


def _follow_up(
    id: str, path: Path, script: SopScript, source: SourceFile, context: LintContext
) -> Found:
    other = context.scripts.get(id)
    if other is None:
        if not context.could_not_read(SCRIPT_SUFFIX):
            what = f"没有剧本「{id}」"
            yield source.problem(path, what, "先写好这个剧本，或删掉转入")
    elif other.script.subject is not script.subject:
        what = f"「{id}」的对象是{other.script.subject}，接不上{script.subject}的剧本"
        yield source.problem(path, what, "换一个对象相同的剧本")


def _tags(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    for path, tag, on in _tags_named(script):
        if not context.bank.knows_tag(tag, on):
            kind = "群标签" if on == "客户群" else "标签"
            mend = f"在 sop/_workspace.yaml 的标签里登记(对象: {on})"
            yield source.problem(path, f"{kind}「{tag}」没有登记", mend)


def _tags_named(script: SopScript) -> Iterator[tuple[Path, str, _TagOn]]:
    audience = script.audience
    lists: list[tuple[Path, tuple[str, ...], _TagOn]] = [
        (("适用", "群标签含任一"), audience.tags_any, "客户群"),
        (("适用", "群标签都不含"), audience.tags_none, "客户群"),
        (("适用", "客户标签含任一"), audience.customer_tags_any, "客户"),
        (("适用", "客户标签都不含"), audience.customer_tags_none, "客户"),
    ]
    for number, step in enumerate(script.steps):
        at: Path = ("步骤", number)
        lists.append(((*at, "只给标签"), step.tags_only, "客户"))
        if step.after is not None:
            lists.append(((*at, "结束后", "群打标签"), step.after.group_tags, "客户群"))
            lists.append(((*at, "结束后", "打标签"), step.after.customer_tags, "客户"))
    for path, tags, on in lists:
        for place, tag in enumerate(tags):
            yield (*path, place), tag, on
    for path, action in actions_in(script):
        if isinstance(action, PutTag):
            yield path, action.tag, "客户"


def _answers(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    for path, action in actions_in(script):
        if isinstance(action, AnswerWith) and action.qa not in context.qa_ids:
            what = f"没有编号「{action.qa}」的问答"
            yield source.problem(path, what, "改成 knowledge/faq 里有的编号")


def actions_in(script: SopScript) -> Iterator[tuple[Path, Action]]:
    """Give every action of a script with its place."""
    groups: list[tuple[Path, tuple[Action, ...]]] = []
    if script.opt_out is not None:
        groups.append((("退出", "动作"), script.opt_out.actions))
    for n, listen in enumerate(script.listens):
        groups.append((("听到就办", n, "动作"), listen.actions))
    for n, step in enumerate(script.steps):
        groups.append((("步骤", n, "动作"), step.actions or ()))
        for m, listen in enumerate(step.listens):
            groups.append((("步骤", n, "听到就办", m, "动作"), listen.actions))
    for path, actions in groups:
        for place, action in enumerate(actions):
            yield (*path, place), action
