"""A one-to-one script of the stories' own, and a customer who is in the midst of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bot.domain.runs import NewStep, Run
from bot.emulator import friends
from bot.storage.tx import Tx
from bot.workers.content import version_of
from bot.workspace import Workspace, copy_workspace
from tests.journeys.town import Life
from tests.make import ZONE

SCRIPT, HELLO = "friends-week", "f1-hello"
HEAD = """\
格式: sop/1
编号: friends-week
名称: 新朋友的一周
版本: 1
状态: 已发布
负责人: 运营-周岚
人设: xiaoan
对象: 客户
进入: {方式: 手工}
审批: {内容编号: XB-2026-0599, 审批人: 消保-何静, 审批日: 2026-09-01, 有效期至: 2027-08-31}
起点: 进入日
"""
REST = """\
休息日: 顺延
错过时间窗: 顺延一天
护栏: {静默时段: ["20:30-09:00"], 每客每周一对一营销: 1, 产品风险最高: R2}
步骤:
  - 编号: f1-hello
    第几天: 1
    时间: "10:00-11:30"
    类型: 关怀
    发送方式: 企业群发
    正文: "{客户.称呼}您好，我是{经理.称呼}，往后有事直接找我。不想收消息回「退订」。"
    互动: {期待回复: [收到, "1"], 正确: 收到, 计入指标: 新朋友开口率}
    听到就办:
      - 关键词: [大字, 长辈版]
        动作: [{答复: qa-07}]
      - 关键词: [报名]
        动作: [{建线索: 活动, 时限分钟: 240}]
        回话: 好的，给您留了位子，{经理.称呼}会跟您确认。
      - 关键词: [三笔钱]
        动作: [{建线索: 理财咨询, 时限分钟: 240}, 通知客户经理]
        先问同意: "{经理.称呼}可以打电话给您聊聊吗？可以回「可以」，不用回「不用」。"
      - 关键词: [取不出]
        动作: [{转人工: 服务, 时限分钟: 60}]
        回话: 别着急，{经理.称呼}马上来帮您看。
      - 关键词: [少发点]
        动作: [{降频: 每周1次}]
        回话: 好的，以后一周最多给您发一次。
      - 关键词: [任意]
        动作: [{打标签: 已唤醒}]
  - 编号: f2-event
    相隔天: 5
    时间: "10:00-11:30"
    类型: 活动
    发送方式: 企业群发
    正文: "{客户.称呼}，{活动.日期}网点有「手机小课堂」。想来回「报名」。不想收消息回「退订」。"
听到就办:
  - 关键词: [退订, 别发了, TD]
    动作: [记录拒收, 退出]
    回话: 好的，不再给您发了。您主动问的事照常答复。
出口:
  - {事件: 客户拒收, 停: 全部}
  - {事件: 投诉, 停: 营销类}
  - {事件: 删好友, 停: 全部}
  - {事件: 线索成交, 停: 产品类}
"""


TEXT = HEAD + REST


def with_friends(workspace: Workspace, folder: Path, text: str = TEXT) -> Workspace:
    """Return a copy of the workspace that has the one-to-one script."""
    copied = copy_workspace(workspace, folder)
    (copied.root / "sop" / f"{SCRIPT}.sop.yaml").write_text(text, "utf-8")
    return copied


def manager_of(life: Life, customer: str = "") -> str:
    """Return whom a customer has as a friend."""
    return life.world.contacts.of_customer(customer or life.visitor)[0].userid


async def enter(tx: Tx, life: Life, customer: str) -> int:
    """Let a customer enter the script now."""
    content, now = life.demo.bot.content, life.demo.clock.now()
    manager = manager_of(life, customer)
    member = content.bank.member(manager)
    run = await tx.runs.enrol(
        script=SCRIPT,
        version=version_of(content.snapshot.scripts[SCRIPT]),
        subject=customer,
        owner=manager,
        branch=member.branch or "" if member else "",
        anchor=now.astimezone(ZONE).date(),
        state="running",
        now=now,
    )
    assert run is not None
    await tx.runs.change(run, subject_kind="customer")
    return run


async def begin(life: Life, customer: str = "") -> int:
    """Let a customer have had the first step today; the next one is days away."""
    now = life.demo.clock.now()
    today = now.astimezone(ZONE).date()
    async with life.demo.bot.database.begin() as tx:
        run = await enter(tx, life, customer or life.visitor)
        await tx.runs.change(run, node=HELLO, phase="send", node_at=now, due_at=None)
        closes_at = now + timedelta(hours=2)
        row = NewStep(step=HELLO, kind="step", planned_on=today, opens_at=now, closes_at=closes_at)
        await tx.runs.add_steps(run, [row], now)
        (placed,) = await tx.runs.steps(run)
        await tx.runs.set_step(placed.id, now, state="confirmed")
    return run


async def run_of(life: Life, run: int) -> Run:
    async with life.demo.bot.database.read() as tx:
        found = await tx.runs.get(run)
    assert found is not None
    return found


async def writes(life: Life, text: str, customer: str = "") -> None:
    """Let a customer write to the manager alone, as the archive has it."""
    person = customer or life.visitor
    friends.says(life.world, manager_of(life, person), person, text, by="customer")
    await life.settle()
