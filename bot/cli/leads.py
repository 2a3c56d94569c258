"""Leads for those who live in a terminal: listed, shown, written to a sheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.leads_words import (
    NEEDS,
    RIGHTS,
    SHEET_HEAD,
    STAGES,
    lead_as_json,
    print_lead,
    print_leads,
    sheet_row,
)
from bot.cli.root import AsJson, Folder, cli, run
from bot.cli.sending import bank_of, opened
from bot.terminal import the_workspace

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.bank import Bank
    from bot.storage.lead_list import Listed, Wanted
    from bot.storage.tx import Tx
    from bot.workspace import Workspace

leads = typer.Typer(
    help=f"线索：看、转派、办结、导出，请假交接，学打分，出报表。{RIGHTS}",
    no_args_is_help=True,
    rich_markup_mode=None,
)
cli.add_typer(leads, name="leads")
_PAGE = 500
Number = Annotated[int, typer.Argument(metavar="编号", min=1, help="list 第一列的编号。")]
Who = Annotated[str, typer.Option("--rm", help="只看这位同事手上的，写 userid。")]
Branch = Annotated[str, typer.Option("--branch", help="只看这个网点的，写网点编号。")]
NeedOf = Annotated[str, typer.Option("--need", help=f"只看这一类：{'、'.join(NEEDS)}。")]
StageOf = Annotated[str, typer.Option("--stage", help=f"只看这个状态：{'、'.join(STAGES)}。")]
Late = Annotated[bool, typer.Option("--overdue", help="只看过了时限、还没人回客户的。")]
Closed = Annotated[bool, typer.Option("--closed", help="办结的也算。")]
Days = Annotated[int, typer.Option("--days", min=0, max=3650, help="最近多少天里来的；0 是不限。")]
FullNames = Annotated[bool, typer.Option("--names", help="客户名字写全；不写只留姓。")]


@leads.command("list")
def list_leads(
    folder: Folder = None,
    rm: Who = "",
    branch: Branch = "",
    need: NeedOf = "",
    stage: StageOf = "",
    overdue: Late = False,
    closed: Closed = False,
    days: Days = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="最多列这么多条。")] = 50,
    names: FullNames = False,
    as_json: AsJson = False,
) -> None:
    """列出线索，先到时限的在前；不写条件就是全行没办结的。

    例：zhilin leads list · zhilin leads list --rm li.min --overdue · zhilin leads list --json
    """
    workspace = the_workspace(folder)
    bank = bank_of(workspace)
    wanted = _wanted(bank, rm, branch, need, stage, overdue=overdue, closed=closed, days=days)
    found, total = run(_list(workspace, wanted, limit))
    if as_json:
        shown = [lead_as_json(one, bank, full=names) for one in found]
        _echo_json({"total": total, "leads": shown})
        return
    if not found:
        unknown = f"员工里也没有 {rm}，请核对 --rm。" if rm and bank.member(rm) is None else ""
        typer.echo(f"没有这样的线索。{unknown}")
        return
    print_leads(found, bank, _now(), full=names)
    if total > len(found):
        typer.echo(f"共 {total} 条，只列了前 {len(found)} 条，要看更多请加 --limit。")
    typer.echo(RIGHTS)


@leads.command("show")
def show_lead(
    number: Number, folder: Folder = None, names: FullNames = False, as_json: AsJson = False
) -> None:
    """看一条：客户的话、为什么算线索、时限、谁在办、走到哪了。例：zhilin leads show 12"""
    workspace = the_workspace(folder)
    bank = bank_of(workspace)
    one, log = run(_show(workspace, number))
    if as_json:
        steps = [{"at": at.isoformat(), "what": kind, **facts} for at, kind, facts in log]
        _echo_json(lead_as_json(one, bank, full=names) | {"log": steps})
        return
    print_lead(one, log, bank, _now(), full=names)


@leads.command("export")
def export_leads(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="写到这个 .xlsx 或 .csv。")],
    folder: Folder = None,
    rm: Who = "",
    branch: Branch = "",
    need: NeedOf = "",
    stage: StageOf = "",
    overdue: Late = False,
    closed: Closed = False,
    days: Days = 0,
    names: FullNames = False,
    force: Annotated[bool, typer.Option("--force", help="已有这个文件也换掉。")] = False,
) -> None:
    """把线索写进表格，一条一行；号码遮住，客户名字默认只留姓。

    例：zhilin leads export 十月.xlsx --closed --days 31
    """
    from bot.workers.table_files import write_table

    if out.suffix.lower() not in (".xlsx", ".csv"):
        raise typer.BadParameter(f"{out}：文件名要以 .xlsx 或 .csv 结尾。")
    if out.exists() and not force:
        typer.echo(f"{out} 已经有了，没有动。要换掉就加 --force。", err=True)
        raise typer.Exit(1)
    workspace = the_workspace(folder)
    bank = bank_of(workspace)
    wanted = _wanted(bank, rm, branch, need, stage, overdue=overdue, closed=closed, days=days)
    every = run(_all(workspace, wanted))
    write_table(out, SHEET_HEAD, (sheet_row(one, bank, full=names) for one in every))
    typer.echo(f"写好了 {out}：{len(every)} 条。{RIGHTS}")


async def _list(workspace: Workspace, wanted: Wanted, limit: int) -> tuple[list[Listed], int]:
    async with opened(workspace) as database, database.read() as tx:
        found = await tx.lead_list.first_due(wanted, _now(), limit=limit)
        return found, await tx.lead_list.count(wanted, _now())


async def _all(workspace: Workspace, wanted: Wanted) -> list[Listed]:
    async with opened(workspace) as database:
        found: list[Listed] = []
        while True:
            async with database.read() as tx:
                after = found[-1].lead.id if found else 0
                page = await tx.lead_list.find(wanted, _now(), limit=_PAGE, after=after)
            found += page
            if len(page) < _PAGE:
                return found


async def _show(
    workspace: Workspace, number: int
) -> tuple[Listed, list[tuple[datetime, str, dict[str, Any]]]]:
    async with opened(workspace) as database, database.read() as tx:
        one = await the_lead(tx, number)
        entries = await tx.ledger.about_lead(one.lead.customer, number)
        return one, [(entry.at, entry.kind, entry.facts) for entry in entries]


async def the_lead(tx: Tx, number: int) -> Listed:
    """Return a lead with its customer's name; raise ``ConfigError`` where there is none."""
    from bot.errors import ConfigError
    from bot.storage.lead_list import Listed

    lead = await tx.leads.get(number)
    if lead is None:
        raise ConfigError(f"没有 {number} 号线索。请用 zhilin leads list --closed 看有哪些。")
    customer = await tx.people.customer(lead.customer)
    return Listed(lead, customer.name if customer is not None else "")


def _wanted(
    bank: Bank,
    rm: str,
    branch: str,
    need: str,
    stage: str,
    *,
    overdue: bool,
    closed: bool,
    days: int,
) -> Wanted:
    from datetime import timedelta

    from bot.storage.lead_list import Wanted

    _known("--need", need, list(NEEDS))
    _known("--stage", stage, list(STAGES))
    _known("--branch", branch, [one.id for one in bank.branches])
    named = next((code for words, code in STAGES.items() if words == stage), "")
    return Wanted(
        holders=(rm,) if rm else (),
        branch=branch,
        need=need,
        stages=(named,) if named else (),
        closed=closed or named in ("won", "lost", "invalid", "closed", "refused"),
        overdue=overdue,
        since=_now() - timedelta(days=days) if days else None,
    )


def _known(option: str, value: str, names: list[str]) -> None:
    if value and value not in names:
        raise typer.BadParameter(f"{option} 只能是 {'、'.join(names)}。")


def _now() -> datetime:
    from bot.clock import SystemClock

    return SystemClock().now()


def _echo_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False))
