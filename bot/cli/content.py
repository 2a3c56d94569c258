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
    from bot.workers.content import Snapshot
    from bot.workspace import Workspace


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
    from bot.workers.content import inspect

    workspace = the_workspace(folder)
    snapshot, found = inspect(workspace, today(workspace))
    problems = (*_settings_problems(workspace, snapshot), *found)
    notes = snapshot.notes if snapshot is not None else ()
    if as_json:
        told = {"problems": problems, "notes": notes}
        listed = {key: list(map(problem_as_json, those)) for key, those in told.items()}
        typer.echo(json.dumps(listed, ensure_ascii=False))
    elif problems:
        print_problems(problems)
    elif snapshot is not None:
        documents = len(snapshot.documents())
        tracks = sum(len(file.tracks) for file in snapshot.talk)
        talk = f"，话术 {tracks} 条" if tracks else ""
        scripts = len(snapshot.scripts)
        typer.echo(f"没有问题：剧本 {scripts} 个，资料和问答 {documents} 条{talk}。")
    if not as_json:
        print_notes(notes)
    if problems:
        raise typer.Exit(1)


def _settings_problems(workspace: Workspace, snapshot: Snapshot | None) -> list[Problem]:
    """Return what is wrong in the settings themselves, or does not go with the bank's file."""
    from bot.config import load_settings
    from bot.domain.lead_data import unread
    from bot.errors import ConfigError, ContentError, Problem
    from bot.web_parts import place_of

    name = workspace.config.name
    found: list[Problem] = []
    settings = None
    try:
        settings = load_settings(workspace.config)
        place_of(settings)
    except ContentError as error:
        found += error.problems
    except ConfigError as error:
        found.append(Problem(name, 0, "sidebar", str(error), ""))
    if settings is not None and snapshot is not None:
        kinds = snapshot.bank.field_kinds
        found += [Problem(name, 0, *one) for one in unread(settings.leads.scoring, kinds)]
    return found
