"""What a member of staff asks the bot about: a customer, a script, today's messages, or a fact."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.domain.value import Value

HELP = """\
可以这样问我：
- 产品和规定：「大额存单提前支取怎么算」
- 您名下的客户：「李阿姨最近怎么样」「客户王先生」
- 剧本：「我的群今天发什么」「剧本 senior-21d 第5天」"""
WELCOME = f"您好，我是行里的智能助手，只给同事用。\n{HELP}"

_CHOICE = "ask"
_HELP = re.compile(r"(帮助|怎么用|你会什么|你能(做|干)什么|能问(你)?什么)")
_TODAY = re.compile(r"今天.{0,6}(发|推|说)(什么|啥|哪)|今天的(剧本|群发|内容)|今天要发")
_DAY = re.compile(r"第\s*(\d{1,3}|[一二三四五六七八九十]{1,3})\s*天")
_CUE = re.compile(r"客户|情况|标签|线索|怎么样|是谁|最近|跟进|说了什么|聊了什么|经理|档案|拒收")
_NAMED = re.compile(r"客户\s*[「“\"]?([^\s，。？！、：:「」“”\"?!的]{2,10})[」”\"]?$")
_TITLED = re.compile(
    r"([\u4e00-\u9fff])(阿姨|叔叔|大爷|大妈|奶奶|爷爷|先生|女士|小姐|姐|哥|总|老师|师傅)"
)
_NOT_SURNAMES = frozenset("的位个这那名各跟和对")
_DIGITS = {char: number for number, char in enumerate("零一二三四五六七八九十")}


class AskHelp(Value):
    """The question what can be asked here."""


class AskToday(Value):
    """The question what the asker's groups get today."""


class AskScript(Value):
    """The question what a script says, on one of its days or in all."""

    script: str
    day: int | None = None


class AskScripts(Value):
    """The question which scripts there are."""


class AskCustomer(Value):
    """The question how it is with a customer, called by name or by surname and title.

    ``name`` is empty where the words may hold a name that only the customers' list knows;
    ``surely`` tells that the words cannot mean anything else.
    """

    name: str = ""
    surname: str = ""
    surely: bool = False


class AskFact(Value):
    """Any other question: what is written down about it."""


Asked = AskHelp | AskToday | AskScript | AskScripts | AskCustomer | AskFact


def read_question(text: str, scripts: Mapping[str, str]) -> Asked:
    """Tell what is asked about; ``scripts`` are the names of the scripts by their ids."""
    plain = text.strip().rstrip("。？！?! ")
    if not plain or (len(plain) <= 12 and _HELP.search(plain)):
        return AskHelp()
    if _TODAY.search(plain):
        return AskToday()
    script = _script(plain, scripts)
    if script is not None:
        return AskScript(script=script, day=_day(plain))
    if "剧本" in plain:
        return AskScripts()
    return _customer(plain) or AskFact()


class Chosen(Value):
    """The customer whose button was pressed, of several who were meant perhaps."""

    customer: str
    name: str


def choice_key(customer: str, name: str) -> str:
    """Return the key of a button that stands for a customer; it tells the name, too."""
    return f"{_CHOICE}:{customer}:{name}"


def read_chosen(key: str) -> Chosen | None:
    """Read such a key; None for any other."""
    kind, _, rest = key.partition(":")
    customer, _, name = rest.partition(":")
    return Chosen(customer=customer, name=name) if kind == _CHOICE and customer else None


def chosen_title(name: str) -> str:
    """Say on the greyed card who was chosen."""
    return f"您看的是：{name}"


def _script(text: str, scripts: Mapping[str, str]) -> str | None:
    for id, name in scripts.items():
        if id in text or name in text:
            return id
    alone = next(iter(scripts)) if len(scripts) == 1 else None
    return alone if alone and "剧本" in text else None


def _customer(text: str) -> AskCustomer | None:
    if match := _NAMED.search(text):
        titled = _TITLED.fullmatch(match[1])
        return AskCustomer(name=match[1], surname=titled[1] if titled else "", surely=True)
    titled = _TITLED.search(text)
    if titled and titled[1] not in _NOT_SURNAMES and (_CUE.search(text) or len(text) <= 6):
        return AskCustomer(name=titled[0], surname=titled[1])
    if _CUE.search(text) or len(text) <= 6:
        return AskCustomer()
    return None


def _day(text: str) -> int | None:
    match = _DAY.search(text)
    if match is None:
        return None
    return int(match[1]) if match[1].isdigit() else _chinese(match[1])


def _chinese(number: str) -> int:
    """Read 五, 十, 十二, 二十, 二十一."""
    tens, ten, ones = number.rpartition("十")
    if not ten:
        return _DIGITS[number] if len(number) == 1 else 0
    return 10 * (_DIGITS[tens] if tens else 1) + (_DIGITS[ones] if ones else 0)
