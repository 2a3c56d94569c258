"""What a customer's words mean to a script: a keyword, a refusal, a yes, a question."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from bot.domain.steps import Listen
from bot.hanzi import simplified

ANYTHING = "任意"  # among keywords: whatever is said
_LONGEST_REPLY = 30  # a keyword inside a long story is not a reply to the step
_LONGEST_REFUSAL = 14
_EDGES = re.compile(r"^[\s。.!~,]+|[\s。.!~,]+$")
_RESTORE_WORDS = frozenset({"恢复", "恢复接收"})
_YES = re.compile(
    r"((可以|好|行|同意|方便|嗯|要得|要的|中|成|OK|没问题|当然)(的|呀|啊|吧|哈|嘞|嘛|,|。|麻烦(你|您)?了?|谢谢)*)+"
)
_NO = re.compile(
    r"((不用|不要|不必|不需要|没必要|不了|不方便|不可以|算了|不行)(了|的|吧|哈|,|。|谢谢|麻烦)*)+"
)
_ASKS = re.compile(
    r"[?？]|吗|么$|呢$|怎么|咋|如何|多少|几点|几号|哪|什么|啥|能不能|可不可以|要不要|是不是|有没有|为何|为什么|请问"
)


def plain(text: str) -> str:
    """Return text as it is compared: full-width forms folded, upper case, no outer marks."""
    return _EDGES.sub("", unicodedata.normalize("NFKC", simplified(text))).upper()


def hears(listen: Listen, text: str) -> bool:
    """Tell whether a short reply holds one of the words that are listened for."""
    said = plain(text)
    if listen.keywords is None or len(said) > _LONGEST_REPLY:
        return False
    return any(plain(word) in said for word in listen.keywords if word != ANYTHING)


def is_refusal(text: str, keywords: Iterable[str]) -> bool:
    """Tell whether a customer wants no more messages; a short English word must stand alone."""
    said = plain(text)
    if len(said) > _LONGEST_REFUSAL:
        return False
    return any(said == plain(word) if word.isascii() else plain(word) in said for word in keywords)


def wants_news_again(text: str) -> bool:
    """Tell whether somebody takes a refusal back."""
    return plain(text) in _RESTORE_WORDS


def says_yes(text: str) -> bool | None:
    """Read the reply to a question for consent: yes, no, or neither."""
    said = plain(text)
    if _NO.fullmatch(said):
        return False
    return True if _YES.fullmatch(said) else None


def sounds_like_question(text: str) -> bool:
    """Tell whether somebody seems to ask something."""
    return len(text.strip()) >= 4 and bool(_ASKS.search(simplified(text)))
