"""What kind of thing a question wants to be told, and which texts tell such a thing.

Who asks when wants a day or a time, who asks where a place, whatever the words in common say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

# Each kind of question by its words, and what its answers have. Of a text's start, as it stands.
_KINDS = (
    (  # when, how long
        r"什么时候|何时|几点|哪天|日期|时候|时间(?!内)|多久|多长|期限|几天|期间|时限",
        r"\d+ *[天日月年时点分]|\d[:：]\d\d|工作[天日]|营业[日时]|期间|当[天日月]"
        r"|[一二三四五六七八九十两]+[天日年]|个月|小时|前|随时|即时|立即|隔日",
    ),
    (  # how much, how many
        r"多少|几|费用|手续费|额度|金额|上限|限额|利率|多高|比例|价格|收费",
        r"\d|[一二三四五六七八九十百千万]+[元%％次笔]|免费|[元％%]",
    ),
    (  # where
        r"哪里|哪儿|何处|在哪|网址|去哪|地点|渠道|页面",
        r"官网|分行|支行|网点|柜[台枱面]|https?|www|ATM|APP|网站|网上银行|网络银行|手机银行"
        r"|行动银行|超商|至|位于|专区",
    ),
    (  # how
        r"如何|怎么|怎样|方式|步骤|流程|咋|方法|程序",
        r"请|点[击选]|登录|选择|→|>|1[.、)]|透过|通过|填写|设置|输入|携带|拨打|致电|洽",
    ),
    (  # why
        r"为什么|为何|原因|为啥|怎么回事|目的",
        r"因|由于|为了|可能|避免|导致|基于|若|以免|为保",
    ),
    (  # what it is
        r"什么是|是什么|何谓|什么意思|是指|定义|指的?是|什么叫",
        r"指|^.{0,20}[是系为]|称|即|所谓",
    ),
    (  # whether
        r"吗|是否|能否|可否|能不能|可不可以|会不会|有没有|是不是|可以.*[?？]$",
        r"^.{0,6}(?:可以|可|能|不|无|没|是|否|会|须|需|有|目前|仍|皆|均|都)",
    ),
    (  # who
        r"谁|哪些人|对象|资格|什么人|身[分份]|哪些(?:客户|顾客|人)|适合",
        r"人|者|客户|顾客|本人|岁|公民|国民|法人|会员",
    ),
    (  # which ones
        r"哪些|哪几|有什么|什么(?!是|时候|意思)|哪种|几种",
        r"、|；|;|1[.、)]|\n.+\n|\S \S+ |以及|及|和",
    ),
    (  # which number to call
        r"电话|号码|专线|网址|联系|联络",
        r"\d{4}|https?|电|洽",
    ),
)
_COMPILED = tuple((re.compile(asked), re.compile(told, re.I | re.M)) for asked, told in _KINDS)
_ASKS = re.compile(
    r"[?？]|[吗呢]$|怎么|如何|什么|为何|多少|多久|哪|是否|能否|可不可以|能不能|有没有|是不是|为啥|咋|谁"
)
_QUESTION, _START = 60, 300


def fitting(question: str, texts: Sequence[str]) -> np.ndarray:
    """Return how much more than the others each text has of what the question wants to be told.

    A text that asks something itself gets 0: its own question tells better what it answers.
    """
    fits = np.zeros(len(texts))
    starts = [text.strip()[:_START] for text in texts]
    telling = [place for place, text in enumerate(starts) if not _ASKS.search(text[:_QUESTION])]
    if not telling:
        return fits
    for asked, told in _COMPILED:
        if asked.search(question):
            there = np.array([told.search(starts[place]) is not None for place in telling])
            fits[telling] += there - there.mean()
    return fits
