"""「转人工」 in whatever words: the wish for a person, with slips of the pen and of the ear.

Who writes by hand or speaks to the keyboard gets the sounds right and the characters wrong
(专人工, 转人功), and who is in a hurry leaves half of it out. Who says 「不用转人工」 wants none.
"""

from __future__ import annotations

import re
import unicodedata

from bot.hanzi import simplified

_GAP = re.compile(r"[\s,，。.、!！?？~～:：\-_…]+")
_TO, _MAN, _WORK = "[转专砖赚传撰]", "[人仁任认壬]", "[工公功攻弓供宫]"
_SOMEBODY = (
    r"(人工|真人|活人|客服(人员)?|坐席|座席|客户经理|理财经理|经理|工作人员|柜员|行长"
    r"|负责人|接线员)"
)
_ABLE = r"(懂(行|的|事)?|[会能]说(人)?话|[会能]办事|管事|主事|明白|会?喘气|活|能做主|说了算)"
_MACHINE = r"(机器人?|AI|智能(助手|客服)|电脑|程序)"
# What may follow on 「叫个人来」: 「叫人来取钱可以吗」 is another wish.
_END = r"($|吧|呀|啊|行|好|跟我|和我|同我|接|说|聊|讲|答|管|帮|教|处理)"
_TALK = r"(说|聊|讲|谈|交谈|交流|沟通|对话|唠|倾)"
_HERE = r"(还)?(您|你)?(在吗|在么|在不在|在线|呢$)"
_A_PERSON = re.compile(
    rf"(转|找|要|叫|接|接通|换|喊|来|揾|搵|给我|想跟|跟|和|联系)(一下|个|一个|位|下|到)?.{{0,4}}{_SOMEBODY}"
    rf"|{_TO}(接|到|给)?{_MAN}{_WORK}|^(请|麻烦|帮我|给我)*转接(一下|吧|谢谢)*$"
    rf"|^({_MAN}{_WORK})+(客服|服务|台|坐席|座席)?(吧|呢|在吗|在不在)?$"
    r"|^(真人|活人|转人|找人|叫人|人工|客服|客户经理|坐席|座席|接线员)(客服|服务|台)?(吧|呢|在吗)?$"
    r"|^(在线|网上|人工|真人)+客服(服务|在线)*$"
    r"|有(个|没有|冇|无)?(人工|真人|大?活人)|没有?一?个?(真人|活人)|(真人|活人)(客服|服务)"
    rf"|(人工|真人|活人|客服|工作人员|柜员|经理|值班的人?|柜台的人){_HERE}|有(没有|冇|无)?工作人员"
    r"|(让|请|叫|喊)[^,，。]{0,6}(经理|客服|工作人员|柜员|行长|领导).{0,4}"
    r"(联系|回|打|找|加|来(?!办|取)|跟我|和我|答复)"
    r"|(让|请|叫|喊)(小|老)(?![孩儿辈伙朋姑女人])[一-龥](来|过来|联系|回我|跟我|接)"
    r"|(经理|客服|柜员)在(吗|么|不在)"
    rf"|不(想|要|愿意?|再)?(再)?(跟|和|同)(这个?|你这)?({_MACHINE}|你)(说|聊|讲|谈|聊天|废话)"
    r"|不(要|用|想要)机器|机器人?(走开|滚|闭嘴|没用)|别(用|拿|让)机器"
    rf"|(别|不要|少)(再)?(跟我|和我|给我|拿|用|让|叫|整|扯|搞|来){{0,2}}{_MACHINE}"
    r"(了|吧|糊弄|来|跟|和|回|说|答|烦|敷衍|应付|骗|$)"
    rf"|(想|要|让我|能不能|可不可以|可以|得)(再|直接|就)?(跟|和|同|与)(你们的?|真正的|真的?|大?活)?人{_TALK}"
    rf"|(叫|喊|换|来|找|揾|搵|派|让|请)(一)?(个|名|位)?(真|大?活)?人(来|过来|出来)?{_END}"
    r"|(叫|喊|让)(你|您|恁)(们|家)?的?人来"
    rf"|(找|来|叫|换|派|喊|让|请|给)(我|我来|我找)?(一)?(个|位)?{_ABLE}的(人)?(来|跟我|和我|讲|说|接|$)"
    r"|(找|来|叫|换|喊|派|请)(一)?(个|位)(明白|管事|主事|能人|懂行)的?人|有(没有)?(会)?喘气的"
    r"|(请|让|给|派|接)(我|一)?(个|位)?(真人|大?活人)|(给我)?接(一)?个人$|给我(一?个)?人$"
    r"|把人(叫|喊|找)(来|出来)|只(想|要|肯|愿意?)?(跟|和|同|与)(真|活)?人(说|聊|讲|谈)"
    r"|(找|叫|喊|让|换|跟|和|请)你们(那边|这边|那里|那个|那)?的?(工作人员|小?姑娘|小伙子?|同事|师傅|老师|大姐|人)"
    r"(出来|过来|来|跟|和|接|说|谈|讲|聊|通话|沟通|回)"
    r"|要(个)?(真的?|大?活)人|(?<!需)要人$|是(真|活)人再(说|聊)"
    r"|打(个)?电话给我(?!的?[儿女老爸妈父母家孩孙爱媳丈哥姐弟妹爷奶朋同])|给我(回|打)(个)?电话"
    r"|能(不能)?(给我|跟我)?(来|打|回)(一?个)?电话(吗|跟我|给我|说|$)"
    r"|^((有没有|没有?|冇|有冇|有无)人(在线|在|管|理我?|啊|呀|吗|么|了)*|请?问?有人在线(吗|么)"
    r"|人呢|人哪|人(都)?(死)?(到)?哪(儿|里)?去了)$"
)
_IN_LETTERS = re.compile(r"(zhuan|转)?rengong|^(zrg|rg)$", re.IGNORECASE)
_SHORT = 10  # characters: in so few 人工 is a wish whatever stands around it
_LITTLE = 6  # characters beside 不用转人工, such as 你说就行
_ASKS = re.compile(r"怎么|咋|吗|么|什么|啥|多少|几点|哪|能不能|为何")
# Whoever is only called out for: at the beginning of a talk it is a greeting.
_CALLS = re.compile(r"有人(在)?(吗|么|嘛|没)(有)?")
_HELLO = re.compile(r"^(喂|你好|您好|哈喽|hello|hi|请问)+", re.IGNORECASE)
_NO = r"(不用|不要|不必|不需要|不想|先不|暂时不|别(?!人)|甭|无需|取消)"
_DECLINED = re.compile(
    rf"(?<!怎么)(?<!为啥)(?<!什么){_NO}(再|先|给我|帮我|你|您|去|急着|麻烦|用|了)*"
    rf"(转|找|叫|喊|请|接|要|派)?(一下|到|给|个)?(人工(?!智能)|人(?=了|来|$)|{_SOMEBODY}(?!智能))"
    r"(服务|客服|过来|来|联系我?|打扰|了|吧|啊|呢)*|^(算了)?不(转|找|叫|等)(人工?|真人)?了(吧|啊)*$"
)
_GIVEN_UP = re.compile(
    r"(那|就)?(算了|不用了|不用转了?|不用找了?|不用来了?|不用等了?|不转了|不找了|不等了|不麻烦了?"
    r"|没事了|解决了|弄好了|会了)+(吧|啊|哈|谢谢|了|我|自己|已经)*"
)
# What is said around the wish: 来, 跟我说清楚, 行不行.
_AROUND_IT = re.compile(
    r"说清楚|通话|接?电话|处理|解决|清楚|一下|赶紧|麻烦|帮忙|马上|出来|过来|[来去跟和帮给同与我你您他她俺]"
    r"|[说讲谈聊接办弄答话问就只快再的吧呀啊了行好吗不呢哈要想嘛下]"
)
_ABOUT_IT = re.compile(
    r"(人工|客服|经理|工作人员|柜员).{0,4}(费|智能|授精|电话(是)?(多少|几)|几点|多少钱|上班|下班|号码|是干)"
    r"|人工(柜|窗口|网点|成本|审核|取|存|办理?|湖|降)|人工.{0,3}还是|(电话银行|热线|95\d{3}).{0,8}人工"
    r"|(找|叫|让|请)(别|个|家|熟)?人.{0,4}(代|办卡|取|领|存|开户|签).{0,8}(吗|么|什么|可以|行|怎么|要)"
    r"|(有(个)?人|对方|别人|陌生人?|骗子|他们?|她|客服|自称.{0,6}).{0,6}给我(打|回)"
    r"|(冒充|自称|假|说是).{0,4}(客服|经理|工作人员)"
)


def wants_person(text: str) -> bool:
    """Tell whether the customer plainly asks for a person."""
    heard = _DECLINED.sub("", _heard(text))
    if _IN_LETTERS.search(heard):
        return True
    wish = _A_PERSON.search(heard) or ("人工" in heard and len(heard) <= _SHORT)
    return bool(wish) and not _ABOUT_IT.search(heard)


def calls_out(text: str) -> bool:
    """Tell whether the customer only calls for somebody: 有人吗, in the middle of a talk."""
    return _CALLS.fullmatch(_heard(text)) is not None


def declines_person(text: str) -> bool:
    """Tell whether the customer says that no person is wanted, and asks nothing: 不用转人工."""
    heard = _heard(text)
    rest = _DECLINED.sub("", heard)
    said = rest != heard and len(rest) <= _LITTLE and not _ASKS.search(heard)
    return said and not wants_person(text)


def gives_up_person(text: str) -> bool:
    """Tell whether a customer who was promised a person says that it is settled: 算了，不用了."""
    return declines_person(text) or _GIVEN_UP.fullmatch(_heard(text)) is not None


def only_wishes_person(text: str) -> bool:
    """Tell whether a message, without blanks and marks, says only whether a person is wanted."""
    if _DECLINED.fullmatch(text):
        return True
    wish = _A_PERSON.search(text) is not None
    return wish and not _AROUND_IT.sub("", _A_PERSON.sub("", text))


def _heard(text: str) -> str:
    """Return a message without blanks, marks and a greeting, in plain simplified characters."""
    bare = _GAP.sub("", simplified(unicodedata.normalize("NFKC", text)))
    return _HELLO.sub("", bare) or bare
