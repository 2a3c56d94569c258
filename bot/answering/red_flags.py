"""What must reach a person at once, told by its words before anything is searched."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from typing import NamedTuple

from bot.domain.actions import Action, HandOver, PauseMarketing
from bot.domain.lead import RESPOND_WITHIN, Need
from bot.domain.value import Value

_GAP = re.compile(r"[\s_·.*~\-]+")


class RedFlag(Value):
    """A kind of trouble: how it is handed over, and what is said at once."""

    name: str
    need: Need
    words: str

    @property
    def actions(self) -> tuple[Action, ...]:
        """Return what is done: always a person, after a complaint nothing that sells (S20)."""
        minutes = RESPOND_WITHIN[self.need] // timedelta(minutes=1)
        person = HandOver(need=self.need, within_minutes=minutes)
        if self.need is Need.COMPLAINT:
            return (person, PauseMarketing(days=None))
        return (person,)


class _Pattern(NamedTuple):
    flag: RedFlag
    heard: re.Pattern[str]
    unless: re.Pattern[str] | None


FRAUD = RedFlag(
    name="被骗",
    need=Need.RED_FLAG,
    words=(
        "您先别再操作，正开着共享屏幕的马上关掉。请马上打 110，也可以打本行客服 {客服电话} 挂失。"
        "{经理.称呼}现在就联系您。"
    ),
)
SUICIDE = RedFlag(
    name="轻生",
    need=Need.RED_FLAG,
    words=(
        "听您这么说，我很担心您。请先别一个人扛着，现在就打 12356 心理援助热线，"
        "或者打 110、120，也叫家人到您身边。{经理.称呼}马上联系您。"
    ),
)
ILLNESS = RedFlag(
    name="突发疾病",
    need=Need.RED_FLAG,
    words="身体要紧，请马上打 120，也叫家人或邻居到您身边。{经理.称呼}现在就联系您。",
)
COMPLAINT = RedFlag(
    name="投诉",
    need=Need.COMPLAINT,
    words=(
        "对不起，让您不痛快了。我马上转给负责人，1 小时内回您电话。"
        "您也可以打 {客服电话}，或拨 12378 向监管反映。"
    ),
)


def _pattern(flag: RedFlag, heard: str, unless: str = "") -> _Pattern:
    return _Pattern(flag, re.compile(heard), re.compile(unless) if unless else None)


# The order matters: who is being robbed and complains is being robbed first.
_PATTERNS = (
    _pattern(
        FRAUD,
        r"(共享|分享|投)(了|着|一下)?(手机)?(的)?屏幕|屏幕共享|开(了|着)?共享|远程(控制|操作)(我|了)"
        r"|(让|叫|要|教)我(下载|装|安装).{0,6}(会议|远程|软件)",
        r"(怎么|如何)(在电视|投屏)",
    ),
    _pattern(
        FRAUD,
        r"(我|刚|已经|已|才|好像|可能|是不是|家|老伴|妈|爸|钱).{0,10}(被骗|受骗|上当)|(被骗|上当)(了|走)"
        r"|骗(走|去|光)了?(我|他|她|老伴|家里|\d|钱)|遇(到|上)(了)?骗子",
        r"(怎么|如何|咋)(防|避免|才能不|不)|(防|预防|防止|避免|小心|怕|担心).{0,4}(被骗|上当|受骗|骗子)|别(再|又|让人)?(被骗|上当|受骗)"
        r"|会不会(被骗|上当)|没(有)?(被骗|上当)|不(会|是)(被骗|上当)",
    ),
    _pattern(
        FRAUD,
        r"(刚|刚刚|刚才|已经|才)(把|给|就|又|都)?.{0,10}((转|汇)(了|过去|出去|给|完|钱|账)|打(了)?(钱|款))"
        r"|(转|汇|打)(了|过去|出去|给).{0,12}(陌生|骗子|不认识|安全账户|公检法)|安全账户"
        r"|(钱|款)(都|已经|刚)?.{0,4}(转|汇)(走|出去|过去)了",
        r"(打|转)(了)?(电话|人工|个电话)|(工资|养老金|退休金).{0,6}(打|转|发)",
    ),
    _pattern(
        FRAUD,
        r"(验证码|密码).{0,8}(告诉|发|给|报|说)(给)?(了)?(他|她|对方|别人|人家|骗子|陌生人)了?"
        r"|(告诉|发给|报给|给)(了)?(他|她|对方|别人|人家|骗子|陌生人)(了)?.{0,6}(验证码|密码)",
        r"(能|可以|要不要|该不该|能不能)(告诉|发|给|报|说)|(别|不要|不能|没)(告诉|发|给|报|说)",
    ),
    _pattern(
        SUICIDE,
        r"轻生|自杀|不想活|活不下去|活着(没|有什么|还有什么)(意思|意义|劲)|寻短见|不如死|想死|去死算|一了百了|跳楼",
        r"想死(你|我|您|他|她|大家|孙子)们?了?",
    ),
    _pattern(
        ILLNESS,
        r"救命|叫救护车|喘不(上|过)(来)?气|胸口(很|好|特别|一阵|突然)?(疼|痛|闷)|昏(倒|过去|迷)|晕(倒|过去)"
        r"|(突然|刚才|刚刚|现在).{0,8}(摔(倒|了)|动不了|说不出话|半边|抽搐|不省人事)|心脏病(犯|发作)|中风了",
        r"救命(恩人|钱)",
    ),
    _pattern(
        COMPLAINT,
        r"投诉|举报(你|银行|经理|柜员)|12378|消协|银保监|态度(太|真|很|这么|特别|非常)?(差|恶劣|坏)|曝光你",
        r"(不|没|别|不想|没想|不用|撤销|撤回)投诉",
    ),
)


def red_flag(text: str) -> RedFlag | None:
    """Return the gravest trouble a message tells of; None in the ordinary case."""
    heard = _GAP.sub("", unicodedata.normalize("NFKC", text))
    for pattern in _PATTERNS:
        rest = pattern.unless.sub("", heard) if pattern.unless else heard
        if pattern.heard.search(rest):
            return pattern.flag
    return None
