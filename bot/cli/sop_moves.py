"""What an edit of a script changes, and moving those that run to another version."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.root import AsJson, Folder, agrees, run, today
from bot.cli.sending import By, opened, user_name
from bot.cli.sop import sop
from bot.terminal import logs, the_workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.bank import Bank
    from bot.domain.calendar import CalendarTables
    from bot.domain.script import SopScript
    from bot.sop.outlook import Outlook
    from bot.storage.db import Database, Tx
    from bot.workers.relocation import Aim, Relocation
    from bot.workspace import Workspace

_AT = "@"
Old = Annotated[str, typer.Argument(metavar="OLD", help="旧的：文件、剧本编号，或 编号@版本。")]
New = Annotated[
    str | None, typer.Argument(metavar="[NEW]", help="新的：写法一样；不写就是 OLD 的文件。")
]
Running = Annotated[bool, typer.Option("--running", help="再看在走的群和客户各受什么影响。")]
Maps = Annotated[
    list[str] | None,
    typer.Option("--map", help="旧步骤=新步骤，或 旧步骤=结束；可写几次。"),
]
Retime = Annotated[bool, typer.Option("--retime", help="还没到的步骤按新版重排日子；不写照旧。")]


@sop.command()
def diff(
    old: Old,
    new: New = None,
    running: Running = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """比两版剧本：哪些步骤新增、删去、挪动、改字，实验受不受影响；--running 看影响到谁。

    只写一个编号，就拿正在用的版本和现在的文件比。
    例：zhilin sop diff senior-21d --running · zhilin sop diff 旧.sop.yaml 新.sop.yaml
    """
    logs("ERROR")
    run(_diff(the_workspace(folder, or_starter=True), old, new, running, as_json=as_json))


@sop.command()
def move(
    script: Annotated[str, typer.Argument(metavar="SCRIPT", help="剧本的编号。")],
    to: Annotated[str, typer.Option("--to", help="去哪一版，写开头几位；不写就是正在用的。")] = "",
    map_: Maps = None,
    retime: Retime = False,
    yes: Annotated[bool, typer.Option("--yes", help="不再问一遍。")] = False,
    by: By = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """把在走的群和客户换到另一版：先看影响到谁，再换；做过的步骤决不再做一次。

    正在发、正等同事点发送的先不动，过一会儿再运行一次。停在已删步骤上的，用 --map 说去哪。
    例：zhilin sop move senior-21d --map d12-fin-literacy=d12-three-pots --retime
    """
    logs("ERROR")
    how = (_pairs(map_ or []), retime, yes, by or user_name())
    run(_move(the_workspace(folder), script, to, *how, as_json=as_json))


async def _diff(
    workspace: Workspace, old: str, new: str | None, running: bool, *, as_json: bool
) -> None:
    from bot.cli.diff_words import json_of_diff, lines_of_diff
    from bot.cli.move_words import json_of_outlook, lines_of_outlook
    from bot.cli.sim_case import read_script, script_file
    from bot.sop.diff import diff as compare

    script_id = old.partition(_AT)[0]
    stored = new is None or any(_AT in one for one in (old, new))
    if not stored and not running and new is not None:
        before, after = (read_script(script_file(workspace, one)) for one in (old, new))
        found = compare(before, after)
        _print(list(lines_of_diff(found)), json_of_diff(found), as_json=as_json)
        return
    async with opened(workspace) as database:
        async with database.read() as tx:
            asked = f"{script_id}{_AT}" if new is None and _AT not in old else old
            before = await _version(tx, workspace, asked)
            after = await _version(tx, workspace, new or script_id)
        found = compare(before, after)
        lines, plain = list(lines_of_diff(found)), json_of_diff(found)
        if running:
            aim = _aim(after, {}, retime=True)
            outlook = await _look(database, workspace, before, aim)
            names = await _names(database, outlook)
            lines += list(lines_of_outlook(outlook, names))
            plain["running"] = json_of_outlook(outlook, names)
    _print(lines, plain, as_json=as_json)


async def _move(
    workspace: Workspace,
    script: str,
    to: str,
    mapping: Mapping[str, str],
    retime: bool,
    yes: bool,
    by: str,
    *,
    as_json: bool,
) -> None:
    from bot.cli.move_words import (
        json_of_moved,
        json_of_outlook,
        lines_of_moved,
        lines_of_outlook,
    )

    async with opened(workspace) as database:
        async with database.read() as tx:
            target = await _version(tx, workspace, f"{script}{_AT}{to}")
        aim = _aim(target, mapping, retime=retime)
        outlook = await _look(database, workspace, None, aim)
        names = await _names(database, outlook)
        if not as_json:
            _print(list(lines_of_outlook(outlook, names)), {}, as_json=False)
        if not outlook.runs or (not yes and not _agreed(outlook, as_json=as_json)):
            plain = {"outlook": json_of_outlook(outlook, names), "moved": 0}
            _print([], plain, as_json=as_json)
            return
        done = await _relocation(database, workspace, aim).carry_out(by)
    plain = {"outlook": json_of_outlook(outlook, names), **json_of_moved(done)}
    _print(list(lines_of_moved(done)), plain, as_json=as_json)


def _relocation(database: Database, workspace: Workspace, aim: Aim) -> Relocation:
    from bot.clock import SystemClock
    from bot.errors import ContentError
    from bot.workers.files import inspect, tables_for
    from bot.workers.relocation import Relocation

    snapshot, problems = inspect(workspace, today(workspace))
    if snapshot is None:
        raise ContentError(problems)
    place = _Place(snapshot.bank, tables_for(today(workspace)))
    return Relocation(database, place, SystemClock(), aim)


@dataclass(frozen=True)
class _Place:
    bank: Bank
    tables: CalendarTables


async def _look(
    database: Database, workspace: Workspace, before: SopScript | None, aim: Aim
) -> Outlook:
    """Look at a move without making it; ``before`` is what runs are compared with."""
    from bot.domain.script import from_json
    from bot.sop.diff import diff as compare

    if before is None:
        async with database.read() as tx:
            stored = await tx.scripts.versions(aim.script.id)
            older = next((one for one in stored if one != aim.version), aim.version)
            before = from_json(await tx.scripts.text(aim.script.id, older) or "{}")
    return await _relocation(database, workspace, aim).look(compare(before, aim.script))


def _aim(script: SopScript, mapping: Mapping[str, str], *, retime: bool) -> Aim:
    from bot.domain.flow import END_OF_RUN
    from bot.domain.script import content_hash
    from bot.errors import ConfigError
    from bot.workers.relocation import Aim

    known = {part.id for part in script.parts}
    for target in mapping.values():
        if target not in known and target != END_OF_RUN:
            raise ConfigError(
                f"这一版没有步骤「{target}」：--map 写成 旧步骤=新步骤 或 旧步骤=结束。"
            )
    return Aim(script, content_hash(script), mapping, retime)


async def _version(tx: Tx, workspace: Workspace, named: str) -> SopScript:
    """Return a version by a file, a script's id (its file), or id@version (as it was published)."""
    from bot.cli.sim_case import read_script, script_file
    from bot.domain.script import from_json
    from bot.errors import ConfigError

    script, at, wanted = named.partition(_AT)
    if not at:
        return read_script(script_file(workspace, named))
    current = await tx.scripts.current(script)
    stored = await tx.scripts.versions(script)
    if current is None or not stored:
        raise ConfigError(
            f"剧本「{script}」还没有发布过：先运行 zhilin serve 或 zhilin sop publish。"
        )
    found = [one for one in stored if one.startswith(wanted)] if wanted else [current]
    if len(found) != 1:
        listed = "、".join(one[:8] for one in stored)
        raise ConfigError(f"剧本「{script}」有这些版本：{listed}。「{wanted}」对不上唯一的一个。")
    text = await tx.scripts.text(script, found[0])
    return from_json(text or "{}")


async def _names(database: Database, outlook: Outlook) -> dict[str, str]:
    """Return the names of those who are listed."""
    from bot.domain.ids import CustomerId, GroupChatId

    listed = {one for step in outlook.steps.values() for one in step.first}
    listed |= {one for those in outlook.stay.values() for one in those[:10]}
    names = {}
    async with database.read() as tx:
        for subject in sorted(listed):
            group = await tx.people.group(GroupChatId(subject))
            person = None if group else await tx.people.customer(CustomerId(subject))
            name = group.name if group else person.name if person else ""
            names[subject] = name or subject
    return names


def _pairs(written: list[str]) -> dict[str, str]:
    pairs = {}
    for text in written:
        old, equals, new = (part.strip() for part in text.partition("="))
        if not (old and equals and new):
            raise typer.BadParameter("写成 旧步骤=新步骤 的样子。", param_hint="--map")
        pairs[old] = new
    return pairs


def _agreed(outlook: Outlook, *, as_json: bool) -> bool:
    """Ask whether to go on; a machine has to say so beforehand."""
    return not as_json and agrees(f"现在就换这 {outlook.runs} 个吗")


def _print(lines: list[str], plain: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(plain, ensure_ascii=False))
    elif lines:
        typer.echo("\n".join(lines))
