"""Whether a line in a customer group is a question to the bank, and not talk among its members."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from bot.hanzi import simplified

_LEAST = 4
_NAMED = re.compile(r"@([^\s@\u2005]{1,20})")
_LIST = re.compile(
    r"接龙|(?:^|\s)\d{1,2}[.、)）]\s*\S+.*\d{1,2}[.、)）]|^\d{1,2}[.、)）]\s*\S{1,8}|^\+\d"
)
_STAFF = re.compile(r"^[\u4e00-\u9fff]{1,3}?(?:经理|主任|行长|老师)|^(?:小安|客服|银行的?同志)")
_FORM = re.compile(
    r"[?？]|吗|么(?=$|[,，。!！])|呢(?=$|[,，。!！])|怎么|怎样|咋|如何|多少|几(?:点|号|楼|天|年|个|路|岁|块)"
    r"|哪|什么|啥|能不能|可不可以|要不要|是不是|有没有|会不会|能否|是否|可否|为何|为什么|多久|多长|谁"
    r"|([\u4e00-\u9fff])不\1|还是.{1,12}(?:好|划算|合适)|(?:不|没有?)(?=$|[?？])"
)
_ASKS_FOR = re.compile(
    r"请问|问(?:一下|下|问|声)|打听|咨询|请教|想知道|告诉我|教(?:教|一下|我)|求助|"
    r"帮(?:我|忙)(?:看|查|问|弄|办)|麻烦(?:您|你|帮|问|查)|想(?:要)?预约|想把.{1,12}(?:转|改|换|取|存)"
)
_TROUBLE = re.compile(
    r"(?:登|打|点|刷|取|查|找|收|看|转|用|弄|调|下载|安装|激活|扫)不(?:上|开|了|出|到|动|进|来|成|清)"
    r"|没(?:反应|到账|收到|来)|还没(?:到|来|办)|不会(?:用|弄|点|操作|转|调)|不知道怎么|不明白|搞不(?:懂|清)"
    r"|被(?:吞|锁|冻|扣|盗)|异常|锁住|忘了密码|(?:丢|掉|坏)了|过号|少了"
)
_MATTER = re.compile(
    r"银行|网点|支行|柜|存(?!在)|取(?:钱|款|现|号|出|不)|钱|卡(?!拉)|折(?!腾|磨)|利(?:息|率)|国债|理财|"
    r"结构性|基金|保险|贷|款|转(?:账|错|出|进|人|到)|限额|密码|手机号|短信|验证|余额|账|到期|定期|活期|大额|养老金|"
    r"退休金|社保|医保|身份证|开户|销户|挂失|激活|预约|代办|代发|年费|手续费|违约|兑换|积分|残币|零钱|硬币|外币|"
    r"美元|ATM|网银|盾|APP|小程序|软件|大字|字.{0,3}(?:大|小)|老年版|长辈版|扫码|免密|代缴|水电费|证明|"
    r"小课堂|课|活动|报名|位子|停车|公交|几路|上班|下班|开门|关门|营业|值班|排队|叫号|号码|地址|搬|材料|"
    r"复印|骗|诈|中奖|链接|冻结|客服|按钮|点(?:哪|这|开|那)|哪里点|下载|到账|单子|起点|几个点|代老伴|利",
    re.IGNORECASE,
)
_CHAT = re.compile(
    r"吃|喝|菜|鸡蛋|饭|跳舞|广场|打麻将|麻将|下棋|公园|散步|锻炼|天气|下雨|下雪|冷|热(?!线)|穿|花(?!眼|钱|费)|猫|狗|"
    r"孙|电视|电影|歌|旅游|相册|照片|帽子|衣服|医院|病|腰|腿|生日|快乐|棋|钓鱼|买菜|岁|考试|同事|家里坐|聊"
)
_RHETORICAL = re.compile(
    r"谁知道|谁说不是|可不是|有?什么(?:了不起|办法|好说|大不了)|怎么可能|哪里哪里|哪有(?:那么|这么)|哪能|"
    r"难道|何必|何苦|还用说|说是不是|高兴不高兴|(?:又|还).{0,4}不是$|对吧|是吧|没什么|不知道说(?:什么|啥)|"
    r"怎么说呢|怎么办.{0,3}(?:慢慢|只能)|还能怎么办|什么都|哪儿都|哪里都|怎么都|谁都|多少都|几点都|啥都|"
    r"什么[^,，。?？]{1,6}不[^,，。?？]{1,6}的|好什么好|怎么(?:那么|这么)(?!.{0,8}(?:办|用|弄))|多好|多(?:漂亮|热闹|精神)|"
    r"不知道(?:明天|会不会)|叫什么来着|说什么|我不知道|行了呢|难怪|太客气"
)
_TELLS = re.compile(
    r"我?(?:已经|问过了|都记下|学会了|取好了|办好了|刚存)|(?:谢谢|辛苦|明白|收到|知道)(?:了|您|你|啦|大家|陈|经理|$)"
)
_COURTESY = re.compile(r"^(?:谢谢|感谢|辛苦|收到|好的|明白|祝|早上好|晚安|大家)")
_CLAUSE = re.compile(r"[,，。!！;；~～\n]+")
_TO_ONE = re.compile(r"^[,，:： ]*(?:你|您|家|早|晚|说|慢|的|在|去|是|也|有|最近|今天|昨天)")


def asks_the_bank(text: str, *, staff: Collection[str] = (), others: Collection[str] = ()) -> bool:
    """Tell whether a line asks something that the bank may know the answer to.

    ``staff`` and ``others`` are the names of the bank's people and of the other members: what is
    said to a member is not asked of the bank. A sum-up of who takes part (接龙), thanks and
    questions that nobody answers are none; a trouble that is told is one without any mark.
    """
    said = unicodedata.normalize("NFKC", simplified(text)).strip()
    to = _addressed(said, staff, others)
    words = _without_names(said, staff, others)
    if to == "member" or len(words) < _LEAST or _LIST.search(said):
        return False
    if _COURTESY.match(words) and not _MATTER.search(words):
        return False
    if _ASKS_FOR.search(words) and (_MATTER.search(words) or _says_what(words, to)):
        return True
    return any(_asks(clause, words, to) for clause in _CLAUSE.split(words) if clause)


def _asks(clause: str, whole: str, to: str) -> bool:
    """Tell whether one clause asks: it has a question's form, or tells of a trouble."""
    if _RHETORICAL.search(whole) or _TELLS.search(whole):
        return False
    asks = bool(_FORM.search(clause)) or bool(_TROUBLE.search(clause) and _MATTER.search(whole))
    if not asks:
        return False
    if to == "staff" or _MATTER.search(whole):
        return not (_CHAT.search(clause) and not _MATTER.search(clause))
    return not _CHAT.search(whole) and bool(_ASKS_FOR.search(whole) or _ends_as_one(clause))


def _says_what(words: str, to: str) -> bool:
    """Tell whether words to the bank's people say more than that somebody wants to ask."""
    return (
        to == "staff"
        and len(re.sub(r"[\W_]|我|想|在|您|你", "", _ASKS_FOR.sub("", words))) >= _LEAST
    )


def _ends_as_one(clause: str) -> bool:
    return bool(re.search(r"[?？]$|怎么(?:办|弄|用|点|按|调|开|关)|在?哪里?(?:点|看|弄)$", clause))


def _addressed(said: str, staff: Collection[str], others: Collection[str]) -> str:
    """Return whom a line is said to: "staff", "member", or "" for nobody in particular."""
    named = _NAMED.findall(said)
    if any(name in staff or _STAFF.match(name) for name in named):
        return "staff"
    if any(name in others for name in named):
        return "member"
    if _STAFF.match(said) or any(said.startswith(name) for name in staff if len(name) > 1):
        return "staff"
    for name in others:
        rest = said.removeprefix(name)
        if (
            len(name) > 1
            and rest != said
            and (not rest or _TO_ONE.match(rest) or rest[0] in ",， ")
        ):
            return "member"
        if len(name) > 1 and re.search(rf"[,，]{re.escape(name)}[!！?？。]?$", said):
            return "member"
    return ""


def _without_names(said: str, staff: Collection[str], others: Collection[str]) -> str:
    words = _NAMED.sub("", said)
    for name in (*staff, *others):
        if len(name) > 1:
            words = words.removeprefix(name)
    return words.strip(" \u2005,，")
