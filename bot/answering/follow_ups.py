"""「那要多久」: questions that lean on the one before, and what they ask of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.answering.red_flags import bare
from bot.answering.wishes import courtesy
from bot.hanzi import simplified

CUSTOMER, PROGRAM = "客户:", "小安:"  # how the turns of a talk begin
_LONGEST = 16
_POINTS_BACK = re.compile(
    r"^(那么?|它|他们?(?=是|能|要)|这个?|那个|这种|那种|这样|那样|上面|刚才|还有|另外|然后"
    r"|再问|再)"
)
# All that can be asked of anything: what is left without it is the question's own topic.
_OF_ANYTHING = re.compile(
    r"那么?|它们?|这个?|那个|这种|那种|这样|那样|的话|刚才说的?|还|另外|然后|再|请问|麻烦"
    r"|问一?下|我|您|你们?|想|要是|要|需要|得|必须"
    r"|手续费|带|拿|准备|提供|什么|啥|哪些|证件|材料|手续|东西|资料|多久|多长时间|几天"
    r"|几个(工作日|月)|多少天|时间|什么时候|啥时候|多少|钱"
    r"|收费|收不收|费用|手续费|免费|贵|不|怎么|咋|如何|弄|办理?|做|操作|申请|起步?|最[少低多高]|在|去|到"
    r"|哪儿?|哪里|地方|网上|手机上|线上|自己|别人|孩子|家里?人"
    r"|代办?|替|帮|可以|可不可以|能不能|能|行不行|行|会|会不会|安全|保险|靠谱|有|没有|限制"
    r"|条件|要求|必须|本人|吗|么|呢|呀|啊|吧|嘛|的|了|是|是不是|就|都|也|和|跟|一?下|给|吗"
)
_POLITE = re.compile(
    r"^(您好|你好|小安|请问(一下)?|我?想?(问|咨询|了解)(一?下)?|麻烦问?一?下|那个?|就是)+"
)
_ASKING_END = re.compile(
    r"(怎么(办理?|弄|做|操作|处理|回事)|咋(办|弄)|如何(办理?|操作)|(要|需要)?(带"
    r"|准备)?(什么|啥|哪些)(证件|材料|手续|东西)?|在?哪(里|儿)?(办|买|看|查)?"
    r"|(要|需要)?多(久|少钱?|长时间)|几天|吗|么|呢|呀|啊|吧|嘛|行不行|可以|能不能"
    r"|是什么(意思)?|的)+$"
)
_ASPECTS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(asked), re.compile(told))
    for asked, told in (
        (
            r"多久|几天|多长时间|几个工作日|多少天",
            r"天|分钟|小时|当场|当天|马上|立刻|次日|工作日|随时|即时|实时|一会|就好",
        ),
        (r"什么时候|啥时候|几点|哪天", r"点|天|日|号|时间|随时|:\d\d|月|公告"),
        (
            r"(带|拿|准备|提供|要|需要).{0,3}(什么|啥|哪些)|证件|材料|手续(?!费)",
            r"带|身份证|证明|户口|材料|准备|证件",
        ),
        (r"收费|收不收|手续费|费用|多少钱|要钱|免费|贵", r"收费|不收|免费|元|费|收钱"),
        (r"哪(里|儿)|在哪|去哪|什么地方", r"网点|柜台|手机银行|大堂|12\d{3}|打 |官方"),
        (r"安全|保险|靠谱|保本|有风险", r"保险|安全|保本|亏|赔|风险|正规"),
        (
            r"代办|替|帮(他|她|我|忙)|别人|孩子|家里?人|本人",
            r"代办?|代取|本人|委托|孩子|家里?人|家人|亲属",
        ),
        (r"手机上|网上|线上|自己办", r"手机|网上|线上|App|柜台|网点"),
    )
)


def follows_up(text: str) -> bool:
    """Tell whether a short question leans on what was said before."""
    plain = bare(text).replace("\n", "")
    if not plain or len(plain) > _LONGEST:
        return False
    return bool(_POINTS_BACK.match(plain)) or has_no_topic(plain) or _names_another(plain)


def has_no_topic(text: str) -> bool:
    """Tell whether a question says nothing of what it is about: 「要带什么」."""
    return not _OF_ANYTHING.sub("", bare(text).replace("\n", ""))


def _names_another(plain: str) -> bool:
    """Tell whether it only names another thing of which the same is asked: 「周末呢」."""
    return plain.endswith("呢") and len(plain) <= 6


def joined(topic: str, text: str) -> str:
    """Return a question that stands alone: what it is about, and what is asked of it."""
    rest = _POINTS_BACK.sub("", bare(text).replace("\n", ""))
    return f"{subject_of(topic)}{rest or text}"


def subject_of(question: str) -> str:
    """Return what a question is about, without how it asks."""
    plain = _POLITE.sub("", bare(question).split("\n")[-1])
    return _ASKING_END.sub("", plain) or plain


def covers(asked: str, told: str) -> bool:
    """Tell whether a text says anything of what is asked of a thing: how long, what to bring."""
    asked, told = simplified(asked), simplified(told)
    wanted = [there for heard, there in _ASPECTS if heard.search(asked)]
    return not wanted or any(there.search(told) for there in wanted)


def last_topic(history: Sequence[str], unanswered: Sequence[str]) -> str:
    """Return the newest question that stood alone and was answered; empty where there is none.

    ``unanswered`` are beginnings of the words that are no answers. A question that was declined,
    or that a person took, ends the search: nobody asks on about the one before it.
    """
    answered = False
    for turn in reversed(history):
        if turn.startswith(PROGRAM):
            answered = not any(words in turn for words in unanswered)
        elif turn.startswith(CUSTOMER):
            said = turn.removeprefix(CUSTOMER).strip()
            if follows_up(said) or courtesy(said) is not None:
                continue
            return said if answered else ""
        else:
            return ""
    return ""
