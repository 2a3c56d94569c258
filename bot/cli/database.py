"""Commands for the database: bring it to this version, or check that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bot.cli.root import Folder, cli, run
from bot.terminal import the_workspace

if TYPE_CHECKING:
    from bot.workspace import Workspace

db = typer.Typer(help="数据库：升级到这一版的表，或检查是不是这一版。", no_args_is_help=True)
cli.add_typer(db, name="db")


@db.command("upgrade")
def db_upgrade(folder: Folder = None) -> None:
    """把数据库升级到这一版的表。例：zhilin db upgrade"""
    run(_database(the_workspace(folder), change=True))
    typer.echo("数据库已是这一版。")


@db.command("check")
def db_check(folder: Folder = None) -> None:
    """检查数据库是不是这一版的表；不是时退出码是 1。例：zhilin db check"""
    found = run(_database(the_workspace(folder), change=False))
    if found:
        typer.echo(f"数据库和这一版有 {found} 处不一致，请运行 zhilin db upgrade。", err=True)
        raise typer.Exit(1)
    typer.echo("数据库是这一版。")


async def _database(workspace: Workspace, *, change: bool) -> int:
    """Upgrade the database, or count what in it differs from this version's tables."""
    from bot.config import load_settings
    from bot.parts import open_database
    from bot.storage.migrate import differences, upgrade

    database = await open_database(load_settings(workspace.config), workspace)
    try:
        if change:
            await upgrade(database)
        return len(await differences(database))
    finally:
        await database.close()
