"""The wording rules file: what may not be said, where, and which words only look like it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, model_validator

from bot.domain.fields import Words, YesNo, refuse
from bot.domain.likeness import Likeness
from bot.domain.value import Value

Level = Literal["拦截", "提醒"]
Place = Literal["一对一", "群里", "员工"]
PLACES: Mapping[str, Place] = {
    "kf": "一对一",
    "private": "一对一",
    "group": "群里",
    "staff": "员工",
}

_GROUP_NAME = re.compile(r"<([\u4e00-\u9fff]+)>")


def _pattern(text: str) -> str:
    try:
        re.compile(_GROUP_NAME.sub("(?:x)", text))
    except re.error as error:
        place = "" if error.pos is None else f"(第 {error.pos + 1} 个字附近)"
        raise refuse(f"正则表达式写错了{place}", "检查括号和反斜杠是否成对") from None
    return text


def _hitting(text: str) -> str:
    if re.search(_GROUP_NAME.sub("(?:x)", text), ""):
        raise refuse("这个表达式连空文字都会命中", "删掉多余的「|」或「*」")
    return text


def _listed(value: object) -> object:
    """Read one pattern as a list of one, and an empty one as none."""
    if isinstance(value, str):
        return (value,) if value else ()
    return value


Pattern = Annotated[Words, AfterValidator(_pattern), AfterValidator(_hitting)]
Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(_listed)]


class Rule(Value):
    """One thing that may not be said, and what makes it harmless."""

    id: Words = Field(alias="编号")
    level: Level = Field(alias="级别")
    name: Words = Field(alias="名")
    patterns: Patterns = Field((), alias="命中")
    unapproved: Patterns = Field((), alias="未审批命中")
    not_meant: Patterns = Field((), alias="不算")
    allowed: Patterns = Field((), alias="放行")
    answered_by: Patterns = Field((), alias="须有")
    places: tuple[Place, ...] = Field((), alias="场合")

    @model_validator(mode="after")
    def _finds_something(self) -> Rule:
        if not self.patterns and not self.unapproved:
            raise refuse(f"「{self.id}」什么也不查", "写上「命中」或「未审批命中」")
        return self


class PersonalDataRule(Value):
    """A form of personal data; ``keeps`` is how many of its last characters stay readable."""

    id: Words = Field(alias="编号")
    name: Words = Field(alias="名")
    pattern: Pattern = Field(alias="正则")
    keeps: int = Field(4, alias="保留末位", ge=0, le=4)
    outside_only: YesNo = Field(False, alias="只对外部模型")


class Examples(Value):
    """Sentences that people judged; what is like the wrong ones is caught where no rule has words.

    ``threshold`` is the score from which on a sentence of nobody's approval is caught: the higher,
    the fewer.
    """

    id: Words = Field(alias="编号")
    level: Level = Field(alias="级别")
    name: Words = Field(alias="名")
    threshold: float = Field(alias="门槛", ge=-10, le=10)
    wrong: tuple[Words, ...] = Field(alias="违规", min_length=1)
    right: tuple[Words, ...] = Field(alias="合规", min_length=1)


class Compiled:
    """A rule ready to be searched for."""

    __slots__ = ("allowed", "answered_by", "approved", "not_meant", "rule", "unapproved")

    def __init__(self, rule: Rule, groups: Mapping[str, str]) -> None:
        self.rule = rule
        self.approved = _one(rule.patterns, groups)
        self.unapproved = _one((*rule.patterns, *rule.unapproved), groups)
        self.not_meant = _one(rule.not_meant, groups)
        self.allowed = _one(rule.allowed, groups)
        self.answered_by = _one(rule.answered_by, groups)


class Rules(Value):
    """The wording rules file (sop/rules.yaml)."""

    format: Literal["rules/1"] = Field(alias="格式")
    allowance: Literal["已审批内容"] = Field(alias="放行仅限")
    groups: dict[str, Patterns] = Field(default_factory=dict, alias="词组")
    spellings: dict[str, Words] = Field(default_factory=dict, alias="异写")
    voids: Patterns = Field((), alias="放行作废")
    warnings: Patterns = Field((), alias="反诈语境")
    told: Patterns = Field((), alias="转述")
    selling: Patterns = Field((), alias="推销")
    rules: tuple[Rule, ...] = Field(alias="词表", min_length=1)
    personal_data: tuple[PersonalDataRule, ...] = Field((), alias="个人信息")
    jargon: dict[str, Words] = Field(default_factory=dict, alias="行话")
    examples: Examples | None = Field(None, alias="例句")

    _compiled: tuple[Compiled, ...] = PrivateAttr(())
    _voids: re.Pattern[str] | None = PrivateAttr(None)
    _warnings: re.Pattern[str] | None = PrivateAttr(None)
    _told: re.Pattern[str] | None = PrivateAttr(None)
    _selling: re.Pattern[str] | None = PrivateAttr(None)
    _spelling: re.Pattern[str] | None = PrivateAttr(None)
    _likeness: Likeness | None = PrivateAttr(None)
    _simplified: Callable[[str], str] | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _numbers_are_unique(self) -> Rules:
        ids = [rule.id for rule in self.rules] + [rule.id for rule in self.personal_data]
        ids += [self.examples.id] if self.examples is not None else []
        for number in sorted({one for one in ids if ids.count(one) > 1}):
            raise refuse(f"编号「{number}」用了两次", "换一个编号；查账时靠它分清是哪一条")
        return self

    @model_validator(mode="after")
    def _compile(self) -> Rules:
        groups = _expanded(self.groups)
        self._compiled = tuple(Compiled(rule, groups) for rule in self.rules)
        self._voids = _one(self.voids, groups)
        self._warnings = _one(self.warnings, groups)
        self._told = _one(self.told, groups)
        self._selling = _one(self.selling, groups)
        self._spelling = _any_of(self.spellings)
        if self.examples is not None:
            self._likeness = Likeness(self.examples.wrong, self.examples.right)
        return self

    @property
    def compiled(self) -> tuple[Compiled, ...]:
        """Return the rules ready to be searched for."""
        return self._compiled

    def likeness(self, sentence: str) -> float:
        """Return how much a sentence is like the wrong examples, less the threshold (例句)."""
        if self._likeness is None or self.examples is None:
            return -1.0
        return self._likeness.score(sentence) - self.examples.threshold

    def reading(self, simplified: Callable[[str], str]) -> Rules:
        """Return these rules looking at text as ``simplified`` gives it: 保證 is 保证 to them."""
        readers = self.model_copy()
        readers._simplified = simplified
        return readers

    def plain(self, text: str) -> str:
        """Return text in the characters that the rules are written in."""
        return text if self._simplified is None else self._simplified(text)

    def spelt(self, text: str) -> str:
        """Return text with every spelling that hides a word put right (异写)."""
        if self._spelling is None:
            return text
        return self._spelling.sub(lambda found: self.spellings[found[0].lower()], text)

    def void(self, sentence: str) -> bool:
        """Tell whether a sentence uses the words of an allowance to say the opposite."""
        return self._voids is not None and bool(self._voids.search(sentence))

    def tells(self, sentence: str) -> bool:
        """Tell whether a sentence repeats what somebody else says (转述)."""
        return self._told is not None and bool(self._told.search(sentence))

    def sells(self, sentence: str) -> bool:
        """Tell whether a sentence offers something; without words for it, every sentence may."""
        return self._selling is None or bool(self._selling.search(sentence))

    def warns(self, sentence: str) -> bool:
        """Tell whether a sentence speaks of fraud in order to warn of it."""
        if self._warnings is None or self.void(sentence):
            return False
        return bool(self._warnings.search(sentence))


def _expanded(groups: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return each group of words as one pattern; a group may use those above it."""
    done: dict[str, str] = {}
    for name, patterns in groups.items():
        if not _GROUP_NAME.fullmatch(f"<{name}>"):
            raise refuse(f"词组「{name}」的名字只能用汉字", "换一个汉字的名字")
        done[name] = "|".join(_filled(pattern, done) for pattern in patterns)
    return done


def _filled(pattern: str, groups: Mapping[str, str]) -> str:
    def words(found: re.Match[str]) -> str:
        if found[1] not in groups:
            raise refuse(f"没有叫「{found[1]}」的词组", "在「词组」里补上，要写在用它的地方前面")
        return f"(?:{groups[found[1]]})"

    return _GROUP_NAME.sub(words, pattern)


def _one(patterns: tuple[str, ...], groups: Mapping[str, str]) -> re.Pattern[str] | None:
    if not patterns:
        return None
    return re.compile("|".join(_filled(one, groups) for one in patterns), re.IGNORECASE)


def _any_of(spellings: Mapping[str, str]) -> re.Pattern[str] | None:
    if not spellings:
        return None
    longest_first = sorted(spellings, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
