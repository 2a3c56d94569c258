"""How scripts come into force, and how they stand: approve, publish, list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.root import AsJson, Folder, run, today
from bot.cli.sending import By, opened, user_name
from bot.cli.sop import sop
from bot.terminal import print_columns, print_problems, the_settings, the_workspace

if TYPE_CHECKING:
    from datetime import date

    from bot.domain.script import SopScript
    from bot.workers.files import Snapshot
    from bot.workers.releases import Part, Released, Releases
    from bot.workspace import Workspace

ScriptId = Annotated[str, typer.Argument(metavar="SCRIPT", help="剧本的编号。")]
_SHORT = 8  # characters of a version that people are shown
_WAITS = {
    "approval": "还没有批准，已经排进待审批。批准：zhilin sop approve {id} --by 审批人",
    "rejected": "审批退回了这一版，改了再来。",
    "experiment": "它会动到正在跑的实验：",
}


@sop.command()
def approve(
    script: ScriptId,
    by: Annotated[str, typer.Option("--by", help="审批人，要和文件里写的一样，如 消保-何静。")],
    expires: Annotated[str, typer.Option(help="有效到哪天；不写就用文件里的有效期至。")] = "",
    number: Annotated[str, typer.Option(help="内容编号；不写就用文件里的。")] = "",
    reject: Annotated[str, typer.Option("--reject", help="不批准，写上原因。")] = "",
    folder: Folder = None,
) -> None:
    """审批现在这份文件：认的是内容的指纹，改一个字就要重新批；写的人不能批自己的。

    例：zhilin sop approve senior-21d --by 消保-何静 --expires 2027-08-31
    """
    workspace = the_workspace(folder)
    until = _day(expires)
    decided = run(_approve(workspace, script, by, until, number, reject))
    typer.echo(decided)


@sop.command()
def publish(
    script: ScriptId,
    groups: Annotated[
        str, typer.Option(help="只给这些群：群名、群 id 或群标签，用逗号隔开。")
    ] = "",
    percent: Annotated[int, typer.Option(min=0, max=99, help="只给百分之几；以后只能放宽。")] = 0,
    everybody: Annotated[bool, typer.Option("--all", help="给所有人，试点到此结束。")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="收回试点，大家都走原来那一版。")] = False,
    test_to: Annotated[
        str, typer.Option("--test-to", metavar="USERID", help="只试发给一位同事看，不发布。")
    ] = "",
    by: By = "",
    folder: Folder = None,
) -> None:
    """发布现在这份文件：先给几个群或百分之几试点，再放宽，再给所有人。

    例：zhilin sop publish senior-21d --groups 安心群1,银龄群 · zhilin sop publish senior-21d --all
    """
    chosen = [bool(groups or percent), everybody, stop, bool(test_to)]
    if sum(chosen) != 1:
        raise typer.BadParameter(
            "写明给谁：--groups、--percent、--all、--stop、--test-to 选一样"
            "(--groups 和 --percent 可以一起)。"
        )
    workspace = the_workspace(folder)
    if test_to:
        run(_try_on(workspace, script, test_to))
        return
    from bot.workers.releases import Part

    names = tuple(one.strip() for one in groups.replace("，", ",").split(",") if one.strip())
    part = Part("all" if everybody else "none" if stop else "part", names, percent)
    released = run(_publish(workspace, script, part, by or user_name()))
    if released.waits is not None:
        typer.echo(f"没有发布：{_WAITS[released.waits].format(id=script)}", err=True)
        if released.problems:
            print_problems(released.problems)
        raise typer.Exit(1)
    typer.echo(_released(script, released))


@sop.command("list")
def list_scripts(folder: Folder = None, as_json: AsJson = False) -> None:
    """看每个剧本：状态、版本、审批到哪天、多少在走、有没有暂停和试点、文件有没有要改的。

    例：zhilin sop list · zhilin sop list --json
    """
    from bot.workers.overview import overview

    workspace = the_workspace(folder)
    settings = the_settings(workspace, today(workspace))

    async def look() -> list[dict[str, Any]]:
        async with opened(workspace) as database:
            return await overview(database, workspace, settings.sop, today(workspace))

    rows = run(look())
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    from bot.cli.sop_list_words import lines

    table, notes = lines(rows)
    print_columns(table)
    for note in notes:
        typer.echo(note)


def _day(text: str) -> date | None:
    from datetime import date

    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise typer.BadParameter("--expires 写成 2027-08-31 的样子。") from None


def _read(workspace: Workspace, script_id: str) -> tuple[Snapshot, SopScript]:
    """Read the files as they are saved; a problem in this script's own, or around it, is told."""
    from bot.errors import ConfigError, ContentError
    from bot.workers.files import inspect, mere_expiry, of_a_script

    snapshot, problems = inspect(workspace, today(workspace))
    serious = [one for one in problems if not mere_expiry(one)]
    place = snapshot.places.get(script_id) if snapshot else None
    mine = [one for one in serious if one.file == place or not of_a_script(one)]
    if snapshot is None or mine:
        raise ContentError(mine or serious)
    script = snapshot.scripts.get(script_id)
    if script is None and serious:  # one of the files that nobody can read may be the one
        raise ContentError(serious)
    if script is None:
        known = "、".join(sorted(snapshot.scripts)) or "(还没有)"
        raise ConfigError(f"没有剧本「{script_id}」。现有：{known}。")
    return snapshot, script


def _releases(database: Any, workspace: Workspace, snapshot: Snapshot, by: str) -> Releases:
    from bot.clock import SystemClock
    from bot.workers.releases import Releases

    settings = the_settings(workspace, today(workspace))
    return Releases(database, snapshot, settings.sop, SystemClock(), by)


async def _approve(
    workspace: Workspace,
    script_id: str,
    by: str,
    until: date | None,
    number: str,
    reject: str,
) -> str:
    snapshot, script = _read(workspace, script_id)
    async with opened(workspace) as database:
        releases = _releases(database, workspace, snapshot, by)
        if reject:
            decided = await releases.reject(script, reject)
            return f"已退回：{_of(script)}。它不会再发。内容指纹 {decided.substance}。"
        decided = await releases.approve(script, until, number)
    return (
        f"已批准：{_of(script)}，有效到 {decided.expires_on}。改一个字就要重新批。"
        f"内容指纹 {decided.substance}(状态和审批不算在里面，所以和版本不是一串)。"
    )


def _of(script: SopScript) -> str:
    """Name a script as it is saved, by the version that ``publish`` and ``list`` show."""
    from bot.workers.files import version_of

    return f"{script.name}({script.id}) 的 {version_of(script)[:_SHORT]} 版"


async def _publish(workspace: Workspace, script_id: str, part: Part, by: str) -> Released:
    snapshot, script = _read(workspace, script_id)
    async with opened(workspace) as database:
        return await _releases(database, workspace, snapshot, by).publish(script, part)


async def _try_on(workspace: Workspace, script_id: str, userid: str) -> None:
    from bot.clock import SystemClock
    from bot.workers.releases import member_of
    from bot.workers.trial import put_trial, trial_texts

    snapshot, script = _read(workspace, script_id)
    member_of(snapshot.bank, userid)
    link = the_settings(workspace, today(workspace)).kf.link
    texts = trial_texts(script, snapshot, userid, today(workspace), link)
    async with opened(workspace) as database, database.begin() as tx:
        await put_trial(tx, script, userid, texts, SystemClock().now())
    typer.echo(f"试发给 {userid}：{len(texts)} 条，标着【测试】，客户不会收到，也不计入效果。")


def _released(script_id: str, released: Released) -> str:
    short = released.version[:_SHORT]
    pilot = released.pilot
    if pilot is None:
        if released.before == released.version:
            return f"{script_id} 的 {short} 版本来就是给所有人的。"
        return f"已发布：{script_id} 的 {short} 版给所有人。在走的按「改文件后」办。"
    if pilot.of_nobody:
        return f"已收回试点：{script_id} 大家都走原来那一版。文件里的新内容先不给任何人。"
    part = "、".join([*([f"{pilot.percent}%"] if pilot.percent else []), *pilot.groups])
    said = f"已给一部分发布：{script_id} 的 {short} 版给 {part}。"
    if released.before == released.version:
        said += "现在文件和正式版一样；接下来保存的改动只给这一部分。"
    return said + f"放宽用 --percent，给所有人用 zhilin sop publish {script_id} --all"
