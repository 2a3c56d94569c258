"""What a script that goes by events has to wait for: days that the bank's file has no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bot.domain.render import variables_in
from bot.domain.script import SopScript
from bot.domain.step_terms import EVENT_DAY
from bot.domain.steps import Step
from bot.sop.context import Found, LintContext, Path
from bot.sop.library import SourceFile

_SOON = timedelta(days=30)
_OF_EVENT = "活动."
_MEND = "在 _workspace.yaml 的活动里加上下一场"


def lint_events(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Note steps that are left out once the bank's last event is over."""
    steps = list(_waiting_for_events(script))
    if not steps:
        return
    days = [event.on for event in context.bank.events]
    last = max(days, default=None)
    if last is None or last < context.today:
        over = f"(最后一场是 {last}，已经过了)" if last is not None else ""
        what = f"底账里没有还没开始的活动{over}，这一步会跳过"
        for path in steps:
            yield source.note(path, what, _MEND)
    elif last < context.today + _SOON:
        what = f"底账里最后一场活动是 {last}，在它之后走到的，跟着活动的 {len(steps)} 步都会跳过"
        yield source.note(steps[0], what, _MEND)


def _waiting_for_events(script: SopScript) -> Iterator[Path]:
    """Give the steps that go by an event's day, end with it, or tell of it in their words."""
    for number, step in enumerate(script.steps):
        by_day = step.relative is not None and step.relative.anchor == EVENT_DAY
        if by_day or step.valid_until is not None or _tells_of_it(step):
            yield ("步骤", number)


def _tells_of_it(step: Step) -> bool:
    texts = [step.body or "", *(step.bodies or {}).values()]
    return any(name.startswith(_OF_EVENT) for text in texts for name in variables_in(text))
