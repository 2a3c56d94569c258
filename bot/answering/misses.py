"""When an answer missed: the customer says so, or asks the very same again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from bot.answering.follow_ups import CUSTOMER, PROGRAM
from bot.answering.red_flags import bare

_MISSED = re.compile(
    r"答非所问|不对马嘴|文不对题|鸡同鸭讲|对牛弹琴|跟(你|您)(说|讲)不(清|通|明白)"
    r"|(你|您|小安|机器人?)?(还是|根本|压根|完全|又)?(没|不)(听|看|弄|搞)?(懂|明白)(我|人话|意思)"
    r"|(你|您|小安|机器人?)(还是|根本|压根|完全|又)?(没|不|听不|看不)(听|看|弄|搞)?(懂|明白)"
    r"|不是(这个|这|那个)(意思|问题)|不是我(要|想)?(问|的意思|说的)|(没|不是)问(你|您)?(这|那)(个|些)"
    r"|我问的(不是|是)|不是问(你|您)?(这|那)"
    r"|(答|回答|说|讲)(的|得)?(都)?(不对|错了|偏了|没用|不是这|是(个)?(啥|什么)(呀|啊|玩意))"
    r"|(没|没有|不)(回答|答到|说到)(我|点子|正题|问题)|(还|又|总|老)(是)?(这|那|那么)(句|几句|一?套|些)话?"
    r"|白问|(说|问|答)了(等于|跟)(没|白)(说|问|答)|(一点|根本|完全)(都)?(没用|不管用|帮不上)"
    r"|^(没用|不管用|废话|不对|错了|不是(这个|的)?)$"
)
_NOT_OF_US = re.compile(r"(手机|App|软件|机器|密码|页面|系统).{0,4}(没用|不管用|不对|错了)")
_LEAST_OF_A_QUESTION = 4


def says_missed(text: str) -> bool:
    """Tell whether the customer says that the last answer was not what was asked."""
    heard = bare(text)
    return bool(_MISSED.search(heard)) and not _NOT_OF_US.search(heard)


def only_missed(text: str) -> bool:
    """Tell whether that is all that is said: nothing is asked anew."""
    rest = _MISSED.sub("", bare(text))
    return says_missed(text) and len(rest) < _LEAST_OF_A_QUESTION


def asked_again(asked: Sequence[str], history: Sequence[str]) -> bool:
    """Tell whether a question is asked once more, word by word, after she answered it."""
    answered = {
        bare(turn.removeprefix(CUSTOMER))
        for turn, after in pairwise(history)
        if turn.startswith(CUSTOMER) and after.startswith(PROGRAM)
    }
    again = (bare(line) for line in asked)
    return any(len(line) >= _LEAST_OF_A_QUESTION and line in answered for line in again)
