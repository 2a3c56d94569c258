"""Wording rules: what may not be said, what hides behind tricks, and what must be masked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from bot.domain.fields import Words, refuse
from bot.domain.value import Value

Level = Literal["拦截"]

_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0]"
)
_SENTENCE_END = re.compile(r"[。!?;\n]+")
_SEPARATOR = re.compile(r"[^\w%。]|_")
_MARK = re.compile(r"[^\w%]+|_+")
_GROUPED = re.compile(r"(?<!\d)\d{3,8}(?:[ -]\d{3,8}){1,5}[Xx]?(?!\d)")
_SPACE = re.compile(r"[ -]")
_CHINESE_PERCENT = re.compile(r"百分之([零一二两三四五六七八九十点\d.]{1,8})")
_CHINESE_DIGITS = str.maketrans("零一二两三四五六七八九点", "0122" + "3456789.")


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        place = "" if error.pos is None else f"(第 {error.pos + 1} 个字附近)"
        raise refuse(f"正则表达式写错了{place}", "检查括号和反斜杠是否成对") from None
    return text


def _hitting(text: str) -> str:
    if re.search(text, ""):
        raise refuse("这个表达式连空文字都会命中", "删掉多余的「|」或「*」")
    return text


Pattern = Annotated[Words, AfterValidator(_pattern), AfterValidator(_hitting)]


class Rule(Value):
    """One thing that may not be said, and the words that make it harmless in a sentence."""

    id: Words = Field(alias="编号")
    level: Level = Field(alias="级别")
    name: Words = Field(alias="名")
    pattern: Pattern = Field(alias="命中")
    allowed: Annotated[str, AfterValidator(_pattern)] = Field("", alias="放行")


class PersonalDataRule(Value):
    """A form of personal data."""

    id: Words = Field(alias="编号")
    name: Words = Field(alias="名")
    pattern: Pattern = Field(alias="正则")


class Rules(Value):
    """The wording rules file (sop/rules.yaml)."""

    format: Literal["rules/1"] = Field(alias="格式")
    allowance: Literal["已审批内容"] = Field(alias="放行仅限")
    rules: tuple[Rule, ...] = Field(alias="词表", min_length=1)
    personal_data: tuple[PersonalDataRule, ...] = Field((), alias="个人信息")

    @model_validator(mode="after")
    def _numbers_are_unique(self) -> Rules:
        ids = [rule.id for rule in self.rules] + [rule.id for rule in self.personal_data]
        for number in sorted({one for one in ids if ids.count(one) > 1}):
            raise refuse(f"编号「{number}」用了两次", "换一个编号；查账时靠它分清是哪一条")
        return self


class Hit(Value):
    """A rule that a text breaks, with the words that break it and the line they stand in."""

    rule: str
    name: str
    matched: str
    level: Level
    line: int = 1

    @property
    def blocks(self) -> bool:
        """Tell whether the text may not leave."""
        return self.level == "拦截"


def screen(text: str, rules: Rules, *, approved: bool) -> list[Hit]:
    """Find what a text may not say, one hit a rule.

    The allowances of a rule hold within a sentence and only for approved text; text that a
    model wrote gets none. Separators put between characters are seen through.
    """
    hits: dict[str, Hit] = {}
    for line, views in _sentences(text, joined=not approved):
        for rule in rules.rules:
            if rule.id in hits or (approved and _allowed(rule, views)):
                continue
            found = next(
                filter(None, (re.search(rule.pattern, view, re.IGNORECASE) for view in views)), None
            )
            if found is not None:
                hits[rule.id] = Hit(
                    rule=rule.id, name=rule.name, matched=found[0], level=rule.level, line=line
                )
    return list(hits.values())


def _allowed(rule: Rule, views: tuple[str, ...]) -> bool:
    return bool(rule.allowed) and any(
        re.search(rule.allowed, view, re.IGNORECASE) for view in views
    )


def _sentences(text: str, *, joined: bool) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Give each sentence with its line, as it is and without separators.

    With ``joined`` the text as a whole follows, without any mark, where single characters stand
    between marks: nobody writes 保。本 but to get past a filter.
    """
    clean = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    line = 1
    for part in re.split(r"([。!?;\n]+)", clean):
        if _SENTENCE_END.fullmatch(part):
            line += part.count("\n")
        elif part:
            yield line, _views(part)
    if joined and any(len(piece) == 1 for piece in _MARK.split(clean)):
        yield 1, _views(_MARK.sub("", clean))


def _views(sentence: str) -> tuple[str, ...]:
    bare = _SEPARATOR.sub("", sentence)
    views = [sentence, bare]
    figures = _CHINESE_PERCENT.sub(_in_figures, bare)
    if figures != bare:
        views.append(figures)
    return tuple(dict.fromkeys(views))


def _in_figures(match: re.Match[str]) -> str:
    figures = match[1]
    if figures.startswith("十"):
        figures = "1" + figures[1:]
    figures = figures[:-1] + "0" if figures.endswith("十") else figures.replace("十", "")
    return figures.translate(_CHINESE_DIGITS) + "%"


def personal_data_in(text: str, rules: Rules) -> list[Hit]:
    """Find identity card, bank card and mobile numbers, also those written in groups."""
    plain = _narrow(text)
    return [
        Hit(rule=rule.id, name=rule.name, matched=plain[begin:end], level="拦截")
        for rule, begin, end in _personal_spans(plain, rules)
    ]


def mask(text: str, rules: Rules) -> str:
    """Hide all but the last four characters of every number that is personal data."""
    masked = list(text)
    for _, begin, end in _personal_spans(_narrow(text), rules):
        masked[begin : end - 4] = "*" * (end - 4 - begin)
    return "".join(masked)


def _narrow(text: str) -> str:
    """Make full-width digits plain and keep every character at its place."""
    narrow = (unicodedata.normalize("NFKC", char) for char in text)
    return "".join(new if len(new) == 1 else old for new, old in zip(narrow, text, strict=True))


def _personal_spans(text: str, rules: Rules) -> list[tuple[PersonalDataRule, int, int]]:
    spans = []
    taken: set[int] = set()
    for rule in rules.personal_data:
        found = [(m.start(), m.end()) for m in re.finditer(rule.pattern, text)]
        for group in _GROUPED.finditer(text):
            if re.fullmatch(rule.pattern, _SPACE.sub("", group[0])):
                found.append((group.start(), group.end()))
        for begin, end in found:
            if taken.isdisjoint(range(begin, end)):
                taken.update(range(begin, end))
                spans.append((rule, begin, end))
    return spans
