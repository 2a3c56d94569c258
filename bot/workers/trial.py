"""A script's words sent to one of the bank's own staff, to be looked at on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from bot.domain.delivery import Terms
from bot.domain.ids import RmId
from bot.domain.script import SopScript
from bot.domain.staff_messages import StaffText
from bot.domain.steps import Overlay, Step
from bot.sop.fire import Wordings
from bot.storage.db import Tx
from bot.workers.files import Snapshot, version_of

MARK = "【测试】"
_BYTES = 1900  # an app text holds 2,048
_PIECE = 550  # characters of three bytes each
_CUSTOMER = "李阿姨"  # for {客户.称呼}: nobody real


def trial_texts(
    script: SopScript, files: Snapshot, userid: str, today: date, kf_link: str
) -> list[str]:
    """Return what to send: every step's words as this colleague's customers would read them."""
    member = files.bank.member(userid)
    branch = member.branch if member and member.branch else files.bank.branches[0].id
    wordings = Wordings(files.bank, files.knowledge.product, kf_link)
    texts: list[str] = []
    for heading, part, variant in _said(script):
        wording = wordings.word(
            script, version_of(script), part, userid, branch, today, variant=variant
        )
        said = wording.to(_CUSTOMER)
        words = said.text if not said.no_text else f"（这一步现在没有话可发：{said.no_text}）"
        for block in _pieces(f"{heading}\n{words}{_attached(part)}"):
            whole = f"{texts[-1]}\n\n{block}" if texts else ""
            if texts and len(whole.encode()) <= _BYTES:
                texts[-1] = whole
            else:
                texts.append(f"{MARK}{script.name}(只发给您看，客户没有收到)\n\n{block}")
    return texts


def _pieces(text: str) -> Iterator[str]:
    """Cut a long text so that each piece fits under its heading."""
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE]


async def put_trial(
    tx: Tx, script: SopScript, userid: str, texts: list[str], now: datetime
) -> None:
    """Put the texts into the outbox; they are counted as nothing and touch no run."""
    for number, text in enumerate(texts):
        key = f"trial:{version_of(script)}:{userid}:{now:%Y%m%d%H%M%S%f}:{number}"
        message = StaffText(to=(RmId(userid),), text=text)
        await tx.outbox.put(key, message, Terms(purpose="staff"), now, lane=f"trial:{userid}")


def _said(script: SopScript) -> Iterator[tuple[str, Step | Overlay, str]]:
    for part in script.parts:
        bodies = part.bodies if isinstance(part, Step) else None
        place = _place(part)
        for arm in bodies or ():
            yield f"〔{part.id} {place} 分流 {arm}〕", part, arm
        if not bodies and part.body:
            yield f"〔{part.id} {place}〕", part, ""


def _place(part: Step | Overlay) -> str:
    window = f"{part.window[0]:%H:%M}-{part.window[1]:%H:%M}" if part.window else ""
    if isinstance(part, Overlay):
        return f"{part.on} {window}".strip()
    day = f"第 {part.day} 天 " if part.day is not None else ""
    return f"{day}{window}".strip()


def _attached(part: Step | Overlay) -> str:
    return "".join(f"\n［{each.kind}］" for each in part.attachments)
