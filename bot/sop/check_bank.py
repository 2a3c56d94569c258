"""What is wrong with the words that the bank's own file sends: the welcomes of new friends."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.bank import Bank
from bot.domain.compliance import Rules, personal_data_in, screen
from bot.domain.render import KNOWN_VARIABLES, variables_in
from bot.errors import Problem
from bot.sop.library import Library, SourceFile
from bot.sop.lint_braces import strays

# A new friend's name, the products and a time limit have no value when a welcome is sent.
_NO_VALUE = frozenset({"客户.称呼", "产品.名称", "产品.风险等级", "产品.期限", "时限"})
Path = tuple[str | int, ...]


def check_bank(library: Library) -> Iterator[Problem]:
    """Give every problem of the welcomes in ``_workspace.yaml``."""
    bank, rules, source = library.bank, library.rules, library.bank_source
    if bank is None or rules is None or source is None:
        return
    for number, welcome in enumerate(bank.welcomes):
        at: Path = ("好友欢迎语", number)
        yield from _words((*at, "正文"), welcome.text, bank, rules, source)
        for place, link in enumerate(welcome.links):
            for key, text in (("标题", link.title), ("说明", link.description)):
                yield from _words((*at, "链接", place, key), text, bank, rules, source, plain=True)
        for place, file in enumerate(welcome.pictures):
            if file not in library.pictures:
                what = f"sop/files 里没有「{file}」"
                yield source.problem(
                    (*at, "图片", place), what, "把图片放进 sop/files，或改对文件名"
                )


def _words(
    path: Path, text: str, bank: Bank, rules: Rules, source: SourceFile, *, plain: bool = False
) -> Iterator[Problem]:
    known = KNOWN_VARIABLES - _NO_VALUE | set(bank.variables)
    for name in variables_in(text):
        line = text[: max(0, text.find("{" + name + "}"))].count("\n") + 1
        if plain:
            what, mend = "这里不能用变量", "写成固定的字"
        elif name in _NO_VALUE:
            what, mend = f"刚加上好友时还没有「{{{name}}}」", "换个说法，不用这个变量"
        elif name not in known:
            what, mend = f"不认识变量「{{{name}}}」", "看看是不是写错了字"
        else:
            continue
        yield source.problem(path, what, mend, text_line=line)
    yield from strays(path, text, source)
    for hit in screen(text, rules, approved=True):
        what = f"「{hit.matched}」碰了词表 {hit.rule}({hit.name})"
        say = source.problem if hit.blocks else source.note
        yield say(path, what, "换个说法", text_line=hit.line)
    for data in personal_data_in(text, rules):
        yield source.problem(path, f"写了{data.name}", "删掉个人信息")
