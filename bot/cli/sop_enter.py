"""Letting subjects into a script by hand: with the same checks as by any other way."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.root import AsJson, Folder, run
from bot.cli.sending import By, opened, user_name
from bot.cli.sop import sop
from bot.terminal import print_columns, the_workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.workspace import Workspace

_MOST = 100_000
_SHOWN = 20
_LOOK_EVERY_S = 0.1
_CHUNK = 500


@sop.command()
def enter(
    script: Annotated[str, typer.Argument(metavar="SCRIPT", help="剧本的编号。")],
    subjects: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SUBJECT]...", help="客户的 external_userid，或群的 chat_id。"),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="名单文件，一行一个；CSV 就取第一列。")
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0, max=600, help="最多等几秒看结果；0 就只交上去。")
    ] = 10.0,
    by: By = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """请这些客户或群进一个剧本：适用、排除、同意、联系得上、留白照样查，由 serve 来办。

    例：zhilin sop enter dormant-3waves wmAbc123 · zhilin sop enter senior-21d --file 名单.csv
    """
    wanted = _wanted(subjects or [], file)
    if not wanted:
        raise typer.BadParameter("写上客户或群，或用 --file 给一份名单。")
    if len(wanted) > _MOST:
        raise typer.BadParameter(f"一次最多 {_MOST} 个，这里有 {len(wanted)} 个：分几次来。")
    workspace = the_workspace(folder)
    found = run(_ask(workspace, script, wanted, wait, by or user_name()))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _print(found, len(wanted))
    if len(found) < len(wanted) and wait:
        raise typer.Exit(1)


def _wanted(subjects: Sequence[str], file: Path | None) -> list[str]:
    named = [one.strip() for one in subjects]
    if file is not None:
        from bot.workers.table_files import open_table

        head, rows = open_table(file)
        named += [head[0], *(row.cells[0] for row in rows)]
    return list(dict.fromkeys(one for one in named if one and one != "客户"))


async def _ask(
    workspace: Workspace, script: str, wanted: Sequence[str], wait: float, by: str
) -> dict[str, dict[str, str]]:
    """Put the wishes where ``serve`` works on them, and see what comes of each."""
    from datetime import UTC, datetime

    from bot.errors import ConfigError

    async with opened(workspace) as database:
        now = datetime.now(UTC)
        async with database.read() as tx:
            known = await tx.scripts.current(script)
            piloted = script in await tx.publications.all()
        if known is None and not piloted:
            raise ConfigError(
                f"剧本「{script}」没有正式版，也没有试点：编号对不对，看 zhilin sop list；"
                f"还没发布的，先 zhilin sop publish {script} --all，或让 zhilin serve 跑起来。"
            )
        for start in range(0, len(wanted), _CHUNK):
            async with database.begin() as tx:
                await tx.admissions.ask_by_hand(script, wanted[start : start + _CHUNK], now)
        async with database.begin() as tx:
            await tx.ledger.add("entry_asked", script, now, subjects=len(wanted), by=by)
        until = asyncio.get_running_loop().time() + wait
        while True:
            async with database.read() as tx:
                found = await tx.admissions.answers_by_hand(script, wanted)
            if len(found) == len(wanted) or asyncio.get_running_loop().time() >= until:
                return found
            await asyncio.sleep(_LOOK_EVERY_S)


def _print(found: dict[str, dict[str, str]], wanted: int) -> None:
    from bot.cli.customer_words import state_in_words

    rows = [
        (subject, state_in_words(one["state"], one["reason"]))
        for subject, one in sorted(found.items())
    ]
    print_columns(rows[:_SHOWN]) if rows else None
    if len(rows) > _SHOWN:
        typer.echo(f"……共 {len(rows)} 个，全部请加 --json。")
    if len(found) < wanted:
        typer.echo(f"还有 {wanted - len(found)} 个没有办：serve 没有在运行，或正忙，它会接着办。")
