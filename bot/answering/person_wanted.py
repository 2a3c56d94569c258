"""「转人工」 in whatever words: the wish for a person, with slips of the pen and of the ear.

Who writes by hand or speaks to the keyboard gets the sounds right and the characters wrong
(专人工, 转人功), and who is in a hurry leaves half of it out.
"""

from __future__ import annotations

import re

from bot.hanzi import simplified

_GAP = re.compile(r"[\s,，。.、!！?？~～:：\-_…]+")
_TO, _MAN, _WORK = "[转专砖赚传撰]", "[人仁任认壬]", "[工公功攻弓供宫]"
_SOMEBODY = (
    r"(人工|真人|活人|客服(人员)?|坐席|座席|客户经理|理财经理|经理|工作人员|柜员|行长"
    r"|负责人|接线员)"
)
_ABLE = r"(懂(行|的|事)?|[会能]说(人)?话|[会能]办事|管事|主事|明白|会?喘气|活|能做主|说了算)"
# What may follow on 「叫个人来」: 「叫人来取钱可以吗」 is another wish.
_END = r"($|吧|呀|啊|行|好|跟我|和我|接|说|聊|讲|答|管|帮我|处理)"
_A_PERSON = re.compile(
    rf"(转|找|要|叫|接|接通|换|喊|来|给我|想跟|跟|和|联系)(一下|个|一个|位|下|到)?.{{0,4}}{_SOMEBODY}"
    rf"|{_TO}(接|到|给)?{_MAN}{_WORK}"
    rf"|^({_MAN}{_WORK})+(客服|服务|台|坐席|座席)?(吧|呢|在吗|在不在)?$|人工(呢|在吗|在不在)"
    r"|^(真人|活人|转人|找人|叫人|人工|客服|客户经理|坐席|座席|接线员)(客服|服务|台)?(吧|呢|在吗)?$"
    r"|有(个|没有)?(人工|真人|大?活人)|(真人|活人)(客服|服务)"
    r"|(让|请|叫|喊)[^,，。]{0,6}(经理|客服|工作人员|柜员|行长|领导).{0,4}"
    r"(联系|回|打|找|加|来(?!办|取)|跟我|和我|答复)"
    r"|(经理|客服|柜员)在(吗|么|不在)"
    r"|不(想|要|愿意?|再)?(再)?(跟|和|同)(这个?|你这)?(机器人?|你)(说|聊|讲|谈|聊天|废话)"
    r"|不(要|用|想要)机器|机器人?(走开|滚|闭嘴|没用)|别(用|拿|让)机器"
    r"|(想|要|让我|能不能|可不可以|可以|得)(再|直接|就)?(跟|和|同|与)(你们的?|真的?|大?活)?人(说|聊|讲|谈|沟通|对话)"
    rf"|(叫|喊|换|来|找|派|让|请)(一)?(个|位|名)?(真|大?活)?人(来|过来|出来)?{_END}"
    rf"|(找|来|叫|换|派|喊|让|请|给)(我|我来|我找)?(一)?(个|位)?{_ABLE}的(人)?(来|跟我|和我|讲|说|接|$)"
    r"|(找|来|叫|换|喊|派|请)(一)?(个|位)(明白|管事|主事|能人|懂行)的?人|有(没有)?(会)?喘气的"
    r"|(请|让|给|派|接)(我|一)?(个|位)?(真人|大?活人)|(给我)?接(一)?个人$|把人(叫|喊|找)(来|出来)"
    r"|只(想|要|肯|愿意?)?(跟|和|同|与)(真|活)?人(说|聊|讲|谈)"
    r"|(找|叫|喊|让|换|跟|和|请)你们(那边|这边|那里|那个|那)?的?(工作人员|小?姑娘|小伙子?|同事|师傅|老师|大姐|人)"
    r"(出来|过来|来|跟|和|接|说|谈|讲|聊|通话|沟通|回)"
    r"|要(个)?(真的?|大?活)人|(?<!需)要人$|是(真|活)人再(说|聊)"
    r"|打(个)?电话给我|给我(回|打)(个)?电话"
    r"|^((有没有|没|没有)人(在|管|理我?|啊|呀|吗|么|了)+|人呢|人哪|人去哪了)$"
)
_IN_LETTERS = re.compile(r"(zhuan|转)?rengong|^(zrg|rg)$", re.IGNORECASE)
# What is said around the wish: 来, 跟我说清楚, 行不行.
_AROUND_IT = re.compile(
    r"说清楚|通话|接?电话|处理|解决|清楚|一下|赶紧|麻烦|帮忙|马上|出来|过来|[来去跟和帮给同与我你您他她俺]"
    r"|[说讲谈聊接办弄答话问就只快再的吧呀啊了行好吗不呢哈要想嘛下]"
)
_ABOUT_IT = re.compile(
    r"(人工|客服|经理|工作人员|柜员).{0,4}(费|智能|授精|电话(是)?(多少|几)|几点|多少钱|上班|下班|号码|是干)"
    r"|(有(个)?人|对方|别人|陌生人?|骗子|他们?|她|客服|自称.{0,6}).{0,6}给我(打|回)"
    r"|(冒充|自称|假|说是).{0,4}(客服|经理|工作人员)"
)


def wants_person(text: str) -> bool:
    """Tell whether the customer plainly asks for a person."""
    heard = _GAP.sub("", simplified(text))
    if _IN_LETTERS.search(heard):
        return True
    return bool(_A_PERSON.search(heard)) and not _ABOUT_IT.search(heard)


def only_wishes_person(text: str) -> bool:
    """Tell whether a message, without blanks and marks, says nothing but the wish for a person."""
    wish = _A_PERSON.search(text) is not None
    return wish and not _AROUND_IT.sub("", _A_PERSON.sub("", text))
