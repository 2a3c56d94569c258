"""The codes by which customers come: what the file asks for, and what WeCom has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.root import AsJson, Folder, cli, run
from bot.cli.sending import opened
from bot.terminal import print_columns, the_workspace

if TYPE_CHECKING:
    from bot.storage.ways import MadeWay
    from bot.workspace import Workspace

_KINDS = {"contact": "渠道活码", "join": "入群活码"}
_STATUS = {
    "planned": "待创建",
    "making": "创建中",
    "ready": "可用",
    "unknown": "不明",
    "failed": "失败",
    "orphan": "文件里已没有",
}


@cli.command()
def ways(
    folder: Folder = None,
    retry: Annotated[
        str, typer.Option("--retry", help="把这个名称的「不明」或「失败」再创建一次。")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """列出渠道活码和入群活码：标识、状态、二维码地址。

    活码写在 sop/_workspace.yaml，由运行中的知邻去建。「不明」是创建时断了，不知道成没成：
    请先在管理后台看一眼，没有再 --retry。「文件里已没有」的不会自动删，请自己在管理后台删。
    例：zhilin ways · zhilin ways --retry 大堂易拉宝
    """
    workspace = the_workspace(folder)
    if retry:
        count = run(_retry(workspace, retry))
        if not count:
            typer.echo(f"没有叫「{retry}」、状态是不明或失败的活码。", err=True)
            raise typer.Exit(1)
        typer.echo(f"「{retry}」会马上再创建。结果用 zhilin ways 看。")
        return
    found = run(_all(workspace))
    if as_json:
        typer.echo(json.dumps([_fields(way) for way in found], ensure_ascii=False))
    elif not found:
        typer.echo("还没有活码：在 sop/_workspace.yaml 里写「渠道活码」或「入群活码」。")
    else:
        head = ("种类", "名称", "标识", "状态", "二维码地址或原因")
        print_columns([head, *(_row(way) for way in found)])


def _row(way: MadeWay) -> tuple[str, ...]:
    wanted = way.wanted
    last = " ".join(part for part in (way.link, way.reason) if part)
    return _KINDS[wanted.kind], wanted.name, wanted.state, _STATUS[way.status], last


def _fields(way: MadeWay) -> dict[str, Any]:
    return {
        "kind": way.wanted.kind,
        "name": way.wanted.name,
        "state": way.wanted.state,
        "status": way.status,
        "config_id": way.config_id,
        "link": way.link,
        "reason": way.reason,
    }


async def _all(workspace: Workspace) -> list[MadeWay]:
    async with opened(workspace) as database, database.read() as tx:
        return await tx.ways.all()


async def _retry(workspace: Workspace, name: str) -> int:
    from datetime import UTC, datetime

    async with opened(workspace) as database, database.begin() as tx:
        return await tx.ways.retry(name, datetime.now(UTC))
