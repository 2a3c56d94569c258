"""How plans say when something is done, what it is and how it is sent: read by rules."""

from __future__ import annotations

import re
from typing import NamedTuple

from bot.domain.steps import SendBy, StepKind

_CN = {char: number for number, char in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_NUMBER = r"(?:\d{1,3}|[零〇一二两三四五六七八九十]{1,4})"
_DAY = re.compile(
    rf"第\s*(?P<nth>{_NUMBER})\s*[天日]|(?<![A-Za-z])(?:D|Day|DAY|day)\s*[-+]?\s*(?P<d>\d{{1,3}})(?!\d)"
    rf"|T\s*\+\s*(?P<t>\d{{1,3}})|(?P<later>{_NUMBER})\s*天后"
    r"|(?P<first>入群当[天日]|添加当[天日]|加好友当[天日]|首日|当天|启动日)"
)
_WEEK = re.compile(
    rf"(?:第\s*(?P<nth>{_NUMBER})\s*周|(?P<every>每)周)(?:的)?\s*(?:周|星期|礼拜)?(?P<day>[一二三四五六日天])?"
)
_WEEKDAYS = {char: number for number, char in enumerate("一二三四五六日", start=1)} | {"天": 7}
_CLOCK = (
    r"(?:上午|下午|中午|晚上|早上|早|晚)?\s*\d{1,2}\s*(?:[:：]\s*\d{2}|[点时](?:半|\d{1,2}分?)?)"
)
_TIME = re.compile(rf"(?P<from>{_CLOCK})(?:\s*(?:[-~～—–到至]+)\s*(?P<to>{_CLOCK}))?")
_PARTS = re.compile(
    r"(上午|下午|中午|晚上|早上|早|晚)?\s*(\d{1,2})\s*(?:[:：]\s*(\d{2})|[点时](半|\d{1,2})?)"
)
_LABEL = re.compile(r"[【\[（(<]?\s*(?P<kind>[^】\]）)>：:\s]{2,6})\s*[】\]）)>]")

KINDS: tuple[tuple[StepKind, tuple[str, ...]], ...] = (
    (StepKind.WELCOME, ("欢迎", "破冰", "自我介绍", "入群语")),
    (StepKind.ANTI_FRAUD, ("反诈", "防骗", "骗局", "诈骗", "骗子", "防诈")),
    (StepKind.SENIOR_SERVICE, ("适老", "大字", "长辈版", "老花镜")),
    (StepKind.PRODUCT, ("产品", "理财推荐", "推荐", "国债发行", "存款利率", "大额存单")),
    (StepKind.EVENT, ("活动", "讲座", "沙龙", "小课堂", "报名", "抽奖")),
    (StepKind.INTERACTION, ("互动", "接龙", "投票", "问答", "打卡", "晒")),
    (StepKind.REVISIT, ("回访", "满意度", "问卷")),
    (StepKind.GREETING, ("祝福", "节日", "问候", "早安", "生日")),
    (StepKind.CARE, ("关怀", "健康", "天气", "养生")),
    (StepKind.SERVICE, ("服务", "提醒", "规矩", "群规", "网点", "预约")),
    (StepKind.KNOWLEDGE, ("知识", "科普", "小知识", "课堂", "讲解")),
)
WAYS: tuple[tuple[SendBy, tuple[str, ...]], ...] = (
    (SendBy.GROUP_WELCOME, ("入群欢迎语",)),
    (SendBy.MOMENTS, ("朋友圈",)),
    (SendBy.KF, ("微信客服",)),
    (SendBy.NUDGE_OWNER, ("群主转发", "侧边栏", "群主手动", "群主发")),
    (SendBy.TASK_FOR_MANAGER, ("电话回访", "打电话", "电访")),
    (SendBy.NUDGE_MANAGER, ("私聊", "一对一", "经理发", "单发")),
    (SendBy.BROADCAST, ("群发", "群内发", "群公告", "社群发")),
)


class When(NamedTuple):
    """When a step is done, as far as a text says it; ``rest`` is the text without that."""

    day: int | None
    time: str
    weekly: bool
    rest: str


def when_in(text: str) -> When | None:
    """Read the moment that a line begins with: 第3天 9:30, D5, T+2, 第二周周三; None for none."""
    head = text[:_HEAD]
    found = _DAY.search(head)
    week = _WEEK.search(head) if found is None else None
    if found is not None and _only_marks(head[: found.start()]):
        day, end, weekly = _day_of(found), found.end(), False
    elif week is not None and _only_marks(head[: week.start()]) and (week["day"] or week["nth"]):
        first = number_of(week["nth"]) if week["nth"] else 1
        day = (first - 1) * 7 + _WEEKDAYS.get(week["day"] or "一", 1)
        end, weekly = week.end(), bool(week["every"])
    else:
        return None
    rest = text[end:]
    time, rest = time_in(rest)
    return When(day, time, weekly, _EDGES.sub("", rest))


_HEAD = 24
_EDGES = re.compile(r"^[\s:：、，,。．.\-—–|｜)）】\]·]+|[\s|｜]+$")
_MARKS = re.compile(r"[\s\d.、．·*#\-•●◆■○>【\[（(一二三四五六七八九十第步骤]*")


def _only_marks(text: str) -> bool:
    return bool(_MARKS.fullmatch(text))


def _day_of(found: re.Match[str]) -> int:
    if found["first"]:
        return 1
    if found["t"] is not None:
        return int(found["t"]) + 1
    if found["later"] is not None:
        return number_of(found["later"]) + 1
    return max(1, int(found["d"]) if found["d"] is not None else number_of(found["nth"]))


def number_of(text: str) -> int:
    """Read a number in digits or in Chinese, up to 99."""
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.partition("十")
    if not ten:
        value = 0
        for char in text:
            value = value * 10 + _CN.get(char, 0)
        return value
    return (_CN.get(tens, 1) if tens else 1) * 10 + (_CN.get(ones, 0) if ones else 0)


def time_in(text: str) -> tuple[str, str]:
    """Read a moment or a span near the beginning: "09:30-10:30"; return it with what is left."""
    found = _TIME.search(text[:_HEAD])
    if found is None:
        return "", text
    opens = _minutes(found["from"])
    if opens is None:
        return "", text
    closes = _minutes(found["to"]) if found["to"] else None
    if closes is None or closes <= opens:
        closes = opens + 60
    told = f"{_clock(opens)}-{_clock(min(closes, 23 * 60 + 59))}"
    return told, text[: found.start()] + text[found.end() :]


def _minutes(text: str) -> int | None:
    found = _PARTS.search(text)
    if found is None:
        return None
    part, hour = found[1] or "", int(found[2])
    minute = 30 if found[4] == "半" else int(found[3] or found[4] or 0)
    if part in ("下午", "晚上", "晚") and hour < 12:
        hour += 12
    return hour * 60 + minute if hour < 24 and minute < 60 else None


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def kind_of(*texts: str) -> StepKind | None:
    """Tell what a step is for, by the first text that says so."""
    for text in texts:
        for kind, words in KINDS:
            if text == kind.value or any(word in text for word in words):
                return kind
    return None


def way_of(text: str) -> SendBy | None:
    """Tell how a step is sent, where a text says so."""
    for way, words in WAYS:
        if way.value in text or any(word in text for word in words):
            return way
    return None
