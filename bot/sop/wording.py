"""What is wrong with the words that a script sends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.compliance import personal_data_in, screen
from bot.domain.render import KNOWN_VARIABLES, variables_in
from bot.domain.rest_days import keeps_its_day
from bot.domain.script import SopScript
from bot.domain.script_parts import RestDays, Subject
from bot.domain.steps import Listen, Overlay, Step
from bot.errors import Problem
from bot.sop.context import Found, LintContext, Path
from bot.sop.library import ScriptFile, SourceFile
from bot.sop.lint_style import lint_style
from bot.sop.selling import lint_selling

_WEEKDAY = re.compile(
    r"(?<!每)(?<!每个)(?<![一两二三四几\d])(?:周末|(?:周|星期|礼拜)[一二三四五六日天](?![次回趟]))"
)
_NEAR_DAY = re.compile(r"今天是|[明后昨前]天")
_SECOND_TOPIC = re.compile(r"另外|此外|还有一件事|再说一件|第二件事|另一件事")
_INSURANCE, _INSURED_UP_TO = "存款保险", re.compile(r"50\s*万|五十万")
_PRODUCT_VARIABLE = "产品."
_NOT_IN_STEPS = frozenset({"时限"})
_NOT_IN_GROUPS = frozenset({"客户.称呼"})


@dataclass(frozen=True, slots=True)
class Said:
    """A text with its place; ``part`` is the step or overlay whose body it is."""

    path: Path
    text: str
    part: Step | Overlay | None = None
    product: bool = False


def lint_wording(file: ScriptFile, context: LintContext) -> list[Problem]:
    """Return everything wrong with a script's words, sorted by line."""
    script, source = file.script, file.source
    found: list[Problem] = []
    for said in texts(script):
        found.extend(_variables(said, script, source, context))
        found.extend(_screened(said, script, source, context))
        found.extend(lint_style(said.path, said.text, script, source, context))
        if said.part is not None:
            found.extend(_body(said, said.part, script, source))
            found.extend(lint_selling(said.path, said.text, said.part, script, source, context))
    return sorted(set(found))


def texts(script: SopScript) -> Iterator[Said]:
    """Give every text of a script that somebody will read."""
    if script.opt_out is not None:
        yield Said(("退出", "回话"), script.opt_out.reply)
    yield from _heard(script.listens, ())
    for number, step in enumerate(script.steps):
        at: Path = ("步骤", number)
        product = step.product is not None
        if step.body is not None:
            yield Said((*at, "正文"), step.body, step, product)
        for arm, body in (step.bodies or {}).items():
            yield Said((*at, "正文按分流", arm), body, step, product)
        yield from _heard(step.listens, at, product=product)
    for number, overlay in enumerate(script.overlays):
        yield Said(("日历叠加", number, "正文"), overlay.body, overlay)


def _heard(listens: tuple[Listen, ...], at: Path, *, product: bool = False) -> Iterator[Said]:
    for number, listen in enumerate(listens):
        for key, text in (("回话", listen.reply), ("先问同意", listen.ask_first)):
            if text is not None:
                yield Said((*at, "听到就办", number, key), text, None, product)


def _variables(said: Said, script: SopScript, source: SourceFile, context: LintContext) -> Found:
    known = KNOWN_VARIABLES - _NOT_IN_STEPS | set(context.bank.variables)
    if script.subject is Subject.GROUP:
        known -= _NOT_IN_GROUPS
    known |= set(script.variables or {})
    for name in variables_in(said.text):
        line = _line_in(said.text, "{" + name + "}")
        if name not in known:
            mend = "看看是不是写错了字；固定不变的词在 sop/_workspace.yaml 的变量里登记"
            what = f"不认识变量「{{{name}}}」"
            yield source.problem(said.path, what, mend, text_line=line)
        elif name.startswith(_PRODUCT_VARIABLE) and not said.product:
            what = f"用了「{{{name}}}」，却没有写是哪个产品"
            yield source.problem(said.path, what, "在这一步补上「产品: 编号」", text_line=line)


def _screened(said: Said, script: SopScript, source: SourceFile, context: LintContext) -> Found:
    approved, plane = script.approval is not None, _plane(script)
    for hit in screen(said.text, context.rules, approved=approved, plane=plane):
        what = f"「{hit.matched}」碰了词表 {hit.rule}({hit.name})"
        # What only the wide net caught is for whoever approves it to look at.
        say = source.problem if hit.blocks and not hit.wide else source.note
        yield say(said.path, what, "换个说法", text_line=hit.line)
    for data in personal_data_in(said.text, context.rules):
        line = _line_in(said.text, data.matched)
        yield source.problem(said.path, f"写了{data.name}", "删掉个人信息", text_line=line)


def _plane(script: SopScript) -> str:
    return "group" if script.subject is Subject.GROUP else "kf"


def _body(said: Said, part: Step | Overlay, script: SopScript, source: SourceFile) -> Found:
    length = len(re.sub(r"\s", "", said.text))
    most = script.rails.body_chars
    if length > most:
        yield source.problem(said.path, f"正文有 {length} 个字，超过 {most} 个", "删到上限以内")
    # C12: what deposit insurance covers is only told with its limit.
    if _INSURANCE in said.text and not _INSURED_UP_TO.search(said.text):
        line = _line_in(said.text, _INSURANCE)
        mend = "写明：同一家银行，存款本金和利息合计 50 万元以内"
        yield source.problem(
            said.path, "说到存款保险，却没有说 50 万元的上限", mend, text_line=line
        )
    for words in part.must_contain:
        if words not in said.text:
            what = f"正文里没有必含的「{words}」"
            yield source.problem(said.path, what, "在正文里写上，或从必含里删掉")
    if isinstance(part, Step) and (match := _WEEKDAY.search(said.text)):
        what = f"正文写了「{match[0]}」，但这一步落在星期几并不固定"
        line = _line_in(said.text, match[0])
        yield source.problem(said.path, what, "改成不提星期几的说法", text_line=line)
    if isinstance(part, Step) and _may_move(part, script):
        yield from _near_day(said, source)
    if script.rails.one_topic and (match := _SECOND_TOPIC.search(said.text)):
        what = f"「{match[0]}」说明这条讲了两件事"
        line = _line_in(said.text, match[0])
        yield source.problem(said.path, what, "拆成两步，或删掉一件", text_line=line)


def _near_day(said: Said, source: SourceFile) -> Found:
    """Note a day that is named from the day of sending: on another day it is not true."""
    match = _NEAR_DAY.search(said.text)
    if match is not None:
        what = f"正文写了「{match[0]}」，碰上休息日顺延以后就不对了"
        mend = "换成哪天看都对的说法，或写日期变量，例如 {活动.日期}"
        line = _line_in(said.text, match[0])
        yield source.note(said.path, what, mend, text_line=line)


def _may_move(step: Step, script: SopScript) -> bool:
    """Tell whether a step that the file puts on a day gives way to days of rest."""
    on_a_day = step.day is not None or step.relative is not None
    return on_a_day and script.rest_days is RestDays.PUSH and not keeps_its_day(step)


def _line_in(text: str, words: str) -> int:
    return text[: max(0, text.find(words))].count("\n") + 1
