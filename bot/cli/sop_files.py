"""Commands about script files themselves: are they sound, and what may stand in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.root import AsJson, Folder, today
from bot.cli.sop import sop
from bot.terminal import print_notes, print_problems, problem_as_json, the_workspace

if TYPE_CHECKING:
    from bot.workers.checking import Findings


@sop.command("check")
def check_files(
    files: Annotated[
        list[Path] | None, typer.Argument(help="剧本文件，或放剧本的目录；不写就检查全部剧本。")
    ] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """检查剧本：写法、用词、额度、时段、分支、产品、审批，每处都说在第几行、怎么改。

    有要改的，退出码是 1；只有提醒，退出码是 0。
    例：zhilin sop check sop/senior-21d.sop.yaml
    """
    from bot.workers.checking import check_scripts
    from bot.workers.files import tables_for

    workspace = the_workspace(folder, or_starter=True)
    found = check_scripts(workspace, tables_for(today(workspace)), today(workspace), files or ())
    if as_json:
        typer.echo(json.dumps(_plain(found), ensure_ascii=False))
    else:
        _print(found)
    if found.problems:
        raise typer.Exit(1)


def _print(found: Findings) -> None:
    if found.problems:
        print_problems(found.problems)
    else:
        typer.echo(f"没有问题：剧本 {len(found.files)} 个，步骤 {found.steps} 个。")
    print_notes(found.notes)


def _plain(found: Findings) -> dict[str, object]:
    return {
        "files": list(found.files),
        "steps": found.steps,
        "problems": [problem_as_json(problem) for problem in found.problems],
        "notes": [problem_as_json(note) for note in found.notes],
    }


@sop.command()
def schema(
    out: Annotated[Path | None, typer.Option(help="写到这个文件；不写就打印出来。")] = None,
) -> None:
    """写出剧本文件的 JSON Schema：编辑器靠它补全每个键、说明怎么写、把写错的标出来。

    例：zhilin sop schema --out sop.schema.json
    """
    from bot.sop.schema import schema_text

    text = schema_text()
    if out is None:
        typer.echo(text)
        return
    out.write_text(text + "\n", encoding="utf-8")
    typer.echo(f"写好了 {out}。")
