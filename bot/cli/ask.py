"""The command that asks one question by hand."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bot.cli.root import AsJson, Folder, cli, run, today
from bot.terminal import logs, print_columns, progress_line, the_settings, the_workspace

_CHANNELS = ("kf", "group", "staff")
Channel = Annotated[
    str, typer.Option("--channel", help="在哪儿问：kf 一对一，group 群里，staff 员工。")
]
CustomerId = Annotated[
    str,
    typer.Option(
        "--customer",
        metavar="ID",
        help="当成这位客户来问：测评、年龄、同意和刚聊过的话；不写是陌生客户。",
    ),
]


@cli.command()
def ask(
    question: Annotated[str, typer.Argument(help="客户会怎么问。")],
    channel: Channel = "kf",
    customer: CustomerId = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """问一句，看小安会怎么答、依据是什么、哪里花了时间；不通知谁，也不记下来。

    例：zhilin ask "存单到期了怎么办" --channel group · zhilin ask "它安全吗" --customer wmAbc123
    """
    from bot.asking.once import ask_once
    from bot.cli.ask_words import blocks_of

    if channel not in _CHANNELS:
        raise typer.BadParameter("只能写 kf、group 或 staff。", param_hint="--channel")
    if customer and channel != "kf":
        raise typer.BadParameter("只有 --channel kf 时才有客户。", param_hint="--customer")
    if not (question := question.encode("utf-8", "replace").decode().strip()):
        raise typer.BadParameter("请写上要问的话。")
    logs("ERROR")
    workspace = the_workspace(folder, or_starter=True)
    settings, shown = the_settings(workspace, today(workspace)), progress_line(quiet=as_json)
    told = run(ask_once(settings, workspace, question, channel, shown, customer))
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    typer.echo(told["text"])
    for title, rows in blocks_of(told):
        typer.echo(f"\n{title}")
        print_columns([(f"  {first}", *rest) for first, *rest in rows])
