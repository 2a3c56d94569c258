"""The ``zhilin`` command: each command parses, calls one function and prints."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from bot import __version__

from bot.cli import running as running  # isort: skip - first in the list of commands
from bot.cli import ask as ask
from bot.cli import conformance as conformance
from bot.cli import content as content
from bot.cli import customers as customers
from bot.cli import customers_privacy as customers_privacy
from bot.cli import database as database
from bot.cli import guard as guard
from bot.cli import guard_fit as guard_fit
from bot.cli import knowledge as knowledge
from bot.cli import knowledge_index as knowledge_index
from bot.cli import leads as leads
from bot.cli import leads_away as leads_away
from bot.cli import leads_consent as leads_consent
from bot.cli import leads_learn as leads_learn
from bot.cli import leads_moves as leads_moves
from bot.cli import sending as sending
from bot.cli import sop_control as sop_control
from bot.cli import sop_draft as sop_draft
from bot.cli import sop_enter as sop_enter
from bot.cli import sop_files as sop_files
from bot.cli import sop_moves as sop_moves
from bot.cli import sop_orders as sop_orders
from bot.cli import sop_runs as sop_runs
from bot.cli import sop_sheets as sop_sheets
from bot.cli import teach as teach
from bot.cli import teach_steps as teach_steps
from bot.cli import transfer as transfer
from bot.cli import ways as ways
from bot.cli import work as work
from bot.cli import work_drafts as work_drafts
from bot.cli.root import cli
from bot.terminal import print_problems

__all__ = ["cli", "main"]


def main() -> None:
    """Run the command; every error on purpose is said in words, with an exit code."""
    from bot.cli.failures import in_words
    from bot.cli.usage_words import usage_in_words
    from bot.errors import BotError, ContentError

    try:
        sys.exit(cli(prog_name="zhilin", standalone_mode=False) or 0)
    except TyperException as error:
        typer.echo(usage_in_words(error), err=True)
        sys.exit(2)
    except typer.Abort:
        sys.exit(1)
    except ContentError as error:
        print_problems(error.problems)
        sys.exit(1)
    except BotError as error:
        typer.echo(in_words(error), err=True)
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
