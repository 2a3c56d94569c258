"""Whether a person used a draft: as it was, in other words, or said something else instead."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Literal, NamedTuple

from bot.domain.draft import Draft

Use = Literal["sent", "edited", "otherwise"]

# Of the pairs of characters of the shorter text, the share that the longer one has too. Own
# examples (tests/domain/test_adoption.py): edited drafts share .72 and more of them, answers of
# one's own to the same question .22 at most.
EDITED = 0.55
SAME_QUESTION = 0.6
SAME_ANSWER = 0.8
ANSWERED_WITHIN = timedelta(minutes=10)
"""How long after a question a person's own words count as the answer to it."""

_NAMED = re.compile(r"@[^\s\u2005@]{1,20}[\s\u2005]?")
_GREETING = re.compile(r"^.{0,8}?(?:您好|你好)[呀啊,，。!！~～]*")
_NO_WORD = re.compile(r"[\W_]+")
_BASIS = re.compile(r"\s*依据[:：][^。!?]{2,80}$")
_FEWEST_PAIRS = 5
_NO_ANSWER = re.compile(
    r"(?:好的?|收到|嗯+|是的?|谢谢|感谢|不客气|在的?|您好|你好|稍等|马上|等一下|早上?好|辛苦了|哈+|呵+)"
    r"[呀啊哦噢嘞的了哈吧您各位大家,，。!！~～\s]*"
)
_ASKS_BACK = re.compile(r"(?:[?？]|吗|呢|么)\s*$")
# Pairs that stand in any talk: who shares nothing else with a question does not answer it.
_ANYWHERE = frozenset(
    {"我们", "您好", "可以", "怎么", "什么", "请问", "一下", "这个", "那个", "不是", "就是", "没有"}
    | {"大家", "谢谢", "阿姨", "叔叔", "经理", "知道", "的话", "现在", "今天", "明天", "时候"}
)
_SHARED_ENOUGH = 2


class Used(NamedTuple):
    """A draft, and what a person's words make of it."""

    draft: Draft
    use: Use


def bare(text: str) -> str:
    """Return a text as it is compared: without marks, width, case, names and a greeting."""
    text = _BASIS.sub("", unicodedata.normalize("NFKC", text))
    text = _GREETING.sub("", _NAMED.sub("", text).strip())
    return _NO_WORD.sub("", text).lower()


def alike(one: str, other: str) -> float:
    """Return which share of the shorter text's pairs of characters the longer one has, 0 to 1."""
    pairs, others = _pairs(bare(one)), _pairs(bare(other))
    fewer = min(pairs.total(), others.total())
    return (pairs & others).total() / fewer if fewer else 0.0


def both_alike(one: str, other: str) -> float:
    """Return the share of pairs that two texts have in common (Dice), 0 to 1."""
    pairs, others = _pairs(bare(one)), _pairs(bare(other))
    both = pairs.total() + others.total()
    return 2 * (pairs & others).total() / both if both else 0.0


def use_of(drafts: Sequence[Draft], said: str, *, names: Mapping[str, str]) -> Used | None:
    """Return the draft that a person's words use or replace; None where they do neither.

    ``drafts`` are those that nobody has seen used, newest first; ``names`` tells who is who in
    the group: words to somebody by name answer that person. A draft that was marked as sent by
    hand is only looked at for what was made of it.
    """
    if not bare(said):
        return None
    for draft in drafts:
        if bare(draft.text) == bare(said):
            return Used(draft, "sent")
    if _pairs(bare(said)).total() >= _FEWEST_PAIRS:
        nearest = max(drafts, key=lambda draft: alike(draft.text, said), default=None)
        if nearest is not None and alike(nearest.text, said) >= EDITED:
            return Used(nearest, "edited")
    waiting = [draft for draft in drafts if draft.state == "waiting"]
    named = _named_in(said, names)
    for draft in waiting:
        if named and not named & {asker.id for asker in draft.askers}:
            continue
        if answers(said, draft.question, draft.text, named=bool(named)):
            return Used(draft, "otherwise")
    return None


def answers(said: str, question: str, text: str = "", *, named: bool = False) -> bool:
    """Tell whether a person's words look like an answer to a question, or to the one by name.

    Taking note, greeting and asking back are none; the rest speaks of what was asked.
    """
    words = _NAMED.sub("", said).strip()
    if _NO_ANSWER.fullmatch(words) or _ASKS_BACK.search(words):
        return False
    if named:
        return len(bare(said)) >= 2
    shared = set(_pairs(bare(said))) & set(_pairs(bare(question) + " " + bare(text)))
    asked = set(_pairs(bare(question))) & shared
    return len(shared - _ANYWHERE) >= _SHARED_ENOUGH and bool(asked - _ANYWHERE)


def same_question(draft: Draft, question: str, text: str) -> bool:
    """Tell whether a draft answers this question too: it says the same, or was asked the same."""
    return (
        both_alike(draft.text, text) >= SAME_ANSWER
        or both_alike(draft.question, question) >= SAME_QUESTION
    )


class Adoption(NamedTuple):
    """How many drafts there were, and what became of them (话术采用率)."""

    made: int = 0
    sent: int = 0
    edited: int = 0
    dropped: int = 0
    otherwise: int = 0
    expired: int = 0
    waiting: int = 0

    @property
    def used(self) -> int:
        """Return how many were sent, as they were or changed."""
        return self.sent + self.edited

    @property
    def over(self) -> int:
        """Return of how many it is known what became of them: those that wait are not counted."""
        return self.made - self.waiting

    @property
    def rate(self) -> float | None:
        """Return the share that was used; None where nothing is known yet."""
        return round(self.used / self.over, 4) if self.over else None

    @property
    def share(self) -> str:
        """Say the rate with its numerator and denominator."""
        return f"{self.used}/{self.over}（{self.used / self.over:.0%}）" if self.over else "—"


def adoption_of(counts: Mapping[str, int]) -> Adoption:
    """Return the figures from a count of drafts by state."""
    known = {state: counts.get(state, 0) for state in Adoption._fields if state != "made"}
    return Adoption(made=sum(known.values()), **known)


def _named_in(said: str, names: Mapping[str, str]) -> set[str]:
    """Return the ids of those whom words name with an @, or at their very beginning."""
    begins = said.lstrip()
    return {
        id
        for id, name in names.items()
        if name and (f"@{name}" in said or (len(name) > 1 and begins.startswith(name)))
    }


def _pairs(text: str) -> Counter[str]:
    return Counter(_each_pair(text))


def _each_pair(text: str) -> Iterable[str]:
    return (text[at : at + 2] for at in range(len(text) - 1) if " " not in text[at : at + 2])
