"""What is said of leads in a terminal: in rows for people, in JSON for machines, in a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from bot.terminal import padded, print_columns

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.bank import Bank
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
STAGES = {
    "等客户同意": "asking",
    "待接手": "new",
    "跟进中": "taken",
    "稍后": "later",
    "成交": "won",
    "没成": "lost",
    "无效": "invalid",
    "办结": "closed",
    "客户不同意": "refused",
}
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
_WORDS = {code: words for words, code in STAGES.items()}
_EVENTS = {
    "lead_opened": "开了线索",
    "lead_signal_added": "客户又提起",
    "lead_consented": "客户同意联系",
    "lead_refused": "客户不同意",
    "lead_offered": "派给",
    "lead_taken": "接手",
    "lead_reassigned": "转派",
    "lead_put_off": "稍后再办",
    "lead_woken": "到时间了",
    "lead_answered": "有人回了客户",
    "lead_warned": "快到时限",
    "lead_escalated": "超时上报",
    "lead_won": "成交",
    "lead_lost": "没成",
    "lead_invalid": "无效",
    "lead_closed": "办结",
    "lead_invalid_reason": "无效的原因",
    "lead_lost_reason": "没成的原因",
    "complaint_solved": "投诉已解决",
}
_QUOTE = 24


def called(name: str, *, full: bool) -> str:
    """Return a customer's name; the surname alone where it need not be whole."""
    if not name:
        return "客户"
    return name if full else name[0] + "*" * min(2, max(1, len(name) - 1))


def print_leads(found: Sequence[Listed], bank: Bank, now: datetime, *, full: bool) -> None:
    """Print leads in aligned columns."""
    from bot.leads.cards import time_left

    rows = [("编号", "需求", "客户", "状态", "谁在办", "时限", "客户说")]
    for lead, name in found:
        waits = lead.first_response_at is None and lead.closed_at is None
        left = time_left(lead.respond_by, now) if waits else "已回" if not lead.closed_at else "—"
        quote = lead.evidence[-1].quote if lead.evidence else ""
        rows.append(
            (
                str(lead.id),
                lead.need.value,
                called(name, full=full),
                _WORDS.get(lead.stage, lead.stage),
                _holder(lead.rm, bank),
                left,
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
        typer.echo(f"{padded(name, 12)}{value}")
    typer.echo("\n客户的话：")
    for said in one.lead.evidence:
        where = f"（{said.source}）" if said.source else ""
        typer.echo(f"  {_local(said.at, bank)}{where} {mask_numbers(said.quote) or '—'}")
    typer.echo("\n走到哪了：")
    for at, kind, facts in log:
        who = " ".join(_holder(str(facts[key]), bank) for key in ("by", "to") if facts.get(key))
        reason = f" {facts['reason']}" if facts.get("reason") else ""
        typer.echo(f"  {_local(at, bank)} {_EVENTS.get(kind, kind)} {who}{reason}".rstrip())
    typer.echo(RIGHTS)


def _fields(one: Listed, bank: Bank, now: datetime, *, full: bool) -> list[tuple[str, str]]:
    from bot.leads.cards import time_left

    lead = one.lead
    due = f"{_local(lead.respond_by, bank)}"
    if lead.first_response_at is None and lead.closed_at is None:
        due = f"{due}（{time_left(lead.respond_by, now)}）"
    branch = bank.branch(lead.branch) if lead.branch else None
    why = "，".join(f"{each.words} {each.points:+.0f}" for each in lead.reasons)
    rows = [
        ("编号", str(lead.id)),
        ("需求", f"{lead.need.value} {lead.product}".strip()),
        ("客户", called(one.name, full=full)),
        ("状态", _WORDS.get(lead.stage, lead.stage)),
        ("谁在办", _holder(lead.rm, bank)),
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
        reason = f"（{lead.outcome_reason}）" if lead.outcome_reason else ""
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
        "holder": _holder(one.lead.rm, bank) if one.lead.rm else "",
        "stage_words": _WORDS.get(one.lead.stage, one.lead.stage),
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
        _WORDS.get(lead.stage, lead.stage),
        _holder(lead.rm, bank),
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
        lead.outcome_reason,
        f"{lead.score:.0f}",
        "；".join(each.words for each in lead.reasons),
        mask_numbers(said.quote) if said is not None else "",
    )


def _holder(userid: str, bank: Bank) -> str:
    if not userid:
        return "（在池里）"
    member = bank.member(userid)
    return member.name if member is not None else userid


def _local(moment: datetime | None, bank: Bank) -> str:
    return f"{moment.astimezone(bank.zone):%Y-%m-%d %H:%M}" if moment is not None else "—"


def _clip(text: str) -> str:
    from bot.log import mask_numbers

    flat = " ".join(mask_numbers(text).split())
    return flat if len(flat) <= _QUOTE else f"{flat[: _QUOTE - 1]}…"
