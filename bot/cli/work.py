"""Work that stands still until a person decides: listed, shown, tried again or dropped."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.root import AsJson, Folder, cli, run
from bot.cli.sending import By, opened, user_name
from bot.cli.work_words import kind_in_words, reason_in_words
from bot.terminal import padded, print_columns, the_workspace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from bot.storage.stuck import Letter, LetterState
    from bot.storage.tx import Tx
    from bot.workspace import Workspace

work = typer.Typer(
    help="没做完的事：死信(试了多次都不行)和不明(不知道发没发出去)的，看、重试或丢弃。",
    no_args_is_help=True,
)
cli.add_typer(work, name="work")

_TABLES = {
    "notices": "回调",
    "events": "事件",
    "outbox": "待发消息",
    "enrolments": "剧本进度",
    "send_tasks": "群发任务",
    "admissions": "请人进剧本",
    "occurrences": "客户事件",
}
_STATES = {"dead": "死信", "unknown": "不明", "waiting": "在等"}
_DIGITS = 18  # no database gives longer numbers
_MOST = 200  # characters of text in a list of one
Place = Annotated[str, typer.Argument(help="list 第一列的编号，例如 outbox:123。")]


@work.command("list")
def work_list(
    folder: Folder = None,
    table: Annotated[str, typer.Option(help=f"只看一张表：{'、'.join(_TABLES)}。")] = "",
    state: Annotated[
        str, typer.Option(help="dead(死信)、unknown(不明)或 waiting(在等)；不写就是前两种。")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="最多列这么多条。")] = 50,
    as_json: AsJson = False,
) -> None:
    """列出死信和不明的消息。

    例：zhilin work list · zhilin work list --table outbox --state waiting
    """
    tables = [table] if _known(table, _TABLES, "--table") else list(_TABLES)
    states: list[Any] = [state] if _known(state, _STATES, "--state") else ["dead", "unknown"]
    found, total = run(_with(the_workspace(folder), lambda tx: _find(tx, tables, states, limit)))
    if as_json:
        _echo_json([_as_json(letter) for letter in found])
        return
    if not found:
        typer.echo("没有要处理的：没有死信，也没有不明的消息。" if not state else "没有。")
        return
    _print_list(found)
    if total > len(found):
        typer.echo(f"共 {total} 条，只列了前 {len(found)} 条，要看更多请加 --limit。")


@work.command("show")
def work_show(place: Place, folder: Folder = None, as_json: AsJson = False) -> None:
    """看一条：原因、试了几次、多久了、内容(号码已遮住)。例：zhilin work show outbox:123"""
    letter, doubt = run(_with(the_workspace(folder), lambda tx: _one(tx, place)))
    if as_json:
        _echo_json(_as_json(letter))
        return
    shown = _as_json(letter)
    rows = {
        "编号": letter.place,
        "表": _TABLES[letter.place.partition(":")[0]],
        "状态": _STATES[letter.state],
        "种类": kind_in_words(letter.kind),
        "对象": letter.subject,
        "原因": reason_in_words(letter.reason) or "—",
        "试了": f"{letter.attempts} 次",
        "多久了": f"{_age(letter.since)}(从 {_local(letter.since)} 起)",
        "下次": _local(letter.due_at) if letter.due_at else "不会自动再试",
        "内容": shown["text"] or "—",
    }
    if doubt is not None and letter.state == "unknown":
        again = f"，{_local(doubt[1])} 再问" if doubt[1] else "，不再问"
        rows["核对"] = f"向企业微信问了 {doubt[0]} 次{again}"
    for name, value in rows.items():
        typer.echo(f"{padded(name, 8)}{value}")


@work.command("retry")
def work_retry(
    place: Place,
    folder: Folder = None,
    yes: Annotated[bool, typer.Option("--yes", help="不明的消息也再发一次。")] = False,
    by: By = "",
) -> None:
    """马上再试一次，次数从头算。例：zhilin work retry outbox:123 --by 王芳"""
    workspace = the_workspace(folder)
    letter, _ = run(_with(workspace, lambda tx: _one(tx, place)))
    if letter.state == "unknown" and not yes:
        typer.echo(
            f"{place} 不知道发没发出去：再发一次，客户可能收到两遍。"
            "请先在企业微信里看一眼；确定要发，加上 --yes。",
            err=True,
        )
        raise typer.Exit(1)
    run(_with(workspace, lambda tx: _retry(tx, letter, by or user_name()), write=True))
    typer.echo(f"{place} 会马上再试。结果用 zhilin work show {place} 看。")


@work.command("drop")
def work_drop(
    place: Place,
    why: Annotated[str, typer.Option("--why", help="为什么丢弃，写进台账。")],
    folder: Folder = None,
    by: By = "",
) -> None:
    """丢弃一条，不再试；原因写进台账。例：zhilin work drop outbox:123 --why 客户已线下答复"""
    workspace = the_workspace(folder)
    letter, _ = run(_with(workspace, lambda tx: _one(tx, place)))
    run(_with(workspace, lambda tx: _drop(tx, letter, by or user_name(), why), write=True))
    typer.echo(f"{place} 已丢弃。")


async def _with(
    workspace: Workspace, use: Callable[[Tx], Awaitable[Any]], *, write: bool = False
) -> Any:
    """Open the database beside whoever works on it, for one transaction."""
    async with opened(workspace) as database, database.begin() if write else database.read() as tx:
        return await use(tx)


async def _find(
    tx: Tx, tables: Sequence[str], states: Sequence[LetterState], limit: int
) -> tuple[list[Letter], int]:
    from bot.storage.stuck import Letters

    letters = Letters(tx.connection)
    found = await letters.find(tables, states, limit)
    return found, await letters.count(tables, states)


async def _one(tx: Tx, place: str) -> tuple[Letter, tuple[int, datetime | None] | None]:
    from bot.errors import ConfigError
    from bot.storage.stuck import Letters

    table, _, number = place.partition(":")
    if table not in _TABLES or not (number.isdecimal() and len(number) <= _DIGITS):
        raise ConfigError(f"看不懂编号 {place}。请写 list 第一列的编号，例如 outbox:123。")
    letters = Letters(tx.connection)
    letter = await letters.one(table, int(number))
    if letter is None:
        raise ConfigError(f"{place} 没有，或已经做完了。请用 zhilin work list 看有哪些。")
    doubt = await letters.doubt_of(int(number)) if table == "outbox" else None
    return letter, doubt


async def _retry(tx: Tx, letter: Letter, by: str) -> None:
    from bot.storage.mending import Mending

    _told(await Mending(tx.connection).retry(letter, by, _now()), letter)


async def _drop(tx: Tx, letter: Letter, by: str, why: str) -> None:
    from bot.storage.mending import Mending

    _told(await Mending(tx.connection).drop(letter, by, why, _now()), letter)


def _told(changed: bool, letter: Letter) -> None:
    from bot.errors import ConfigError

    if not changed:
        raise ConfigError(
            f"{letter.place} 正在处理，或刚刚变了。请过一会儿用 zhilin work show 再看。"
        )


def _known(name: str, names: dict[str, str], option: str) -> bool:
    if name and name not in names:
        raise typer.BadParameter(f"{option} 只能是 {'、'.join(names)}。")
    return bool(name)


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %z}"


def _age(since: datetime) -> str:
    minutes = max(0, int((_now() - since).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} 分钟"
    return f"{minutes // 60} 小时" if minutes < 48 * 60 else f"{minutes // 1440} 天"


def _as_json(letter: Letter) -> dict[str, Any]:
    from bot.log import mask_numbers

    fields = asdict(letter)
    fields["text"] = mask_numbers(letter.text)
    fields["since"] = letter.since.isoformat()
    fields["due_at"] = letter.due_at.isoformat() if letter.due_at else None
    return fields


def _echo_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False))


def _print_list(found: Sequence[Letter]) -> None:
    rows = [("编号", "状态", "种类", "对象", "试了", "多久了", "原因")]
    rows += [
        (
            letter.place,
            _STATES[letter.state],
            kind_in_words(letter.kind),
            letter.subject,
            f"{letter.attempts} 次",
            _age(letter.since),
            reason_in_words(letter.reason)[:_MOST],
        )
        for letter in found
    ]
    print_columns(rows)
