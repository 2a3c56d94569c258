"""What a member of staff asks the bot about: customers, what to say, leads, tasks, facts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.domain.value import Value

HELP = """\
可以这样问我：
- 产品和规定：「大额存单提前支取怎么算」
- 您名下的客户：「李阿姨最近怎么样」「客户王先生」
- 怎么开口：「跟李阿姨怎么说」「李阿姨问提前支取怎么回」
- 手头的事：「我的线索」「我的待办」「线索 12」；带人的还可以问「团队的线索」
- 剧本：「我的群今天发什么」「剧本 senior-21d 第5天」"""
WELCOME = f"您好，我是行里的智能助手，只给同事用。\n{HELP}"

_CHOICE, _SAYS = "ask", "say"
_KEPT_TOPIC = 80  # a button's key holds 1,024 bytes (§3.5)
_HELP = re.compile(r"(帮助|怎么用|你会什么|你能(做|干)什么|能问(你)?什么)")
_TODAY = re.compile(r"今天.{0,6}(发|推|说)(什么|啥|哪)|今天的(剧本|群发|内容)|今天要发")
_TODO = re.compile(
    r"待办|(我的|我有|今天的?|有(什么|啥|哪些))任务|今天(我)?(要|该|得)(做|办|忙|干)(什么|啥|哪)|有(什么|啥)(要|该)办的"
)
_LEADS = re.compile(
    r"(我的|我有|手头|手上|名下|看看?|查看?).{0,6}(线索|商机)|^(线索|商机)$|待接手"
    r"|(哪些|哪几个|什么|几个)客户.{0,3}(要|该|得|等)?(我)?(跟进|联系|回复)"
)
_TEAM = re.compile(
    r"(团队|本行|支行|全行|网点|组里|我们(组|行|网点)|大家|同事们?).{0,6}(线索|商机|待办|进度|跟进)"
)
_LEAD = re.compile(r"(?:线索|商机)\s*(?:第|编号|#|＃|号|:|：)*\s*(\d{1,12})")
_SPEAKS = r"(说|回复|回答|答复|回|答|讲|开口|聊|解释|接话)"
_SAY = re.compile(
    rf"(该|应该|要|可以)?(怎么|怎样|如何|咋){_SPEAKS}(她|他|客户|对方)?(好|呢|才好|比较好)?$"
    rf"|(该|要|能)?(说|回|讲|聊)(些|点)?(什么|啥)(好|呢)?$|话术"
)
_SAY_TO = re.compile(
    rf"(怎么|怎样|如何|咋)(?:(?:跟|和|给|对|向|同)(?P<to>.{{1,8}}?){_SPEAKS}|(?:回复|答复|回|答))"
)
_LEADING = re.compile(
    r"^(我)?(该|应该|要|想)?(怎么|如何|咋)?(跟|和|给|对|向|同|与)?(客户)?|^(问|说|讲|想问|想|问我|说她|说他)"
)
_DAY = re.compile(r"第\s*(\d{1,3}|[一二三四五六七八九十]{1,3})\s*天")
_CUE = re.compile(r"客户|情况|标签|线索|怎么样|是谁|最近|跟进|说了什么|聊了什么|经理|档案|拒收")
_NAMED = re.compile(r"客户\s*[「“\"]?([^\s，。？！、：:「」“”\"?!的]{2,10})[」”\"]?$")
_TITLED = re.compile(
    r"([\u4e00-\u9fff])(阿姨|叔叔|大爷|大妈|奶奶|爷爷|先生|女士|小姐|姐|哥|总|老师|师傅)"
)
_NOT_SURNAMES = frozenset("的位个这那名各跟和对")
_SHORTEST_TOPIC = 3
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


class AskSay(Value):
    """The question what to say to a customer: about a topic, or to their last words (topic "")."""

    name: str = ""
    surname: str = ""
    topic: str = ""


class AskLeads(Value):
    """The question which leads the asker has, or as a head the team."""

    team: bool = False


class AskLead(Value):
    """The question about one lead by its number."""

    number: int


class AskTodo(Value):
    """The question what the asker has to do."""


class AskFact(Value):
    """Any other question: what is written down about it."""


Asked = (
    AskHelp
    | AskToday
    | AskScript
    | AskScripts
    | AskLeads
    | AskLead
    | AskTodo
    | AskSay
    | AskCustomer
    | AskFact
)


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
    return _work(plain) or _say(plain) or _customer(plain) or AskFact()


class Chosen(Value):
    """The customer whose button was pressed, of several who were meant perhaps.

    ``says`` tells that words for the customer were asked for, about ``topic``.
    """

    customer: str
    name: str
    says: bool = False
    topic: str = ""


def choice_key(customer: str, name: str, *, says: bool = False, topic: str = "") -> str:
    """Return the key of a button that stands for a customer; it tells what was asked, too."""
    if says:
        return f"{_SAYS}:{customer}:{name}:{topic[:_KEPT_TOPIC]}"
    return f"{_CHOICE}:{customer}:{name}"


def read_chosen(key: str) -> Chosen | None:
    """Read such a key; None for any other."""
    kind, _, rest = key.partition(":")
    customer, _, name = rest.partition(":")
    if kind == _SAYS and customer:
        name, _, topic = name.partition(":")
        return Chosen(customer=customer, name=name, says=True, topic=topic)
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


def _work(text: str) -> AskLead | AskLeads | AskTodo | None:
    if match := _LEAD.search(text):
        return AskLead(number=int(match[1]))
    if _TEAM.search(text):
        return AskLeads(team=True)
    if _TODO.search(text):
        return AskTodo()
    return AskLeads() if _LEADS.search(text) else None


def _say(text: str) -> AskSay | None:
    """Read 「跟李阿姨怎么说」, 「李阿姨问提前支取怎么回」, 「给王小明回什么」."""
    titled = _TITLED.search(text)
    named = titled is not None and titled[1] not in _NOT_SURNAMES
    asks = _SAY.search(text) or _SAY_TO.search(text)
    if asks is None:
        return None
    rest = text[: asks.start()] + text[asks.end() :]
    if titled is not None and named:
        return AskSay(name=titled[0], surname=titled[1], topic=_topic(rest, titled[0]))
    return AskSay(topic=_topic(rest, ""))


def _topic(rest: str, name: str) -> str:
    """Return what is to be talked about, without whom it is said to."""
    words = rest.replace(name, "") if name else rest
    words = words.strip("，,。：: 　")
    for _ in range(2):
        words = _LEADING.sub("", words).strip("，,。：: 　")
    return words.strip('「」“”"') if len(words) >= _SHORTEST_TOPIC else ""


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
