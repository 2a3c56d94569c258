"""How she says it: the frame around an answer, and the words for when there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from bot.answering.duty import said_as
from bot.domain.knowledge import (
    RISK_NOTICE,
    AnswerKind,
    Citation,
    Document,
    DocumentKind,
    Hit,
    Plane,
    Section,
    warns,
)
from bot.domain.persona import WHEN, Persona

# The persona's length is for groups; one to one she may be about this much longer.
_PRIVATE_CHARS = 200
_SENTENCE = re.compile(r"[^。!?！？;；\n]*[。!?！？;；\n]+|[^。!?！？;；\n]+$")
_MORE = "还想知道哪一点，您接着问我。"
_FETCHING = "好的，我这就去请{经理.称呼}。"
_TOLD = "好的，您的话我转给{经理.称呼}了。"
_FAR = "{经理.称呼}{何时}上班。到时候您再说一句话，我就请{经理.称呼}来跟您说。"
_REACHABLE = timedelta(hours=48)  # later nobody may write to who has said no more (§4.5)
_MEANWHILE = "这会儿有别的事，也可以问我。"


def room_for(persona: Persona, plane: Plane) -> int:
    """Return how many characters one message may have there."""
    if plane == "group":
        return persona.speech.message_chars
    return max(_PRIVATE_CHARS, persona.speech.message_chars)


def frame(
    text: str,
    *,
    kind: AnswerKind,
    persona: Persona,
    plane: Plane,
    first_contact: bool = False,
    basis: str = "",
    called: str = "",
) -> str:
    """Put an answer into her words for a place.

    One to one she says at first contact that she is a program, and always above what a model
    wrote (S11). A draft for a group stays bare: its owner sends it under his own name.
    """
    if plane != "kf":
        return f"{text}\n依据：{basis}" if plane == "staff" and basis else text
    lines = []
    if first_contact:
        greeting = f"{called or persona.speech.address_as}好，"
        lines.append(f"{greeting}{persona.identity.first_words}。")
    elif kind is AnswerKind.WRITTEN:
        lines.append(f"{persona.name}（智能助手）：")
    lines.append(text)
    if basis:
        lines.append(f"依据：{basis}")
    return "\n".join(lines)


def approved_words(document: Document, text: str, room: int) -> str:
    """Return approved text as it may be sent: in whole sentences, the risk notice never cut."""
    notice = RISK_NOTICE if document.must_warn else ""
    body = text.strip()
    if notice and warns(body):
        notice = ""
    if len(body) + len(notice) > room:
        keep = RISK_NOTICE if document.must_warn else ""
        body = _fitting(body.replace(RISK_NOTICE, ""), room - len(keep) - len(_MORE)) + _MORE
        notice = keep
    return f"{body}\n{notice}" if notice else body


def _fitting(text: str, room: int) -> str:
    """Return as many whole sentences as fit; the first one always."""
    kept = ""
    for sentence in _SENTENCE.findall(text):
        if kept and len(kept) + len(sentence) > room:
            break
        kept += sentence
    return kept.rstrip() + ("\n" if kept.endswith("\n") else "")


def perhaps_meant(hit: Hit, asked: str) -> str:
    """Say what question is answered, where it is not quite the one that was asked."""
    if hit.document.kind is DocumentKind.QA:
        nearest = max(hit.document.questions, key=lambda known: len(set(known) & set(asked)))
        return f"您想问的可能是「{nearest}」："
    return f"您看看是不是这个，{'·'.join(filter(None, (hit.document.title, hit.section.title)))}："


def citation(document: Document, section: Section) -> Citation:
    """Return where an answer is written down."""
    return Citation(
        document_id=document.id,
        title=document.title,
        section=section.title,
        file=document.file,
        line=section.line or document.line,
        page=section.page,
        place=document.place,
        basis=document.basis,
        version=f"{document.approval.content_id},{document.valid_from} 至 {document.valid_to}",
    )


def basis_line(document: Document, source: Citation, plane: Plane) -> str:
    """Name the source: plainly for a customer, with file and approval for staff.

    Words of care come without one: nobody hangs a footnote on a condolence.
    """
    if plane == "staff":
        name = f"《{source.title}》{source.section}"
        return f"{name}（{source.where}，{source.version}）"
    return "" if document.tone == "关怀" else source.plain


def unsure(words: str, within_minutes: int, late: str = "") -> str:
    """Say honestly that somebody else will answer, within so long; ``late`` is ``off_hours``."""
    limit = f"上班后 {span(within_minutes)}" if late else span(within_minutes)
    words = words.replace("{时限}", limit)
    return f"{words}\n{late}" if late else words


def fetching(persona: Persona, opens: datetime | None, now: datetime, zone: tzinfo) -> str:
    """Answer a wish for a person; who comes is said as the session is handed on.

    ``opens`` is when somebody is there again, None while somebody is.
    """
    if opens is None:
        return _FETCHING
    return f"{_TOLD}{at_night(persona, opens, now, zone)}{_MEANWHILE}\n{persona.off_hours}"


def at_night(persona: Persona, opens: datetime, now: datetime, zone: tzinfo) -> str:
    """Say when a person comes; where that is too far off to write first, what brings one then."""
    words = persona.session.at_night if opens - now < _REACHABLE else _FAR
    return words.replace(WHEN, f"{said_as(opens, now, zone)} ")


def span(minutes: int) -> str:
    """Write minutes as people say them."""
    if minutes < 60 or minutes % 60:
        return f"{minutes} 分钟"
    return f"{minutes // 60} 小时"


def off_hours(persona: Persona, opens: datetime | None) -> str:
    """Return what to add outside the hours, when nobody may be there to call back."""
    return "" if opens is None else persona.off_hours


def with_defaults(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with words for those that an emergency must never fail for."""
    return {"经理.称呼": "客户经理", "客服电话": "本行客服", **variables}
