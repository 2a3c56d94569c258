"""What became of the drafts: the share of them that people used (话术采用率)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.root import AsJson, Folder, run
from bot.cli.sending import bank_of, opened
from bot.cli.work import work
from bot.terminal import print_columns, the_workspace

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.adoption import Adoption
    from bot.workspace import Workspace

_HEAD = ("谁的", "草稿", "原样发", "改过发", "没用", "自己答的", "过期", "在等", "采用率")
_EVERYBODY = "全行"


@work.command("drafts")
def work_drafts(
    folder: Folder = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="最近多少天。")] = 30,
    as_json: AsJson = False,
) -> None:
    """看草稿用了多少：原样发、改过发、没用、自己答的、过期，按人列。

    例：zhilin work drafts · zhilin work drafts --days 7 --json
    """
    workspace = the_workspace(folder)
    owners, reasons = run(_read(workspace, days))
    whole = _sum(owners)
    if as_json:
        shown = {
            "days": days,
            **_figures(whole),
            "owners": {owner: _figures(one) for owner, one in owners.items()},
            "dropped_for": reasons,
        }
        typer.echo(json.dumps(shown, ensure_ascii=False))
        return
    if not whole.made:
        typer.echo(f"最近 {days} 天没有草稿。")
        return
    names = _names(workspace)
    rows = [_row(names.get(owner, owner), one) for owner, one in owners.items()]
    print_columns([_HEAD, *rows, _row(_EVERYBODY, whole)])
    if reasons:
        listed = "、".join(f"{_reason(name)} {count}" for name, count in reasons.items())
        typer.echo(f"没用的原因：{listed}")


async def _read(workspace: Workspace, days: int) -> tuple[dict[str, Adoption], dict[str, int]]:
    from datetime import timedelta

    from bot.clock import SystemClock
    from bot.domain.adoption import adoption_of

    since: datetime = SystemClock().now() - timedelta(days=days)
    async with opened(workspace) as database, database.read() as tx:
        counted = await tx.drafts.counts_by_owner(since)
        reasons = await tx.drafts.reasons(since)
    return {owner: adoption_of(counts) for owner, counts in sorted(counted.items())}, reasons


def _sum(owners: dict[str, Adoption]) -> Adoption:
    from bot.domain.adoption import Adoption

    return Adoption(*(sum(each) for each in zip(*owners.values(), strict=True)))


def _figures(one: Adoption) -> dict[str, Any]:
    return {**one._asdict(), "used": one.used, "over": one.over, "adopted": one.rate}


def _row(name: str, one: Adoption) -> tuple[str, ...]:
    figures = (one.made, one.sent, one.edited, one.dropped, one.otherwise, one.expired, one.waiting)
    return (name, *map(str, figures), one.share)


def _names(workspace: Workspace) -> dict[str, str]:
    """Return the staff's names; without a readable file their ids have to do."""
    from bot.errors import ContentError

    try:
        bank = bank_of(workspace)
    except ContentError:
        return {}
    return {str(member.userid): member.name for member in bank.staff}


def _reason(name: str) -> str:
    from bot.domain.draft import DROPPED_FOR

    return DROPPED_FOR.get(name, next(iter(DROPPED_FOR.values())))
