"""What staff have to do, as they read it on a phone: their own, and a team's for who heads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from bot.domain.bank import Bank
from bot.domain.ids import RmId
from bot.domain.lead import GRAVE, Lead
from bot.domain.lead_words import STAGE_WORDS
from bot.domain.workload import Harvest, Workload, share
from bot.leads.cards import time_left, when

_SHOWN, _MEMBERS = 12, 15
_WEEK, _FREE = 7, 5
_WEEKDAYS = "一二三四五六日"
_HOW = "发「线索 编号」看客户的话和怎么说，也能在那里接手。"
_NOTHING = "手头没有要办的：没有线索，没有等您发的回话和群发。"


class TeamRow(NamedTuple):
    """One member of a team with what they have to do."""

    name: str
    load: Workload


def first_of_all(leads: Sequence[Lead], now: datetime) -> list[Lead]:
    """Put leads in the order in which they want to be seen to: grave, overdue, then by limit."""

    def order(lead: Lead) -> tuple[bool, bool, bool, datetime, int]:
        waits = lead.first_response_at is None and lead.stage != "later"
        return (lead.need not in GRAVE, lead.stage == "later", not waits, lead.respond_by, lead.id)

    return sorted(leads, key=order)


def leads_sheet(
    leads: Sequence[Lead],
    names: Mapping[str, str],
    bank: Bank,
    now: datetime,
    *,
    total: int,
    team: bool = False,
) -> str:
    """List open leads with their numbers, whose customers wait longest first."""
    if not leads:
        return "团队现在没有未办结的线索。" if team else "您现在没有未办结的线索。"
    shown = first_of_all(leads, now)[:_SHOWN]
    title = "团队未办结的线索" if team else "您未办结的线索"
    lines = [f"**{title} {total} 条**"]
    for lead in shown:
        lines.append(f"- {_line(lead, names.get(lead.customer, ''), bank, now, team=team)}")
    if total > len(shown):
        lines.append(f"还有 {total - len(shown)} 条，先办上面的。")
    return "\n".join([*lines, _HOW])


def free_line(leads: Sequence[Lead]) -> str:
    """Name some of the leads of a branch that nobody has; "" where there are none."""
    numbers = "、".join(f"线索 {lead.id}" for lead in leads[:_FREE])
    more = "等" if len(leads) > _FREE else ""
    return f"本网点待分派、您也可以接的：{numbers}{more}" if leads else ""


def _line(lead: Lead, name: str, bank: Bank, now: datetime, *, team: bool) -> str:
    parts = [f"线索 {lead.id} {lead.need.value}", name or "客户"]
    if team or not lead.rm:
        holder = bank.member(lead.rm)
        parts.append(holder.name if holder is not None else "还没有人")
    parts.append(STAGE_WORDS[lead.stage])
    if lead.stage == "later" and lead.sleeps_until is not None:
        parts.append(f"{when(lead.sleeps_until, now, bank.zone)} 提醒")
    elif lead.first_response_at is None:
        due = when(lead.respond_by, now, bank.zone)
        parts.append(f"{due} 前回（{time_left(lead.respond_by, now)}）")
    return "，".join(parts)


def todo_lines(load: Workload, bank: Bank, now: datetime) -> list[str]:
    """Say what somebody has to do, one kind of work a line; nothing of what there is none of."""
    lines = []
    if load.open:
        parts = [f"待接手 {load.new} 条"] if load.new else []
        parts += [f"跟进中 {load.taken} 条"] if load.taken else []
        parts += [f"稍后再办 {load.asleep} 条"] if load.asleep else []
        late = f"，其中 {load.overdue} 条过了时限还没回" if load.overdue else ""
        lines.append(f"线索：{'，'.join(parts)}{late}")
    if load.pooled:
        late = f"，其中 {load.pooled_late} 条过了时限" if load.pooled_late else ""
        lines.append(f"待分派：{load.pooled} 条线索还没有人{late}，问小安「团队的线索」看")
    if load.drafts:
        lines.append(f"拟好的回话：{load.drafts} 条等您发")
    if load.tasks:
        until = when(load.tasks_until, now, bank.zone) if load.tasks_until else ""
        last = f"，最早一条 {until} 收回" if until else ""
        lines.append(
            f"群发：{load.tasks} 条等您在群发助手里点「发送」，共 {load.receivers} 个群或客户{last}"
        )
    if load.steps:
        first = f"{load.steps_from.astimezone(bank.zone):%H:%M}" if load.steps_from else ""
        begin = f"，{first} 开始" if first else ""
        lines.append(f"今天的剧本：还有 {load.steps} 条要发{begin}")
    return lines


def todo_sheet(load: Workload, bank: Bank, now: datetime) -> str:
    """Answer 我的待办."""
    if load.is_empty:
        return _NOTHING
    lines = [f"- {line}" for line in todo_lines(load, bank, now)]
    return "\n".join(["**您的待办**", *lines, "发「我的线索」看每一条。"])


def team_lines(rows: Sequence[TeamRow]) -> list[str]:
    """Say what a team has to do, whoever is behind first."""
    busy = [row for row in rows if row.load.open or row.load.drafts]
    late = sum(row.load.overdue + row.load.pooled_late for row in rows)
    total = sum(row.load.open for row in rows)
    head = f"团队 {len(rows)} 人：未办结 {total} 条，待接手 {sum(r.load.new for r in rows)} 条"
    pooled = sum(row.load.pooled for row in rows)
    nobodys = f"，待分派 {pooled} 条" if pooled else ""
    lines = [f"{head}，过时限没回 {late} 条{nobodys}"]
    ordered = sorted(busy, key=lambda row: (-row.load.overdue, -row.load.new, row.name))
    for row in ordered[:_MEMBERS]:
        one = row.load
        parts = [f"待接手 {one.new}"] + ([f"过时限 {one.overdue}"] if one.overdue else [])
        parts += [f"跟进 {one.taken}", *([f"待发回话 {one.drafts}"] if one.drafts else [])]
        lines.append(f"{row.name}：{'，'.join(parts)}")
    if len(ordered) > _MEMBERS:
        lines.append(f"另有 {len(ordered) - _MEMBERS} 人")
    return lines


def harvest_line(one: Harvest) -> str:
    """Say what became of leads: shares with their base."""
    parts = [f"新来 {one.opened} 条", f"接手 {one.taken} 条"]
    if one.due:
        parts.append(f"按时回 {share(one.in_time, one.due)}")
    if one.ended:
        parts.append(f"办结 {one.ended} 条（成交 {one.won}，无效 {one.invalid}）")
    return "，".join(parts)


def daily(
    name: str,
    today: date,
    load: Workload,
    bank: Bank,
    now: datetime,
    *,
    team: Sequence[TeamRow] = (),
    yesterday: Harvest | None = None,
) -> str:
    """Word a member's brief of the day; "" where there is nothing to say."""
    lines = todo_lines(load, bank, now)
    told = bool(team) and any(row.load.open for row in team)
    if told or (yesterday is not None and yesterday.opened):
        lines += [""] if lines else []
        lines += team_lines(team)
        if yesterday is not None and (yesterday.opened or yesterday.ended):
            lines.append(f"上个工作日：{harvest_line(yesterday)}")
    if not lines:
        return ""
    weekday = f"周{_WEEKDAYS[today.weekday()]}"
    return "\n".join([f"{name}，早上好。今天 {today.month}月{today.day}日 {weekday}：", *lines])


def _span(since: date, until: date) -> str:
    """Name the days that a brief of the week is about: more than one week after a long holiday."""
    days = f"{since.month}月{since.day}日 到 {until.month}月{until.day}日"
    return f"上周（{days}）" if (until - since).days < _WEEK else f"放假前后（{days}）"


def weekly(
    name: str,
    since: date,
    until: date,
    own: Harvest,
    *,
    team: Sequence[tuple[str, Harvest]] = (),
) -> str:
    """Word a member's brief of the week before; "" where nothing happened."""
    together = Harvest()
    for _, one in team:
        together = together.plus(one)
    if not (own.opened or own.ended or together.opened or together.ended):
        return ""
    lines = [f"{name}，{_span(since, until)}："]
    if own.opened or own.ended:
        lines.append(f"您的线索：{harvest_line(own)}")
    if team and (together.opened or together.ended):
        lines.append(f"团队 {len(team)} 人：{harvest_line(together)}")
        for member, one in sorted(team, key=lambda pair: -pair[1].opened)[:_MEMBERS]:
            if one.opened or one.ended:
                lines.append(f"{member}：{harvest_line(one)}")
    return "\n".join(lines)


def names_in(bank: Bank, members: Sequence[RmId]) -> dict[RmId, str]:
    """Return members' names by their ids."""
    found = {}
    for userid in members:
        member = bank.member(userid)
        found[userid] = member.name if member is not None else userid
    return found
