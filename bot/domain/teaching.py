"""What people asked that the bot should know, and the Q&A entries proposed for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from bot.domain.approval import same_person
from bot.domain.ids import digest
from bot.domain.knowledge import Audience, Plane
from bot.domain.value import Value

QuestionState = Literal["new", "pool", "placed", "known"]
ProposalKind = Literal["new", "wording", "review"]
ProposalState = Literal["open", "drafted", "rejected", "published"]
Role = Literal["业务", "合规"]
ROLES: tuple[Role, ...] = ("业务", "合规")


class Reason(StrEnum):
    """Why a question is collected: what the bot's answer to it was worth."""

    DECLINED = "没答上"
    ASKED_AGAIN = "又问一遍"
    PERSON = "人答的"
    DRAFT_EDITED = "草稿改过"
    DRAFT_DROPPED = "草稿没用"
    OUTSIDE = "不归银行答"

    @property
    def unanswered(self) -> bool:
        """Tell whether the customer went without the bot's answer."""
        return self is not Reason.ASKED_AGAIN


class Asked(Value):
    """One question as it was asked, cleaned; ``person`` is a digest, never the customer's id.

    ``script`` and ``step`` name what was delivered to the asker last within a day before.
    """

    id: int = 0
    key: str
    text: str
    plane: Plane
    place: str
    person: str
    reason: Reason
    asked_at: datetime
    script: str = ""
    step: str = ""
    reply: str = ""
    found: str = ""
    probability: float = 0.0
    state: QuestionState = "new"
    proposal: int | None = None


class NewEntry(Value):
    """A Q&A entry as it is proposed: for a new question all of it, for a wording the 问 alone.

    ``held_out`` are wordings of the same question that the entry does not have: it is tried by
    them. ``entry`` is the 编号, of an entry that exists where only wordings are added.
    """

    entry: str
    file: str
    topic: str = ""
    questions: tuple[str, ...]
    held_out: tuple[str, ...] = ()
    answer: str = ""
    basis: str = ""
    sources: tuple[str, ...] = ()
    audience: Audience | None = None
    author: str = ""

    @property
    def content(self) -> str:
        """Return the hash that approvals are bound to: of all that customers get from it."""
        parts = (self.entry, self.file, self.topic, *self.questions, self.answer, self.basis)
        return digest(*parts, str(self.audience or ""))


class Proposal(Value):
    """Questions that mean one thing, and what is to be done about them."""

    id: int = 0
    kind: ProposalKind
    target: str = ""
    title: str
    state: ProposalState = "open"
    draft: NewEntry | None = None
    why: str = ""
    made_at: datetime
    closed_at: datetime | None = None


class Signature(NamedTuple):
    """Who allowed a proposal's content, for the business or for compliance, and when."""

    role: Role
    by: str
    content: str
    at: datetime


class Volume(NamedTuple):
    """How much is asked in one proposal, and by how many."""

    questions: int
    people: int
    unanswered: int
    worth: int
    """How grave the subject is, 1 to 3: see ``worth_of``."""

    @property
    def rank(self) -> float:
        """Return volume × unanswered share × worth: the order in which to work."""
        share = self.unanswered / self.questions if self.questions else 0.0
        return self.people * share * self.worth + self.questions / 1000


# Money that is lost or moved wrongly first; then what is bought; then everything else.
_GRAVE = ("骗", "盗", "冻结", "挂失", "丢", "扣", "转错", "少了", "异常", "密码", "投诉", "逾期")
_BUYING = ("存", "买", "理财", "贷", "国债", "基金", "保险", "利", "到期", "兑", "分期", "手续费")


def worth_of(texts: Iterable[str]) -> int:
    """Return how grave a subject is: 3 where money may be lost, 2 where it is earned, else 1."""
    said = "\n".join(texts)
    if any(word in said for word in _GRAVE):
        return 3
    return 2 if any(word in said for word in _BUYING) else 1


def volume_of(asked: Sequence[Asked]) -> Volume:
    """Count what was asked; one person who asks ten times is still one person."""
    return Volume(
        questions=len(asked),
        people=len({one.person for one in asked}),
        unanswered=sum(one.reason.unanswered for one in asked),
        worth=worth_of(one.text for one in asked),
    )


def person_key(customer: str) -> str:
    """Return what a customer is counted by: nobody reads an id in it."""
    return digest("asked by", customer)


def may_not_sign(draft: NewEntry, given: Iterable[Signature], role: Role, by: str) -> str:
    """Say why somebody may not allow a draft; empty where they may."""
    if same_person(draft.author, by):
        return f"「{by}」是写这一条的人，不能自己批自己的"
    for one in given:
        if one.content == draft.content and one.role != role and same_person(one.by, by):
            return f"「{by}」已经以{one.role}的身份批过，{role}要换一位"
    return ""


def lacking(draft: NewEntry, given: Iterable[Signature]) -> tuple[Role, ...]:
    """Name the roles that have not allowed this very content yet."""
    done = {one.role for one in given if one.content == draft.content}
    return tuple(role for role in ROLES if role not in done)
