"""What is said of leads in a terminal: in rows for people, in JSON for machines, in a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from bot.domain.lead_words import NO_ANSWER, STAGE_WORDS, reason_words
from bot.terminal import padded, print_columns

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.bank import Bank
    from bot.domain.lead import Lead
    from bot.storage.lead_list import Listed

RIGHTS = "服务器上的命令不按人分权限，看到的是全行的；客户的话里号码已遮住。"
NEEDS = (
    "红线",
    "投诉",
    "潜在投诉",
    "找人工",
    "隐私",
    "服务",
    "活动",
    "理财咨询",
    "到期续存",
    "贷款咨询",
    "银行卡",
    "唤醒",
    "答不上",
)
STAGES = {words: code for code, words in STAGE_WORDS.items()}
NOBODY = "（待分派）"
SHEET_HEAD = (
    "编号",
    "需求",
    "产品",
    "客户",
    "状态",
    "经理",
    "网点",
    "来自",
    "来的时间",
    "请在此前回",
    "接手时间",
    "第一次回客户",
    "办结时间",
    "原因",
    "分数",
    "为什么",
    "客户说",
)
EVENTS = {
    "lead_opened": "新来",
    "lead_signal_added": "客户又提起",
    "lead_consented": "客户同意联系",
    "lead_refused": STAGE_WORDS["refused"],
    "lead_unanswered": "问了一周没回音，关了",
    "lead_offered_again": "没点接手，换人",
    "lead_pooled": "告诉了行长",
    "lead_taken": "接手",
    "lead_reassigned": "转派",
    "lead_put_off": "稍后再办",
    "lead_woken": "稍后的时间到了",
    "lead_answered": "有人回了客户",
    "lead_warned": "快到时限，提醒",
    "lead_escalated": "超过时限，告诉",
    "sla_missed": "超过时限",
    "lead_won": "成交",
    "lead_lost": "没成",
    "lead_invalid": "无效",
    "lead_closed": "办结",
    "lead_invalid_reason": "无效的原因",
    "lead_lost_reason": "没成的原因",
    "lead_moved_by_ops": "上面这一步是在终端里做的：",
}
_TIMERS = {"accept": "接手", "first": "首次回复", "next": "再回复", "resolve": "办结"}
_QUOTE, _LABEL = 24, 14


def called(name: str, *, full: bool) -> str:
    """Return a customer's name; the surname alone where it need not be whole."""
    if not name:
        return "客户"
    return name if full else name[0] + "*" * min(2, max(1, len(name) - 1))


def print_leads(found: Sequence[Listed], bank: Bank, now: datetime, *, full: bool) -> None:
    """Print leads in aligned columns."""
    rows = [("编号", "需求", "客户", "状态", "谁在办", "时限", "客户说")]
    for lead, name in found:
        quote = lead.evidence[-1].quote if lead.evidence else ""
        rows.append(
            (
                str(lead.id),
                lead.need.value,
                called(name, full=full),
                STAGE_WORDS[lead.stage],
                holder_name(lead.rm, bank),
                _limit(lead, bank, now),
                _clip(quote),
            )
        )
    print_columns(rows)


def print_lead(
    one: Listed,
    log: Sequence[tuple[datetime, str, dict[str, Any]]],
    bank: Bank,
    now: datetime,
    *,
    full: bool,
) -> None:
    """Print all there is of a lead."""
    from bot.log import mask_numbers

    for name, value in _fields(one, bank, now, full=full):
        typer.echo(f"{padded(name, _LABEL)}{value}")
    typer.echo("\n客户的话：")
    for said in one.lead.evidence:
        where = f"（{said.source}）" if said.source else ""
        typer.echo(f"  {_local(said.at, bank)}{where} {mask_numbers(said.quote) or '—'}")
    typer.echo("\n走到哪了：")
    for at, kind, facts in log:
        typer.echo(f"  {_local(at, bank)} {_step(kind, facts, bank)}")
    typer.echo(RIGHTS)


def _step(kind: str, facts: dict[str, Any], bank: Bank) -> str:
    """Say what happened, who did it, to whom it went and why."""
    from bot.domain.assigning import WORDS

    people = [holder_name(str(facts[key]), bank) for key in ("by", "rm", "to") if facts.get(key)]
    about = [
        _TIMERS.get(str(facts.get("timer")), ""),
        reason_words(str(facts.get("reason", ""))),
        next((words for why, words in WORDS.items() if why == facts.get("why")), ""),
    ]
    noted = "，".join(filter(None, about))
    return " ".join([EVENTS.get(kind, kind), " → ".join(people)]).rstrip() + (
        f"（{noted}）" if noted else ""
    )


def _limit(lead: Lead, bank: Bank, now: datetime) -> str:
    """Say how long there is to answer; of a lead that waits for the customer, what it waits for."""
    from bot.leads.cards import time_left, when

    if lead.closed_at is not None:
        return "—"
    if lead.stage == "asking":
        return "等客户回话"
    if lead.stage == "later" and lead.sleeps_until is not None:
        return f"{when(lead.sleeps_until, now, bank.zone)}再办"
    return time_left(lead.respond_by, now) if lead.first_response_at is None else "已回"


def _fields(one: Listed, bank: Bank, now: datetime, *, full: bool) -> list[tuple[str, str]]:
    lead = one.lead
    due = _local(lead.respond_by, bank)
    if lead.closed_at is None:
        due = f"{due}（{_limit(lead, bank, now)}）"
    if (lead.asked and lead.stage in ("asking", "refused")) or lead.outcome_reason == NO_ANSWER:
        due = "—"  # nobody had to answer before the customer said yes
    branch = bank.branch(lead.branch) if lead.branch else None
    why = "，".join(f"{each.words} {each.points:+.0f}" for each in lead.reasons)
    rows = [
        ("编号", str(lead.id)),
        ("需求", f"{lead.need.value} {lead.product}".strip()),
        ("客户", called(one.name, full=full)),
        ("状态", STAGE_WORDS[lead.stage]),
        ("谁在办", holder_name(lead.rm, bank)),
        ("网点", branch.name if branch is not None else "—"),
        ("来的时间", _local(lead.opened_at, bank)),
        ("请在此前回", due),
        ("接手", _local(lead.taken_at, bank)),
        ("第一次回客户", _local(lead.first_response_at, bank)),
        ("分数", f"{lead.score:.0f}" + (f"：{why}" if why else "")),
    ]
    if lead.sleeps_until is not None:
        rows.append(("稍后到", _local(lead.sleeps_until, bank)))
    if lead.closed_at is not None:
        reason = f"（{reason_words(lead.outcome_reason)}）" if lead.outcome_reason else ""
        rows.append(("办结", f"{_local(lead.closed_at, bank)}{reason}"))
    return rows


def lead_as_json(one: Listed, bank: Bank, *, full: bool) -> dict[str, Any]:
    """Return a lead for machines; quotes without numbers, names as asked for."""
    from bot.log import mask_numbers

    fields = one.lead.model_dump(mode="json")
    for said in fields["evidence"]:
        said["quote"] = mask_numbers(said["quote"])
    return fields | {
        "customer_name": called(one.name, full=full) if one.name else "",
        "holder": holder_name(one.lead.rm, bank) if one.lead.rm else "",
        "stage_words": STAGE_WORDS[one.lead.stage],
        "outcome_reason_words": reason_words(one.lead.outcome_reason),
    }


def sheet_row(one: Listed, bank: Bank, *, full: bool) -> tuple[str, ...]:
    """Return a lead as a row of a sheet."""
    from bot.log import mask_numbers

    lead = one.lead
    branch = bank.branch(lead.branch) if lead.branch else None
    said = lead.evidence[-1] if lead.evidence else None
    return (
        str(lead.id),
        lead.need.value,
        lead.product,
        called(one.name, full=full),
        STAGE_WORDS[lead.stage],
        holder_name(lead.rm, bank),
        branch.name if branch is not None else "",
        said.source if said is not None else "",
        *(
            _local(moment, bank) if moment is not None else ""
            for moment in (
                lead.opened_at,
                lead.respond_by,
                lead.taken_at,
                lead.first_response_at,
                lead.closed_at,
            )
        ),
        reason_words(lead.outcome_reason),
        f"{lead.score:.0f}",
        "；".join(each.words for each in lead.reasons),
        mask_numbers(said.quote) if said is not None else "",
    )


def holder_name(userid: str, bank: Bank) -> str:
    """Return who has a lead, by name."""
    if not userid:
        return NOBODY
    member = bank.member(userid)
    return member.name if member is not None else userid


def _local(moment: datetime | None, bank: Bank) -> str:
    return f"{moment.astimezone(bank.zone):%Y-%m-%d %H:%M}" if moment is not None else "—"


def _clip(text: str) -> str:
    from bot.log import mask_numbers

    flat = " ".join(mask_numbers(text).split())
    return flat if len(flat) <= _QUOTE else f"{flat[: _QUOTE - 1]}…"
