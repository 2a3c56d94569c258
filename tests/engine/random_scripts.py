"""Scripts and events by a seed: whatever people in ops may write, and customers may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from bot.domain.script import SopScript
from tests.domain.builders import head, script_of

WINDOWS = ("09:30-10:30", "10:00-11:30", "14:00-17:00", "19:00-20:00")
EVENTS = ("客户回复", "到网点", "活动报名")
_KINDS = ("服务", "活动", "知识", "关怀", "反诈", "祝福")
_MISSED = ("跳过", "顺延一天", "晚2小时内补发", "后面一起顺延", "当日补到18:00", "只补最近一次")
_WAYS = ("企业群发", "提醒经理", "[企业群发, 提醒经理]")
_BY_HAND = ("提醒经理一键发", "朋友圈", "[提醒经理一键发, 企业群发]", "[朋友圈, 提醒经理一键发]")
_CUSTOMERS = """\
格式: sop/1
编号: {id}
名称: 试跑
版本: 1
状态: 已发布
负责人: 运营-甲
人设: xiaoan
对象: 客户
进入: {{方式: 手工}}
审批: {{内容编号: XB-1, 审批人: 消保-乙, 审批日: 2026-01-01, 有效期至: 2028-12-31}}
起点: 进入日
休息日: {rest}
最长天数: 60
护栏: {{静默时段: ["20:30-09:00"], 每客每天: {a_day}, 每客每周一对一营销: {a_week}}}
步骤:
"""


def token_script(
    random: Random, id: str, *, shares: tuple[int, int] = (50, 50), by_hand: bool = False
) -> SopScript:
    """Make a script for customers: splits, waits, branches ahead, repeats, ways that fall back.

    ``by_hand`` has cards and moments among the ways.
    """
    ways = _WAYS + (_BY_HAND if by_hand else ())
    names = [f"s{number}" for number in range(random.randint(3, 7))]
    split = f"分流: {{实验: {id}-words, 单位: 客户, 比例: {{甲: {shares[0]}, 乙: {shares[1]}}}}}"
    lines = [f"编号: split, {split}"]
    lines += [
        _step(random, id, name, names[number + 1 :], ways) for number, name in enumerate(names)
    ]
    rest = random.choice(("顺延", "照发", "跳过"))
    top = _CUSTOMERS.format(id=id, rest=rest, a_day=random.randint(1, 2), a_week=2)
    return script_of(top + "".join(f"  - {{{line}}}\n" for line in lines))


def _step(random: Random, id: str, name: str, later: list[str], ways: tuple[str, ...]) -> str:
    parts = [f"编号: {name}"]
    if random.random() < 0.8:
        parts += _sending(random, name, f"{id}-{name}", random.choice(ways))
    if random.random() < 0.3:
        parts.append(f"相隔天: {random.randint(0, 3)}")
    if random.random() < 0.5:
        parts += _leaving(random, later)
    elif len(parts) == 1:
        parts.append("等待: {任一: [到网点], 最长: 2天}")
    return ", ".join(parts)


def _sending(random: Random, name: str, words: str, ways: str) -> list[str]:
    parts = [
        f'时间: "{random.choice(WINDOWS)}"',
        f"类型: {random.choice(_KINDS)}",
        f"发送方式: {ways}",
        f"错过时间窗: {random.choice(_MISSED)}",
        f"额度用完: {random.choice(('等到有额度', '跳过'))}",
    ]
    both = f"正文按分流: {{甲: {words}甲, 乙: {words}乙}}"
    parts.append(both if random.random() < 0.5 else f"正文: {words}")
    if random.random() < 0.2:
        parts.append(f"重复: {{次数: {random.randint(2, 3)}, 每隔天: {random.randint(1, 4)}}}")
    if random.random() < 0.2:
        parts.append("前提: {条件: 非(到网点)}")
    return parts


def _leaving(random: Random, later: list[str]) -> list[str]:
    event = random.choice(EVENTS)
    parts = [f"等待: {{任一: [{event}], 最长: {random.randint(1, 6)}天}}"]
    if later:
        to, other = random.choice(later), random.choice([*later, "结束"])
        parts.append(f"分支: [{{当: {event}, 转到: {to}}}, {{否则: {other}}}]")
    return parts


def planned_script(random: Random, id: str) -> SopScript:
    """Make a script for groups that is planned as a whole when it begins."""
    rest = random.choice(("顺延", "照发", "跳过"))
    top = head(id=id, rest=rest, weekly=random.randint(2, 5), missed=random.choice(_MISSED))
    count = random.randint(3, 8)
    chosen = sorted(random.sample(range(1, 20), count))
    lines = []
    for number, day in enumerate(chosen):
        way = random.choice(("企业群发", "企业群发", "提醒群主侧边栏一键发"))
        kind, window = random.choice(_KINDS), random.choice(WINDOWS[:3])
        lines.append(
            f'  - {{编号: s{number}, 第几天: {day}, 时间: "{window}", 类型: {kind}, '
            f"发送方式: {way}, 正文: {id}-s{number}}}\n"
        )
    return script_of(top + "步骤:\n" + "".join(lines))


@dataclass(frozen=True)
class Happening:
    """Something that a customer does at a moment."""

    subject: str
    kind: str
    at: datetime


def happenings(
    random: Random, subjects: tuple[str, ...], start: datetime, days: int
) -> list[Happening]:
    """Let customers do this and that, in the order of their moments."""
    found = [
        Happening(
            random.choice(subjects),
            random.choice(EVENTS),
            start + timedelta(minutes=random.randint(1, days * 1440)),
        )
        for _ in range(random.randint(2, 10))
    ]
    return sorted(found, key=lambda each: (each.at, each.subject))
