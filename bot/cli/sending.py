"""The emergency stop: every automatic message to customers, in all processes, at once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.root import AsJson, Folder, cli, run
from bot.terminal import print_figures, the_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.domain.bank import Bank
    from bot.storage.db import Database
    from bot.storage.switches import Stop
    from bot.workspace import Workspace

_PLANES = {"kf": "微信客服(答客户、欢迎语)", "sop": "社群剧本(群发、群发提醒、入群欢迎语)"}
_GO_ON = "给同事的卡片、把会话转给人、取消群发照常进行。"
Kf = Annotated[bool, typer.Option("--kf", help="只管微信客服：答客户、欢迎语。")]
Sop = Annotated[bool, typer.Option("--sop", help="只管社群剧本：群发、群发提醒、入群欢迎语。")]
By = Annotated[str, typer.Option("--by", help="谁决定的，写进台账；不写就用本机的用户名。")]


@cli.command("stop-sending")
def stop_sending(
    folder: Folder = None,
    kf: Kf = False,
    sop: Sop = False,
    by: By = "",
    status: Annotated[bool, typer.Option("--status", help="只看现在停了什么，不改。")] = False,
    as_json: AsJson = False,
) -> None:
    """紧急停发：一秒之内，所有进程都不再自动给客户发消息；重启也不会恢复。

    例：zhilin stop-sending · zhilin stop-sending --kf --by 王芳 · zhilin stop-sending --status
    """
    chosen = () if status else _chosen(kf, sop)
    figures = run(_switch(the_workspace(folder), chosen, by or user_name(), off=True))
    _show(figures, as_json=as_json)


@cli.command("resume-sending")
def resume_sending(
    folder: Folder = None, kf: Kf = False, sop: Sop = False, by: By = "", as_json: AsJson = False
) -> None:
    """恢复发送：停发期间等着的消息接着发；过了时间的，或客户已有人接待的，跳过并记下原因。

    例：zhilin resume-sending --by 王芳
    """
    figures = run(_switch(the_workspace(folder), _chosen(kf, sop), by or user_name(), off=False))
    _show(figures, as_json=as_json)


def _chosen(kf: bool, sop: bool) -> tuple[str, ...]:
    if kf == sop:  # neither named, or both: everything
        return tuple(_PLANES)
    return ("kf",) if kf else ("sop",)


def user_name() -> str:
    """Return who runs this command on this machine."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have a user without a name
        return "ops"


def bank_of(workspace: Workspace) -> Bank:
    """Read the bank's facts alone, so that a command works while some script is broken."""
    from bot.sop.library import load_bank

    return load_bank(workspace.root)


@asynccontextmanager
async def opened(workspace: Workspace) -> AsyncIterator[Database]:
    """Open the database beside the process that works on it; it need not be stopped for that."""
    from bot.config import load_settings
    from bot.errors import ConfigError
    from bot.parts import open_database

    database = await open_database(load_settings(workspace.config), workspace)
    try:
        if not await database.ready():
            raise ConfigError("数据库里没有这一版的表。请先运行 zhilin db upgrade。")
        yield database
    finally:
        await database.close()


async def _switch(
    workspace: Workspace, planes: tuple[str, ...], by: str, *, off: bool
) -> dict[str, Any]:
    """Turn planes off or on, and return how all of them stand."""
    from datetime import UTC, datetime

    from bot.domain.messages import SWITCH_OF
    from bot.storage.outbox import STOPPED

    kinds = {name: [kind for kind, plane in SWITCH_OF.items() if plane == name] for name in _PLANES}
    now = datetime.now(UTC)
    async with opened(workspace) as database:
        async with database.begin() as tx:
            for name in planes:
                changed = await (
                    tx.switches.stop(name, by, now) if off else tx.switches.resume(name)
                )
                if changed:
                    kind = "sending_stopped" if off else "sending_resumed"
                    await tx.ledger.add(kind, name, now, by=by)
        for name in () if off else planes:
            woken = 1
            while woken:  # in pieces, so that callbacks never wait for long
                async with database.begin() as tx:
                    woken = await tx.outbox.wake(STOPPED, kinds[name], now)
        async with database.read() as tx:
            stops = {stop.name: stop for stop in await tx.switches.stops()}
            waiting = {name: await tx.outbox.waiting(kinds[name]) for name in _PLANES}
    return {name: _figures(stops.get(name), waiting[name]) for name in _PLANES}


def _figures(stop: Stop | None, waiting: int) -> dict[str, Any]:
    return {
        "stopped": stop is not None,
        "since": stop.since.isoformat() if stop else None,
        "by": stop.by if stop else None,
        "waiting": waiting,
    }


def _show(figures: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_figures(figures, as_json=True)
        return
    from datetime import datetime

    for name, words in _PLANES.items():
        plane = figures[name]
        if plane["stopped"]:
            since = datetime.fromisoformat(plane["since"]).astimezone()
            typer.echo(
                f"已停发：{words}，从 {since:%Y-%m-%d %H:%M:%S %z} 起，"
                f"由 {plane['by']} 停的，有 {plane['waiting']} 条在等。"
            )
        else:
            typer.echo(f"在发送：{words}，有 {plane['waiting']} 条在等。")
    if any(plane["stopped"] for plane in figures.values()):
        typer.echo(f"{_GO_ON}恢复请运行 zhilin resume-sending。")
