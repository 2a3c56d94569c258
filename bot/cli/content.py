"""Commands for those who write content: a new workspace, its check, a question asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.root import AsJson, Folder, cli, today
from bot.terminal import (
    print_notes,
    print_problems,
    problem_as_json,
    the_workspace,
)

if TYPE_CHECKING:
    from bot.errors import Problem


@cli.command()
def init(
    folder: Annotated[Path, typer.Argument(help="新的工作目录。")],
) -> None:
    """建一个工作目录：拷来示例的设置、剧本和知识；已有的文件一个也不动。

    例：zhilin init my-bank
    """
    from bot.workspace import create_workspace

    written, kept = create_workspace(folder)
    typer.echo(f"写了 {len(written)} 个文件到 {folder}。")
    if kept:
        typer.echo(f"有 {len(kept)} 个文件已经在了，没有动。")
    typer.echo(f"下一步：改 {folder}/sop/_workspace.yaml，再运行 zhilin check -C {folder}")


@cli.command()
def check(folder: Folder = None, as_json: AsJson = False) -> None:
    """检查设置、剧本、问答、人设和资料：所有问题列在一起，有问题时退出码是 1；只有提醒，是 0。

    例：zhilin check -C my-bank
    """
    from bot.config import load_settings
    from bot.errors import ContentError
    from bot.workers.content import inspect

    workspace = the_workspace(folder)
    problems: tuple[Problem, ...] = ()
    try:
        load_settings(workspace.config)
    except ContentError as error:
        problems = error.problems
    snapshot, found = inspect(workspace, today())
    problems = (*problems, *found)
    notes = snapshot.notes if snapshot is not None else ()
    if as_json:
        told = {"problems": problems, "notes": notes}
        listed = {key: list(map(problem_as_json, those)) for key, those in told.items()}
        typer.echo(json.dumps(listed, ensure_ascii=False))
    elif problems:
        print_problems(problems)
    elif snapshot is not None:
        documents = len(snapshot.documents())
        typer.echo(f"没有问题：剧本 {len(snapshot.scripts)} 个，资料和问答 {documents} 条。")
    if not as_json:
        print_notes(notes)
    if problems:
        raise typer.Exit(1)
