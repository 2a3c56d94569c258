"""What is asked of the bot itself: who it is, and a person in its place."""

from __future__ import annotations

import re

_GAP = re.compile(r"[\s,，。.!！?？~～]+")

_WHO_ARE_YOU = re.compile(
    r"(你|您|小安|对面|这边|那边).{0,6}(是不是|是|到底是)?.{0,3}(真人|机器人|人工智能|AI|ai|智能助手|活人|人工)"
    r".{0,4}(吗|吧|么|还是|呢|不是|呀|啊)|是(真人|活人|机器人|人工|AI|ai)(吗|么|吧|还是|不)|(真人|人工)还是(机器|AI|ai)"
    r"|(你|您)(是谁|是人吗|叫什么|到底是谁)"
)
_A_PERSON = re.compile(
    r"(转|找|要|叫|接|换|喊|来|给我|想跟|跟|和|联系)(一下|个|一个|下|到)?.{0,4}"
    r"(人工|真人|活人|客服(人员)?|客户经理|理财经理|经理|工作人员|柜员)"
    r"|^(人工|真人|转人工|人工客服|人工服务|客户经理|找人|叫人)(吧|呢|服务)?$"
    r"|(有没有|有)(人工|真人|活人)|(让|请)(你们)?(的)?(客户)?(经理|人|工作人员).{0,4}(联系|回|打|找)"
    r"|不(想|要|愿意?)(跟|和)(机器人|机器|你)(说|聊)|打(个)?电话给我|给我(回|打)(个)?电话"
)
_ABOUT_IT = re.compile(r"(人工|客服|经理).{0,4}(费|电话(是)?(多少|几)|几点|多少钱|上班|号码)")


def asks_identity(text: str) -> bool:
    """Tell whether the customer wants to know if a person is speaking."""
    return bool(_WHO_ARE_YOU.search(_GAP.sub("", text)))


def wants_person(text: str) -> bool:
    """Tell whether the customer plainly asks for a person."""
    bare = _GAP.sub("", text)
    return bool(_A_PERSON.search(bare)) and not _ABOUT_IT.search(bare)


_GREETING = re.compile(
    r"(你|您)?好(呀|啊|的呀)?|在(吗|不在|么)|有人(吗|在吗)|(早上|上午|中午|下午|晚上)好|早"
    r"|嗨|哈喽|hello|hi|小安(你好|您好|在吗)?"
)
_THANKS = re.compile(
    r"(好的?|行|嗯|哦)*(谢谢|多谢|感谢|谢了)(你|您|小安|啦|了|哈|啊)*"
    r"|我?(知道|明白|懂|了解)了(谢谢)?|再见|拜拜"
)
_NOD = re.compile(r"(好的?|行|嗯+|哦+|噢|收到|ok|可以的?|没事了?|不用了)(吧|呀|啊|了|哈)*")


def courtesy(text: str) -> str | None:
    """Return the kind word that a greeting or thanks is owed; None where something is asked."""
    bare = _GAP.sub("", text).lower()
    if _GREETING.fullmatch(bare):
        return "我在呢。想问什么，直接打字告诉我就行。"
    if _THANKS.fullmatch(bare):
        return "不客气，有事随时找我。"
    if _NOD.fullmatch(bare):
        return "好的，有事随时找我。"
    return None
