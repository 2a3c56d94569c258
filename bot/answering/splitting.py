"""Several questions in one message: each is answered by itself."""

from __future__ import annotations

import re

from bot.answering.wishes import courtesy
from bot.hanzi import simplified

_MOST = 4
_SENTENCE = re.compile(r"[^。!！?？;；\n]+[。!！?？;；\n]*")
_CLAUSE = re.compile(r"[,，]")
_ASKS = re.compile(
    r"什么|啥|怎么|怎样|咋|如何|多少|多久|多长|几(点|天|号|个|年|块|万|时)|哪|吗|么$|呢"
    r"|为什么|是不是|能不能|可不可以|可以不|要不要|会不会|有没有|行不行|收不收|需不需要"
    r"|用不用"
)
# These clauses belong to what stands before them, whatever they ask.
_BELONGS = re.compile(
    r"^(还是|或者?|要么|不然|否则|如果|要是|因为|所以|但是?|可是|就是|我听说|对吧|是吧"
    r"|行吗|好吗|可以吗|对不对|怎么回事|怎么办|咋办|咋回事|为什么|为啥|请问)"
)
_LEAST = 3


def parts_of(text: str) -> tuple[str, ...]:
    """Return the questions of a message in order; one, the message itself, in the ordinary case."""
    pieces: list[str] = []
    told = ""
    for sentence in _SENTENCE.findall(text):
        for clause in _clauses(sentence.strip("。!！?？;；\n ")):
            if courtesy(clause) is not None:
                continue
            # What is told before a question is part of it.
            if _asks(clause) and len(clause) >= _LEAST:
                pieces.append(f"{told}{clause}")
                told = ""
            else:
                told = f"{told}{clause}，"
    if not 1 < len(pieces) <= _MOST:
        return (text.strip(),)
    if told:
        pieces[-1] = f"{pieces[-1]}，{told.rstrip('，')}"
    return tuple(pieces)


def _clauses(sentence: str) -> list[str]:
    """Cut a sentence at its commas where both sides ask."""
    clauses: list[str] = []
    for clause in filter(None, (one.strip() for one in _CLAUSE.split(sentence))):
        asks = _asks(clause) and not _BELONGS.match(simplified(clause))
        if clauses and not (asks and _asks(clauses[-1])):
            clauses[-1] = f"{clauses[-1]}，{clause}"
        else:
            clauses.append(clause)
    return clauses


def _asks(clause: str) -> bool:
    return bool(_ASKS.search(simplified(clause)))
