"""An answerer over documents that are always found, and what is asked of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.ai.offline import OfflineChat
from bot.answering.answer import Answerer, Question
from bot.domain.compliance import Rules
from bot.domain.knowledge import (
    Approval,
    Audience,
    Document,
    DocumentKind,
    Found,
    Hit,
    Plane,
    Section,
    Viewer,
)
from bot.domain.persona import Persona
from bot.errors import IndexNotReady, Retryable
from bot.ports import ChatModel

ZONE = ZoneInfo("Asia/Shanghai")
MORNING = datetime(2026, 10, 12, 2, tzinfo=UTC)
TODAY = date(2026, 10, 12)
NIGHT = datetime(2026, 10, 12, 13, tzinfo=UTC)
SOP = Path(__file__).parents[3] / "sop"
FACTS = {"经理.称呼": "李经理", "客服电话": "000-95550"}


def document(
    key: str = "qa-1", answer: str = "能用。存折、现金都照办。", **more: object
) -> Document:
    values: dict[str, object] = {
        "id": key,
        "title": "常见问题",
        "kind": DocumentKind.QA,
        "file": "knowledge/a.qa.yaml",
        "line": 7,
        "audience": Audience.GROUP,
        "valid_from": date(2026, 9, 1),
        "valid_to": date(2027, 8, 31),
        "approval": Approval(content_id="X-1", approver="乙", approved_on=date(2026, 9, 1)),
        "questions": ("存折还能用吗", "不想用卡"),
        "sections": (Section(title="存折还能用吗", text=answer, line=7),),
    }
    return Document.model_validate(values | more)


class Shelf:
    """Finds what it was given, whatever is asked."""

    def __init__(self, *documents: Document, probability: float = 0.8) -> None:
        self.documents = documents
        self.probability = probability
        self.asked: list[tuple[str, Viewer]] = []

    async def find(self, question: str, viewer: Viewer, now: datetime) -> Found:
        self.asked.append((question, viewer))
        hits = tuple(
            Hit(document=one, section=one.sections[0], score=1, dense=1, lexical=1)
            for one in self.documents
        )
        return Found(hits=hits, probability=self.probability, confident=self.probability >= 0.3)

    def document(self, key: str) -> Document | None:
        return next((one for one in self.documents if one.id == key), None)


class Library(Shelf):
    """Finds the documents of the words that a question has: as sure as is said for them."""

    def __init__(self, *known: tuple[str, Document, float]) -> None:
        super().__init__(*(one for _, one, _ in known))
        self._known = known

    async def find(self, question: str, viewer: Viewer, now: datetime) -> Found:
        self.asked.append((question, viewer))
        fits = [(one, sure) for words, one, sure in self._known if set(words) <= set(question)]
        hits = tuple(
            Hit(document=one, section=one.sections[0], score=sure, dense=1, lexical=1)
            for one, sure in sorted(fits, key=lambda fit: -fit[1])
        )
        sure = max((sure for _, sure in fits), default=0.0)
        return Found(hits=hits, probability=sure, confident=sure >= 0.3)


class BrokenShelf(Shelf):
    """An index whose embedder cannot be reached."""

    async def find(self, question: str, viewer: Viewer, now: datetime) -> Found:
        raise Retryable("embeddings endpoint: APIConnectionError")


class UnreadyShelf(Shelf):
    """An index that is still being made for the first time."""

    async def find(self, question: str, viewer: Viewer, now: datetime) -> Found:
        raise IndexNotReady


class Make:
    """Builds an answerer over a shelf and asks it."""

    def __init__(self, persona: Persona, rules: Rules) -> None:
        self._persona = persona
        self._rules = rules

    def over(self, shelf: Shelf, chat: ChatModel | None = None, within: float = 20.0) -> Answerer:
        return Answerer(
            shelf.find,
            shelf.document,
            chat or OfflineChat(),
            self._persona,
            self._rules,
            ZONE,
            write_within=timedelta(seconds=within),
            writes=chat is not None,
        )


def ask(text: str, plane: Plane = "kf", **more: object) -> Question:
    return Question.model_validate({"text": text, "plane": plane, "variables": FACTS} | more)
