"""Orders about scripts that run: pause, resume, drain, terminate, withdraw."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli import order_words
from bot.cli.root import AsJson, Folder, agrees, run
from bot.cli.sending import By, bank_of, opened, user_name
from bot.cli.sop import sop
from bot.terminal import print_columns, the_workspace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.domain.bank import Bank
    from bot.domain.hold import Verb
    from bot.workers.orders import Delivered, Orders, Recalled
    from bot.workspace import Workspace

Targets = Annotated[
    list[str],
    typer.Argument(
        metavar="TARGET…",
        help="剧本编号、剧本/步骤、网点、经理、群或客户；分不清时加字头：网点:、经理:、群: 等。",
    ),
]
Why = Annotated[str, typer.Option("--why", help="为什么，写进台账。")]
Yes = Annotated[bool, typer.Option("--yes", help="不再问一遍。")]
_FIRST_CHARS = 24


@sop.command()
def pause(
    targets: Targets, why: Why = "", by: By = "", folder: Folder = None, as_json: AsJson = False
) -> None:
    """暂停：一秒之内，所有进程都不再发；重启也不会恢复，要用 resume。

    暂停一个步骤(剧本/步骤)：走到这一步的等着，别处照常走，新的也照常进来。

    例：zhilin sop pause senior-21d --why 客户投诉 · zhilin sop pause 网点:b01 群:安心群3
    """
    run(_hold(the_workspace(folder), targets, "pause", by or user_name(), why, as_json=as_json))


@sop.command()
def drain(
    targets: Targets, why: Why = "", by: By = "", folder: Folder = None, as_json: AsJson = False
) -> None:
    """只出不进：不再让新的群和客户进来，在走的走完。

    对一个步骤(剧本/步骤)：轮到它的跳过，接着走后面的；已经到同事手里的照常办完。

    例：zhilin sop drain senior-21d --why 下月换新版 · zhilin sop drain senior-21d/d05-benefit
    """
    run(_hold(the_workspace(folder), targets, "drain", by or user_name(), why, as_json=as_json))


@sop.command()
def resume(targets: Targets, by: By = "", folder: Folder = None, as_json: AsJson = False) -> None:
    """恢复：解除 pause 和 drain；等着的步骤马上再看一遍，过了时间的按「错过时间窗」办。

    例：zhilin sop resume senior-21d
    """
    run(_resume(the_workspace(folder), targets, by or user_name(), as_json=as_json))


@sop.command()
def terminate(
    targets: Targets,
    why: Why = "",
    yes: Yes = False,
    by: By = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """终止：在走的全部退出，同事手里的群发、卡片、朋友圈都收回，也不再让新的进来。不能撤销。

    对一个步骤(剧本/步骤)：收回这一步，还没发的跳过；在走的不退出，接着走后面的。

    例：zhilin sop terminate senior-21d --why 活动取消 · zhilin sop terminate 群:安心群3 --yes
    """
    if as_json and not yes:
        raise typer.BadParameter("--json 不会问人：想好了就加上 --yes。")
    orders = _terminate(the_workspace(folder), targets, by or user_name(), why, yes, as_json)
    run(orders)


@sop.command()
def withdraw(
    script: Annotated[str, typer.Argument(metavar="SCRIPT", help="剧本的编号。")],
    step: Annotated[str, typer.Argument(metavar="STEP", help="步骤的编号。")],
    why: Annotated[str, typer.Option("--why", help="为什么下架，写进台账。")],
    by: By = "",
    text: Annotated[
        str, typer.Option("--text", help="只下架这个指纹的文字；不写就是现在这一版的。")
    ] = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """下架一段文字：没发的作废，群主没点的撤回，已经发出的列出来；改了文字才会再发。

    例：zhilin sop withdraw senior-21d d05-benefit --by 消保-何静 --why 活动日期写错
    """
    recalled = run(_withdraw(the_workspace(folder), script, step, text, by or user_name(), why))
    if as_json:
        typer.echo(json.dumps(_recalled_as_json(recalled), ensure_ascii=False))
        return
    typer.echo(f"已下架 {script}/{step} 的文字(指纹 {'、'.join(recalled.hashes)})。")
    typer.echo(
        f"收回没发出去的 {recalled.taken_back} 条；已经发出的 {len(recalled.delivered)} 条。"
    )
    if recalled.delivered:
        _print_delivered(recalled.delivered)
    for its, words in recalled.others.items():
        first = words.strip().splitlines()[0][:_FIRST_CHARS]
        typer.echo(f"这一步还有别的文字没有下架：「{first}」。要一起下架，加 --text {its}")


def _orders(database: Any, bank: Bank, by: str, why: str) -> Orders:
    from bot.clock import SystemClock
    from bot.workers.orders import Orders

    return Orders(database, bank, SystemClock(), by, why)


async def _hold(
    workspace: Workspace, words: list[str], verb: Verb, by: str, why: str, *, as_json: bool
) -> None:
    async with opened(workspace) as database:
        orders, done = _orders(database, bank_of(workspace), by, why), []
        for target in await orders.meant(words):
            new, extent = await orders.hold(target, verb), await orders.extent(target)
            done.append(order_words.as_json(target, verb, extent, new=new))
            if not as_json:
                _say(order_words.held(target, verb, extent, new=new))
    _print(done, as_json=as_json)


async def _resume(workspace: Workspace, words: list[str], by: str, *, as_json: bool) -> None:
    async with opened(workspace) as database:
        orders, done = _orders(database, bank_of(workspace), by, ""), []
        for target in await orders.meant(words):
            ended, extent = await orders.resume(target), await orders.extent(target)
            done.append(order_words.as_json(target, "resume", extent, ended=ended))
            if not as_json:
                _say([order_words.resumed(target, ended, extent)])
    _print(done, as_json=as_json)


async def _terminate(
    workspace: Workspace, words: list[str], by: str, why: str, yes: bool, as_json: bool
) -> None:
    async with opened(workspace) as database:
        orders, done = _orders(database, bank_of(workspace), by, why), []
        targets = await orders.meant(words)
        extents = [await orders.extent(target) for target in targets]
        if not as_json:
            _say(map(order_words.to_terminate, targets, extents))
        if not yes and not agrees(order_words.question(targets)):
            typer.echo("没有动。")
            raise typer.Exit(1)
        for target, extent in zip(targets, extents, strict=True):
            ended = await orders.terminate(target, lambda ended: None)
            done.append(order_words.as_json(target, "terminate", extent, ended=ended))
            if not as_json:
                _say([order_words.terminated(target, ended)])
    _print(done, as_json=as_json)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def _print(done: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False))


async def _withdraw(
    workspace: Workspace, script_id: str, step: str, text: str, by: str, why: str
) -> Recalled:
    from bot.domain.withdrawal import texts_of
    from bot.errors import ConfigError
    from bot.workers.orders import stored_scripts, texts_known

    async with opened(workspace) as database:
        async with database.read() as tx:
            script = (await stored_scripts(tx)).get(script_id)
            if script is None:
                raise ConfigError(f"没有发布过「{script_id}」。用 zhilin sop list 看有哪些。")
            known = await texts_known(tx, script, step)
        part = script.part(step)
        if part is None and not known:
            steps = "、".join(one.id for one in script.parts)
            raise ConfigError(f"{script_id} 没有步骤「{step}」。现有：{steps}。")
        hashes = [text] if text else list(texts_of(part) if part else ())
        if not hashes or not known.keys() >= set(hashes):
            listed = "、".join(known)
            raise ConfigError(f"{script_id}/{step} 没有这段文字。现有的指纹：{listed}。")
        orders = _orders(database, bank_of(workspace), by, why)
        return await orders.withdraw(script, step, hashes)


def _print_delivered(delivered: tuple[Delivered, ...]) -> None:
    rows = [("谁", "编号", "什么时候")]
    rows += [
        (one.name or "客户", one.subject, f"{one.at.astimezone():%Y-%m-%d %H:%M}")
        for one in delivered
    ]
    print_columns(rows)


def _recalled_as_json(recalled: Recalled) -> dict[str, Any]:
    return {
        "step": recalled.step,
        "texts": list(recalled.hashes),
        "taken_back": recalled.taken_back,
        "delivered": [
            {"subject": one.subject, "name": one.name, "at": one.at.isoformat()}
            for one in recalled.delivered
        ],
        "other_texts": list(recalled.others),
    }
