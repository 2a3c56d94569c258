"""The group of commands about scripts: ``zhilin sop …``."""

from __future__ import annotations

import typer

from bot.cli.root import cli

sop = typer.Typer(
    name="sop",
    help="剧本：检查、预演、审批、发布、暂停，和 Excel 互转。",
    no_args_is_help=True,
    rich_markup_mode=None,
)
cli.add_typer(sop)
