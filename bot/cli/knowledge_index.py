"""Commands about the index of knowledge: build it by hand, see how it stands."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.knowledge import knowledge
from bot.cli.root import AsJson, Folder, run, today
from bot.terminal import (
    logs,
    print_columns,
    print_problems,
    progress_line,
    stop_signal,
    the_settings,
    the_workspace,
)

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.errors import ContentError
    from bot.knowledge.index import Published
    from bot.workspace import Workspace

_STORES = {"chroma": "本机的 Chroma", "chroma-server": "Chroma 服务器", "memory": "内存"}


@knowledge.command("index")
def build_index(
    watch: Annotated[
        bool, typer.Option("--watch", help="建好以后接着看：文件一存就更新，按 Ctrl+C 停。")
    ] = False,
    drop_old: Annotated[
        bool,
        typer.Option(
            "--drop-old", help="删掉 Chroma 服务器上旧模型的向量；确认没有进程还在用旧模型再删。"
        ),
    ] = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """建索引，或补上新增和改过的：没变的不重算，中断了再运行就接着做。

    知邻正在运行时，只先算好向量；索引由它自己更新。换向量模型之前先运行一次，换的时候就快。
    例：zhilin knowledge index --watch
    """
    logs("ERROR")
    workspace = the_workspace(folder)
    settings = the_settings(workspace, today(workspace))
    run(_index(settings, workspace, watch=watch, drop_old=drop_old, as_json=as_json))


async def _index(
    settings: Settings, workspace: Workspace, *, watch: bool, drop_old: bool, as_json: bool
) -> None:
    from bot.index_parts import drop_older
    from bot.indexing import belongs_to_another, build, keep_in_step

    theirs = belongs_to_another(settings, workspace)
    done = await build(settings, workspace, today(workspace), progress_line(quiet=as_json))
    dropped = []
    if drop_old and settings.knowledge.store == "chroma-server":
        dropped = list(await drop_older(settings, workspace))
    if as_json:
        typer.echo(json.dumps(_plain(done) | {"in_use": theirs, "dropped": dropped}))
    else:
        _print_done(done, theirs=theirs)
        if dropped:
            typer.echo(f"删掉了旧模型的向量：{'、'.join(dropped)}。")
    if watch:
        if not as_json:
            typer.echo("接着看文件，按 Ctrl+C 停。")
        tell = _teller(as_json=as_json)
        await keep_in_step(settings, workspace, partial(today, workspace), tell, stop_signal())


def _teller(*, as_json: bool) -> Any:
    from bot.errors import ContentError

    def tell(news: Published | ContentError) -> None:
        if isinstance(news, ContentError):
            print_problems(news.problems)
            typer.echo("改好再存盘；在那以前用上一次的索引。", err=True)
        elif as_json:
            typer.echo(json.dumps(_plain(news)))
        else:
            _print_done(news, theirs=False)

    return tell


def _plain(done: Published) -> dict[str, Any]:
    return {
        "documents": done.documents,
        "passages": done.passages,
        "embedded": done.embedded,
        "removed": done.removed,
        "seconds": round(done.seconds, 2),
    }


def _print_done(done: Published, *, theirs: bool) -> None:
    if theirs:
        typer.echo(
            f"知邻正在用索引，只先备好了 {done.passages} 段的向量({done.seconds:.1f} 秒)；"
            "文件一存盘，它会自己更新。"
        )
        return
    typer.echo(
        f"索引好了：资料 {done.documents} 条，{done.passages} 段；"
        f"新加 {done.embedded} 段，去掉 {done.removed} 段，用了 {done.seconds:.1f} 秒。"
    )


@knowledge.command()
def status(folder: Folder = None, as_json: AsJson = False) -> None:
    """看索引怎么样：用什么模型、有多少条资料、还有多少段等着算向量。

    例：zhilin knowledge status --json
    """
    from bot.indexing import standing

    logs("ERROR")
    workspace = the_workspace(folder)
    settings = the_settings(workspace, today(workspace))
    found = run(standing(settings, workspace, today(workspace)))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    print_columns(_rows(found))


def _rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    models = f"{found['model']}({found['dimensions']} 维)"
    if found["second"]:
        models += f"，再由 {found['second']} 打一次分"
    waiting = "、".join(f"{model} {count} 段" for model, count in found["waiting"].items() if count)
    rows = [
        ("存在", f"{_STORES[found['store']]}：{found['place']}"),
        ("模型", models),
        ("资料", f"{found['documents']} 条，{found['passages']} 段"),
        ("等着算", waiting or "没有，都算好了"),
        ("在用", "知邻正在用" if found["in_use"] else "没有进程在用"),
    ]
    built = found["built"]
    if built:
        now = f"{built['answers_by']}，{built['documents']} 条，{built['passages']} 段"
        if built["filling"]:
            now += f"；正在换成 {built['filling']}，还差 {built['lacking']} 个向量"
        rows.append(("上次建成", now))
    elif found["store"] != "memory":
        rows.append(("上次建成", "还没建过：zhilin serve 会建，也可以 zhilin knowledge index"))
    for one in found.get("on_server", []):
        old = "" if one["model"] == found["model"] else "(旧的，--drop-old 可删)"
        rows.append(("服务器上", f"{one['model']} {one['vectors']} 个向量{old}"))
    return rows
