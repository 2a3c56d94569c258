"""What a customer who was asked first said on the phone or face to face, written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.leads import Number, leads, the_lead
from bot.cli.leads_moves import desk_of_files, tell
from bot.cli.root import AsJson, Folder, run
from bot.cli.sending import By, bank_of, opened, user_name
from bot.terminal import the_workspace

if TYPE_CHECKING:
    from bot.domain.bank import Bank
    from bot.domain.lead import Moved, Refused
    from bot.workspace import Workspace

No = Annotated[bool, typer.Option("--no", help="客户说不用：关掉这条，一个月内不再问。")]


@leads.command("agreed")
def agreed(
    number: Number, no: No = False, folder: Folder = None, by: By = "", as_json: AsJson = False
) -> None:
    """记下先问过的客户当面或在电话里怎么说：答应了，就分给人办；--no 是不用。

    例：zhilin leads agreed 12 --by li.min · zhilin leads agreed 12 --no --by li.min
    """
    workspace = the_workspace(folder)
    bank = bank_of(workspace)
    done = run(_answered(workspace, bank, number, by or user_name(), agreed=not no))
    tell(done, number, as_json=as_json)


async def _answered(
    workspace: Workspace, bank: Bank, number: int, by: str, *, agreed: bool
) -> Moved | Refused:
    from bot.clock import SystemClock
    from bot.domain.lead import Moved
    from bot.domain.lead_rights import BY_OPS

    now = SystemClock().now()
    async with opened(workspace) as database, database.begin() as tx:
        await the_lead(tx, number)
        desk = desk_of_files(workspace, bank)
        answer = desk.agreed if agreed else desk.declined
        done = await answer(tx, number, BY_OPS, now)
        if isinstance(done, Moved) and done.changed:
            await tx.ledger.add("lead_moved_by_ops", str(number), now, by=by, agreed=agreed)
        return done
