"""What is wrong with a script's rails: more than the platform lets through."""

from __future__ import annotations

from bot.domain.script import SopScript
from bot.domain.script_parts import Subject
from bot.sop.context import Found, LintContext
from bot.sop.library import SourceFile


def lint_rails(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Give every rail that is above the platform's."""
    rails, platform = script.rails, context.bank.platform
    if script.subject is not Subject.GROUP:
        return
    for key, asked, most, per in (
        ("每群每天企业群发", rails.broadcasts_a_day, platform.a_day, "每天"),
        ("每群每周企业群发", rails.broadcasts_a_week, platform.a_week, "每周"),
        ("每群每月企业群发", rails.broadcasts_a_month or 0, platform.of_month(31), "每月"),
    ):
        if asked > most and source.has(("护栏", key)):
            what = f"超过平台上限({per} {most} 条)"
            yield source.problem(("护栏", key), what, f"改成 {most}")
