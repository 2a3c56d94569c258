"""What is wrong with the talk tracks: their words, what they speak of, who allowed them."""

from __future__ import annotations

from bot.domain.compliance import personal_data_in, screen
from bot.domain.render import KNOWN_VARIABLES, variables_in
from bot.domain.suitability import too_risky_for_a_group
from bot.domain.talk_track import PLANE_OF, TalkTrack, TrackPlace
from bot.sop.context import Found, LintContext, Path
from bot.sop.library import SourceFile, TalkFile
from bot.sop.lint_braces import strays
from bot.sop.selling import RISK_WORDS

# A track stands beside a talk: no product, and no time limit, is known there.
_NO_VALUE = frozenset({"产品.名称", "产品.风险等级", "产品.期限", "时限"})
_ONLY_ALONE = frozenset({"客户.称呼"})
_IN_A_GROUP: TrackPlace = "群里"
_NO_NOTICE = (None, "R1")


def check_talk(file: TalkFile, context: LintContext) -> Found:
    """Give every problem of a file of talk tracks."""
    approval, source = file.talk.approval, file.source
    if approval.expires_on < context.today:
        mend = "重新审批后改审批日和有效期至"
        what = f"审批已过期({approval.expires_on})，这份话术先不给经理看"
        yield source.problem(("审批", "有效期至"), what, mend)
    if approval.approved_on > context.today:
        what = f"审批日 {approval.approved_on} 还没到"
        yield source.problem(("审批", "审批日"), what, "改成真实的审批日")
    for number, track in enumerate(file.talk.tracks):
        at: Path = ("话术", number)
        yield from _words(at, track, source, context)
        yield from _product(at, track, source, context)


def _words(at: Path, track: TalkTrack, source: SourceFile, context: LintContext) -> Found:
    path, text = (*at, "正文"), track.text
    known = KNOWN_VARIABLES - _NO_VALUE | set(context.bank.variables)
    for name in variables_in(text):
        line = _line_in(text, "{" + name + "}")
        if name in _NO_VALUE:
            what, mend = f"话术里没有「{{{name}}}」可填", "写成固定的字"
        elif name not in known:
            what, mend = f"不认识变量「{{{name}}}」", "看看是不是写错了字"
        elif name in _ONLY_ALONE and track.is_for(_IN_A_GROUP):
            what, mend = f"群里没有「{{{name}}}」", "换个说法，或把场合改成一对一"
        else:
            continue
        yield source.problem(path, what, mend, text_line=line)
    yield from strays(path, text, source)
    told = set()
    for place in track.places:
        for hit in screen(text, context.rules, approved=True, plane=PLANE_OF[place]):
            if hit.rule in told:
                continue
            told.add(hit.rule)
            what = f"「{hit.matched}」碰了词表 {hit.rule}({hit.name})"
            say = source.problem if hit.blocks else source.note
            yield say(path, what, "换个说法", text_line=hit.line)
    for data in personal_data_in(text, context.rules):
        line = _line_in(text, data.matched)
        yield source.problem(path, f"写了{data.name}", "删掉个人信息", text_line=line)


def _product(at: Path, track: TalkTrack, source: SourceFile, context: LintContext) -> Found:
    named = [one for one in context.products.values() if one.id == track.product]
    named += [one for one in context.products.values() if one.name in track.text]
    risky = [one for one in named if one.risk_rating not in _NO_NOTICE]
    if risky and not all(words in track.text for words in RISK_WORDS):
        what = f"讲到「{risky[0].name}」，却没有风险提示"
        mend = "在正文末尾写上：理财非存款、产品有风险、投资须谨慎。"
        yield source.problem((*at, "正文"), what, mend)
    if not track.product:
        return
    path = (*at, "产品")
    sheet = context.products.get(track.product)
    if sheet is None:
        if not context.could_not_read(".md"):
            what = f"knowledge/products 里没有产品「{track.product}」"
            yield source.problem(path, what, "核对编号")
        return
    if sheet.risk_rating != track.rating:
        is_so, says = sheet.risk_rating or "没有", track.rating or "没有"
        what = f"「{sheet.name}」的风险等级是 {is_so}，这里写的是 {says}"
        lower = (track.rating or "R0") < (sheet.risk_rating or "R0")  # else only more careful
        say = source.problem if lower else source.note
        yield say((*at, "风险等级"), what, "和产品资料写成一样")
    if not sheet.sold_on(context.today):
        yield source.problem(path, f"「{sheet.name}」现在不卖", "换一个产品，或删掉这条话术")
    if track.is_for(_IN_A_GROUP) and too_risky_for_a_group(sheet.risk_rating):
        what = f"「{sheet.name}」是 {sheet.risk_rating}，群里不能讲"
        yield source.problem(path, what, "把场合改成一对一")


def _line_in(text: str, words: str) -> int:
    return text[: max(0, text.find(words))].count("\n") + 1
