"""A manager leaves or moves: customers, groups and leads go to a colleague."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.root import AsJson, Folder, cli, run, today
from bot.cli.sending import bank_of, opened
from bot.terminal import logs, print_columns, the_workspace

if TYPE_CHECKING:
    from bot.storage.transfers import Transfer
    from bot.workers.handing_on import Estate
    from bot.workspace import Workspace

_STATES = {
    "planned": "待办",
    "waiting": "等客户 24 小时",
    "done": "已接手",
    "refused": "客户拒绝",
    "limit": "到上限",
    "failed": "失败",
}
_KINDS = {"customer": "客户", "group": "客户群"}


@cli.command()
def transfer(
    giver: Annotated[str, typer.Option("--from", help="交出人的 userid。")] = "",
    taker: Annotated[str, typer.Option("--to", help="接手人的 userid。")] = "",
    groups: Annotated[bool, typer.Option("--groups", help="只转客户群。")] = False,
    customers: Annotated[bool, typer.Option("--customers", help="只转客户和线索。")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看有多少，不转。")] = False,
    words: Annotated[str, typer.Option(help="告诉客户的话，200 字以内；不写用企业微信的。")] = "",
    listed: Annotated[bool, typer.Option("--list", help="逐个列出转接的结果。")] = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """把一位同事的客户、客户群和线索转给另一位(在职或离职继承)；什么都不写，看谁的还没人接、办到哪了。

    线索马上转；客户和群由运行中的知邻去办，客户有 24 小时可以拒绝。再运行一次会接着办，不会转两遍。
    例：zhilin transfer --from li.min --to wang.haoran --dry-run · zhilin transfer --list
    """
    logs("CRITICAL")  # what goes wrong is said in one sentence at the end
    workspace = the_workspace(folder)
    if bool(giver) != bool(taker):
        raise typer.BadParameter("--from 和 --to 要一起写。")
    planned: dict[str, Any] = {}
    if giver and not listed:
        both = groups == customers
        wanted = (both or customers, both or groups)
        planned = run(_plan(workspace, giver, taker, wanted, words, dry_run=dry_run))
    figures, rows = run(_standing(workspace, giver, taker))
    if as_json:
        shown = planned | figures | ({"listed": [_fields(row) for row in rows]} if listed else {})
        typer.echo(json.dumps(shown, ensure_ascii=False))
        return
    if planned:
        _print_plan(planned, dry_run=dry_run)
    _print_standing(figures, rows if listed else [])


async def _plan(
    workspace: Workspace,
    giver: str,
    taker: str,
    wanted: tuple[bool, bool],
    words: str,
    *,
    dry_run: bool,
) -> dict[str, Any]:
    from datetime import UTC, datetime

    from bot.domain.ids import RmId
    from bot.errors import ConfigError
    from bot.workers.files import tables_for
    from bot.workers.handing_on import estate_of, hand_on, problem_with

    bank = bank_of(workspace)
    if problem := problem_with(bank, giver, taker, words):
        raise ConfigError(problem)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(opened(workspace))
        estate = await estate_of(
            database, await _inheritance(stack, workspace, database), RmId(giver)
        )
        estate = _only(estate, *wanted)
        figures = {
            "customers": len(estate.customers),
            "groups": len(estate.groups),
            "leads": len(estate.leads),
            "resigned": estate.resigned,
        }
        if not dry_run:
            async with database.begin() as tx:
                now = datetime.now(UTC)
                people, tables = (RmId(giver), RmId(taker)), tables_for(today(workspace))
                new = await hand_on(tx, bank, estate, *people, now, words=words, tables=tables)
            figures |= {"new_customers": new[0], "new_groups": new[1], "moved_leads": new[2]}
    return figures


def _only(estate: Estate, customers: bool, groups: bool) -> Estate:
    if not customers:
        estate = replace(estate, customers=(), leads=())
    return estate if groups else replace(estate, groups=())


async def _inheritance(stack: AsyncExitStack, workspace: Workspace, database: Any) -> Any:
    """Open what asks WeCom who has left; raise ``ConfigError`` for a missing setting."""
    from bot.clock import SystemClock
    from bot.config import load_settings, require_wecom
    from bot.parts import open_inheritance

    settings = load_settings(workspace.config)
    require_wecom(settings)
    return open_inheritance(stack, settings, workspace, database, SystemClock())


async def _standing(
    workspace: Workspace, giver: str, taker: str
) -> tuple[dict[str, Any], list[Transfer]]:
    from bot.workers.handing_on import without_owner

    bank = bank_of(workspace)
    async with opened(workspace) as database:
        away = await without_owner(database, bank)
        async with database.read() as tx:
            rows = await tx.transfers.listed(giver, taker)
    counts: dict[tuple[str, str, str, str], int] = {}
    for row in rows:
        key = (row.giver, row.taker, row.kind, row.state)
        counts[key] = counts.get(key, 0) + 1
    figures = {
        "nobody_on_duty": [
            {"userid": one, "customers": has[0], "groups": has[1]} for one, has in away.items()
        ],
        "transfers": [
            {"from": key[0], "to": key[1], "kind": key[2], "state": key[3], "count": count}
            for key, count in sorted(counts.items())
        ],
    }
    return figures, rows


def _print_plan(planned: dict[str, Any], *, dry_run: bool) -> None:
    left = "，企业微信里已离职" if planned["resigned"] else ""
    has = (
        f"客户 {planned['customers']} 位、客户群 {planned['groups']} 个、线索 {planned['leads']} 条"
    )
    if dry_run:
        typer.echo(f"要转的有：{has}{left}。没有动。")
        return
    typer.echo(
        f"{has}{left}。新排上客户 {planned['new_customers']} 位、群 {planned['new_groups']} 个，"
        f"线索已转 {planned['moved_leads']} 条。"
    )


def _print_standing(figures: dict[str, Any], rows: list[Transfer]) -> None:
    for one in figures["nobody_on_duty"]:
        typer.echo(
            f"没人在岗：{one['userid']} 还有客户 {one['customers']} 位、群 {one['groups']} 个。"
        )
    if rows:
        print_columns([("种类", "编号", "从", "到", "结果", "原因"), *(_row(row) for row in rows)])
        return
    for one in figures["transfers"]:
        what = f"{_KINDS[one['kind']]} {_STATES[one['state']]} {one['count']}"
        typer.echo(f"{one['from']} → {one['to']}：{what}")
    if not figures["transfers"]:
        typer.echo("没有在办的转接。")


def _row(row: Transfer) -> tuple[str, ...]:
    return _KINDS[row.kind], row.subject, row.giver, row.taker, _STATES[row.state], row.reason


def _fields(row: Transfer) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "subject": row.subject,
        "from": row.giver,
        "to": row.taker,
        "state": row.state,
        "reason": row.reason,
    }
