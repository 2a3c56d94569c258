"""Commands that run something: the demo, the bot, the local WeCom, the benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bot.cli.root import AsJson, Folder, cli, run, today
from bot.terminal import (
    logs,
    print_figures,
    progress_line,
    stop_signal,
    the_settings,
    the_workspace,
)

if TYPE_CHECKING:
    from bot.workspace import Workspace


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

    例：zhilin demo · zhilin demo --headless --json --days 3
    """
    if not headless and (as_json or days is not None):
        raise typer.BadParameter("--json 和 --days 要和 --headless 一起用。")
    workspace = the_workspace(folder, or_starter=True)
    logs("ERROR" if headless else "WARNING")
    if headless:
        from bot.demo.headless import play_headless

        figures = run(
            play_headless(workspace, days=days, seed=seed, progress=progress_line(quiet=as_json))
        )
        print_figures(figures, as_json=as_json)
        return
    run(_serve_demo(workspace, port, seed))


async def _serve_demo(workspace: Workspace, port: int, seed: int) -> None:
    from bot.demo.stage import run_stage

    def ready(address: str) -> None:
        typer.echo(f"好了，请用浏览器打开：{address}")
        typer.echo("按 Ctrl+C 结束。")

    typer.echo("正在准备演示(第一次要建索引，约半分钟)……")
    stopping = stop_signal()
    await run_stage(workspace, "127.0.0.1", port, seed, progress_line(), ready, stopping)


@cli.command()
def serve(
    folder: Folder = None,
    web_only: Annotated[
        bool, typer.Option("--web-only", help="只收回调，不干活；要用 PostgreSQL。")
    ] = False,
    workers_only: Annotated[
        bool, typer.Option("--workers-only", help="只干活，不收回调；要用 PostgreSQL。")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="监听的端口，代替 [server] port；--workers-only 写了它才监听，只回答健康检查。",
        ),
    ] = None,
) -> None:
    """上线运行：收企业微信的回调，答客户，走剧本。

    设置写在 config.toml，密钥放环境变量，例如 BOT_WECOM__SECRET。例：zhilin serve -C /srv/bank
    """
    if web_only and workers_only:
        raise typer.BadParameter("--web-only 和 --workers-only 只能写一个；两样都要，就都不写。")
    from bot.clock import SystemClock

    workspace = the_workspace(folder)
    settings = the_settings(workspace, today(workspace))
    logs(settings.log.level, as_json=settings.log.as_json)
    if web_only:
        from bot.front import serve_front

        run(serve_front(settings, workspace, SystemClock(), port))
        return
    from bot.app import serve as run_bot

    role: Literal["both", "workers"] = "workers" if workers_only else "both"
    run(run_bot(settings, workspace, SystemClock(), role, port))


@cli.command()
def emulator(
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口；0 由系统挑。")] = 8790,
    host: Annotated[str, typer.Option(help="监听的地址。")] = "127.0.0.1",
    empty: Annotated[bool, typer.Option("--empty", help="不放人和群，由程序自己建。")] = False,
    folder: Folder = None,
) -> None:
    """在本机起一个企业微信：接口、回调、额度和错误码都照官方文档，给联调和测试用。

    例：zhilin emulator --port 8790
    """
    from bot.demo.local_wecom import run_local_wecom

    workspace = the_workspace(folder, or_starter=True)
    run(_serve_emulator(run_local_wecom, workspace, host, port, empty))


async def _serve_emulator(
    run: Any, workspace: Workspace, host: str, port: int, empty: bool
) -> None:
    await run(workspace, host, port, empty, typer.echo, stop_signal())


@cli.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="只测这几项；不写就都测。")] = None,
    passages: Annotated[
        list[int] | None,
        typer.Option(min=100, max=1_000_000, help="knowledge 这一项：索引里放多少段，可写几次。"),
    ] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """测速度：回调、回答、去重、断电、索引、整个故事；每一项旁边是同一次测的参照。

    例：zhilin bench callbacks answer --json
    例：zhilin bench knowledge --passages 10000 --passages 100000
    """
    from bot.bench import run_bench

    logs("ERROR")

    def say(words: str) -> None:
        typer.echo(words, err=True)

    figures = run(
        run_bench(names or [], the_workspace(folder, or_starter=True), say, passages or ())
    )
    print_figures(figures, as_json=as_json)
