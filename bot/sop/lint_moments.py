"""What a moment must not be used for: whoever is a friend of the manager's sees it.

WeCom narrows down who sees a moment by tags of friends, and by nothing else (wecom_protocol
§5.8): nobody can be left out by name, be it for his risk level, his refusal or a holdout.
"""

from __future__ import annotations

from bot.domain.script import SopScript
from bot.domain.steps import SendBy, Step, StepKind
from bot.sop.context import Found, LintContext, Path
from bot.sop.library import SourceFile


def lint_moments(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Refuse products in a moment, which need a look at each reader; note what else sells."""
    for number, step in enumerate(script.steps):
        if SendBy.MOMENTS not in step.send_by:
            continue
        path: Path = ("步骤", number, "发送方式")
        seen_by = "有这些标签的好友都看得到" if step.tags_only else "经理的好友都看得到"
        if _is_about_product(step):
            what = f"朋友圈{seen_by}，看不了每个人的风险等级，不能发产品"
            mend = "改成企业群发、提醒经理一键发或微信客服"
            yield source.problem(path, what, mend)
        elif step.marketing:
            what = f"朋友圈{seen_by}，拒收营销的、留白的客户也一样"
            mend = "不想让他们看到，改成企业群发或提醒经理一键发；可以的话，不用改"
            yield source.note(path, what, mend)


def _is_about_product(step: Step) -> bool:
    return step.product is not None or step.kind is StepKind.PRODUCT
