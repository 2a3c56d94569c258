"""What scripts teach, as documents that questions can find: bodies of steps, and replies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.domain.knowledge import Approval, Audience, Document, DocumentKind, Section
from bot.domain.script import SopScript
from bot.domain.script_parts import Approval as ApprovalMark
from bot.domain.script_parts import Status, Subject
from bot.domain.steps import Listen, Overlay, SendBy, Step, StepKind
from bot.domain.withdrawal import Withdrawn, text_of

# Steps whose words teach something; an invitation or a quiz would be no answer to a question.
_TEACHING = frozenset(
    {
        StepKind.SERVICE,
        StepKind.ANTI_FRAUD,
        StepKind.SENIOR_SERVICE,
        StepKind.KNOWLEDGE,
    }
)
# To single customers a service is about their own affairs, which is no answer to anybody else.
_TEACHING_ONE = _TEACHING - {StepKind.SERVICE}
# What is true on the day of the step, or of the customer it is sent to.
_OF_THE_MOMENT = re.compile(
    r"今天是|明天|后天|这两天|这几天|下个?月|快(?:到期|发行|开始|发售)|您(?:要的|报的|那笔|有一笔)|\{客户\."
)
# A customer knows no script by its name.
_BASIS = "本行发过的提醒"
# A reply that only takes note, or promises a call, is true in its step alone.
_TAKES_NOTE = re.compile(
    r"^(?:好的|好嘞|收到|明白|知道了|对不[住起]|抱歉|谢谢|感谢|没问题)|"
    r"联系您|给您(?:打|回)|已经?(?:告诉|登记|转给|记下)"
)
_SHORTEST = 12


def sop_documents(
    script: SopScript, withdrawn: Withdrawn | None = None, file: str = ""
) -> list[Document]:
    """Return what a published script teaches, for as long as its approval holds.

    What is for groups may be shown to all, what is for single customers to them alone.
    """
    if script.status is not Status.PUBLISHED or script.approval is None:
        return []
    gone = withdrawn or Withdrawn()
    base = _base(script, script.approval, file or f"sop/{script.id}.sop.yaml")
    found = []
    for part in script.parts:
        if part.kind is not None and _teaches(part, script.subject):
            body = _body(script, part, gone)
            if body and not _OF_THE_MOMENT.search(body):
                found.append(_with(base, part.id, part.kind.value, body))
        for number, listen in enumerate(_listens(script, part, gone), start=1):
            found.append(_reply(base, f"{part.id}/{number}", listen))
    for number, listen in enumerate(filter(_answers, script.listens), start=1):
        found.append(_reply(base, f"听到就办/{number}", listen))
    return found


def _base(script: SopScript, mark: ApprovalMark, file: str) -> Document:
    approval = Approval(
        content_id=mark.content_id,
        approver=mark.approver,
        approved_on=mark.approved_on,
        expires_on=mark.expires_on,
    )
    return Document(
        id=script.id,
        title=script.name,
        kind=DocumentKind.SOP,
        file=file,
        line=0,
        audience=Audience.GROUP if script.subject is Subject.GROUP else Audience.PRIVATE,
        valid_from=approval.approved_on,
        valid_to=mark.expires_on,
        owner=script.owner,
        basis=_BASIS,
        approval=approval,
        sections=(Section(title="", text=""),),
    )


def _teaches(part: Step | Overlay, subject: Subject) -> bool:
    """Tell whether a step says to customers what is true for others, too; a task is for staff."""
    if isinstance(part, Step) and SendBy.TASK_FOR_MANAGER in part.send_by:
        return False
    return part.kind in (_TEACHING if subject is Subject.GROUP else _TEACHING_ONE)


def _body(script: SopScript, part: Step | Overlay, gone: Withdrawn) -> str:
    """Return the words of a step, of its first arm where it has arms; nothing if withdrawn."""
    arms = part.bodies if isinstance(part, Step) else None
    for arm in arms or ("",):
        if not gone.covers(script.id, part, arm):
            return text_of(part, arm).strip()
    return ""


def _listens(script: SopScript, part: Step | Overlay, gone: Withdrawn) -> Iterator[Listen]:
    if isinstance(part, Step) and not gone.covers(script.id, part):
        yield from filter(_answers, part.listens)


def _answers(listen: Listen) -> bool:
    """Tell whether what is replied would answer a question outside its step."""
    reply = (listen.reply or "").strip()
    return (
        bool(listen.keywords)
        and listen.intent is None
        and not listen.ask_first
        and not listen.checks
        and len(reply) >= _SHORTEST
        and not _TAKES_NOTE.search(reply)
        and not _OF_THE_MOMENT.search(reply)
    )


def _reply(base: Document, part: str, listen: Listen) -> Document:
    document = _with(base, part, "、".join(listen.keywords or ()), (listen.reply or "").strip())
    return document.model_copy(update={"actions": listen.actions})


def _with(base: Document, part: str, title: str, text: str) -> Document:
    section = Section(title=title, text=text)
    return base.model_copy(update={"id": f"{base.id}/{part}", "sections": (section,)})
