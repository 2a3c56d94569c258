"""What the bank has put in writing, what was found of it, and what is answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Literal, NamedTuple, assert_never

from pydantic import Field

from bot.domain.actions import Action
from bot.domain.ids import digest
from bot.domain.value import Value

Plane = Literal["kf", "group", "private", "staff"]
RISK_NOTICE = "理财非存款、产品有风险、投资须谨慎。"
_RISK_WORDS = ("理财非存款", "产品有风险", "投资须谨慎")
_LONGEST_PIECE = 400
RiskRating = Literal["R1", "R2", "R3", "R4", "R5"]


class Audience(StrEnum):
    """Who may be shown a document."""

    GROUP = "群可见"
    PRIVATE = "仅一对一"
    STAFF = "仅员工"

    def shown_on(self, plane: Plane) -> bool:
        """Tell whether a document of this audience may be shown there."""
        match plane:
            case "group":
                return self is Audience.GROUP
            case "kf" | "private":  # with the program, or with the manager alone
                return self is not Audience.STAFF
            case "staff":
                return True
            case _:
                assert_never(plane)


class Viewer(NamedTuple):
    """Who looks: from which place, and in which of the bank's regions, where that is known."""

    plane: Plane
    region: str = ""


class DocumentKind(StrEnum):
    """Where a document came from."""

    QA = "qa"
    SHEET = "sheet"
    NOTICE = "notice"
    SOP = "sop"


class Approval(Value):
    """Who allowed the wording, under which number, and until when."""

    content_id: str
    approver: str
    approved_on: date
    expires_on: date | None = None

    def holds_on(self, day: date) -> bool:
        """Tell whether the approval is in force on that day."""
        return self.approved_on <= day and (self.expires_on is None or day <= self.expires_on)


class ProductSheet(Value):
    """A product as its sheet's front matter states it: the product catalogue."""

    id: str
    name: str
    term: str = ""
    minimum: str = ""
    risk_rating: RiskRating | None = None
    on_sale: bool = True
    valid_from: date
    valid_to: date

    def sold_on(self, day: date) -> bool:
        """Tell whether the product can be had on that day."""
        return self.on_sale and self.valid_from <= day <= self.valid_to

    def variables(self) -> dict[str, str]:
        """Return the words that {产品.…} stands for."""
        return {
            "产品.名称": self.name,
            "产品.风险等级": self.risk_rating or "",
            "产品.期限": self.term,
            "产品.起点": self.minimum,
        }


class Section(Value):
    """A part of a document that answers by itself."""

    title: str
    text: str
    line: int = 0
    page: int = 0


class Document(Value):
    """One approved piece of knowledge: a question with its answer, a sheet, a notice, a step.

    ``about`` is the 编号 of the product it speaks of; without ``regions`` it holds everywhere.
    ``place`` is the part of a file that has parts: 表「存款」.
    """

    id: str
    title: str
    kind: DocumentKind
    file: str
    line: int
    place: str = ""
    audience: Audience
    valid_from: date
    valid_to: date
    owner: str = ""
    approval: Approval
    updated_on: date | None = None
    topic: str = ""
    tone: str = ""
    basis: str = ""
    guidance: str = ""
    must_warn: bool = False
    risk_rating: RiskRating | None = None
    product: ProductSheet | None = None
    about: str = ""
    regions: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    sections: tuple[Section, ...] = Field(min_length=1)
    actions: tuple[Action, ...] = ()

    def live_on(self, day: date) -> bool:
        """Tell whether the document is true and approved on that day."""
        return self.valid_from <= day <= self.valid_to and self.approval.holds_on(day)

    def shown_to(self, viewer: Viewer) -> bool:
        """Tell whether it may be shown: staff see every region, others their own alone."""
        if not self.audience.shown_on(viewer.plane):
            return False
        everywhere = not self.regions or viewer.plane == "staff"
        return everywhere or viewer.region in self.regions


class Passage(Value):
    """What is embedded and found; several may stand for one section of one document."""

    id: str
    document_id: str
    section: int
    text: str


class VectorItem(NamedTuple):
    """One vector to be kept, with the passage and the document it stands for."""

    id: str
    vector: Sequence[float]
    document_id: str


class Hit(Value):
    """A document that was found, with the section that speaks and the scores it came by.

    ``scores`` are all of them by name, for those who want to know why.
    """

    document: Document
    section: Section
    score: float
    dense: float
    lexical: float
    scores: dict[str, float] = Field(default_factory=dict)


class Found(Value):
    """What a question found, best first, and how likely the first of them answers it."""

    hits: tuple[Hit, ...] = ()
    probability: float = 0.0
    confident: bool = False


class Citation(Value):
    """Where an answer is written down."""

    document_id: str
    title: str
    section: str
    file: str
    line: int
    page: int = 0
    place: str = ""
    basis: str = ""
    version: str = ""

    @property
    def where(self) -> str:
        """Name the place for staff: file:line, a page of a PDF, a sheet of a workbook."""
        at = f"{self.file}:{self.line}" if self.line else self.file
        page = f"第 {self.page} 页" if self.page else ""
        return " ".join(filter(None, (at, self.place, page)))

    @property
    def plain(self) -> str:
        """Name the source in words for a customer."""
        return self.basis or f"本行《{self.title}》"


class Prompt(Value):
    """All that a chat model is given; passages come best first."""

    system: str
    question: str
    passages: tuple[str, ...]
    history: tuple[str, ...] = ()


class AnswerKind(StrEnum):
    """What sort of answer it is: the ledger and the metrics count by these."""

    APPROVED = "approved"
    WRITTEN = "written"
    DECLINED = "declined"
    RED_FLAG = "red_flag"
    HANDOVER = "handover"
    COURTESY = "courtesy"
    IDENTITY = "identity"


class Answer(Value):
    """What is said back, what it rests on, and what else is to be done."""

    kind: AnswerKind
    text: str
    citations: tuple[Citation, ...] = ()
    actions: tuple[Action, ...] = ()
    confidence: float = 0.0
    model: str = ""
    reason: str = ""

    @property
    def answered(self) -> bool:
        """Tell whether the question itself got its answer."""
        return self.kind in (AnswerKind.APPROVED, AnswerKind.WRITTEN, AnswerKind.IDENTITY)


def risky(rating: str | None) -> bool:
    """Tell whether what is said of a product with this rating needs the risk notice."""
    return rating is not None and rating != "R1"


def warns(text: str) -> bool:
    """Tell whether a text carries the whole risk notice."""
    return all(words in text for words in _RISK_WORDS)


def passages_of(document: Document) -> tuple[Passage, ...]:
    """Return what is embedded for a document: each wording of a question, and each section.

    The id is a hash of the text with its place alone, so that a new date or owner embeds nothing.
    """
    texts: list[tuple[int, str]] = []
    if document.kind is DocumentKind.QA:
        texts += [(0, question) for question in document.questions]
        texts.append((0, " ".join((*document.questions, document.sections[0].text))))
    else:
        for number, section in enumerate(document.sections):
            head = f"{document.title} {section.title}".strip()
            texts += [(number, f"{head}\n{piece}") for piece in _pieces(section.text)]
    return tuple(
        Passage(
            id=digest(document.id, str(number), text),
            document_id=document.id,
            section=number,
            text=text,
        )
        for number, text in dict.fromkeys(texts)
    )


def _pieces(text: str) -> list[str]:
    """Cut a long section at line ends: small models read few hundred characters well."""
    pieces = [""]
    for line in text.splitlines():
        if pieces[-1] and len(pieces[-1]) + len(line) > _LONGEST_PIECE:
            pieces.append("")
        pieces[-1] = f"{pieces[-1]}\n{line}".strip()
    return pieces
