"""What must reach a person at once, told by its words before anything is searched."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta

from bot.answering import fraud, trouble
from bot.answering.hearing import hears
from bot.answering.person_wanted import only_wishes_person
from bot.answering.sayings import without_sayings
from bot.domain.actions import Action, HandOver, PauseMarketing, Rescue
from bot.domain.lead import RESPOND_WITHIN, Need
from bot.domain.value import Value
from bot.hanzi import simplified

_GAP = re.compile(r"[\s_·.*~\-,，、:：\"“”'「」()（）…]+")
_SENTENCE_END = re.compile(r"[。!！?？;；\n]+")


class RedFlag(Value):
    """A kind of trouble: how it is handed over, and what is said at once."""

    name: str
    need: Need
    words: str

    @property
    def actions(self) -> tuple[Action, ...]:
        """Return what is done: always a person, after a complaint nothing that sells (S20)."""
        minutes = RESPOND_WITHIN[self.need] // timedelta(minutes=1)
        if self.need is Need.COMPLAINT:
            person = HandOver(need=self.need, within_minutes=minutes)
            return (person, PauseMarketing(days=None))
        return (Rescue(need=self.need, within_minutes=minutes, danger=self.name),)


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


# The order matters: a life comes first, and who is being robbed and complains is being robbed.
_WAYS = (
    (SUICIDE, trouble.SUICIDE),
    (FRAUD, fraud.FRAUD),
    (ILLNESS, trouble.ILLNESS),
    (COMPLAINT, trouble.COMPLAINT),
)
FLAGS = {flag.name: flag for flag, _ in _WAYS}
"""Every kind of trouble by its name, the gravest first."""


def red_flag(text: str) -> RedFlag | None:
    """Return the gravest trouble a message tells of; None in the ordinary case.

    Rules say what is certain; what they did not foresee is heard by weights that were learnt.
    """
    ruled = red_flag_by_rule(text)
    if ruled is not None:
        return ruled
    heard = hears(unruled(text))
    return next((flag for flag, _ in _WAYS if flag.name == heard), None)


def red_flag_by_rule(text: str) -> RedFlag | None:
    """Return the trouble that a message tells of in words that a rule knows."""
    heard = without_sayings(bare(text))
    for flag, ways in _WAYS:
        if any(way.told_by(heard) for way in ways):
            return flag
    return None


def unruled(text: str) -> str:
    """Return what only its likeness to trouble that was learnt may tell of: no mere sayings.

    It is without blanks and marks, one sentence a line. The mere wish for a person is not in it.
    """
    lines = without_sayings(bare(text)).split("\n")
    return "\n".join(line for line in lines if line and not only_wishes_person(line))


def bare(text: str) -> str:
    """Return a message simplified, without blanks and marks, one sentence a line."""
    plain = unicodedata.normalize("NFKC", simplified(text))
    lines = (_GAP.sub("", line) for line in _SENTENCE_END.split(plain))
    return "\n".join(line for line in lines if line)
