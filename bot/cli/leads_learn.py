"""What is learnt from leads: the figures of a time, and the model that scores by outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.leads import leads
from bot.cli.leads_words import NEEDS, RIGHTS, holder_name
from bot.cli.root import AsJson, Folder, run
from bot.cli.sending import bank_of, opened
from bot.terminal import print_columns, the_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from bot.domain.bank import Bank
    from bot.domain.lead import Lead
    from bot.leads.fitting import Fitted
    from bot.leads.report import Lasted, LeadReport, Spread
    from bot.storage.timers import Over
    from bot.workspace import Workspace

_PAGE = 500
_BY = ("需求", "网点", "经理")
_HEAD = (
    "",
    "新来",
    "没办结",
    "接手",
    "接手及时",
    "没按时回",
    "成交",
    "无效",
    "回得快的一半",
    "九成",
    "九成九",
)


@leads.command("report")
def report(
    folder: Folder = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="最近多少天里来的。")] = 30,
    by: Annotated[str, typer.Option("--by", help=f"按什么分：{'、'.join(_BY)}。")] = "需求",
    as_json: AsJson = False,
) -> None:
    """线索报表：每个比例都写出几分之几；回客户的时长看一半、九成、九成九，不用平均数。

    时长按服务时段算，红线和投诉按钟点算。例：zhilin leads report --days 7 --by 经理
    """
    if by not in _BY:
        raise typer.BadParameter(f"--by 只能是 {'、'.join(_BY)}。")
    workspace = the_workspace(folder)
    bank = bank_of(workspace)
    found, limits, now = run(_read(workspace, days))
    whole, groups = _reports(found, limits, bank, now, _group_of(bank, by))
    if as_json:
        shown = {name: _figures(one) for name, one in groups.items()}
        _echo_json({"days": days, "by": by, "all": _figures(whole), "groups": shown})
        return
    if not found:
        typer.echo(f"最近 {days} 天没有线索。")
        return
    rows = [_row(name, one) for name, one in groups.items()]
    print_columns([(by, *_HEAD[1:]), *rows, _row("全行", whole)])
    for line in _besides(whole):
        typer.echo(line)
    typer.echo(RIGHTS)


@leads.command("fit")
def fit(
    folder: Folder = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只算，不换。")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="改回按规则打分。")] = False,
    as_json: AsJson = False,
) -> None:
    """从办结的线索里学打分：够 500 条、在没见过的线索上说得准，才换上；不然照旧按规则。

    例：zhilin leads fit --dry-run · zhilin leads fit · zhilin leads fit --rules
    """
    workspace = the_workspace(folder)
    if rules:
        changed = run(_use_rules(workspace))
        if as_json:
            _echo_json({"retired": changed})
            return
        typer.echo("改回按规则打分了。" if changed else "本来就按规则打分。")
        return
    done = run(_fit(workspace, dry=dry_run))
    if as_json:
        _echo_json(done.model_dump(mode="json", exclude={"model"}) | _weights(done))
    else:
        _print_fit(done, dry=dry_run)
    if done.problem:
        raise typer.Exit(1)


async def _read(
    workspace: Workspace, days: int
) -> tuple[list[Lead], dict[int, list[Over]], datetime]:
    from datetime import timedelta

    from bot.clock import SystemClock
    from bot.storage.lead_list import Wanted

    now = SystemClock().now()
    wanted = Wanted(closed=True, since=now - timedelta(days=days))
    found: list[Lead] = []
    limits: dict[int, list[Over]] = {}
    async with opened(workspace) as database:
        while True:
            async with database.read() as tx:
                after = found[-1].id if found else 0
                page = await tx.lead_list.find(wanted, now, limit=_PAGE, after=after)
                for limit in await tx.timers.over([one.lead.id for one in page]):
                    limits.setdefault(limit.lead, []).append(limit)
            found += [one.lead for one in page]
            if len(page) < _PAGE:
                return found, limits, now


def _reports(
    found: Sequence[Lead],
    limits: Mapping[int, Sequence[Over]],
    bank: Bank,
    now: datetime,
    group: Callable[[Lead], str],
) -> tuple[LeadReport, dict[str, LeadReport]]:
    from bot.leads.report import grouped, report_of

    lasted = _lasted(bank, now)
    groups = {
        name: report_of(some, now, lasted, limits) for name, some in grouped(found, group).items()
    }
    return report_of(found, now, lasted, limits), groups


def _lasted(bank: Bank, now: datetime) -> Lasted:
    """Return how long something took for a lead, in the hours in which its branch is open."""
    from bot.domain.lead import GRAVE
    from bot.leads.timers import LeadTimers
    from bot.workers.content import tables_for

    tables = tables_for(now.astimezone(bank.zone).date())
    timers = LeadTimers(lambda: bank, lambda: tables)

    def lasted(lead: Lead, begin: datetime, end: datetime) -> timedelta:
        if lead.need in GRAVE:
            return end - begin
        return timers.time_at(lead.branch).between(begin, end)

    return lasted


def _group_of(bank: Bank, by: str) -> Callable[[Lead], str]:
    def of_branch(lead: Lead) -> str:
        branch = bank.branch(lead.branch) if lead.branch else None
        return branch.name if branch is not None else "没有网点"

    def of_member(lead: Lead) -> str:
        return holder_name(lead.rm, bank)

    if by == "网点":
        return of_branch
    return of_member if by == "经理" else lambda lead: lead.need.value


def _row(name: str, one: LeadReport) -> tuple[str, ...]:
    return (
        name,
        str(one.opened),
        str(one.open_now),
        one.taken.words,
        one.in_time.words,
        one.late.words,
        one.won.words,
        one.invalid.words,
        *(_span(each) for each in (one.answering.p50, one.answering.p90, one.answering.p99)),
    )


def _besides(whole: LeadReport) -> list[str]:
    """Say of the whole bank what the table has no room for."""
    again, done = whole.answering_again, whole.resolving
    lines = []
    if whole.late_again.whole:
        spread = (
            f"回得快的一半 {_span(again.p50)}，九成 {_span(again.p90)}，九成九 {_span(again.p99)}"
        )
        lines.append(f"客户又说了话的：没按时回 {whole.late_again.words}；{spread}")
    if whole.unresolved.whole:
        spread = f"办得快的一半 {_span(done.p50)}，九成 {_span(done.p90)}，九成九 {_span(done.p99)}"
        lines.append(f"办结：没按时办结 {whole.unresolved.words}；{spread}")
    if whole.agreed.whole:
        lines.append(f"先问过客户的：同意 {whole.agreed.words}")
    return lines


def _span(lasted: timedelta | None) -> str:
    if lasted is None:
        return "—"
    minutes = round(lasted.total_seconds() / 60)
    if minutes < 1:
        return "不到 1 分钟"
    return f"{minutes} 分钟" if minutes < 60 else f"{minutes // 60} 小时 {minutes % 60} 分"


def _figures(one: LeadReport) -> dict[str, Any]:
    ratios = ("taken", "in_time", "late", "won", "invalid", "agreed", "late_again", "unresolved")
    found: dict[str, Any] = {"opened": one.opened, "open_now": one.open_now}
    for name in ratios:
        ratio = getattr(one, name)
        found[name] = {"part": ratio.part, "whole": ratio.whole, "rate": ratio.rate}
    for name in ("accepting", "answering", "answering_again", "resolving"):
        found[f"{name}_seconds"] = _spread(getattr(one, name))
    return found


def _spread(one: Spread) -> dict[str, Any]:
    shown = {"p50": one.p50, "p90": one.p90, "p99": one.p99}
    seconds = {name: each.total_seconds() if each else None for name, each in shown.items()}
    return {"seen": one.seen, **seconds}


async def _fit(workspace: Workspace, *, dry: bool) -> Fitted:
    from bot.clock import SystemClock
    from bot.leads.fitting import fit as fit_model

    async with opened(workspace) as database:
        return await fit_model(database, SystemClock().now(), dry=dry)


async def _use_rules(workspace: Workspace) -> bool:
    from bot.clock import SystemClock
    from bot.leads.fitting import use_rules

    async with opened(workspace) as database:
        return await use_rules(database, SystemClock().now())


def _print_fit(done: Fitted, *, dry: bool) -> None:
    typer.echo(f"办结的线索 {done.outcomes} 条，成交 {done.won} 条（{'、'.join(NEEDS[7:12])}）。")
    if done.brier is not None and done.brier_usual is not None and done.ece is not None:
        typer.echo(
            f"在没见过的线索上：Brier {done.brier:.4f}（总猜平均数是 {done.brier_usual:.4f}，"
            f"越小越准），说的机会和实际差 {done.ece:.3f}（要在 0.05 以内）。"
        )
    if done.model is not None:
        rows = [("看什么", "轻重")]
        weights = sorted(done.model.weights.items(), key=lambda item: -abs(item[1]))
        rows += [(_feature(name), f"{weight:+.2f}") for name, weight in weights]
        print_columns(rows)
    if done.problem:
        typer.echo(f"没有换上：{done.problem}", err=True)
    else:
        typer.echo("只算了，没有换。" if dry else "换上了，从现在起按它打分。")


def _feature(name: str) -> str:
    from bot.domain.lead_score import FEATURES

    return FEATURES[name][0]


def _weights(done: Fitted) -> dict[str, Any]:
    return {"weights": done.model.weights if done.model is not None else None}


def _echo_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False))
