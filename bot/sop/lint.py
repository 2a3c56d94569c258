"""What is wrong with a script that reads well: states, references, places in time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from bot.domain.actions import Action, AnswerWith, PutTag
from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables, quiet_all_day, quiet_minutes
from bot.domain.compliance import Rules
from bot.domain.enrolment import PlanFacts, Planned, plan
from bot.domain.flow import END_OF_RUN
from bot.domain.knowledge import ProductSheet
from bot.domain.persona import Persona
from bot.domain.runnable import missing_for_groups, must_be_runnable, not_runnable
from bot.domain.script import SopScript
from bot.domain.script_parts import RestDays, Status, Subject
from bot.domain.steps import Attachment, Step
from bot.errors import Problem
from bot.sop.library import PERSONA_SUFFIX, SCRIPT_SUFFIX, ScriptFile, SourceFile
from bot.sop.measures import KNOWN_METRICS

PLATFORM_A_DAY = 1  # wecom_protocol: a group takes about one mass message a day
Path = tuple[str | int, ...]
Found = Iterator[Problem]


@dataclass(frozen=True, slots=True)
class LintContext:
    """What the rest of the workspace says, as far as a script may refer to it."""

    bank: Bank
    rules: Rules
    personas: Mapping[str, Persona]
    scripts: Mapping[str, ScriptFile]
    products: Mapping[str, ProductSheet]
    qa_ids: Collection[str]
    pictures: Collection[str]
    tables: CalendarTables
    today: date
    unread: Collection[str] = ()  # files that could not be read: what they hold is not missing


def lint(file: ScriptFile, context: LintContext) -> list[Problem]:
    """Return everything wrong with a script besides its wording, sorted by line."""
    found: list[Problem] = []
    for check in _CHECKS:
        found.extend(check(file.script, file.source, context))
    return sorted(set(found))


def _state(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    if must_be_runnable(script):
        for path, words in not_runnable(script):
            what = f"本版还不能运行{words}"
            yield source.problem(path, what, "请把 状态 改为 草稿，或删掉它")
    approval = script.approval
    if script.status is Status.PUBLISHED and approval is None:
        mend = "补上审批一节，或把 状态 改为 待审"
        yield source.problem(("状态",), "已发布的剧本缺少审批", mend)
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


def _group_steps(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    if script.subject is not Subject.GROUP or not must_be_runnable(script):
        return
    for number, step in enumerate(script.steps):
        for key in missing_for_groups(step):
            path: Path = ("步骤", number)
            what = f"步骤 {step.id} 缺少「{key}」"
            yield source.problem(path, what, f"补上一行「{key}: …」")
        if script.rest_days is RestDays.SEND and step.kind and not step.kind.allowed_on_rest_days:
            path = ("步骤", number, "类型")
            what = f"「休息日: 照发」时不能有「{step.kind}」类步骤"
            yield source.problem(path, what, "只有公益与祝福类可以照发，改成 顺延")
    if script.opt_out is None and any(step.marketing for step in script.steps):
        what = "有活动或产品类步骤，却没有「退出」"
        yield source.problem((), what, "补上退出一节：关键词、动作、回话", key="退出")


def _rails(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    rails = script.rails
    if rails.broadcasts_a_day > PLATFORM_A_DAY:
        path: Path = ("护栏", "每群每天企业群发")
        yield source.problem(path, "超过平台上限(每天 1 条)", "改成 1")
    if quiet_all_day(rails.quiet):
        path = ("护栏", "静默时段")
        yield source.problem(path, "全天都是静默时段", "留出可以发送的时段")
        return
    for path, window in (
        *((("步骤", n, "时间"), step.window) for n, step in enumerate(script.steps)),
        *((("日历叠加", n, "时间"), each.window) for n, each in enumerate(script.overlays)),
    ):
        if window is None:
            continue
        minutes = (window[1].hour - window[0].hour) * 60 + window[1].minute - window[0].minute
        if quiet_minutes(window, rails.quiet) == minutes:
            what = "这段时间全在静默时段里，永远发不出去"
            yield source.problem(path, what, "改时间，或改静默时段")


def _references(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    if script.persona not in context.personas and not _unread(context, PERSONA_SUFFIX):
        known = "、".join(sorted(context.personas)) or "(还没有)"
        what = f"没有人设「{script.persona}」"
        yield source.problem(("人设",), what, f"可以写：{known}")
    steps = {step.id for step in script.steps}
    for number, step_id in enumerate(script.late_joiners.steps if script.late_joiners else ()):
        if step_id not in steps:
            path: Path = ("迟到成员", "目录步骤", number)
            yield source.problem(path, f"没有步骤「{step_id}」", "改成已有的编号")
    roles = {member.role for member in context.bank.staff}
    for number, role in enumerate(script.audience.owner_roles):
        if role not in roles:
            path = ("适用", "群主角色", number)
            what = f"员工里没有「{role}」"
            yield source.problem(path, what, f"可以写：{'、'.join(sorted(roles))}")
    for number, step in enumerate(script.steps):
        yield from _step_references(step, ("步骤", number), steps, source, context)
    for number, overlay in enumerate(script.overlays):
        yield from _pictures(overlay.attachments, ("日历叠加", number), source, context)


def _step_references(
    step: Step, at: Path, steps: Collection[str], source: SourceFile, context: LintContext
) -> Found:
    targets: list[tuple[Path, str | None]] = [((*at, "转到"), step.goto)]
    for number, branch in enumerate(step.branches):
        key = "转到" if branch.goto else "否则"
        targets.append(((*at, "分支", number, key), branch.goto or branch.otherwise))
    for path, target in targets:
        if target is not None and target not in steps and target != END_OF_RUN:
            mend = f"改成已有的步骤编号，或写 {END_OF_RUN}"
            yield source.problem(path, f"没有步骤「{target}」", mend)
    follow_up = step.after.follow_up if step.after else None
    if follow_up and follow_up not in context.scripts and not _unread(context, SCRIPT_SUFFIX):
        path = (*at, "结束后", "转入")
        what = f"没有剧本「{follow_up}」"
        yield source.problem(path, what, "先写好这个剧本，或删掉转入")
    yield from _pictures(step.attachments, at, source, context)


def _unread(context: LintContext, suffix: str) -> bool:
    return any(file.endswith(suffix) for file in context.unread)


def _pictures(
    attachments: tuple[Attachment, ...], at: Path, source: SourceFile, context: LintContext
) -> Found:
    for number, attachment in enumerate(attachments):
        if attachment.file not in context.pictures:
            path = (*at, "附件", number, "素材")
            what = f"sop/files 里没有「{attachment.file}」"
            yield source.problem(path, what, "把图片放进 sop/files，或改对文件名")


def _tags(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    group_tags: list[tuple[Path, str]] = [
        *((("适用", "群标签含任一", n), t) for n, t in enumerate(script.audience.tags_any)),
        *((("适用", "群标签都不含", n), t) for n, t in enumerate(script.audience.tags_none)),
    ]
    for number, step in enumerate(script.steps):
        for place, tag in enumerate(step.after.group_tags if step.after else ()):
            group_tags.append((("步骤", number, "结束后", "群打标签", place), tag))
    for path, tag in group_tags:
        if not context.bank.knows_tag(tag, "客户群"):
            mend = "在 sop/_workspace.yaml 的标签里登记(对象: 客户群)"
            yield source.problem(path, f"群标签「{tag}」没有登记", mend)
    for path, action in _actions(script):
        if isinstance(action, PutTag) and not context.bank.knows_tag(action.tag, "客户"):
            mend = "在 sop/_workspace.yaml 的标签里登记(对象: 客户)"
            yield source.problem(path, f"标签「{action.tag}」没有登记", mend)
        if isinstance(action, AnswerWith) and action.qa not in context.qa_ids:
            what = f"没有编号「{action.qa}」的问答"
            yield source.problem(path, what, "改成 knowledge/faq 里有的编号")


def _actions(script: SopScript) -> Iterator[tuple[Path, Action]]:
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


def _quota(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    if script.subject is not Subject.GROUP or quiet_all_day(script.rails.quiet):
        return
    place = {step.id: n for n, step in enumerate(script.steps)}
    days: dict[int, int] = {}
    for number, step in enumerate(script.steps):
        if step.day is not None and step.broadcast:
            days[step.day] = days.get(step.day, 0) + 1
            if days[step.day] > script.rails.broadcasts_a_day:
                path: Path = ("步骤", number, "第几天")
                what = f"第 {step.day} 天的企业群发超过每天 {script.rails.broadcasts_a_day} 条"
                yield source.problem(path, what, "换一天，或换一种发送方式")
    for ahead in range(7):
        anchor = context.today + timedelta(days=ahead)
        planned = _planned(script, anchor, context)
        for each in planned:
            if each.skip in ("daily_cap", "weekly_cap") and each.step_id in place:
                path = ("步骤", place[each.step_id])
                what = f"步骤 {each.step_id} 在额度内排不下(例如从 {anchor} 起算)"
                yield source.problem(path, what, "换一天，或换一种发送方式")
                return
        crowded = _crowded_product(script, planned)
        if crowded is not None:
            path = ("步骤", place[crowded])
            what = f"7 天内的产品内容超过 {script.rails.products_a_week} 次(例如从 {anchor} 起算)"
            yield source.problem(path, what, "把产品步骤隔开一周以上")
            return


def _planned(script: SopScript, anchor: date, context: LintContext) -> tuple[Planned, ...]:
    branch = context.bank.branches[0].id
    events = tuple(event for event in context.bank.events if event.branch == branch)
    return plan(script, anchor, PlanFacts(events=events), context.tables, context.bank.zone)


def _crowded_product(script: SopScript, planned: tuple[Planned, ...]) -> str | None:
    selling = {step.id for step in script.steps if step.product is not None}
    days = [each for each in planned if each.step_id in selling and each.skip is None]
    for each in days:
        near = [one for one in days if timedelta(0) <= each.on - one.on < timedelta(days=7)]
        if len(near) > script.rails.products_a_week:
            return each.step_id
    return None


_CHECKS: tuple[Callable[[SopScript, SourceFile, LintContext], Found], ...] = (
    _measures,
    _state,
    _ids,
    _group_steps,
    _rails,
    _references,
    _tags,
    _quota,
)
