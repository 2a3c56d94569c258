"""Scripts as a workbook to plan in, and as a picture to hang on a wall."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.root import AsJson, Folder
from bot.cli.sop import sop
from bot.terminal import the_workspace

if TYPE_CHECKING:
    from bot.sop.excel.files import Written

_NAMED = "剧本文件，或工作目录里剧本的编号"
Names = Annotated[list[str], typer.Argument(metavar="FILES", help=f"{_NAMED}，可以写几个。")]
_SAID = {"new": "新写了", "replaced": "换成了新的", "same": "没有变化，没有动"}


@sop.command("export")
def export_files(
    files: Names,
    out: Annotated[
        Path | None, typer.Option(help="写到这个 .xlsx；不写就用第一个剧本的名字。")
    ] = None,
    folder: Folder = None,
) -> None:
    """把剧本变成 Excel：一步一行，能选的都有下拉，每一列都有说明；改好用 import 变回来。

    例：zhilin sop export senior-21d --out 银龄群.xlsx
    """
    from bot.sop.excel.export import export_scripts
    from bot.sop.excel.files import read_scripts

    scripts = read_scripts([_file(named, folder) for named in files])
    target = out or Path(f"{scripts[0].id}.xlsx")
    _needs_suffix(target, ".xlsx")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(export_scripts(scripts))
    steps = sum(len(script.steps) for script in scripts)
    typer.echo(f"写好了 {target}：剧本 {len(scripts)} 个，步骤 {steps} 个。")
    typer.echo("剧本文件里 # 后面的备注不在里面；用 import 换掉原文件，备注就没有了。")


@sop.command("import")
def import_file(
    book: Annotated[Path, typer.Argument(help="export 导出、改好的 .xlsx。")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="写到这个文件夹或文件；不写就写进 -C 的 sop/，没有 -C 就写在 .xlsx 旁边；"
            "文件名是剧本的编号。"
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="已有的文件内容不同也换掉，原文件里的备注会没有。")
    ] = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """把 Excel 变回剧本文件；哪一格不对，就说是哪一格、怎么改。内容没变的文件不动。

    写好以后用 zhilin sop check 查一遍，用 zhilin sop diff 看改了什么。
    例：zhilin sop import 银龄群.xlsx --out sop
    """
    from bot.sop.excel.files import write_scripts
    from bot.sop.excel.importing import import_scripts

    scripts = import_scripts(_bytes_of(book), book.name)
    beside = book.parent if folder is None else the_workspace(folder).sop
    done = write_scripts(scripts, out or beside, force=force)
    if as_json:
        rows = [{"script": each.script, "file": str(each.path), "done": each.how} for each in done]
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for each in done:
            _tell(each)
    if any(each.how == "refused" for each in done):
        raise typer.Exit(1)


def _file(named: str, folder: Path | None) -> Path:
    """Return the file that is meant; one that lies there needs no workspace around it."""
    from bot.cli.sim_case import script_file

    path = Path(named)
    if folder is None and path.is_file():
        return path
    return script_file(the_workspace(folder, or_starter=True), named)


def _tell(each: Written) -> None:
    comments = f"，里面的 {each.comments} 处备注" if each.comments else ""
    if each.how == "refused":
        typer.echo(
            f"{each.path}：已有这个文件，内容不同，没有动。要换掉就加 --force"
            f"{comments}{'会没有' if comments else ''}；要比一比，先用 --out 写到别处，"
            "再用 zhilin sop diff。",
            err=True,
        )
        return
    gone = f"{comments}没有了" if comments and each.how == "replaced" else ""
    typer.echo(f"{each.path}：{_SAID[each.how]}{gone}。")


def _bytes_of(book: Path) -> bytes:
    from bot.errors import ContentError, Problem

    _needs_suffix(book, ".xlsx")
    try:
        return book.read_bytes()
    except OSError as error:
        mend = "检查文件名和文件夹；正用 Excel 开着的，先关掉"
        raise ContentError([Problem(str(book), 0, "", "文件读不出来", mend)]) from error


def _needs_suffix(path: Path, suffix: str) -> None:
    if path.suffix.lower() != suffix:
        typer.echo(f"{path}：文件名要以 {suffix} 结尾。", err=True)
        raise typer.Exit(1)


@sop.command()
def show(
    file: Annotated[str, typer.Argument(metavar="FILE", help=f"{_NAMED}。")],
    out: Annotated[Path | None, typer.Option(help="写到这个 .html；不写就在当前文件夹。")] = None,
    folder: Folder = None,
) -> None:
    """把剧本画成一张图：哪天发什么、怎么等、怎么分支、什么时候停。一个网页，能打印成 A3。

    例：zhilin sop show senior-21d --out 银龄群.html
    """
    from bot.sop.excel.files import read_scripts
    from bot.sop.picture.page import picture

    (script,) = read_scripts([_file(file, folder)])
    target = out or Path(f"{script.id}.html")
    _needs_suffix(target, ".html")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(picture(script), encoding="utf-8")
    typer.echo(f"画好了 {target}：用浏览器打开，打印选 A3 横向。")
