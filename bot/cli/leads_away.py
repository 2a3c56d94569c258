"""Somebody goes away: who stands in for him, to whom his leads go, now or on the first day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.leads import leads
from bot.cli.leads_moves import desk_of_files
from bot.cli.leads_words import NOBODY, RIGHTS
from bot.cli.root import AsJson, Folder, agrees, run
from bot.cli.sending import By, bank_of, opened, user_name
from bot.terminal import print_columns, the_workspace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from bot.domain.bank import Bank
    from bot.leads.away import Absences, HandedOn, Leave
    from bot.workspace import Workspace

Absent = Annotated[str, typer.Argument(metavar="USERID", help="谁请假；不写列出谁不在。")]
From = Annotated[str, typer.Option("--from", help="从哪天起，如 2026-10-15；不写就是现在起。")]
Until = Annotated[str, typer.Option("--until", help="请到哪天(含)，如 2026-10-20。")]
Deputy = Annotated[str, typer.Option("--deputy", help="代班的同事，先给他。")]
Back = Annotated[bool, typer.Option("--back", help="提前回来了；还没开始的也一起取消。")]
Yes = Annotated[bool, typer.Option("--yes", help="不再问，直接办。")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只看会转给谁，不转。")]


@leads.command("away")
def away(
    userid: Absent = "",
    begin: From = "",
    until: Until = "",
    deputy: Deputy = "",
    back: Back = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    folder: Folder = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """同事请假：先列出手上的线索会转给谁，同意了再转；这期间新线索也不派给他。

    例：zhilin leads away li.min --until 2026-10-20 --deputy wang.haoran
    先登记、到日子再转：zhilin leads away li.min --from 2026-10-15 --until 2026-10-20
    提前回来：zhilin leads away li.min --back
    """
    workspace = the_workspace(folder)
    bank = bank_of(workspace)
    if not userid:
        _print_absences(run(_absences(workspace)), bank, as_json=as_json)
    elif back:
        _come_back(workspace, bank, userid, as_json=as_json)
    else:
        leave = _leave(bank, userid, begin, until, deputy, by or user_name())
        _write_down(workspace, bank, leave, sure=yes, dry_run=dry_run, as_json=as_json)


def _write_down(
    workspace: Workspace, bank: Bank, leave: Leave, *, sure: bool, dry_run: bool, as_json: bool
) -> None:
    """Show who would take over, and carry it out where that is agreed to."""
    at_once = leave.begins <= _now()
    planned = run(_plan(workspace, bank, leave))
    if as_json and (dry_run or not sure):
        _echo_json(_handed_as_json(planned, written=False))
        return
    if not as_json:
        _print_plan(planned, bank, leave, at_once=at_once)
    if dry_run or not (sure or agrees("就这样转？" if at_once else "就这样登记？")):
        typer.echo("没有动。")
        return
    done = run(_take_leave(workspace, bank, leave))
    if as_json:
        _echo_json(_handed_as_json(done, written=True))
    elif at_once:
        typer.echo(f"办好了：转出 {len(done)} 条。回来之前新线索不派给他。{RIGHTS}")
    else:
        first = f"{leave.begins.month}月{leave.begins.day}日"
        typer.echo(f"登记好了：{first}起新线索不派给他，一上班就把没办结的转出去。{RIGHTS}")


def _come_back(workspace: Workspace, bank: Bank, userid: str, *, as_json: bool) -> None:
    from bot.errors import ConfigError

    if bank.member(userid) is None:
        raise ConfigError(f"员工里没有 {userid}：请核对账号。")
    there = run(_back(workspace, bank, userid))
    if as_json:
        _echo_json({"userid": userid, "ended": there})
    else:
        said = "记下了：照常派线索；转出去的不收回。" if there else "没有登记过请假。"
        typer.echo(f"{userid} {said}")


async def _plan(workspace: Workspace, bank: Bank, leave: Leave) -> Sequence[HandedOn]:
    from bot.errors import ConfigError

    room = _room(workspace, bank)
    async with opened(workspace) as database, database.read() as tx:
        if problem := await room.clash(tx, leave, _now()):
            raise ConfigError(problem)
        return await room.plan(tx, leave.userid, leave.deputy, _now())


async def _take_leave(workspace: Workspace, bank: Bank, leave: Leave) -> Sequence[HandedOn]:
    async with opened(workspace) as database, database.begin() as tx:
        return await _room(workspace, bank).leave(tx, leave, _now())


async def _back(workspace: Workspace, bank: Bank, userid: str) -> bool:
    from bot.domain.ids import RmId

    async with opened(workspace) as database, database.begin() as tx:
        return await _room(workspace, bank).come_back(tx, RmId(userid), _now())


async def _absences(workspace: Workspace) -> Sequence[tuple[Any, ...]]:
    async with opened(workspace) as database, database.read() as tx:
        return await tx.desks.absences(_now())


def _room(workspace: Workspace, bank: Bank) -> Absences:
    from bot.config import load_settings
    from bot.leads.away import Absences

    rules = load_settings(workspace.config).leads.assigning
    return Absences(lambda: bank, desk_of_files(workspace, bank), lambda: rules)


def _leave(bank: Bank, userid: str, begin: str, until: str, deputy: str, by: str) -> Leave:
    """Return the leave that somebody writes down; raise ``ConfigError`` where it cannot be."""
    from datetime import timedelta

    from bot.domain.ids import RmId
    from bot.errors import ConfigError
    from bot.leads.away import Leave, problem_with

    now = _now()
    today = now.astimezone(bank.zone).date()
    first = _day("--from", begin) if begin else today
    if first < today:
        raise typer.BadParameter("--from 的日子已经过了；已经请假了就不用写 --from。")
    leave = Leave(
        userid=RmId(userid),
        begins=_midnight(first, bank) if first > today else now,
        ends=_midnight(_day("--until", until) + timedelta(days=1), bank),
        deputy=RmId(deputy) if deputy else None,
        by=RmId(by),
    )
    if problem := problem_with(bank, leave, now):
        raise ConfigError(problem)
    return leave


def _day(option: str, said: str) -> date:
    from datetime import date

    try:
        return date.fromisoformat(said)
    except ValueError:
        raise typer.BadParameter(f"{option} 写成 2026-10-20 的样子。") from None


def _midnight(day: date, bank: Bank) -> datetime:
    from datetime import datetime, time

    return datetime.combine(day, time(0), tzinfo=bank.zone)


def _print_plan(planned: Sequence[HandedOn], bank: Bank, leave: Leave, *, at_once: bool) -> None:
    from bot.domain.assigning import WORDS

    member = bank.member(leave.userid)
    name = member.name if member is not None else leave.userid
    if not planned:
        typer.echo(f"{name}手上没有未办结的线索。")
        return
    how = "会这样转：" if at_once else "到那天还没办结的，照现在看会这样转："
    typer.echo(f"{name}手上 {len(planned)} 条，{how}")
    rows = [("编号", "需求", "转给", "为什么")]
    for one in planned:
        taker = bank.member(one.to) if one.to else None
        to = taker.name if taker is not None else NOBODY
        rows.append((str(one.lead.id), one.lead.need.value, to, WORDS[one.why]))
    print_columns(rows)


def _handed_as_json(handed: Sequence[HandedOn], *, written: bool) -> dict[str, Any]:
    rows = [{"lead": one.lead.id, "to": one.to, "why": one.why} for one in handed]
    return {"written": written, "leads": rows}


def _print_absences(found: Sequence[tuple[Any, ...]], bank: Bank, *, as_json: bool) -> None:
    if as_json:
        keys = ("userid", "from", "until", "deputy")
        listed = [
            dict(zip(keys, (one[0], one[1].isoformat(), one[2].isoformat(), one[3]), strict=True))
            for one in found
        ]
        _echo_json(listed)
        return
    if not found:
        typer.echo("没有人请假。登记：zhilin leads away USERID --until 2026-10-20")
        return
    rows = [("谁", "从", "到", "代班")]
    for userid, begins, ends, stand_in in found:
        who, other = bank.member(userid), bank.member(stand_in) if stand_in else None
        rows.append(
            (
                who.name if who is not None else userid,
                f"{begins.astimezone(bank.zone):%Y-%m-%d %H:%M}",
                f"{ends.astimezone(bank.zone):%Y-%m-%d %H:%M}",
                other.name if other is not None else stand_in or "—",
            )
        )
    print_columns(rows)


def _now() -> datetime:
    from bot.clock import SystemClock

    return SystemClock().now()


def _echo_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False))
