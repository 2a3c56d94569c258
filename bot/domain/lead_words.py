"""What a lead's stages are called, and the reasons for which one ends; pure.

It is read before a command line is parsed, so that it imports nothing that takes time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bot.domain.lead import Outcome

STAGE_WORDS: Mapping[str, str] = {
    "asking": "等客户同意",
    "new": "待接手",
    "taken": "跟进中",
    "later": "稍后",
    "won": "成交",
    "lost": "没成",
    "invalid": "无效",
    "closed": "办结",
    "refused": "客户没同意",
}
"""What every page, card and command calls a stage."""
NO_ANSWER: Final = "no_answer"
"""Of a lead that ended by itself: the customer was asked, and said neither yes nor no."""
INVALID_REASONS: tuple[tuple[str, str], ...] = (
    ("done", "已经办好了"),
    ("no_need", "客户没有这个意思"),
    ("not_ours", "不是本行能办的"),
    ("repeated", "同一件事重复了"),
    ("other", "其他"),
)
LOST_REASONS: tuple[tuple[str, str], ...] = (
    ("thinking", "客户再想想"),
    ("elsewhere", "在别家办了"),
    ("unsuitable", "产品不合适客户"),
    ("price", "嫌利率或费用不好"),
    ("no_money", "钱另有用处"),
    ("no_contact", "一直联系不上"),
    ("other", "其他"),
)
SAYS_NOTHING: Final = frozenset({"done", "repeated"})
"""Of an invalid lead: somebody had seen to it, so that it tells nothing of the customer."""
_CHOICES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "invalid": INVALID_REASONS,
    "lost": LOST_REASONS,
}
_WORDS = {NO_ANSWER: "问了没回音"} | dict(INVALID_REASONS) | dict(LOST_REASONS)
_SHORTEST = 2  # characters by which a reason is known: 重复, 别家


def reason_words(reason: str) -> str:
    """Return a reason as people read it; what somebody wrote himself stays as it is."""
    return _WORDS.get(reason, reason)


def reason_of(outcome: Outcome, said: str) -> str:
    """Return the reason that somebody means by its words or a part of them, else what he said.

    What is learnt from outcomes goes by these reasons: 重复 must be the one of the card.
    """
    said = said.strip()
    choices = dict(_CHOICES.get(outcome, ()))
    if said in choices or len(said) < _SHORTEST:
        return said
    meant = [code for code, words in choices.items() if said in words or words in said]
    return meant[0] if len(meant) == 1 else said


def choices_of(outcome: Outcome) -> tuple[str, ...]:
    """Return the words of the reasons for an outcome; none where nobody asks for one."""
    return tuple(words for _, words in _CHOICES.get(outcome, ()))
