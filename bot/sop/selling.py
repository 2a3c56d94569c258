"""What is wrong with words that sell: products, risk, links, fear, no way to refuse."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

from bot.domain.actions import PlainAction
from bot.domain.attachments import LinkCard
from bot.domain.script import SopScript
from bot.domain.script_parts import Subject
from bot.domain.steps import Overlay, SendBy, Step, StepKind
from bot.sop.context import Found, LintContext, Path
from bot.sop.library import SourceFile

RISK_WORDS = ("理财非存款", "产品有风险", "投资须谨慎")  # C08: all three in the same message
_REFUSALS = frozenset(
    {PlainAction.RECORD_REFUSAL, PlainAction.STOP_MARKETING_STEPS, PlainAction.WITHDRAW_CONSENT}
)
_URL = re.compile(r"https?://[\w.:-]+", re.IGNORECASE | re.ASCII)
# S06: a group holds people of every grade, so no sums and no yields are named in it.
_SUM = re.compile(r"\d+(?:\.\d+)?\s*(?:万元|万|元|块钱|[%％])|百分之[一二三四五六七八九十零点]+")
# C11: health, age and fear are not there to sell with.
_FEAR = re.compile(
    r"生病|看病|住院|癌|中风|瘫痪|去世|身后事|没人管|拖累(?:子女|孩子)|"
    r"年纪(?:这么)?大了|活不了|后悔(?:莫及|一辈子)|再不.{0,6}就晚了|来不及了"
)


def lint_selling(
    path: Path,
    text: str,
    part: Step | Overlay,
    script: SopScript,
    source: SourceFile,
    context: LintContext,
) -> Found:
    """Give every problem of a body as far as it, or its step, sells."""
    at = path[:2]
    if isinstance(part, Step):
        yield from _product(part, at, script, source, context)
        yield from _refusal(path, text, part, script, source)
    elif part.kind is StepKind.PRODUCT:
        mend = "改成步骤，并写上「产品: 编号」；日历叠加只发祝福、反诈和公益"
        yield source.problem((*at, "类型"), "日历叠加不能是产品类", mend)
    product = _is_product(part)
    named = [each for each in context.products.values() if each.name in text]
    if product or any(each.risk_rating for each in named):
        missing = [words for words in RISK_WORDS if words not in text]
        if missing:
            what = f"讲产品的正文缺少风险提示「{'、'.join(missing)}」"
            yield source.problem(path, what, "末尾写上「理财非存款、产品有风险、投资须谨慎。」")
    if product:
        yield from _harm(path, text, script, source)
    yield from _links(path, text, part, source, context)


def refusal_words(script: SopScript) -> frozenset[str]:
    """Return the words by which a customer stops what this script sells."""
    words = set(script.opt_out.keywords if script.opt_out else ())
    for listen in script.listens:
        if any(action in _REFUSALS for action in listen.actions if isinstance(action, PlainAction)):
            words |= set(listen.keywords or ())
    return frozenset(words)


def _is_product(part: Step | Overlay) -> bool:
    return part.kind is StepKind.PRODUCT or (isinstance(part, Step) and part.product is not None)


def _product(
    step: Step, at: Path, script: SopScript, source: SourceFile, context: LintContext
) -> Found:
    """C09: in the catalogue, on sale, of known risk, within the cap."""
    if step.product is None:
        if step.kind is StepKind.PRODUCT:
            what = "产品类步骤没有写是哪个产品"
            yield source.problem((*at, "类型"), what, "补上「产品: 编号」")
        return
    product = context.products.get(step.product)
    if product is None:
        what = f"产品目录里没有「{step.product}」"
        yield source.problem((*at, "产品"), what, "改成 knowledge/products 里有的编号")
        return
    if not script.rails.admits(product.risk_rating):
        what = f"产品风险 {product.risk_rating or '未知'} 高于上限 {script.rails.max_risk}"
        yield source.problem((*at, "产品"), what, "换一个产品，或删掉这一步")
    if not product.on_sale or product.valid_to < context.today:
        why = "已经停售" if not product.on_sale else f"已在 {product.valid_to} 到期"
        what = f"产品「{product.name}」{why}"
        yield source.problem((*at, "产品"), what, "换一个在售的产品，或删掉这一步")


def _refusal(path: Path, text: str, step: Step, script: SopScript, source: SourceFile) -> Found:
    """C13: a message that sells to one person says how to refuse the next."""
    staff_only = set(step.send_by) <= {SendBy.TASK_FOR_MANAGER}
    if script.subject is Subject.GROUP or not step.marketing or staff_only:
        return
    words = refusal_words(script)
    if words and not any(word in text for word in words):
        some = sorted(words)[0]
        what = "营销消息没有告诉客户怎么拒收"
        mend = f"末尾写上「不想收消息回「{_first(words, script) or some}」」"
        yield source.problem(path, what, mend)


def _first(words: Collection[str], script: SopScript) -> str:
    ordered = [*(script.opt_out.keywords if script.opt_out else ())]
    ordered += [word for listen in script.listens for word in listen.keywords or ()]
    return next((word for word in ordered if word in words), "")


def _harm(path: Path, text: str, script: SopScript, source: SourceFile) -> Found:
    if script.subject is Subject.GROUP and (match := _SUM.search(text)):
        what = f"群里讲产品写了金额或比例「{match[0]}」"
        mend = "群里不谈金额和收益，改成「想了解的，单独跟您讲」"
        yield source.problem(path, what, mend, text_line=_line(text, match.start()))
    if match := _FEAR.search(text):
        what = f"讲产品时用了「{match[0]}」这样让人担心的话"
        mend = "删掉；不拿健康、年纪和担心来推产品"
        yield source.problem(path, what, mend, text_line=_line(text, match.start()))


def _links(
    path: Path, text: str, part: Step | Overlay, source: SourceFile, context: LintContext
) -> Found:
    """C09: a product is sold on the bank's own channels only."""
    domains = context.bank.institution.domains
    product = _is_product(part)
    for place, url in _urls(path, text, part):
        host = (urlsplit(url).hostname or "").lower()
        if any(host == domain or host.endswith("." + domain) for domain in domains):
            continue
        if product:
            mend = "换成本行的网址；本行的网址登记在 _workspace.yaml 的「机构: {网址: [...]}」"
            yield source.problem(place, f"讲产品的链接「{host}」不是本行的网址", mend)
        elif domains:
            yield source.note(place, f"链接「{host}」不是本行的网址", "确认客户点进去是安全的")


def _urls(path: Path, text: str, part: Step | Overlay) -> Iterator[tuple[Path, str]]:
    for match in _URL.finditer(text):
        yield path, match[0]
    for number, attachment in enumerate(part.attachments):
        if isinstance(attachment, LinkCard):
            yield (*path[:2], "附件", number, "网址"), attachment.url


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
