"""What is wrong with braces: one that makes no {variable} goes to customers as it stands."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.attachments import Attachment, LinkCard, MiniProgram, Picture
from bot.domain.render import stray_brace, variables_in
from bot.domain.script import SopScript
from bot.sop.context import Found, LintContext, Path
from bot.sop.library import SourceFile
from bot.sop.wording import texts

_MEND = "变量写成 {客户.称呼}：英文花括号，成对，中间只写变量名；不是变量就换成（）"


def lint_braces(script: SopScript, source: SourceFile, context: LintContext) -> Found:
    """Give every brace that would be read by somebody: in texts, attachments, variables' words."""
    for said in texts(script):
        yield from strays(said.path, said.text, source)
    for name, variable in (script.variables or {}).items():
        yield from _as_it_stands(("变量", name, "缺省"), variable.default, "缺省的话", source)
    carried = [(("步骤", number), step.attachments) for number, step in enumerate(script.steps)]
    carried += [(("日历叠加", n), each.attachments) for n, each in enumerate(script.overlays)]
    for at, attachments in carried:
        for place, attachment in enumerate(attachments):
            for key, text in _words(attachment):
                yield from _as_it_stands((*at, "附件", place, key), text, "附件", source)


def strays(path: Path, text: str, source: SourceFile) -> Found:
    """Give the first brace of a text that belongs to no variable."""
    at = stray_brace(text)
    if at is not None:
        line = text.count("\n", 0, at) + 1
        what = f"「{_around(text, at)}」里的花括号不成变量，会原样发给客户"
        yield source.problem(path, what, _MEND, text_line=line)


def _as_it_stands(path: Path, text: str, where: str, source: SourceFile) -> Found:
    """Give braces where no variable is filled in."""
    names = variables_in(text)
    if names:
        what = f"{where}里不填变量，「{{{names[0]}}}」会原样发给客户"
        yield source.problem(path, what, "写成固定的字，或把变量写到正文里")
    else:
        yield from strays(path, text, source)


def _words(attachment: Attachment) -> Iterator[tuple[str, str]]:
    """Give the texts of an attachment by their keys; the names of files are not said."""
    match attachment:
        case LinkCard(title=title, url=url, description=description):
            yield from (("标题", title), ("说明", description), ("网址", url))
        case MiniProgram(title=title, page=page):
            yield from (("标题", title), ("页面", page))
        case Picture(alt=alt):
            yield ("替代文字", alt)
        case _:
            return


def _around(text: str, at: int) -> str:
    """Return some of the line around a place."""
    begins = text.rfind("\n", 0, at) + 1
    ends = text.find("\n", at)
    line = text[begins : ends if ends >= 0 else len(text)]
    place = at - begins
    return line[max(0, place - 4) : place + 9]
