"""Who allowed what, until when: a file's claim and the row that has to bear it out; pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal

from bot.domain.script import SopScript, content_hash
from bot.domain.script_parts import Approval, Status
from bot.domain.value import Value

ApprovalMode = Literal["file", "required"]
State = Literal["asked", "approved", "rejected"]
ENDS_SOON_DAYS = 30


class Decision(Value):
    """What was asked for, or decided, about one content of a script."""

    script: str
    substance: str
    content_id: str = ""
    author: str
    approver: str = ""
    state: State = "asked"
    why: str = ""
    asked_at: datetime
    decided_at: datetime | None = None
    expires_on: date | None = None


def substance(script: SopScript) -> str:
    """Return the hash of what is approved: all a file says but its 状态 and its 审批.

    Those two are written into the file because of an approval, so it cannot be bound to them.
    """
    return content_hash(script.model_copy(update={"status": Status.DRAFT, "approval": None}))


def approved_until(
    mode: ApprovalMode, claim: Approval | None, decision: Decision | None
) -> date | None:
    """Return the last day on which a content may be sent; None where it may not be at all.

    A rejection counts in every mode. Where approval is required, the claim alone is worth nothing,
    and it has to name the row's approver and number.
    """
    if claim is None or (decision is not None and decision.state == "rejected"):
        return None
    approved = decision is not None and decision.state == "approved"
    if not approved or decision is None:
        return claim.expires_on if mode == "file" else None
    if mode == "required" and disagreement(claim, decision):
        return None
    return min(claim.expires_on, decision.expires_on or claim.expires_on)


def disagreement(claim: Approval, decision: Decision) -> str:
    """Say in what a file's 审批 is not what was approved; empty where it is."""
    if claim.approver != decision.approver:
        return f"文件里的审批人是「{claim.approver}」，批准的是「{decision.approver}」"
    if decision.content_id and claim.content_id != decision.content_id:
        return f"文件里的内容编号是「{claim.content_id}」，批准的是「{decision.content_id}」"
    return ""


def same_person(one: str, other: str) -> bool:
    """Tell whether two entries name one person: 运营-周岚 and 周岚 do."""
    return one.strip().rpartition("-")[2] == other.strip().rpartition("-")[2]


def may_not_approve(authors: Iterable[str], approver: str) -> str:
    """Say why somebody may not approve a content; empty where they may."""
    if any(same_person(author, approver) for author in authors if author):
        return f"「{approver}」是写这份剧本的人，不能自己批自己的"
    return ""
