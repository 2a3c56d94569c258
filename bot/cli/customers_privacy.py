"""A customer asks what is kept about him, or that it be erased."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.customers import customers
from bot.cli.root import AsJson, Folder, agrees, run
from bot.cli.sending import By, bank_of, opened, user_name
from bot.terminal import the_workspace

if TYPE_CHECKING:
    from datetime import datetime

    from bot.storage.tx import Tx
    from bot.workspace import Workspace

Rows = dict[str, list[dict[str, Any]]]
Who = Annotated[str, typer.Argument(metavar="ID", help="客户的 external_userid。")]
Out = Annotated[Path | None, typer.Option("--out", help="写到这个文件；不写就打在屏幕上。")]
EraseBy = Annotated[str, typer.Option("--by", metavar="USERID", help="谁办的，写进台账。")]
Yes = Annotated[bool, typer.Option("--yes", help="不再问，直接办。")]


@customers.command("export")
def export(
    customer: Who,
    out: Out = None,
    folder: Folder = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """客户要看自己的资料：把存着的全部列出来，可以交给他。

    例：zhilin customers export wmAbc123 --out 李女士.txt --by li.min
    """
    workspace = the_workspace(folder)
    if out is not None and not out.parent.is_dir():
        raise typer.BadParameter(f"没有文件夹 {out.parent}，请先建好。", param_hint="--out")
    rows = run(_export(workspace, customer, by or user_name()))
    if as_json:
        text = json.dumps({"customer": customer, "kept": rows}, ensure_ascii=False, default=_plain)
    else:
        text = "\n".join(_in_words(customer, rows, workspace))
    if out is None:
        typer.echo(text)
        return
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        typer.echo(f"写不进 {out}：{error.strerror}。请换一个文件。", err=True)
        raise typer.Exit(1) from None
    out.chmod(0o600)
    typer.echo(f"写好了：{out}。里面是客户的个人信息，交给他以后请删掉。", err=as_json)


@customers.command("erase")
def erase(
    customer: Who,
    by: EraseBy,
    yes: Yes = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """客户要删自己的资料：先列出删什么、留什么、为什么，同意了再删；删了找不回来。

    例：zhilin customers erase wmAbc123 --by li.min
    """
    workspace = the_workspace(folder)
    if not as_json or not yes:
        rows = run(_look(workspace, customer))
        if as_json:
            typer.echo(json.dumps({"customer": customer, "erased": False, "rows": _counts(rows)}))
            return
        for line in _plan(rows):
            typer.echo(line)
    if not (yes or agrees("就这样删？删了找不回来。")):
        typer.echo("没有动。")
        return
    done = run(_erase(workspace, customer, by))
    if as_json:
        typer.echo(json.dumps({"customer": customer, "erased": True, "rows": done}))
        return
    typer.echo("删好了，以后也不再给他发营销消息。企业微信里的客户和存档不归小安管，请在那边另删。")


async def _export(workspace: Workspace, customer: str, by: str) -> Rows:
    async with opened(workspace) as database, database.begin() as tx:
        rows = await _kept(tx, customer)
        await tx.ledger.add("customer_exported", customer, _now(), by=by)
        return rows


async def _look(workspace: Workspace, customer: str) -> Rows:
    async with opened(workspace) as database, database.read() as tx:
        rows = await _kept(tx, customer)
        await _refuse_in_danger(tx, customer)
        return rows


async def _erase(workspace: Workspace, customer: str, by: str) -> dict[str, int]:
    async with opened(workspace) as database, database.begin() as tx:
        await _kept(tx, customer)
        await _refuse_in_danger(tx, customer)
        now = _now()
        done = await tx.erasing.erase(customer, now)
        await tx.ledger.add("customer_erased", customer, now, by=by, rows=done)
        return done


async def _kept(tx: Tx, customer: str) -> Rows:
    from bot.errors import ConfigError

    rows = await tx.erasing.rows(customer)
    if not rows:
        raise ConfigError(f"没有客户「{customer}」，什么也没有存。请核对 external_userid。")
    return rows


async def _refuse_in_danger(tx: Tx, customer: str) -> None:
    from bot.errors import ConfigError

    needs = await tx.erasing.stands_in_the_way(customer)
    if needs:
        raise ConfigError(
            f"这位客户还有没办结的「{'」「'.join(needs)}」，现在不能删：请先办结"
            "(zhilin leads list · zhilin leads close 编号 --as 办结)，会话交回小安，再来删。"
        )


def _plan(rows: Rows) -> list[str]:
    from bot.storage.personal import CATALOGUE

    going, staying = [], []
    for kept in CATALOGUE:
        count = len(rows.get(kept.table.name, ()))
        if not count:
            continue
        if kept.act == "delete":
            going.append(f"  {kept.title}：{count} 条")
        else:
            blanked = "，里面的话抹掉" if kept.act == "blank" else ""
            why = f"（{kept.why}）" if kept.why else ""
            staying.append(f"  {kept.title}：{count} 条{blanked}{why}")
    first = ["没发的消息收回，一对一的剧本、线索、转人工都结束。", "会删掉："]
    return [*first, *(going or ["  没有"]), "会留下：", *(staying or ["  没有"])]


def _in_words(customer: str, rows: Rows, workspace: Workspace) -> list[str]:
    from bot.cli.privacy_words import LABELS, value_in_words
    from bot.storage.personal import CATALOGUE

    zone = bank_of(workspace).zone
    lines = [
        f"客户 {customer}：小安存着的全部资料",
        f"时间：{_now().astimezone(zone):%Y-%m-%d %H:%M}",
    ]
    for kept in CATALOGUE:
        found = rows.get(kept.table.name)
        if not found:
            continue
        lines += ["", f"【{kept.title}】{len(found)} 条"]
        for row in found:
            said = [
                f"{LABELS[name]}：{value_in_words(value, zone)}"
                for name, value in row.items()
                if name in LABELS and value not in (None, "", [], {}, ())
            ]
            lines.append("  · " + "；".join(said))
    return lines


def _counts(rows: Rows) -> dict[str, int]:
    return {name: len(found) for name, found in rows.items()}


def _plain(value: Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _now() -> datetime:
    from bot.clock import SystemClock

    return SystemClock().now()
