"""What a script would do, and what an edit of it would do: simulate, diff, move."""

from __future__ import annotations

import gc
import json
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.root import AsJson, Folder, today
from bot.cli.sop import sop
from bot.terminal import logs, the_workspace

if TYPE_CHECKING:
    from bot.cli.sim_case import Desk, Wanted
    from bot.domain.script import SopScript
    from bot.sop.simulation import Outcome

Which = Annotated[str, typer.Argument(metavar="FILE", help="剧本文件，或工作目录里剧本的编号。")]
Start = Annotated[str, typer.Option(help="从哪一天开始，如 2026-10-12。")]
Groups = Annotated[
    int | None,
    typer.Option(min=1, max=20_000, help="对象是客户群时，多少个群；不写是 100。"),
]
Customers = Annotated[
    int | None,
    typer.Option(min=1, max=100_000, help="对象是客户时，多少位客户；不写是 1000。"),
]
Members = Annotated[
    int | None,
    typer.Option(min=1, max=500, help="对象是客户群时，每个群多少位客户；不写是 40。"),
]
Seed = Annotated[int, typer.Option(help="种子：同样的种子，结果一字不差。")]
Days = Annotated[int | None, typer.Option(min=1, max=400, help="只看多少天；不写看到底。")]
Confirm = Annotated[float, typer.Option(min=0, max=1, help="同事会点发送的可能，0 到 1。")]
Unknown = Annotated[float, typer.Option(min=0, max=1, help="客户资料缺一项的可能，0 到 1。")]
Rates = Annotated[
    list[str] | None,
    typer.Option(
        "--rate", help="看到的人里会这样做的比例，如 客户回复=0.1、说关键词=0.02；可写几次。"
    ),
]
Who = Annotated[int | None, typer.Option(min=1, help="只看第几个群或第几位客户，逐条写出为什么。")]
Events = Annotated[
    list[str] | None,
    typer.Option(
        "--event", help="配合 --who：第几天发生什么，如 2:客户回复、20@15:30:少发点、3:不点。"
    ),
]
Facts = Annotated[
    list[str] | None,
    typer.Option("--fact", help="配合 --who：这位客户的资料，如 年龄=58、风险等级=C3；可写几次。"),
]
Written = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Rates, events and facts as they were written."""


@sop.command()
def simulate(
    file: Which,
    start: Start,
    groups: Groups = None,
    customers: Customers = None,
    members: Members = None,
    seed: Seed = 1,
    days: Days = None,
    confirm: Confirm = 0.85,
    unknown: Unknown = 0.05,
    rate: Rates = None,
    who: Who = None,
    event: Events = None,
    fact: Facts = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """预演：让一批假想的群或客户从头走到尾，看日历、原话、额度、每位同事的事和要调多少次接口。

    什么也不会发出去，也不动数据库；同样的输入，结果一字不差。
    例：zhilin sop simulate senior-21d --start 2026-10-12 --groups 200 --confirm 0.7
    只看一个：zhilin sop simulate senior-21d --start 2026-10-12 --who 1 --event 20:少发点
    """
    from bot.cli.sim_case import Wanted, desk_of

    logs("ERROR")
    begins = _day(start, "--start")
    workspace = the_workspace(folder, or_starter=True)
    desk = desk_of(workspace, file, today(workspace))
    counts = _counts(desk.script, groups, customers, members)
    wanted = Wanted(begins, counts, seed, days, confirm, unknown, who)
    written = (tuple(rate or ()), tuple(event or ()), tuple(fact or ()))
    _play(desk, wanted, written, as_json=as_json)


def _counts(
    script: SopScript, groups: int | None, customers: int | None, members: int | None
) -> tuple[int, int, int]:
    """Return how many there are; refuse a number that says nothing of such a script."""
    of_groups = script.subject == "客户群"
    options = (("--groups", groups), ("--members", members), ("--customers", customers))
    for option, number in options[2:] if of_groups else options[:2]:
        if number is not None:
            instead = f"--groups {number}" if of_groups else f"--customers {number}"
            what = f"「{script.name}」的对象是{script.subject}，用不上它"
            raise typer.BadParameter(f"{what}：要多少个写 {instead}。", param_hint=option)
    return groups or 100, customers or 1000, members or 40


def _play(desk: Desk, wanted: Wanted, written: Written, *, as_json: bool) -> None:
    """Play a case and print what came of it."""
    from bot.cli.sim_case import case_of
    from bot.cli.sim_words import lines_of
    from bot.sop.simulation import report_of
    from bot.sop.simulation import simulate as play

    case = case_of(desk, wanted, *written)
    found = {"hits": list(map(str, desk.problems)), "notes": list(map(str, desk.notes))}
    gc.disable()  # what is made has no rings, and looking for them takes an eighth of the time
    try:
        outcome = play(case)
    finally:
        gc.enable()
    if wanted.who is not None:
        _tell(outcome, desk, found["hits"], as_json=as_json)
        return
    report = report_of(outcome) | found
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
        return
    names = {str(member.userid): member.name for member in desk.snapshot.bank.staff}
    typer.echo("\n".join(lines_of(report, names)))


def _tell(outcome: Outcome, desk: Desk, hits: list[str], *, as_json: bool) -> None:
    """Print one subject's way, each decision with its reason."""
    from bot.cli.story_words import json_of_story, lines_of_story

    if as_json:
        typer.echo(json.dumps(json_of_story(outcome) | {"hits": hits}, ensure_ascii=False))
    else:
        typer.echo("\n".join(lines_of_story(outcome, desk.snapshot.bank, hits)))


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter("写成 2026-10-12 的样子。", param_hint=option) from None
