"""What the bank's systems know of customers: data, events, and why a script took them or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.root import AsJson, Folder, cli, run
from bot.cli.sending import By, bank_of, opened, user_name
from bot.terminal import print_columns, print_figures, print_problems, the_workspace

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.bank import Bank
    from bot.domain.people import Customer
    from bot.workers.bank_files import Checked, Table

customers = typer.Typer(
    help="客户资料：行内系统每天给的表，客户做了什么，某位客户为什么进了或没进剧本。",
    no_args_is_help=True,
)
cli.add_typer(customers, name="customers")
_NAMESAKES = 20
File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV(UTF-8 或 GBK)或 XLSX 文件。")]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="有错的行跳过，其余照收；不写就一行也不收。")
]


@customers.command("import")
def import_facts(
    file: File,
    as_of: Annotated[
        str, typer.Option("--as-of", help="数据截至什么时候，如 2026-10-11；不写就用文件的日期。")
    ] = "",
    skip_bad: SkipBad = False,
    by: By = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """收客户资料：第一列「客户」写 external_userid，其余列是登记过的客户资料。

    例：zhilin customers import T1.csv · zhilin customers import T1.xlsx --as-of 2026-10-11
    """
    from bot.workers.bank_data import take_facts
    from bot.workers.bank_files import facts_table

    workspace = the_workspace(folder)
    bank = bank_of(workspace)
    table = facts_table(file, bank)
    checked = _checked(table, skip_bad, as_json=as_json)
    moment = _as_of(as_of, file, bank)

    async def take() -> int:
        async with opened(workspace) as database:
            rows = table.rows(checked.bad)
            return await take_facts(database, rows, moment, _now(), by=by or user_name())

    changed = run(take())
    figures = {"收下": checked.good, "有变化": changed, "跳过": len(checked.bad)}
    print_figures(figures | {"数据截至": f"{moment:%Y-%m-%d %H:%M}"}, as_json=as_json)


@customers.command("events")
def import_events(
    file: File,
    skip_bad: SkipBad = False,
    by: By = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """收客户做了什么：四列 客户、事件、时间、编号；同一个编号收两次只算一次。

    例：zhilin customers events visits.csv
    """
    from bot.workers.bank_data import take_events
    from bot.workers.bank_files import events_table

    workspace = the_workspace(folder)
    table = events_table(file, bank_of(workspace), _now())
    checked = _checked(table, skip_bad, as_json=as_json)

    async def take() -> int:
        async with opened(workspace) as database:
            rows = table.rows(checked.bad)
            return await take_events(database, rows, _now(), by=by or user_name())

    new = run(take())
    known, skipped = checked.good - new, len(checked.bad)
    print_figures({"收下": new, "早就收过": known, "跳过": skipped}, as_json=as_json)


@customers.command("show")
def show(
    customer: Annotated[
        str, typer.Argument(metavar="ID", help="客户的 external_userid，或企业微信里的名字。")
    ],
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """看一位客户：资料、最近做了什么、在哪些剧本里、为什么进了或没进。

    例：zhilin customers show wmAbc123 · zhilin customers show 知足常乐
    """
    from bot.cli.customer_words import lines_of
    from bot.workers.customer_sheet import customer_sheet

    workspace = the_workspace(folder)
    bank = bank_of(workspace)

    async def look() -> tuple[dict[str, Any] | None, list[Customer]]:
        async with opened(workspace) as database, database.read() as tx:
            sheet = await customer_sheet(tx, customer, bank, _now())
            named = [] if sheet else await tx.people.named(customer.strip(), _NAMESAKES)
            if len(named) == 1:
                sheet = await customer_sheet(tx, named[0].id, bank, _now())
            return sheet, named

    sheet, named = run(look())
    if sheet is None:
        _print_namesakes(customer, named)
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps(sheet, ensure_ascii=False))
        return
    for title, rows in lines_of(sheet):
        typer.echo(title)
        print_columns([("  " + first, *rest) for first, *rest in rows])


def _print_namesakes(words: str, named: list[Customer]) -> None:
    if not named:
        typer.echo(f"没有客户「{words}」。请核对 external_userid，或写企业微信里的名字。", err=True)
        return
    many = "" if len(named) < _NAMESAKES else "，先列这些"
    typer.echo(f"名字里有「{words}」的不止一位{many}。请写其中一位的编号：", err=True)
    print_columns([("  " + one.id, one.name, "、".join(one.managers)) for one in named])


@customers.command("resume")
def resume(
    customer: Annotated[str, typer.Argument(metavar="ID", help="客户的 external_userid。")],
    why: Annotated[str, typer.Option("--why", help="为什么能恢复，写进台账。")],
    by: By = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """投诉办结了：办结投诉工单，解除停营销，再问一遍各个剧本。客户自己的拒收不动。

    例：zhilin customers resume wmAbc123 --why 已当面道歉，客户愿意再收 --by 王芳
    """
    from bot.cli.customer_words import resumed_in_words
    from bot.workers.resuming import Resumed, resume_marketing

    workspace = the_workspace(folder)
    bank = bank_of(workspace)

    async def lift() -> Resumed | None:
        async with opened(workspace) as database:
            given = {"by": by or user_name(), "why": why}
            return await resume_marketing(database, bank, customer, _now(), **given)

    done = run(lift())
    if done is None:
        typer.echo(f"没有客户「{customer}」。请核对 external_userid。", err=True)
        raise typer.Exit(1)
    if as_json:
        plain = {
            "customer": done.customer,
            "changed": done.changed,
            "paused_until": done.paused_until.isoformat() if done.paused_until else None,
            "complaints": list(done.complaints),
            "refuses": done.refused_at is not None,
        }
        typer.echo(json.dumps(plain, ensure_ascii=False))
        return
    for line in resumed_in_words(done, bank.zone):
        typer.echo(line)


def _checked(table: Table[Any], skip_bad: bool, *, as_json: bool) -> Checked:
    """Check a whole file; end here where anything is wrong and may not be skipped."""
    checked = table.check()
    if not checked.problems:
        return checked
    stops = not checked.good or not skip_bad
    if as_json:
        told = [
            {"line": p.line, "key": p.key, "what": p.what, "mend": p.mend} for p in checked.problems
        ]
        if stops:
            typer.echo(json.dumps({"problems": told, "more": checked.more}, ensure_ascii=False))
    else:
        print_problems(checked.problems)
        if checked.more:
            typer.echo(f"  还有 {checked.more} 处，先改上面这些。", err=True)
    if stops:
        if not as_json and checked.good:
            typer.echo("一行也没有收。改好再来，或加 --skip-bad 只收没有错的行。", err=True)
        raise typer.Exit(1)
    return checked


def _as_of(text: str, file: Path, bank: Bank) -> datetime:
    from datetime import UTC, datetime

    from pydantic_core import PydanticCustomError

    from bot.domain.datum import read_moment, words_of

    if not text:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC).astimezone(bank.zone)
    try:
        moment = read_moment(text.strip(), bank.zone)
    except PydanticCustomError as error:
        raise typer.BadParameter("，".join(words_of(error)), param_hint="--as-of") from None
    if moment > _now():
        raise typer.BadParameter("数据不能截至将来，写今天或以前。", param_hint="--as-of")
    return moment


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC)
