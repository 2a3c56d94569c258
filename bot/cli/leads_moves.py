"""Leads moved from the server's terminal: passed on, ended, handed on while somebody is away."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from bot.cli.leads import Number, bank_of, leads, the_lead
from bot.cli.leads_words import RIGHTS
from bot.cli.root import AsJson, Folder, agrees, run, today
from bot.cli.sending import By, opened, user_name
from bot.terminal import print_columns, the_workspace

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from datetime import datetime

    from bot.domain.bank import Bank
    from bot.domain.lead import Moved, Outcome, Refused
    from bot.leads.away import Absences, HandedOn
    from bot.leads.desk import LeadDesk
    from bot.workspace import Workspace

Absent = Annotated[str, typer.Argument(metavar="USERID", help="谁请假；不写列出谁不在。")]
Until = Annotated[str, typer.Option("--until", help="请到哪天(含)，如 2026-10-20。")]
Deputy = Annotated[str, typer.Option("--deputy", help="代班的同事，先给他。")]
Back = Annotated[bool, typer.Option("--back", help="提前回来了。")]
Yes = Annotated[bool, typer.Option("--yes", help="不再问，直接办。")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只看会转给谁，不转。")]
_OUTCOMES: dict[str, Outcome] = {
    "成交": "won",
    "没成": "lost",
    "无效": "invalid",
    "办结": "closed",
}


class Leave(Protocol):
    """Plans who takes over from whom, and carries it out where it may write."""

    def __call__(self, *, write: bool) -> Coroutine[Any, Any, Sequence[HandedOn]]:
        """Return whose leads go to whom."""


@leads.command("assign")
def assign_lead(
    number: Number,
    to: Annotated[str, typer.Option("--to", help="转给谁，写 userid。")],
    folder: Folder = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """把一条线索转给一位同事，卡片马上发给他。例：zhilin leads assign 12 --to wang.haoran"""
    workspace = the_workspace(folder)
    bank = bank_of(workspace)
    if bank.member(to) is None:
        raise typer.BadParameter(f"员工里没有 {to}：请核对 --to 的账号。")
    done = run(_assign(workspace, bank, number, to, by or user_name()))
    tell(done, number, as_json=as_json)


@leads.command("close")
def close_lead(
    number: Number,
    outcome: Annotated[str, typer.Option("--as", help=f"结果：{'、'.join(_OUTCOMES)}。")] = "办结",
    why: Annotated[str, typer.Option("--why", help="原因，写进台账，160 字以内。")] = "",
    folder: Folder = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """办结一条线索。例：zhilin leads close 12 --as 成交 · zhilin leads close 12 --as 无效"""
    if outcome not in _OUTCOMES:
        raise typer.BadParameter(f"--as 只能是 {'、'.join(_OUTCOMES)}。")
    workspace = the_workspace(folder)
    bank = bank_of(workspace)
    done = run(_close(workspace, bank, number, _OUTCOMES[outcome], why[:160], by or user_name()))
    tell(done, number, as_json=as_json)


@leads.command("away")
def away(
    userid: Absent = "",
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
    提前回来：zhilin leads away li.min --back
    """
    workspace = the_workspace(folder)
    bank = bank_of(workspace)
    if not userid:
        _print_absences(run(_absences(workspace)), bank, as_json=as_json)
    elif back:
        there = run(_come_back(workspace, bank, userid))
        typer.echo(f"{userid} {'记下了：已经回来，照常派线索。' if there else '没有登记过请假。'}")
    else:
        end = _end_of(until, bank)
        _refuse_if(bank, userid, deputy, end)
        leave = partial(_away, workspace, bank, userid, deputy, end, by or user_name())
        _hand_on(leave, bank, userid, sure=yes, dry_run=dry_run, as_json=as_json)


def _hand_on(
    leave: Leave, bank: Bank, userid: str, *, sure: bool, dry_run: bool, as_json: bool
) -> None:
    """Show who would take over, and carry it out where that is agreed to."""
    planned = run(leave(write=False))
    if as_json and (dry_run or not sure):
        _echo_json(_handed_as_json(planned, written=False))
        return
    if not as_json:
        _print_plan(planned, bank, userid)
    if dry_run or not (sure or agrees("就这样转？")):
        typer.echo("没有动。")
        return
    done = run(leave(write=True))
    if as_json:
        _echo_json(_handed_as_json(done, written=True))
    else:
        typer.echo(f"办好了：转出 {len(done)} 条。回来之前新线索不派给他。{RIGHTS}")


async def _assign(
    workspace: Workspace, bank: Bank, number: int, to: str, by: str
) -> Moved | Refused:
    from bot.domain.ids import RmId
    from bot.domain.lead_rights import BY_OPS

    async with opened(workspace) as database, database.begin() as tx:
        await the_lead(tx, number)
        done = await desk_of_files(workspace, bank).pass_on(tx, number, RmId(to), BY_OPS, _now())
        await tx.ledger.add("lead_moved_by_ops", str(number), _now(), by=by, to=to)
        return done


async def _close(
    workspace: Workspace, bank: Bank, number: int, outcome: Outcome, why: str, by: str
) -> Moved | Refused:
    from bot.domain.lead_rights import BY_OPS

    async with opened(workspace) as database, database.begin() as tx:
        await the_lead(tx, number)
        done = await desk_of_files(workspace, bank).finish(tx, number, outcome, why, BY_OPS, _now())
        await tx.ledger.add("lead_moved_by_ops", str(number), _now(), by=by, outcome=outcome)
        return done


async def _away(
    workspace: Workspace,
    bank: Bank,
    userid: str,
    deputy: str,
    until: datetime,
    by: str,
    *,
    write: bool,
) -> Sequence[HandedOn]:
    from bot.domain.ids import RmId

    room = _absences_room(workspace, bank)
    stand_in = RmId(deputy) if deputy else None
    async with opened(workspace) as database:
        if not write:
            async with database.read() as tx:
                return await room.plan(tx, RmId(userid), stand_in, _now())
        async with database.begin() as tx:
            return await room.leave(tx, RmId(userid), until, stand_in, _now(), by=RmId(by))


async def _come_back(workspace: Workspace, bank: Bank, userid: str) -> bool:
    from bot.domain.ids import RmId

    async with opened(workspace) as database, database.begin() as tx:
        return await _absences_room(workspace, bank).come_back(tx, RmId(userid), _now())


async def _absences(workspace: Workspace) -> Sequence[tuple[Any, ...]]:
    async with opened(workspace) as database, database.read() as tx:
        return await tx.desks.absences(_now())


def desk_of_files(workspace: Workspace, bank: Bank) -> LeadDesk:
    """Return the desk that moves leads, as the workspace's files have it."""
    from bot.config import load_settings
    from bot.workers.content import tables_for
    from bot.workers.lead_desk import desk_beside

    rules = load_settings(workspace.config).leads.assigning
    return desk_beside(lambda: bank, lambda: tables_for(today()), rules)


def _absences_room(workspace: Workspace, bank: Bank) -> Absences:
    from bot.config import load_settings
    from bot.leads.away import Absences

    rules = load_settings(workspace.config).leads.assigning
    return Absences(lambda: bank, desk_of_files(workspace, bank), lambda: rules)


def _end_of(until: str, bank: Bank) -> datetime:
    from datetime import date, datetime, time, timedelta

    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise typer.BadParameter("--until 写成 2026-10-20 的样子。") from None
    return datetime.combine(day + timedelta(days=1), time(0), tzinfo=bank.zone)


def _refuse_if(bank: Bank, userid: str, deputy: str, until: datetime) -> None:
    from bot.errors import ConfigError
    from bot.leads.away import problem_with

    if problem := problem_with(bank, userid, deputy, until, _now()):
        raise ConfigError(problem)


def _print_plan(planned: Sequence[HandedOn], bank: Bank, userid: str) -> None:
    from bot.domain.assigning import WORDS

    member = bank.member(userid)
    name = member.name if member is not None else userid
    if not planned:
        typer.echo(f"{name}手上没有未办结的线索。")
        return
    typer.echo(f"{name}手上 {len(planned)} 条，会这样转：")
    rows = [("编号", "需求", "转给", "为什么")]
    for one in planned:
        taker = bank.member(one.to) if one.to else None
        to = taker.name if taker is not None else "网点的池"
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


def tell(done: Moved | Refused, number: int, *, as_json: bool) -> None:
    """Print what became of a lead; raise ``typer.Exit`` with 1 where it was refused."""
    from bot.domain.lead import Refused

    refused = isinstance(done, Refused)
    if as_json:
        _echo_json({"lead": number, "done": not refused, "words": done.words})
    else:
        typer.echo(f"{number} 号：{done.words}", err=refused)
    if refused:
        raise typer.Exit(1)


def _now() -> datetime:
    from bot.clock import SystemClock

    return SystemClock().now()


def _echo_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False))
