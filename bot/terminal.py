"""What commands share: finding the workspace, stopping, and printing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from datetime import date

    from bot.config import Settings
    from bot.errors import Problem
    from bot.workspace import Workspace


def the_workspace(folder: Path | None, *, or_starter: bool = False) -> Workspace:
    """Find the workspace; commands that only look may use the example's."""
    from bot.errors import ConfigError
    from bot.workspace import Workspace, find_workspace, starter_root

    try:
        return find_workspace(folder)
    except ConfigError:
        if folder is None and or_starter:
            return Workspace(starter_root())
        raise


def the_settings(workspace: Workspace, today: date) -> Settings:
    """Read the settings; a problem in them is listed together with those of every other file."""
    from bot.config import load_settings
    from bot.errors import ContentError

    try:
        return load_settings(workspace.config)
    except ContentError as error:
        from bot.workers.content import inspect

        _, found = inspect(workspace, today)
        raise ContentError((*error.problems, *found)) from error


def stop_signal() -> asyncio.Event:
    """Return what is set when the process is told to stop."""
    import signal

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    return stopping


def logs(level: str, *, as_json: bool = False) -> None:
    """Set logs up for a command."""
    from bot.log import set_up_logs

    set_up_logs(level, as_json=as_json)


def progress_line(*, quiet: bool = False) -> Any:
    """Return what shows how far the index is, on one line of a terminal or in a few lines."""
    shown = -1

    def show(done: int, total: int) -> None:
        nonlocal shown
        tenth = 10 * done // max(total, 1)
        if quiet or tenth == shown:
            return
        shown = tenth
        typer.echo(f"  建索引 {done}/{total}", err=True)

    return show


def print_problems(problems: Iterable[Problem]) -> None:
    """Print every problem with its place and mend."""
    problems = tuple(problems)
    typer.echo(f"有 {len(problems)} 处要改：", err=True)
    for problem in problems:
        typer.echo(f"  {problem}", err=True)


def print_notes(notes: Collection[Problem]) -> None:
    """Print what is worth a look and stops nothing, if there is such."""
    if notes:
        typer.echo(f"提醒 {len(notes)} 处，不改也能发：")
    for note in notes:
        typer.echo(f"  {note}")


def problem_as_json(problem: Problem) -> dict[str, object]:
    """Return a problem or a note for machines."""
    return {
        "file": problem.file,
        "line": problem.line,
        "key": problem.key,
        "what": problem.what,
        "mend": problem.mend,
    }


def print_figures(figures: dict[str, Any], *, as_json: bool) -> None:
    """Print figures in aligned rows, or as one JSON object."""
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
        return
    _print_rows(figures, "")


def _print_rows(figures: dict[str, Any], indent: str) -> None:
    width = max((len(str(key)) for key in figures), default=0)
    for key, value in figures.items():
        if isinstance(value, dict) and value:
            typer.echo(f"{indent}{key}")
            _print_rows(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            typer.echo(f"{indent}{key:<{width}}  {len(value)} 次，细目见 --json")
        else:
            shown = "是" if value is True else "否" if value is False else value
            typer.echo(f"{indent}{key:<{width}}  {shown}")


def print_columns(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in aligned columns; the last column is as wide as it likes."""
    widths = [max(map(columns_of, column)) for column in list(zip(*rows, strict=True))[:-1]]
    for *cells, last in rows:
        shown = [padded(cell, width) for cell, width in zip(cells, widths, strict=True)]
        typer.echo("  ".join((*shown, last)).rstrip())


def padded(text: str, width: int) -> str:
    """Fill a text up to so many columns of a terminal."""
    return text + " " * (width - columns_of(text))


def columns_of(text: str) -> int:
    """Return how many columns a text takes: Chinese characters take two."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
