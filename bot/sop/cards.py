"""What a group owner is asked to do by hand: attach a welcome, send today's words."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.ids import RmId
from bot.domain.messages import Button, Card, StaffCard


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
) -> StaffCard:
    """Ask the owner to send today's words from the sidebar, which takes no mass-send quota."""
    card = Card(
        title="今天请在群里发这一条",
        description="从侧边栏一点就发，不占企业群发次数",
        body=text,
        rows=(("群", group), ("最晚", f"{closes_at.astimezone(zone):%H:%M}")),
        buttons=(
            Button(text="已发到群里", key=f"step:{step}:sent", style=1),
            Button(text="今天不发", key=f"step:{step}:skip", style=2),
        ),
    )
    return StaffCard(to=owner, task=f"step-{step}-{iteration}", card=card)
