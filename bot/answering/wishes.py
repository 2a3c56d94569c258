"""What is asked of the bot itself: who it is, and a person in its place."""

from __future__ import annotations

import re

from bot.answering.person_wanted import wants_person as wants_person
from bot.hanzi import simplified

_GAP = re.compile(r"[\s,，。.!！?？~～]+")

_WHO_ARE_YOU = re.compile(
    r"(你|您|小安|对面|这边|那边).{0,6}(是不是|是|到底是)?.{0,3}(真人|机器人|人工智能|AI|ai|智能助手|活人|人工)"
    r".{0,4}(吗|吧|么|还是|呢|不是|呀|啊)|是(真人|活人|机器人|人工|AI|ai)(吗|么|吧|还是|不)|(真人|人工)还是(机器|AI|ai)"
    r"|(你|您)(是谁|是人吗|叫什么|到底是谁)"
)


def asks_identity(text: str) -> bool:
    """Tell whether the customer wants to know if a person is speaking."""
    return bool(_WHO_ARE_YOU.search(_GAP.sub("", simplified(text))))


_GREETING = re.compile(
    r"(你|您)好(呀|啊)?|还?在(吗|不在|么)|(喂|你好|您好|哈喽|hello|请问)*有人(在)?(吗|么|嘛)|早|喂+"
    r"|(早上|上午|中午|下午|晚上)好"
    r"|嗨|哈喽|hello|hi|小安(你好|您好|在吗)?"
)
_THANKS = re.compile(
    r"(好的?|行|嗯|哦)*(谢谢|多谢|感谢|谢了)(你|您|小安|啦|了|哈|啊)*"
    r"|我?(知道|明白|懂|了解)了(谢谢)?|再见|拜拜|(很|挺|非常|特别)?满意(了|谢谢)*"
)
_NOD = re.compile(r"(好+的?|行|嗯+|哦+|噢|收到|ok|可以的?|没事了?|不用了)(吧|呀|啊|了|哈)*")


def courtesy(text: str) -> str | None:
    """Return the kind word that a greeting or thanks is owed; None where something is asked."""
    bare = _GAP.sub("", simplified(text)).lower()
    if _GREETING.fullmatch(bare):
        return "我在呢。想问什么，直接打字告诉我就行。"
    if _THANKS.fullmatch(bare):
        return "不客气，有事随时找我。"
    if _NOD.fullmatch(bare):
        return "好的，有事随时找我。"
    return None
