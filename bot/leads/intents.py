"""Which need of the bank's a customer's words tell of, and how plainly; rules only, and pure.

It hears what may become business. Danger, complaints and the wish for a person are heard elsewhere
and before this; whoever asks about a loan he has, a lost card or a swindler wants service, not a
manager who sells.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from bot.domain.lead import Need
from bot.hanzi import simplified

WISH, INTEREST, CURIOUS = 40.0, 22.0, 10.0
_LONGEST = 200  # characters: in a longer story nobody asks for a product
_CLAUSE = re.compile(r"[,，。.!！?？;；\n~～…]+")
_GAP = re.compile(r"[\s_·\-\"“”'「」()（）*]+")


class Intent(NamedTuple):
    """A need that words tell of: for which class of product, and whether it is wished outright."""

    need: Need
    product: str
    explicit: bool
    points: float


class _Class(NamedTuple):
    need: Need
    product: str
    named: re.Pattern[str]


def _class(need: Need, product: str, named: str) -> _Class:
    return _Class(need, product, re.compile(named, re.IGNORECASE))


_DUE = (
    r"(存单|存款|定期|理财|国债|大额|结构性|基金|产品|[那这一]?笔?钱|资金).{0,8}(到期|快到了|期满)"
    r"|(到期|期满).{0,8}(转存|续存|续期|续上|续做|再存|接着存|继续存|怎么(办|存|处理|安排)|该怎么)"
    r"|(转存|续存|续做|接着存)"
)
_CLASSES: Sequence[_Class] = (
    _class(Need.MATURITY, "", _DUE),
    _class(Need.LOAN, "房贷", r"房贷|按揭|(买|购|换)房.{0,6}(贷|借)|公积金贷"),
    _class(Need.LOAN, "车贷", r"车贷|(买|购)车.{0,6}(贷|借|分期)"),
    _class(
        Need.LOAN,
        "经营贷",
        r"经营贷|小微贷|税贷|抵押贷|(生意|店里|公司|厂里|企业|进货|开店).{0,10}(贷|借|周转)",
    ),
    _class(
        Need.LOAN,
        "",
        r"贷款|消费贷|信用贷|装修贷|贷(点|一?笔|个|几|些)|(资金|钱)周转|周转(一下|资金)"
        r"|(跟|向|找|从)(你们|银行|咱们)?.{0,4}借(点|一?笔|几|些)?.{0,3}(钱|万)",
    ),
    _class(Need.CARD, "信用卡", r"信用卡|贷记卡"),
    _class(
        Need.CARD,
        "储蓄卡",
        r"储蓄卡|借记卡|工资卡|社保卡|开(个)?户"
        r"|(办|开|申请|新办|领).{0,3}(张|个)?(银行)?卡",
    ),
    _class(Need.WEALTH, "国债", r"国债|储蓄国债"),
    _class(Need.WEALTH, "基金", r"基金|定投|ETF"),
    _class(Need.WEALTH, "保险", r"保险(?!箱|柜)|年金险|分红险|增额|养老险|重疾"),
    _class(Need.WEALTH, "贵金属", r"(黄金|金条|贵金属|积存金|纪念币|金豆)"),
    _class(Need.WEALTH, "个人养老金", r"个人养老金"),
    _class(
        Need.WEALTH,
        "存款",
        r"存款|大额存单|结构性|定期|存单|存(点|一?笔|几|些|个)|(把)?钱存",
    ),
    _class(Need.WEALTH, "理财", r"理财|资管|净值型|固收|钱.{0,6}(打理|放哪|怎么放)|投资|财富"),
)
# Words that turn all of it into something else: a swindle, an account one has, somebody's trouble.
_ELSEWHERE = re.compile(
    r"骗|诈|假冒|冒充|陌生人|刷单|中奖|内幕|杀猪|套路贷|网贷|校园贷|征信修复|洗白|代办证"
    r"|挂失|丢了|弄丢|遗失|被盗|盗刷|吞卡|被吞|密码|冻结|解冻|注销|销户|销卡|解绑|取不出"
    r"|亏了|亏损|赔了|投诉|举报|去世|过世|继承|遗产|停卡|换卡|补卡|补办|账单"
    r"|(身份证|证件|卡).{0,4}(到期|过期|有效期)"
    r"|还款|还贷|还不上|提前还|提前结清|结清|月供|逾期|催收"
    r"|存款保险|保险柜|保管箱|社会保险|医疗保险|医保|保险合同号|退保|理赔"
)
_NOT = re.compile(
    r"(不|没|别|勿|无|莫)(太|怎么|再|会|有|必|大)?"
    r"(想|要|用|需|打算|考虑|买|办|存|贷|借|兴趣|感兴趣|推|发|碰|敢)"
    r"|没(有)?(兴趣|闲钱|钱)|算了|拒绝|退订|改天|以后再说|再说吧|等等再"
)
_NOT_NOT = re.compile(
    r"(能|可|要|是|会|好|行)不(能|可以|可|要|是|会|好|行)|有没有|想不想|不知道|不懂"
    r"|不会(买|办|弄|操作)"
)
_OTHERS = re.compile(
    r"(邻居|同事|朋友|别人|人家|同学|亲戚|老[王李张刘陈赵]|隔壁|他们|她们|[他她])"
    r"(都|也|就|说|在)?.{0,6}(买|办|存|贷|借|做)(过|了|的)"
)
_DONE = re.compile(
    r"(买|办|存|贷|借|开|申请|转|续)(好|完|过|成功)?了(?!.{0,3}(怎|咋|吗|么|什|啥|多|能|可))"
    r"|已经(买|办|存|贷|开)"
)
_ACT = (
    r"(购买|买|办理|办|申请|开通|开|存入|存|贷|借|配置|投|入手|做(一?笔|点|个)|续存|转存|续"
    r"|再存|认购|预约|领)"
)
_WISH = re.compile(
    r"(想|要|打算|准备|考虑|需要|急需|计划|希望|帮我|给我|替我|麻烦|帮忙|我来)"
    r"(要|再|也|去|来|着|先|跟|找|给(我|自己|爸妈|孩子|老伴|家里人?)?|(在)?你们(这|那)?|贵行|您|你"
    rf"|把.{{0,10}}|一下|点|用.{{0,8}}|一?笔?钱)?{_ACT}"
)
_ONCE_ASKED = re.compile(
    r"(要|需要)(办|买|带|准备|开)?(什么|啥|哪些|多久|多少|多长|几)|想问|请问|要(不要|是|多)|是不是"
)
_INTEREST = re.compile(
    r"(想|要|打算|来)?(了解|咨询|问问|看看|打听|聊聊|听听|介绍)"
    rf"|(怎么|如何|咋|哪里|哪儿|去哪|什么时候|啥时候).{{0,4}}{_ACT}"
    rf"|(能|可以|可不可以|能不能|可否|行不行).{{0,6}}{_ACT}"
    rf"|{_ACT}.{{0,8}}(条件|材料|手续|要求|流程|资料)"
    r"|有(什么|啥|没有|哪些).{0,8}(推荐|合适|好点?的|产品|可以(买|存|办))|推荐"
    r"|哪(个|款|种|只).{0,4}(好|合适|划算)|(怎么|如何|咋)(办|存|安排|处理|打理|放)"
    r"|到期|快到了|期满|周转"
)
_ASKS = re.compile(
    r"[?？]|吗|么$|呢$|怎么|咋|如何|多少|几|哪|什么|啥|能不能|可不可以|有没有"
    r"|利率|利息|收益|额度|起点|门槛"
)


def intent_of(text: str) -> Intent | None:
    """Return the plainest need that words tell of; None where they tell of none."""
    plain = unicodedata.normalize("NFKC", simplified(text))
    if len(plain) > _LONGEST or _ELSEWHERE.search(_GAP.sub("", plain)):
        return None
    asks = bool(_ASKS.search(plain))
    clauses = [_GAP.sub("", clause) for clause in _CLAUSE.split(plain)]
    heard = [_of_clause(clause, asks) for clause in clauses if clause]
    found = [one for one in (*heard, _across(clauses, asks)) if one is not None]
    return max(found, key=lambda one: one.points, default=None)


def _of_clause(clause: str, asks: bool) -> Intent | None:
    """Return what one clause says by itself."""
    meant = _named(clause)
    if meant is None or _is_not_meant(clause):
        return None
    return _intent(meant, _points(clause, asks))


def _across(clauses: Sequence[str], asks: bool) -> Intent | None:
    """Hear a product named in one clause and what is wanted of it in another: 国债，怎么买."""
    for clause in clauses:
        meant = _named(clause) if clause else None
        if meant is not None and not any(_is_not_meant(one) for one in clauses):
            return _intent(meant, max(_points(one, asks) for one in clauses))
    return None


def _intent(meant: _Class, points: float) -> Intent | None:
    if not points:
        return None
    return Intent(meant.need, meant.product, points == WISH, points)


def _named(clause: str) -> _Class | None:
    return next((one for one in _CLASSES if one.named.search(clause)), None)


def _is_not_meant(clause: str) -> bool:
    """Tell whether a product is named only to say no, or to tell what somebody else did."""
    said_no = _NOT.search(_NOT_NOT.sub("", clause))
    return bool(said_no or _OTHERS.search(clause) or _DONE.search(clause))


def _points(clause: str, asks: bool) -> float:
    """Return how plainly something is wanted: outright, with interest, or asked in passing."""
    if _WISH.search(clause) and not _ONCE_ASKED.search(clause):
        return WISH
    if _INTEREST.search(clause):
        return INTEREST
    return CURIOUS if asks else 0.0
