"""What the orders say they have done: each in the words of its scope, or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.hold import Scope, Verb
    from bot.domain.targets import Target
    from bot.storage.scopes import Extent

_VERBS: dict[Verb, str] = {"pause": "已暂停", "drain": "已停止进入", "skip": "已终止"}
_WHOSE: dict[Scope, str] = {
    "script": "",
    "branch": "这个网点的群和客户",
    "manager": "这位经理的群和客户",
    "group": "这个群",
    "customer": "这位客户",
}


def held(target: Target, verb: Verb, extent: Extent, *, new: bool) -> list[str]:
    """Return what a pause or a drain has come to."""
    said = _VERBS[verb] if new else f"本来就{_VERBS[verb]}"
    lines = [f"{said}：{target.words}，{reach(target, extent)}。{_means(target.scope, verb)}"]
    if verb == "pause" and (extent.tasks or extent.by_hand):
        lines.append(
            f"注意：{_in_hand(extent)}已经在同事手里，同事点了还是会发。"
            "要收回，用 terminate 或 withdraw。"
        )
    return lines


def _means(scope: Scope, verb: Verb) -> str:
    if scope == "step" and verb == "pause":
        return "走到这一步的原地等着，别处照常走；恢复以后，错过的按「错过时间窗」办。"
    if scope == "step":
        return "还没发的，轮到这一步就跳过，接着走后面的；已经到同事手里的照常办完。"
    whose = _WHOSE[scope]
    if verb == "pause":
        kept = f"也不让{whose}进新的剧本" if whose else "也不让新的进来"
        return f"到点的步骤原地等着，{kept}；恢复以后，错过的按「错过时间窗」办。"
    kept = f"{whose}不再进新的剧本" if whose else "不再让新的进来"
    return f"{kept}，在走的照常走完。"


def resumed(target: Target, ended: Sequence[Verb], extent: Extent) -> str:
    """Return what going on has come to; nothing where nothing stood still."""
    if not ended:
        return f"没有暂停着的：{target.words} 本来就在照常走。"
    said = f"已恢复：{target.words}，{reach(target, extent)}。"
    if target.scope == "step" and set(ended) & {"drain", "skip"}:
        said += "以后走到这一步的照常发；已经跳过的不补。"
    return said


def to_terminate(target: Target, extent: Extent) -> str:
    """Return what is about to end."""
    back = f"收回同事手里的{_in_hand(extent)}" if extent.tasks or extent.by_hand else "没有要收回的"
    after = "；跳过这一步，接着走后面的" if target.scope == "step" else ""
    return f"将终止：{target.words}，{reach(target, extent)}，{back}{after}。"


def question(targets: Sequence[Target]) -> str:
    """Return what is asked before anything ends."""
    only_steps = all(target.scope == "step" for target in targets)
    after = "收回和跳过的不会补发" if only_steps else "终止以后不能接着走"
    return f"{after}。确定吗？"


def terminated(target: Target, ended: int) -> str:
    """Return what has ended, and how it is opened again."""
    again = f"zhilin sop resume {target.written}"
    if target.scope == "step":
        return (
            f"已终止：{target.words}，收回和跳过 {ended} 个，在走的接着走后面的。"
            f"以后轮到这一步也跳过；要重新用它，{again}"
        )
    whose = _WHOSE[target.scope]
    kept = f"{whose}也不再进新的剧本" if whose else "也不再让新的进来"
    return f"已终止：{target.words}，退出 {ended} 个。{kept}；要重新开放，用 {again}"


def reach(target: Target, extent: Extent) -> str:
    """Return how much an order is about."""
    if target.scope == "step":
        return f"这份剧本有 {extent.runs} 个在走的，24 小时内 {extent.steps} 个轮到这一步"
    return f"涉及 {extent.runs} 个在走的，24 小时内 {extent.steps} 步"


def _in_hand(extent: Extent) -> str:
    tasks = f" {extent.tasks} 个还没点的群发" if extent.tasks else ""
    cards = f" {extent.by_hand} 张还没按的卡片或朋友圈" if extent.by_hand else ""
    return "和".join(part for part in (tasks, cards) if part) + " "


def as_json(target: Target, verb: str, extent: Extent, **more: Any) -> dict[str, Any]:
    """Return an order for machines."""
    return {
        "verb": verb,
        "scope": target.scope,
        "target": target.target,
        "name": target.name,
        "runs": extent.runs,
        "steps_in_24h": extent.steps,
        "tasks": extent.tasks,
        "by_hand": extent.by_hand,
        **more,
    }
