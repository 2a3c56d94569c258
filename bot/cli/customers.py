"""What the bank's systems know of customers: data, events, and why a script took them or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.root import AsJson, Folder, cli, run
from bot.cli.sending import By, opened, user_name
from bot.terminal import print_columns, print_figures, print_problems, the_workspace

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.bank import Bank
    from bot.workers.bank_files import Checked, Table
    from bot.workspace import Workspace

customers = typer.Typer(
    help="客户资料：行内系统每天给的表，客户做了什么，某位客户为什么进了或没进剧本。",
    no_args_is_help=True,
)
cli.add_typer(customers, name="customers")
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
    bank = _bank(workspace)
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
    table = events_table(file, _bank(workspace), _now())
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
    customer: Annotated[str, typer.Argument(metavar="ID", help="客户的 external_userid。")],
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """看一位客户：资料、最近做了什么、在哪些剧本里、为什么进了或没进。

    例：zhilin customers show wmAbc123
    """
    from bot.cli.customer_words import lines_of
    from bot.workers.customer_sheet import customer_sheet

    workspace = the_workspace(folder)
    bank = _bank(workspace)

    async def look() -> dict[str, Any] | None:
        async with opened(workspace) as database, database.read() as tx:
            return await customer_sheet(tx, customer, bank, _now())

    sheet = run(look())
    if sheet is None:
        typer.echo(f"没有客户「{customer}」。请核对 external_userid。", err=True)
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps(sheet, ensure_ascii=False))
        return
    for title, rows in lines_of(sheet):
        typer.echo(title)
        print_columns([("  " + first, *rest) for first, *rest in rows])


def _bank(workspace: Workspace) -> Bank:
    """Read the bank's own file; raise ``ContentError`` with its problems where it cannot be."""
    from bot.errors import ContentError
    from bot.sop.library import load_workspace_files

    library = load_workspace_files(workspace.root)
    if library.bank is None:
        raise ContentError(library.problems)
    return library.bank


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
