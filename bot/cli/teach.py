"""Commands for teaching the bot: what it could not answer, and the entries proposed for it."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.root import AsJson, Folder, cli, run, today
from bot.cli.sending import By, opened, user_name
from bot.terminal import logs, progress_line, the_settings, the_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from bot.teaching_room import Room
    from bot.workers.teaching_book import Page, TeachingBook
    from bot.workers.teaching_desk import Published, Wish
    from bot.workspace import Workspace

teach = typer.Typer(
    name="teach",
    help="教小安：客户问了没答上的，聚成一条条，写好、两人批、试过，再写进问答。",
    no_args_is_help=True,
    rich_markup_mode=None,
)
cli.add_typer(teach)

Number = Annotated[int, typer.Argument(metavar="ID", help="list 里的编号。")]
Answer = Annotated[str, typer.Option("--answer", help="答案；不写就从已批的资料里摘。")]
UseReply = Annotated[bool, typer.Option("--use-reply", help="拿同事答过的话当答案(由 --by 负责)。")]
Asks = Annotated[list[str] | None, typer.Option("--ask", help="再加一种问法；可写几次。")]
Readers = Annotated[
    str, typer.Option("--audience", help="群可见、仅一对一 或 仅员工；不写看在哪问的。")
]


@teach.command()
def collect(folder: Folder = None, as_json: AsJson = False) -> None:
    """现在就收一遍、聚一遍；平时程序每小时收一次，夜里聚一次。

    例：zhilin teach collect
    """
    logs("ERROR")
    kept, placed = run(_collect(the_workspace(folder), quiet=as_json))
    figures = {"kept": kept, "placed": placed[0], "proposals": placed[1]}
    told = f"新收了 {kept} 句；归好 {placed[0]} 句，其中新出 {placed[1]} 条要教的。看：teach list"
    typer.echo(json.dumps(figures) if as_json else told)


@teach.command("list")
def list_(
    folder: Folder = None,
    everything: Annotated[bool, typer.Option("--all", help="连发布了的、退回的也列。")] = False,
    as_json: AsJson = False,
) -> None:
    """要教的都有哪些，最值得先写的在前。

    值 = 30 天里问的人数 × 没答上的比例 × 轻重(丢钱被骗 3，买卖 2，别的 1)。

    例：zhilin teach list
    """
    from bot.cli.teach_words import page_as_json, print_pages

    pages = run(_pages(the_workspace(folder), everything=everything))
    if as_json:
        typer.echo(json.dumps([page_as_json(page) for page in pages], ensure_ascii=False))
    else:
        print_pages(pages)


@teach.command()
def show(number: Number, folder: Folder = None, as_json: AsJson = False) -> None:
    """一条要教的：客户怎么问的、在哪问的、哪一步之后问的、同事怎么答的。

    例：zhilin teach show 3
    """
    from bot.cli.teach_words import page_in_full, print_page

    page = run(_page(the_workspace(folder), number))
    if as_json:
        typer.echo(json.dumps(page_in_full(page), ensure_ascii=False))
    else:
        print_page(page)


@teach.command()
def draft(
    number: Number,
    answer: Answer = "",
    use_reply: UseReply = False,
    ask: Asks = None,
    basis: Annotated[str, typer.Option("--basis", help="依据，写给客户看的。")] = "",
    audience: Readers = "",
    topic: Annotated[str, typer.Option("--topic", help="「类」；不写跟最近的一条。")] = "",
    file: Annotated[str, typer.Option("--file", help="写进哪个 knowledge/ 里的 .qa.yaml。")] = "",
    as_new: Annotated[bool, typer.Option("--as-new", help="不加问法，另写一条新的。")] = False,
    by: By = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """写一稿：答案只从已批的资料里摘(配了大模型就由它写)，摘不到就说该谁来写。

    再写一稿，先前的审批作废。写的人(--by)不能批自己的。

    例：zhilin teach draft 3 --by 周岚
    例：zhilin teach draft 3 --answer "能停，前两小时不收钱。" --by 周岚
    """
    wish = _wish(by, answer, ask, basis, audience, topic, file)
    wish = replace(wish, use_reply=use_reply, as_new=as_new)
    logs("ERROR")
    text, plain = run(_draft(the_workspace(folder), number, wish, quiet=as_json))
    if as_json:
        typer.echo(json.dumps(plain, ensure_ascii=False))
        return
    typer.echo(text)
    typer.echo(f"下一步：业务、合规各一人 zhilin teach approve {number} --as 业务 --by 名字")


def _wish(
    by: str,
    answer: str,
    ask: list[str] | None,
    basis: str,
    audience: str,
    topic: str,
    file: str,
) -> Wish:
    from bot.domain.knowledge import Audience
    from bot.workers.teaching_desk import Wish

    if audience and audience not in tuple(Audience):
        raise typer.BadParameter("只能写 群可见、仅一对一 或 仅员工。", param_hint="--audience")
    if file and not (file.startswith("knowledge/") and file.endswith(".qa.yaml")):
        raise typer.BadParameter("要写 knowledge/ 里的 .qa.yaml。", param_hint="--file")
    return Wish(
        by=by or user_name(),
        answer=answer.strip(),
        asks=tuple(one.strip() for one in ask or () if one.strip()),
        basis=basis.strip(),
        audience=Audience(audience) if audience else None,
        topic=topic.strip(),
        file=file,
    )


@teach.command()
def diff(
    number: Annotated[
        int | None, typer.Argument(metavar="[ID]", help="不写就是所有写好的。")
    ] = None,
    folder: Folder = None,
) -> None:
    """发布会改哪个文件的哪几行；别的字、注释和次序都不动。

    例：zhilin teach diff 3
    """
    typer.echo(run(_diff(the_workspace(folder), number)), nl=False)


@teach.command()
def approve(
    number: Number,
    role: Annotated[str, typer.Option("--as", help="以什么身份批：业务 或 合规。")],
    by: By = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """批准这一稿：业务、合规各一人，不能是写的人，也不能一人批两次。

    例：zhilin teach approve 3 --as 业务 --by 李敏
    """
    from bot.cli.teach_words import page_as_json
    from bot.domain.teaching import ROLES

    given = next((one for one in ROLES if one == role), None)
    if given is None:
        raise typer.BadParameter("只能写 业务 或 合规。", param_hint="--as")

    async def work() -> Page:
        async with _book(the_workspace(folder)) as book:
            return await book.approve(number, given, by or user_name())

    page = run(work())
    if as_json:
        typer.echo(json.dumps(page_as_json(page), ensure_ascii=False))
    elif page.lacking:
        typer.echo(f"批好了，还差{'、'.join(page.lacking)}。")
    else:
        typer.echo(f"两边都批了。发布：zhilin teach publish {number}")


@teach.command()
def reject(
    number: Number,
    why: Annotated[str, typer.Option("--why", help="为什么不教，写进台账。")],
    by: By = "",
    folder: Folder = None,
) -> None:
    """退回：不教这一条；以后再问的归到它名下，不再提出来。

    例：zhilin teach reject 3 --why 不归本行答 --by 周岚
    """

    async def work() -> None:
        async with _book(the_workspace(folder)) as book:
            await book.reject(number, by or user_name(), why)

    run(work())
    typer.echo(f"第 {number} 号退回了。")


@teach.command()
def publish(number: Number, by: By = "", folder: Folder = None, as_json: AsJson = False) -> None:
    """发布：两人批过、检查没有新问题、试过不比原来差，才写进文件；差一样就不写，退出码 1。

    例：zhilin teach publish 3 --by 周岚
    """
    from bot.cli.teach_words import print_trial, trial_as_json

    logs("ERROR")
    done = run(_publish(the_workspace(folder), number, by or user_name(), quiet=as_json))
    if as_json:
        typer.echo(json.dumps({"file": done.file, **trial_as_json(done.trial)}, ensure_ascii=False))
    else:
        print_trial(done.trial)
        typer.echo(f"写进了 {done.file}；在跑的程序一秒内就会用上。" if done.file else "没有写。")
    if not done.file:
        raise typer.Exit(1)


@asynccontextmanager
async def _book(workspace: Workspace) -> AsyncIterator[TeachingBook]:
    from bot.clock import SystemClock
    from bot.workers.teaching_book import TeachingBook

    async with opened(workspace) as database:
        yield TeachingBook(database, SystemClock())


async def _pages(workspace: Workspace, *, everything: bool) -> list[Page]:
    async with _book(workspace) as book:
        return await book.pages(everything=everything)


async def _page(workspace: Workspace, number: int) -> Page:
    async with _book(workspace) as book:
        return await book.page(number)


async def _collect(workspace: Workspace, *, quiet: bool) -> tuple[int, tuple[int, int]]:
    async with _room(workspace, quiet=quiet) as room:
        kept = await room.collector.collect()
        return kept, await room.placer.place()


@asynccontextmanager
async def _room(workspace: Workspace, *, quiet: bool) -> AsyncIterator[Room]:
    from bot.clock import SystemClock
    from bot.teaching_room import open_room

    settings, show_ = the_settings(workspace, today(workspace)), progress_line(quiet=quiet)
    async with opened(workspace) as database, AsyncExitStack() as stack:
        yield await open_room(stack, settings, workspace, database, SystemClock(), show_)


async def _draft(
    workspace: Workspace, number: int, wish: Wish, *, quiet: bool
) -> tuple[str, dict[str, Any]]:
    from bot.workers.teaching_files import difference

    async with _room(workspace, quiet=quiet) as room:
        made = await room.desk.draft(number, wish)
    text = difference(await _page(workspace, number), workspace, today(workspace))
    sources = "、".join(made.sources)
    said = f"{text}\n出处：{sources}" if sources else text
    return said, made.model_dump(mode="json") | {"content": made.content, "diff": text}


async def _diff(workspace: Workspace, number: int | None) -> str:
    from bot.workers.teaching_files import difference

    pages = await _pages(workspace, everything=False) if number is None else []
    drafted = [page for page in pages if page.proposal.draft is not None]
    if number is not None:
        drafted = [await _page(workspace, number)]
    return "".join(difference(page, workspace, today(workspace)) for page in drafted)


async def _publish(workspace: Workspace, number: int, by: str, *, quiet: bool) -> Published:
    async with _room(workspace, quiet=quiet) as room:
        return await room.desk.publish(number, by)
