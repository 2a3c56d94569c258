"""``zhilin conformance``: a WeCom bot on trial, ours or any other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.root import AsJson, Folder, cli, run
from bot.terminal import logs, the_workspace

if TYPE_CHECKING:
    from bot.conformance.verdict import Verdict

_MARKS = {True: "✓", False: "✗", None: "–"}


@cli.command()
def conformance(
    scenarios: Annotated[list[str] | None, typer.Argument(help="只试这几个，例如 S2 S8。")] = None,
    callback_url: Annotated[str, typer.Option(help="被测机器人的回调地址；不写就试知邻。")] = "",
    start: Annotated[str, typer.Option(help="启动它的命令；写了才能试断电和重启。")] = "",
    token: Annotated[str, typer.Option(help="它的回调 Token。")] = "",
    aes_key: Annotated[str, typer.Option(help="它的 EncodingAESKey。")] = "",
    corp_id: Annotated[str, typer.Option(help="它用的企业 ID。")] = "",
    secret: Annotated[str, typer.Option(help="它用的应用 Secret。")] = "",
    agent_id: Annotated[int, typer.Option(help="它用的应用 AgentId。")] = 0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="本机企业微信的端口。")] = 0,
    llm_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="慢的大模型的端口；不写就不试 S2b。")
    ] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """一致性测试：在本机的企业微信上试一个机器人会不会丢消息、重复答、抢人工的话。

    默认试知邻自己；试别的机器人：
    zhilin conformance --callback-url http://127.0.0.1:9000/cb --token … --aes-key … --port 8790
    """
    if callback_url and not callback_url.startswith(("http://", "https://")):
        raise typer.BadParameter("--callback-url 要写成 http:// 或 https:// 开头的网址。")
    from bot.conformance.run import Order, run_conformance

    logs("ERROR")
    order = Order(
        callback_url=callback_url,
        command=start,
        port=port,
        llm_port=llm_port,
        only=tuple(scenarios or ()),
    ).known_by(token, aes_key, corp_id, secret, agent_id)
    verdicts = run(run_conformance(order, the_workspace(folder, or_starter=True), _say))
    _print(verdicts, as_json=as_json)
    if any(verdict.met is False for verdict in verdicts):
        raise typer.Exit(1)


def _say(words: str) -> None:
    typer.echo(words, err=True)


def _print(verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    if as_json:
        rows = [verdict.as_json() for verdict in verdicts]
        typer.echo(json.dumps({"scenarios": rows}, ensure_ascii=False))
    else:
        _print_table(verdicts)


def _print_table(verdicts: Sequence[Verdict]) -> None:
    rows = [("", "场景", "做了什么", "理想", "看到")]
    rows += [
        (_MARKS[v.met], v.scenario.code, v.scenario.done, v.scenario.ideal, v.seen)
        for v in verdicts
    ]
    widths = [max(_width(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [_padded(cell, width) for cell, width in zip(row, widths, strict=False)]
        typer.echo("  ".join((*cells, row[4])))
    met = sum(verdict.met is True for verdict in verdicts)
    tried = sum(verdict.met is not None for verdict in verdicts)
    typer.echo(f"\n试了 {tried} 个场景，{met} 个和理想一致。")


def _width(text: str) -> int:
    """Return how many columns a text takes in a terminal: Chinese characters take two."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
