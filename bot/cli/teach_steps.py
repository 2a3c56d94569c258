"""Commands that measure: which steps confuse, and what teaching has brought."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.root import AsJson, Folder, run
from bot.cli.sending import opened
from bot.cli.teach import teach
from bot.terminal import print_columns, the_workspace

if TYPE_CHECKING:
    from bot.teaching.packs import Pack
    from bot.workers.teaching_book import Effect
    from bot.workspace import Workspace


@teach.command()
def steps(
    script: Annotated[str, typer.Argument(metavar="[SOP]", help="剧本的编号；不写看全部。")] = "",
    days: Annotated[int, typer.Option("--days", min=1, help="看最近几天送到的。")] = 90,
    bound: Annotated[
        float, typer.Option("--bound", min=0.01, max=1.0, help="疑惑率超过多少就请重写。")
    ] = 0.1,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """每一步送到之后一天里，客户都问了什么；问的多不多，哪一步该重写。

    疑惑率 = 一天内问的句数 ÷ 送到的次数；送到不到 20 次的，看不出。

    例：zhilin teach steps senior-21d
    """
    packs = run(_packs(the_workspace(folder), script, days))
    if as_json:
        typer.echo(json.dumps([_plain(pack, bound) for pack in packs], ensure_ascii=False))
    elif not packs:
        typer.echo("还没有哪一步送到过。")
    else:
        _print_packs(packs, bound)


@teach.command()
def stats(folder: Folder = None, as_json: AsJson = False) -> None:
    """收了多少、教了以后问得少没少、补一个缺口要多久。

    例：zhilin teach stats
    """
    figures = run(_stats(the_workspace(folder)))
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
        return
    for days in ("7", "30"):
        counts = dict(figures["collected"][days])
        people = counts.pop("people", 0)
        said = "、".join(f"{name} {count}" for name, count in counts.items()) or "没有"
        typer.echo(f"最近 {days} 天收的：{said}；{people} 人")
    gaps = figures["gaps"]
    half = gaps["half_life_days"]
    said = f"补上一半用了 {half:.1f} 天" if half is not None else "还没补上一半，看不出多快"
    typer.echo(f"缺口：{gaps['closed']}/{gaps['total']} 补上了；{said}。")
    if figures["effects"]:
        _print_effects(figures["effects"])


async def _packs(workspace: Workspace, script: str, days: int) -> list[Pack]:
    from datetime import UTC, datetime

    from bot.teaching.packs import packs_of

    since = datetime.now(UTC) - timedelta(days=days)
    async with opened(workspace) as database, database.read() as tx:
        asked = await tx.questions.after_steps(script, since)
        delivered = await tx.questions.delivered(script, since)
        published = await tx.proposals.in_states(["published"])
    answers = {one.id: one.draft.entry for one in published if one.draft is not None}
    return packs_of(asked, delivered, answers)


def _print_packs(packs: list[Pack], bound: float) -> None:
    rows = [("步骤", "问/送到", "疑惑率", "")]
    rows += [
        (
            f"{pack.script}/{pack.step}",
            f"{pack.asked}/{pack.delivered}",
            "看不出" if pack.rate is None else f"{pack.rate:.1%}",
            "请重写" if pack.confusing(bound) else "",
        )
        for pack in packs
    ]
    print_columns(rows)
    for pack in packs:
        if pack.top:
            typer.echo(f"\n{pack.script}/{pack.step} 之后问得多的：")
        for one in pack.top:
            gap = (
                f"缺答案，见 teach show {one.proposal}" if one.proposal else "缺答案，还没聚成一条"
            )
            typer.echo(f"  {one.count} 次  {one.text}  → {one.answer or gap}")


def _plain(pack: Pack, bound: float) -> dict[str, Any]:
    return {
        "script": pack.script,
        "step": pack.step,
        "asked": pack.asked,
        "delivered": pack.delivered,
        "confusion_rate": None if pack.rate is None else round(pack.rate, 4),
        "rewrite": pack.confusing(bound),
        "questions": [
            {"text": one.text, "count": one.count, "answer": one.answer, "proposal": one.proposal}
            for one in pack.top
        ],
    }


async def _stats(workspace: Workspace) -> dict[str, Any]:
    from bot.clock import SystemClock
    from bot.workers.teaching_book import TeachingBook

    async with opened(workspace) as database:
        book = TeachingBook(database, SystemClock())
        half, closed, total = await book.half_life()
        return {
            "collected": await book.weeks(),
            "gaps": {
                "closed": closed,
                "total": total,
                "half_life_days": half / timedelta(days=1) if half is not None else None,
            },
            "effects": [_effect(one) for one in await book.effects()],
        }


def _effect(one: Effect) -> dict[str, Any]:
    return {
        "id": one.proposal.id,
        "title": one.proposal.title,
        "days": one.days,
        "asked_before": one.before.questions,
        "asked_after": one.after.questions,
        "unanswered_before": one.before.unanswered,
        "unanswered_after": one.after.unanswered,
        "complete": one.complete,
    }


def _print_effects(effects: list[dict[str, Any]]) -> None:
    typer.echo("\n发布前后同样多天里，没答上或又问的：")
    rows = [("编号", "天数", "之前", "之后", "")]
    rows += [
        (
            str(one["id"]),
            str(one["days"]),
            f"{one['asked_before']}(没答上 {one['unanswered_before']})",
            f"{one['asked_after']}(没答上 {one['unanswered_after']})",
            one["title"] + ("" if one["complete"] else "(日子没到，还会变)"),
        )
        for one in effects
    ]
    print_columns(rows)
