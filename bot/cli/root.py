"""What every group of commands stands on: the root command, shared options, running a coroutine."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
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
Folder = Annotated[
    Path | None,
    typer.Option("--workspace", "-C", help="工作目录；不写就从当前目录往上找 config.toml。"),
]
AsJson = Annotated[bool, typer.Option("--json", help="只输出一个 JSON，给程序读。")]


def today(workspace: Workspace) -> date:
    """Return the day it is at the bank, by which files are judged; in China while none is known."""
    from zoneinfo import ZoneInfo

    from bot.clock import SystemClock
    from bot.domain.institution import USUAL_ZONE
    from bot.errors import ContentError
    from bot.sop.library import load_bank

    try:
        zone = load_bank(workspace.root).zone
    except ContentError:  # whoever reads the file for its own sake says what is wrong with it
        zone = ZoneInfo(USUAL_ZONE)
    return SystemClock().now().astimezone(zone).date()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end."""
    return asyncio.run(work)


def agrees(question: str) -> bool:
    """Ask somebody before what cannot be undone; who goes away, or is nobody, has not agreed."""
    try:
        return typer.confirm(question)
    except typer.Abort:
        typer.echo("")
        return False
