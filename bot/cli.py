"""The ``zhilin`` command: each command parses, calls one function and prints."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot import __version__
from bot.terminal import (
    logs,
    print_figures,
    print_problems,
    progress_line,
    stop_signal,
    the_settings,
    the_workspace,
)

if TYPE_CHECKING:
    from bot.errors import Problem
    from bot.workspace import Workspace

T = TypeVar("T")
cli = typer.Typer(
    name="zhilin",
    help="知邻：银行的企业微信助手。答客户的问题，走社群剧本，把线索交给客户经理。",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
db = typer.Typer(help="数据库：升级到这一版的表，或检查是不是这一版。", no_args_is_help=True)
cli.add_typer(db, name="db")
Folder = Annotated[
    Path | None,
    typer.Option("--workspace", "-C", help="工作目录；不写就从当前目录往上找 config.toml。"),
]
AsJson = Annotated[bool, typer.Option("--json", help="只输出一个 JSON，给程序读。")]


def main() -> None:
    """Run the command; every error on purpose is said in words, with an exit code."""
    from bot.errors import BotError, ContentError

    try:
        cli()
    except ContentError as error:
        print_problems(error.problems)
        sys.exit(1)
    except BotError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


@cli.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="打印版本号。")] = False,
) -> None:
    if version:
        typer.echo(f"zhilin {__version__}")
        raise typer.Exit


@cli.command()
def demo(
    folder: Folder = None,
    headless: Annotated[bool, typer.Option("--headless", help="不开网页，直接演完。")] = False,
    as_json: AsJson = False,
    days: Annotated[int | None, typer.Option(min=1, max=35, help="只演这么多天。")] = None,
    seed: Annotated[int, typer.Option(min=0, help="随机种子；同一个种子，同一个故事。")] = 1,
    port: Annotated[int, typer.Option(min=0, max=65535, help="网页的端口。")] = 8765,
) -> None:
    """演一遍：不用网络、账号和密钥，在一张网页上看客户、社群和客户经理。

    例:zhilin demo · zhilin demo --headless --json --days 3
    """
    if not headless and (as_json or days is not None):
        raise typer.BadParameter("--json 和 --days 要和 --headless 一起用。")
    workspace = the_workspace(folder, or_starter=True)
    logs("ERROR" if headless else "WARNING")
    if headless:
        from bot.demo.headless import play_headless

        figures = _run(
            play_headless(workspace, days=days, seed=seed, progress=progress_line(quiet=as_json))
        )
        print_figures(figures, as_json=as_json)
        return
    _run(_serve_demo(workspace, port, seed))


async def _serve_demo(workspace: Workspace, port: int, seed: int) -> None:
    from bot.demo.stage import run_stage

    def ready(address: str) -> None:
        typer.echo(f"好了，请用浏览器打开：{address}")
        typer.echo("按 Ctrl+C 结束。")

    typer.echo("正在准备演示(第一次要建索引，约半分钟)……")
    stopping = stop_signal()
    await run_stage(workspace, "127.0.0.1", port, seed, progress_line(), ready, stopping)


@cli.command()
def serve(folder: Folder = None) -> None:
    """上线运行：收企业微信的回调，答客户，走剧本。

    设置写在 config.toml，密钥放环境变量，例如 BOT_WECOM__SECRET。例:zhilin serve -C /srv/bank
    """
    from bot.app import serve as run_bot
    from bot.clock import SystemClock

    workspace = the_workspace(folder)
    settings = the_settings(workspace, _today())
    logs(settings.log.level, as_json=settings.log.as_json)
    _run(run_bot(settings, workspace, SystemClock()))


@cli.command()
def emulator(
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口；0 由系统挑。")] = 8790,
    host: Annotated[str, typer.Option(help="监听的地址。")] = "127.0.0.1",
    empty: Annotated[bool, typer.Option("--empty", help="不放人和群，由程序自己建。")] = False,
    folder: Folder = None,
) -> None:
    """在本机起一个企业微信：接口、回调、额度和错误码都照官方文档，给联调和测试用。

    例:zhilin emulator --port 8790
    """
    from bot.demo.local_wecom import run_local_wecom

    workspace = the_workspace(folder, or_starter=True)
    _run(_serve_emulator(run_local_wecom, workspace, host, port, empty))


async def _serve_emulator(
    run: Any, workspace: Workspace, host: str, port: int, empty: bool
) -> None:
    await run(workspace, host, port, empty, typer.echo, stop_signal())


@cli.command()
def init(
    folder: Annotated[Path, typer.Argument(help="新的工作目录。")],
) -> None:
    """建一个工作目录：拷来示例的设置、剧本和知识；已有的文件一个也不动。

    例:zhilin init my-bank
    """
    from bot.workspace import create_workspace

    written, kept = create_workspace(folder)
    typer.echo(f"写了 {len(written)} 个文件到 {folder}。")
    if kept:
        typer.echo(f"有 {len(kept)} 个文件已经在了，没有动。")
    typer.echo(f"下一步：改 {folder}/sop/_workspace.yaml，再运行 zhilin check -C {folder}")


@cli.command()
def check(folder: Folder = None, as_json: AsJson = False) -> None:
    """检查设置、剧本、问答、人设和资料：所有问题列在一起，有问题时退出码是 1。

    例:zhilin check -C my-bank
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
    snapshot, found = inspect(workspace, _today())
    problems = (*problems, *found)
    if as_json:
        listed = [
            {"file": p.file, "line": p.line, "key": p.key, "what": p.what, "mend": p.mend}
            for p in problems
        ]
        typer.echo(json.dumps({"problems": listed}, ensure_ascii=False))
    elif problems:
        print_problems(problems)
    elif snapshot is not None:
        documents = len(snapshot.documents())
        typer.echo(f"没有问题：剧本 {len(snapshot.scripts)} 个，资料和问答 {documents} 条。")
    if problems:
        raise typer.Exit(1)


@cli.command()
def ask(
    question: Annotated[str, typer.Argument(help="客户会怎么问。")],
    plane: Annotated[str, typer.Option(help="在哪儿问:kf 一对一，group 群里，staff 员工。")] = "kf",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """问一句，看小安会怎么答、依据是什么。

    例:zhilin ask "存单到期了怎么办" --plane group
    """
    from bot.asking import ask_once

    if plane not in ("kf", "group", "staff"):
        raise typer.BadParameter("只能写 kf、group 或 staff。", param_hint="--plane")
    question = question.encode("utf-8", "replace").decode().strip()
    if not question:
        raise typer.BadParameter("请写上要问的话。")
    logs("ERROR")
    workspace = the_workspace(folder, or_starter=True)
    settings, progress = the_settings(workspace, _today()), progress_line(quiet=as_json)
    answer = _run(ask_once(settings, workspace, question, plane, progress))
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    typer.echo(answer["text"])
    typer.echo("")
    typer.echo(
        f"类别  {answer['kind_in_words']}    把握 {answer['confidence']:.2f}  (试问，没有通知谁)"
    )
    for source in answer["sources"]:
        typer.echo(f"出处  {source}")


@cli.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="只测这几项；不写就都测。")] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """测速度：回调、回答、去重、断电、索引、整个故事；每一项旁边是同一次测的参照。

    例:zhilin bench callbacks answer --json
    """
    from bot.bench import run_bench

    logs("ERROR")

    def say(words: str) -> None:
        typer.echo(words, err=True)

    figures = _run(run_bench(names or [], the_workspace(folder, or_starter=True), say))
    print_figures(figures, as_json=as_json)


@db.command("upgrade")
def db_upgrade(folder: Folder = None) -> None:
    """把数据库升级到这一版的表。例:zhilin db upgrade"""
    _run(_database(the_workspace(folder), change=True))
    typer.echo("数据库已是这一版。")


@db.command("check")
def db_check(folder: Folder = None) -> None:
    """检查数据库是不是这一版的表；不是时退出码是 1。例:zhilin db check"""
    found = _run(_database(the_workspace(folder), change=False))
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


def _today() -> date:
    return datetime.now(UTC).date()


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
