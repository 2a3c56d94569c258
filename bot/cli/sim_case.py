"""Reads what a simulation needs: the script that is named, the bank's files, the calendar."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import typer

from bot.calendars import calendar_tables
from bot.config import load_settings
from bot.domain.admission import Holdouts
from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.datum import read_datum
from bot.domain.quota import TenantCaps
from bot.domain.script import SopScript, content_hash
from bot.domain.script_parts import Status, Subject
from bot.domain.subject import Raw
from bot.errors import ConfigError, ContentError, Problem
from bot.parts import holdouts_of, tenant_caps
from bot.sop.simulation import ASKED, Case, Manners, Occasion, disagreement, read_occasion
from bot.workers.checking import check_scripts
from bot.workers.files import Snapshot, inspect, tables_for
from bot.workspace import Workspace
from bot.yamlfile import read_text, read_yaml, to_model

SUFFIX = ".sop.yaml"
_YEARS = 3  # a run lasts a year at most, and may begin on its last day
_NO_LINK = "https://work.weixin.qq.com/kfid/…"  # the real one is known where WeCom is
_GROUP_GONE = "群解散"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for besides the file; ``counts`` are groups, customers, members of each."""

    start: date
    counts: tuple[int, int, int]
    seed: int
    days: int | None
    confirm: float
    unknown: float
    who: int | None


@dataclass(frozen=True, slots=True)
class Desk:
    """What lies before somebody who tries a script out; problems and notes are of its own file."""

    script: SopScript
    file: Path
    snapshot: Snapshot
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    holdouts: Holdouts
    tenant: TenantCaps


def script_file(workspace: Workspace, named: str) -> Path:
    """Return the file of a script, named by its path or by the script's id."""
    inside = workspace.sop / f"{named}{SUFFIX}"
    for path in (Path(named), workspace.root / named, inside):
        if path.is_file():
            return path
    known = sorted(path.name.removesuffix(SUFFIX) for path in workspace.sop.glob(f"*{SUFFIX}"))
    raise ConfigError(
        f"没有剧本「{named}」：写文件的路径，或 {workspace.sop} 里剧本的编号"
        f"(现在有：{'、'.join(known) or '一个也没有'})。"
    )


def read_script(path: Path) -> SopScript:
    """Read one script file; raise ``ContentError`` with what its form has wrong."""
    return to_model(read_yaml(read_text(path, str(path)), str(path)), SopScript, str(path))


def desk_of(workspace: Workspace, named: str, today: date) -> Desk:
    """Read a script with the files around it; raise where one of them has no form to work with."""
    path = script_file(workspace, named)
    script = read_script(path)
    snapshot, problems = inspect(workspace, today)
    if snapshot is None:
        raise ContentError(problems)
    found = check_scripts(workspace, tables_for(today), today, [path])
    settings = load_settings(workspace.config)
    return Desk(
        script=script,
        file=path,
        snapshot=snapshot,
        problems=found.problems,
        notes=found.notes,
        holdouts=holdouts_of(settings),
        tenant=tenant_caps(settings),
    )


def case_of(
    desk: Desk,
    wanted: Wanted,
    rates: Sequence[str] = (),
    events: Sequence[str] = (),
    facts: Sequence[str] = (),
) -> Case:
    """Make the case of a simulation; a script that is not published yet is taken as if it were.

    Raise ``BadParameter`` for rates, events and facts that nobody can mean.
    """
    script, bank, watched = desk.script, desk.snapshot.bank, wanted.who is not None
    groups, customers, members = wanted.counts
    subjects = groups if script.subject is Subject.GROUP else customers
    if wanted.who is not None and wanted.who > subjects:
        raise typer.BadParameter(f"一共只有 {subjects} 个。", param_hint="--who")
    if script.status is not Status.PUBLISHED:
        script = script.model_copy(update={"status": Status.PUBLISHED})
    confirm = 1.0 if watched else wanted.confirm
    return Case(
        script=script,
        version=content_hash(desk.script),
        bank=bank,
        tables=tables_from(wanted.start),
        product=desk.snapshot.knowledge.product,
        start=wanted.start,
        subjects=subjects,
        members=members,
        seed=wanted.seed,
        days=wanted.days,
        kf_link=_NO_LINK,
        manners=Manners(confirm, wanted.unknown, rates_of(rates, bank), quiet=watched),
        holdouts=desk.holdouts,
        tenant=desk.tenant,
        only=wanted.who,
        occasions=occasions_of(events, watched=watched),
        known=facts_of(facts, desk, wanted),
        stands=desk.script.status,
    )


def tables_from(start: date) -> CalendarTables:
    """Return the calendar of everything that a run may reach which begins on that day."""
    return calendar_tables(range(start.year, start.year + _YEARS))


def rates_of(written: Sequence[str], bank: Bank) -> dict[str, float]:
    """Read 客户回复=0.1 and its like; raise ``BadParameter`` where nobody can mean that."""
    known = bank.event_names | {ASKED, _GROUP_GONE}
    return dict(_rate(text, known) for text in written)


def _rate(text: str, known: Collection[str]) -> tuple[str, float]:
    name, _, share = (part.strip() for part in text.partition("="))
    if name not in known:
        listed = "、".join(sorted(known))
        raise typer.BadParameter(f"不认识「{name}」，可以写：{listed}。", param_hint="--rate")
    try:
        value = float(share)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise typer.BadParameter("写成 客户回复=0.1 的样子，0 到 1。", param_hint="--rate")
    return name, value


def occasions_of(written: Sequence[str], *, watched: bool) -> tuple[Occasion, ...]:
    """Read what is to happen to the one who is watched."""
    if written and not watched:
        raise typer.BadParameter("要和 --who 一起写：它只发生在一个人身上。", param_hint="--event")
    found = [read_occasion(text) for text in written]
    if None in found:
        mend = "写成 2:客户回复、20@15:30:少发点、3:不点 的样子。"
        raise typer.BadParameter(mend, param_hint="--event")
    return tuple(each for each in found if each is not None)


def facts_of(written: Sequence[str], desk: Desk, wanted: Wanted) -> dict[str, Raw]:
    """Read what is known of the one who is watched: 年龄=58, 风险等级=C3.

    Raise ``BadParameter`` for what is no datum, and for two that no one person can have.
    """
    bank = desk.snapshot.bank
    if written and wanted.who is None:
        raise typer.BadParameter("要和 --who 一起写：它只说一个人。", param_hint="--fact")
    if written and desk.script.subject is Subject.GROUP:
        mend = "对象是客户群，没有一个人的资料：去掉它。"
        raise typer.BadParameter(f"「{desk.script.name}」的{mend}", param_hint="--fact")
    found: dict[str, Raw] = {}
    for text in written:
        name, _, value = (part.strip() for part in text.partition("="))
        kind = bank.field_kinds.get(name)
        if kind is None:
            listed = "、".join(sorted(bank.field_kinds))
            raise typer.BadParameter(f"没有「{name}」这项资料，有：{listed}。", param_hint="--fact")
        try:
            found[name] = read_datum(name, kind, value)
        except ValueError as error:
            raise typer.BadParameter(f"{text}：{error}", param_hint="--fact") from None
    if (what := disagreement(found, wanted.start)) is not None:
        raise typer.BadParameter(what, param_hint="--fact")
    return found
