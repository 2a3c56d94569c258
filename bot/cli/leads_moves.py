"""Leads moved from the server's terminal: passed on, and ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.leads import Number, leads, the_lead
from bot.cli.root import AsJson, Folder, run
from bot.cli.sending import By, bank_of, opened, user_name
from bot.domain.lead_words import STAGE_WORDS, choices_of, reason_of, reason_words
from bot.terminal import the_workspace

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.bank import Bank
    from bot.domain.lead import Moved, Outcome, Refused
    from bot.leads.desk import LeadDesk
    from bot.workspace import Workspace

_OUTCOMES: dict[str, Outcome] = {
    "成交": "won",
    "没成": "lost",
    "无效": "invalid",
    "办结": "closed",
}
_WHY = (
    f"原因，160 字以内。无效：{'、'.join(choices_of('invalid'))}；"
    f"没成：{'、'.join(choices_of('lost'))}。写其中几个字就行，别的原因照您写的记。"
)


@leads.command("assign")
def assign_lead(
    number: Number,
    to: Annotated[str, typer.Option("--to", help="转给谁，写 userid。")],
    folder: Folder = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """把一条线索转给一位同事，卡片马上发给他。例：zhilin leads assign 12 --to wang.haoran"""
    workspace = the_workspace(folder)
    bank = bank_of(workspace)
    if bank.member(to) is None:
        raise typer.BadParameter(f"员工里没有 {to}：请核对 --to 的账号。")
    done = run(_assign(workspace, bank, number, to, by or user_name()))
    tell(done, number, as_json=as_json)


@leads.command("close")
def close_lead(
    number: Number,
    outcome: Annotated[str, typer.Option("--as", help=f"结果：{'、'.join(_OUTCOMES)}。")] = "办结",
    why: Annotated[str, typer.Option("--why", help=_WHY)] = "",
    folder: Folder = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """办结一条线索。例：zhilin leads close 12 --as 成交

    zhilin leads close 12 --as 无效 --why 重复
    """
    if outcome not in _OUTCOMES:
        raise typer.BadParameter(f"--as 只能是 {'、'.join(_OUTCOMES)}。")
    workspace = the_workspace(folder)
    bank = bank_of(workspace)
    ended = _OUTCOMES[outcome]
    reason = reason_of(ended, why)[:160]
    done = run(_close(workspace, bank, number, ended, reason, by or user_name()))
    tell(done, number, as_json=as_json, wanted=ended)


async def _assign(
    workspace: Workspace, bank: Bank, number: int, to: str, by: str
) -> Moved | Refused:
    from bot.domain.ids import RmId
    from bot.domain.lead import Moved
    from bot.domain.lead_rights import BY_OPS

    async with opened(workspace) as database, database.begin() as tx:
        await the_lead(tx, number)
        done = await desk_of_files(workspace, bank).pass_on(tx, number, RmId(to), BY_OPS, _now())
        if isinstance(done, Moved) and done.changed:
            await tx.ledger.add("lead_moved_by_ops", str(number), _now(), by=by, to=to)
        return done


async def _close(
    workspace: Workspace, bank: Bank, number: int, outcome: Outcome, why: str, by: str
) -> Moved | Refused:
    from bot.domain.lead import Moved
    from bot.domain.lead_rights import BY_OPS

    async with opened(workspace) as database, database.begin() as tx:
        await the_lead(tx, number)
        done = await desk_of_files(workspace, bank).finish(tx, number, outcome, why, BY_OPS, _now())
        if isinstance(done, Moved) and done.changed:
            await tx.ledger.add("lead_moved_by_ops", str(number), _now(), by=by, outcome=outcome)
        return done


def desk_of_files(workspace: Workspace, bank: Bank) -> LeadDesk:
    """Return the desk that moves leads, as the workspace's files have it."""
    from bot.config import load_settings
    from bot.workers.content import tables_for
    from bot.workers.lead_desk import desk_beside

    settings = load_settings(workspace.config)
    today = _now().astimezone(bank.zone).date()
    url = settings.sidebar.url if settings.sidebar.enabled else ""
    return desk_beside(
        lambda: bank,
        lambda: tables_for(today),
        settings.leads.assigning,
        page=lambda lead: f"{url}?lead={lead}" if url else settings.staff.card_link,
    )


def tell(
    done: Moved | Refused, number: int, *, as_json: bool, wanted: Outcome | None = None
) -> None:
    """Print what became of a lead; raise ``typer.Exit`` with 1 where it is not as it was wanted.

    What ended otherwise than ``wanted`` stays as it is.
    """
    from bot.domain.lead import Moved, Refused

    words, refused = done.words, isinstance(done, Refused)
    if isinstance(done, Moved) and not done.changed and done.lead.closed_at is not None:
        refused = done.lead.stage != wanted
        words = f"早就办结了（{STAGE_WORDS[done.lead.stage]}），没有再动"
    elif isinstance(done, Moved) and done.changed and done.lead.outcome_reason:
        words = f"{words}（{reason_words(done.lead.outcome_reason)}）"
    if as_json:
        _echo_json({"lead": number, "done": not refused, "words": words})
    else:
        typer.echo(f"{number} 号：{words}", err=refused)
    if refused:
        raise typer.Exit(1)


def _now() -> datetime:
    from bot.clock import SystemClock

    return SystemClock().now()


def _echo_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False))
