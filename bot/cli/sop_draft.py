"""A Word or text plan turned into a draft script: ``zhilin sop draft``."""

from __future__ import annotations

import json
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from bot.cli.root import AsJson, Folder, run, today
from bot.cli.sop import sop
from bot.terminal import logs, the_settings, the_workspace

if TYPE_CHECKING:
    from bot.sop.outline.script import For
    from bot.workers.sop_draft import Made
    from bot.workspace import Workspace

_SUFFIX = ".sop.yaml"
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]*")


@sop.command("draft")
def draft_file(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="计划：.docx、.txt 或 .md。")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="写到哪个 .sop.yaml；不写就打印出来。")
    ] = None,
    subject: Annotated[
        str, typer.Option("--for", help="客户群 或 客户；不写就看文档里怎么说。")
    ] = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """把 Word 或文本写的计划转成一份剧本草稿，转好就过得了 sop check。

    认「第1天 9:30」「D3」「T+2」「第2周周三」和表格；没归进去的、改了的、不能说的，都列出来，
    也写在文件开头。状态是草稿，看过改好再送审。

    例：zhilin sop draft 银发社群方案.docx -o sop/silver.sop.yaml
    """
    if subject not in ("", "客户群", "客户"):
        raise typer.BadParameter("只能写 客户群 或 客户。", param_hint="--for")
    name = out.name.removesuffix(_SUFFIX) if out is not None else ""
    if out is not None and (not out.name.endswith(_SUFFIX) or not _SLUG.fullmatch(name)):
        what = "文件名用小写字母、数字和减号，以 .sop.yaml 结尾，例如 silver.sop.yaml。"
        raise typer.BadParameter(what, param_hint="--out")
    if out is not None and out.exists():
        raise typer.BadParameter(f"{out} 已经有了，换个名字。", param_hint="--out")
    logs("ERROR")
    workspace = the_workspace(folder, or_starter=True)
    given = cast("For", subject) if subject else None
    made = run(_draft(workspace, source, name, given))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(made.text, "utf-8")
    if as_json:
        typer.echo(json.dumps(_plain(made, out), ensure_ascii=False))
        return
    if out is None:
        typer.echo(made.text, nl=False)
    _say(made, out)


async def _draft(workspace: Workspace, source: Path, name: str, subject: For | None) -> Made:
    from bot.ai.offline import OfflineChat
    from bot.parts import open_model
    from bot.workers.sop_draft import draft_from

    async with AsyncExitStack() as stack:
        chat = await open_model(stack, the_settings(workspace, today(workspace)))
        model = None if isinstance(chat, OfflineChat) else chat
        day = today(workspace)
        return await draft_from(source, workspace, day, name=name, subject=subject, chat=model)


def _say(made: Made, out: Path | None) -> None:
    to_err = out is None  # the file itself goes to the output
    by = "(大模型帮着分的步骤)" if made.by_model else ""
    typer.echo(f"转好 {made.steps} 步，过了检查{by}。", err=to_err)
    if made.remarks:
        typer.echo(f"有 {len(made.remarks)} 处要看：", err=to_err)
    for remark in made.remarks:
        typer.echo(f"  {remark.where}：{remark.what}", err=to_err)
    for note in made.notes:
        typer.echo(f"  提醒 {note.what}" + (f" · {note.mend}" if note.mend else ""), err=to_err)


def _plain(made: Made, out: Path | None) -> dict[str, object]:
    return {
        "file": str(out) if out else None,
        "steps": made.steps,
        "by_model": made.by_model,
        "remarks": [{"where": one.where, "what": one.what} for one in made.remarks],
        "text": made.text,
    }
