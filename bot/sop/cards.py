"""What staff are asked to do by hand: attach a welcome, send today's words, see to a task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.contents import Content
from bot.domain.ids import RmId
from bot.domain.messages import Button, Card, StaffCard

_KINDS = {
    "image": "图片",
    "link": "链接",
    "mini_program": "小程序",
    "file": "文件",
    "video": "视频",
}
_ATTACHED = "附件"
Row = tuple[str, str]


def welcome_card(owner: RmId, step: int, iteration: int, group: str, text: str) -> StaffCard:
    """Ask the owner to attach the welcome material to the group; only they can."""
    card = Card(
        title="请把入群欢迎语挂到群上",
        description="挂好以后，新进群的客户会自动收到",
        body=text,
        rows=(("群", group), ("怎么做", "群设置 → 入群欢迎语 → 选最新一条")),
        buttons=(
            Button(text="已挂上", key=f"step:{step}:sent", style=1),
            Button(text="先不挂", key=f"step:{step}:skip", style=2),
        ),
    )
    return StaffCard(to=owner, task=f"step-{step}-{iteration}", card=card)


def nudge_card(
    owner: RmId,
    step: int,
    iteration: int,
    group: str,
    text: str,
    closes_at: datetime,
    zone: ZoneInfo,
    contents: Sequence[Content] = (),
) -> StaffCard:
    """Ask the owner to send today's words from the sidebar, which takes no mass-send quota."""
    card = Card(
        title="今天请在群里发这一条",
        description="从侧边栏一点就发，不占企业群发次数",
        body=text,
        rows=(("群", group), ("最晚", _latest(closes_at, zone)), *_attached(contents)),
        buttons=(
            Button(text="已发到群里", key=f"step:{step}:sent", style=1),
            Button(text="今天不发", key=f"step:{step}:skip", style=2),
        ),
    )
    return StaffCard(to=owner, task=f"step-{step}-{iteration}", card=card)


def private_nudge_card(
    manager: RmId,
    step: int,
    iteration: int,
    customer: str,
    text: str,
    closes_at: datetime,
    zone: ZoneInfo,
    contents: Sequence[Content] = (),
) -> StaffCard:
    """Ask a manager to send one customer today's words himself."""
    card = Card(
        title="请把这一条发给客户",
        description="从侧边栏一点就发，不占企业群发次数",
        body=text,
        rows=(("客户", customer), ("最晚", _latest(closes_at, zone)), *_attached(contents)),
        buttons=(
            Button(text="已发", key=f"step:{step}:sent", style=1),
            Button(text="不发", key=f"step:{step}:skip", style=2),
        ),
    )
    return StaffCard(to=manager, task=f"step-{step}-{iteration}", card=card)


def task_card(
    manager: RmId,
    step: int,
    iteration: int,
    of: Row,
    text: str,
    closes_at: datetime,
    zone: ZoneInfo,
) -> StaffCard:
    """Give a manager a task with its last day; ``of`` is the customer or the group it is about."""
    card = Card(
        title="请办这件事",
        description="办完按「已办」；到期没按，会记为逾期",
        body=text,
        rows=(of, ("时限", f"{_latest(closes_at, zone, day=True)}前")),
        buttons=(
            Button(text="已办", key=f"step:{step}:done", style=1),
            Button(text="办不了", key=f"step:{step}:skip", style=2),
        ),
    )
    return StaffCard(to=manager, task=f"step-{step}-{iteration}", card=card)


def _latest(moment: datetime, zone: ZoneInfo, *, day: bool = False) -> str:
    local = moment.astimezone(zone)
    clock = f"{local:%H:%M}"
    return f"{local.month}月{local.day}日 {clock}" if day else clock


def _attached(contents: Sequence[Content]) -> tuple[Row, ...]:
    """Return a row that tells what goes along with the words; none where they go alone."""
    kinds = Counter(_KINDS[content.kind] for content in contents if content.kind != "text")
    words = "、".join(f"{kind} {count} 个" for kind, count in kinds.items())
    return ((_ATTACHED, f"{words}，请一起发"),) if words else ()
