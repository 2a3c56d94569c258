"""A customer who types a card's number or a password is asked, kindly and once, not to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.answering.follow_ups import PROGRAM
from bot.domain.compliance import mask_numbers
from bot.hanzi import simplified

_CODE = r"(密码|口令|验证码|校验码|动态码)"
# What is stored has stars already, which numbers keep their last four characters behind.
_A_CODE = re.compile(
    rf"{_CODE}[^\d*]{{0,6}}\*{{4,8}}(?![\d*])|(?<![\d*])\*{{6}}(?![\d*])[^\d*]{{0,6}}{_CODE}"
)
_A_NUMBER = re.compile(r"\*{12,}[\dXx]{4}(?!\d)")
_OF_CODES = "还有，密码和验证码谁都别发，我和银行的人都不会问。刚才发的，请尽快改一下。"
_OF_NUMBERS = "还有，卡号和证件号不用发在这里，我帮您遮住了。"


def caution(text: str, history: Sequence[str]) -> str:
    """Return what to add for somebody who typed a secret; empty where none is, or it was said."""
    plain = mask_numbers(simplified(text))
    if _A_CODE.search(plain):
        words = _OF_CODES
    elif _A_NUMBER.search(plain):
        words = _OF_NUMBERS
    else:
        return ""
    said = any(words in turn for turn in history if turn.startswith(PROGRAM))
    return "" if said else words
