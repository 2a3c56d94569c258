"""What is wrong with the ways of a script: targets, circles, waits, splits, its length."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.actions import PlainAction, PutTag, SlowDown, verb_of
from bot.domain.flow import END_OF_RUN, Split
from bot.domain.script import SopScript
from bot.domain.script_parts import Subject
from bot.domain.steps import SendBy, Step
from bot.sop.context import Found, LintContext, Path
from bot.sop.graph import Graph
from bot.sop.library import SourceFile

MOST_STEPS = 200  # sop_semantics, row 21
_WITHOUT_QUOTA = frozenset(
    {SendBy.NUDGE_OWNER, SendBy.NUDGE_MANAGER, SendBy.TASK_FOR_MANAGER, SendBy.GROUP_WELCOME}
)
_WITHOUT_A_CUSTOMER = frozenset({PlainAction.NOTIFY_OWNER, PlainAction.NOTIFY_MANAGER})
_FITTING_UNITS = {
    Subject.GROUP: frozenset({"客户群", "客户经理", "网点"}),
    Subject.CUSTOMER: frozenset({"客户", "客户经理", "网点"}),
}


def lint_flow(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Give every problem of how a script goes from step to step."""
    places = {step.id: ("步骤", number) for number, step in enumerate(script.steps)}
    if len(script.steps) > MOST_STEPS:
        what = f"有 {len(script.steps)} 个步骤，超过 {MOST_STEPS} 个"
        yield source.problem(("步骤",), what, "拆成几个剧本，用「结束后: {转入: …}」接上")
    yield from _actions_of_nobody(script, source)
    yield from _targets(script, source)
    yield from _branches(script, source)
    yield from _fallbacks(script, source)
    if not script.flows or len(places) < len(script.steps):
        return
    graph = Graph.of(script)
    yield from _circles_and_length(graph, places, script, source)
    yield from _unreachable(graph, places, source)
    yield from _splits(graph, places, script, source)


def _actions_of_nobody(script: SopScript, source: SourceFile) -> Found:
    """Give what a group's step would do to a customer: when it is due, nobody has spoken."""
    if script.subject is not Subject.GROUP:
        return
    for number, step in enumerate(script.steps):
        for place, action in enumerate(step.actions or ()):
            if isinstance(action, SlowDown) or action in _WITHOUT_A_CUSTOMER:
                continue
            verb = verb_of(action)
            what = f"客户群的步骤到点时没有客户在说话，「{verb}」不知道对谁做"
            mend = "写到「听到就办」里，对说话的客户做"
            if isinstance(action, PutTag):
                mend += "；给群打标签写「结束后: {群打标签: […]}」"
            yield source.problem(("步骤", number, "动作", place), what, mend)


def _targets(script: SopScript, source: SourceFile) -> Found:
    steps = {step.id for step in script.steps}
    for number, step in enumerate(script.steps):
        at: Path = ("步骤", number)
        targets: list[tuple[Path, str | None]] = [((*at, "转到"), step.goto)]
        for place, branch in enumerate(step.branches):
            key = "转到" if branch.goto else "否则"
            targets.append(((*at, "分支", place, key), branch.goto or branch.otherwise))
        for path, target in targets:
            if target is not None and target not in steps and target != END_OF_RUN:
                mend = f"改成已有的步骤编号，或写 {END_OF_RUN}"
                yield source.problem(path, f"没有步骤「{target}」", mend)


def _branches(script: SopScript, source: SourceFile) -> Found:
    for number, step in enumerate(script.steps):
        at: Path = ("步骤", number, "分支")
        defaults = [n for n, branch in enumerate(step.branches) if branch.otherwise is not None]
        if step.branches and not defaults:
            yield source.problem(at, "分支没有写「否则」", "最后加一条 {否则: 步骤编号或结束}")
        if defaults and defaults[0] != len(step.branches) - 1:
            what = "「否则」后面还有分支，永远走不到"
            yield source.problem((*at, defaults[0] + 1), what, "把「否则」挪到最后")
        if step.branches and step.goto is not None:
            what = "同一步又写了「分支」又写了「转到」"
            mend = "只留一个；分支里的「否则」就是其余的去处"
            yield source.problem((*at[:2], "转到"), what, mend)


def _fallbacks(script: SopScript, source: SourceFile) -> Found:
    for number, step in enumerate(script.steps):
        if len(step.send_by) > 1 and step.send_by[-1] not in _WITHOUT_QUOTA:
            what = f"退让的最后一种「{step.send_by[-1]}」自己也会没有额度"
            mend = "最后加一种不占额度的，例如 提醒经理一键发"
            yield source.note(("步骤", number, "发送方式"), what, mend)


def _circles_and_length(
    graph: Graph, places: Mapping[str, Path], script: SopScript, source: SourceFile
) -> Found:
    circle = graph.cycle()
    if circle:
        what = f"步骤会绕回来：{' → '.join(circle)}"
        mend = "改「转到」或「分支」，要重复发就写「重复: {次数: 3, 每隔天: 7}」"
        yield source.problem((*places[circle[-2]], "编号"), what, mend)
        return
    days, at = graph.longest()
    if days > script.max_days:
        what = f"走到 {at} 最长要 {days:.0f} 天，超过最长天数 {script.max_days}"
        mend = "缩短等待和间隔，或拆成两个剧本" if script.max_days >= 365 else "改 最长天数"
        yield source.problem((*places[at], "编号"), what, mend)


def _unreachable(graph: Graph, places: Mapping[str, Path], source: SourceFile) -> Found:
    reached = graph.reached()
    for id in graph.steps:
        if id not in reached:
            what = f"没有一条路走得到步骤「{id}」"
            mend = "让前面的「转到」或「分支」指到它，或删掉这一步"
            yield source.problem((*places[id], "编号"), what, mend)


def _splits(
    graph: Graph, places: Mapping[str, Path], script: SopScript, source: SourceFile
) -> Found:
    fitting = _FITTING_UNITS[script.subject]
    for id, step in graph.steps.items():
        if step.split is not None and step.split.unit not in fitting:
            group = script.subject is Subject.GROUP
            why = "同一个群里的人会互相看到" if group else "一对一的剧本按客户分"
            what = f"分流的单位不能是「{step.split.unit}」：{why}"
            yield source.problem(
                (*places[id], "分流", "单位"), what, f"可以写：{'、'.join(sorted(fitting))}"
            )
        if step.bodies is not None:
            yield from _arms(step, graph, places[id], source)


def _arms(step: Step, graph: Graph, at: Path, source: SourceFile) -> Found:
    """Give what is wrong with 正文按分流: its arms are those of a split that each way passes."""
    path = (*at, "正文按分流")
    earlier = {**{id: graph.steps[id] for id in graph.before(step.id)}, step.id: step}
    splits = {id: one.split for id, one in earlier.items() if one.split is not None}
    if not splits:
        mend = "在前面的步骤里写上「分流」，或改成「正文」"
        yield source.problem(path, "前面没有分流，不知道该发哪一段", mend)
        return
    wanted = set(step.bodies or {})
    same = [id for id, split in splits.items() if set(split.shares) == wanted]
    if not same:
        yield source.problem(path, *_differs(wanted, splits))
        return
    if all(id != step.id and step.id in graph.reached(without=id) for id in same):
        what = f"有的路不经过分流「{same[0]}」就到了这一步"
        yield source.problem(path, what, "让每条路都先经过分流，或改成「正文」")


def _differs(wanted: set[str], splits: Mapping[str, Split]) -> tuple[str, str]:
    nearest = max(splits, key=lambda id: (len(set(splits[id].shares) & wanted), id))
    arms = splits[nearest].shares
    missing = [arm for arm in arms if arm not in wanted]
    extra = sorted(wanted - set(arms))
    told = [f"少了「{'、'.join(missing)}」"] if missing else []
    told += [f"多了「{'、'.join(extra)}」"] if extra else []
    what = f"各段和分流「{nearest}」的分组对不上：{'，'.join(told)}"
    return what, f"写成这几组：{'、'.join(arms)}"
