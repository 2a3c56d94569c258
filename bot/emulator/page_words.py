"""What the page says in plain Chinese: names, deadlines, and why something was refused."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.emulator.quota import BANK_ZONE
from bot.emulator.wire import ApiError

if TYPE_CHECKING:
    from bot.emulator.world import World

_REASONS = {
    40003: "这项任务不是发给这位同事的",
    40050: "这个群已经不在了",
    40096: "没有这位客户",
    40143: "接待的同事暂时不收这位客户的消息",
    40201: "这句话有敏感词，被企业的规则拦下了，请换个说法",
    42017: "这张卡片已经处理过了",
    90501: "这个群已经解散",
    93008: "这位已经不在群里",
    95016: "这位客户已经换人接待，或会话已经结束",
    95018: "这位客户正由别的同事接待",
    95019: "这位同事现在不接待客户",
}
_OTHER_REASON = "没办成，请刷新页面再试一次"
_WEEKDAYS = "一二三四五六日"
_CLOCK = re.compile(
    r"(?:(?P<day>今天|明天|周[一二三四五六日]|\d{1,2}月\d{1,2}日) ?)?(?P<h>\d{1,2}):(?P<m>\d{2})"
)
_BASIS = re.compile(r"^(?:依据|来源|出处)[:：]\s*")


class Refused(Exception):
    """Somebody on the page asked for what cannot be done; ``words`` say why and the mend."""

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__(words)


def reason(error: ApiError) -> str:
    """Say in Chinese why the local WeCom refused."""
    return _REASONS.get(error.errcode, _OTHER_REASON)


def local(moment: datetime) -> str:
    """Return a moment in the bank's zone, in ISO form to the second."""
    return moment.astimezone(BANK_ZONE).isoformat(timespec="seconds")


def name_of(world: World, person: str) -> str:
    """Return how a person is called: a member's name, a customer's nickname."""
    if person in world.members:
        return world.members[person].name
    customer = world.customers.get(person)
    return customer.nickname if customer is not None else "已退群的人"


def split_basis(text: str) -> tuple[str, list[str]]:
    """Part an answer from the lines that name its source, so that these can be set small."""
    body, basis = [], []
    for line in text.splitlines():
        found = _BASIS.match(line)
        if found is None:
            body.append(line)
        else:
            basis.append(line[found.end() :])
    return "\n".join(body).strip(), basis


def deadline(words: str, said_at: datetime) -> datetime | None:
    """Read a card's deadline (今天 14:05, 周三 09:30, 11月5日 09:30, 18:00) as a moment."""
    found = _CLOCK.fullmatch(words.strip())
    if found is None or int(found["h"]) > 23 or int(found["m"]) > 59:
        return None
    start = said_at.astimezone(BANK_ZONE)
    at_clock = start.replace(hour=int(found["h"]), minute=int(found["m"]), second=0, microsecond=0)
    day = found["day"] or "今天"
    if day.startswith("周"):
        return at_clock + timedelta(days=(_WEEKDAYS.index(day[1]) - start.weekday()) % 7)
    if day.endswith("日"):
        return _on_date(at_clock, day)
    return at_clock + timedelta(days=1 if day == "明天" else 0)


def _on_date(at_clock: datetime, words: str) -> datetime | None:
    month, _, rest = words.partition("月")
    try:
        found = at_clock.replace(month=int(month), day=int(rest.rstrip("日")))
    except ValueError:
        return None
    # A card of December may name a day of January.
    return found if found >= at_clock else found.replace(year=found.year + 1)
