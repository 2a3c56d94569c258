"""A few documents, and a model that counts their characters into boxes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.domain.knowledge import Approval, Audience, Document, DocumentKind, Section


class BoxEmbedder:
    """Counts characters into boxes; remembers what it was asked to embed."""

    def __init__(self, name: str = "boxes", dimensions: int = 256) -> None:
        self.name = name
        self.dimensions = dimensions
        self.asked: list[str] = []

    async def passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        self.asked += texts
        return [self._boxes(text) for text in texts]

    async def query(self, text: str) -> Sequence[float]:
        return self._boxes(text)

    def _boxes(self, text: str) -> list[float]:
        boxes = [0.001] * self.dimensions
        for character in text:
            boxes[ord(character) % self.dimensions] += 1.0
        return boxes


def qa(key: str, *questions: str, answer: str = "就这样办。", **more: object) -> Document:
    """Return a question with its answer, for everybody unless said otherwise."""
    values: dict[str, object] = {
        "id": key,
        "title": "问答",
        "kind": DocumentKind.QA,
        "file": "knowledge/a.qa.yaml",
        "line": 1,
        "audience": Audience.GROUP,
        "valid_from": date(2026, 9, 1),
        "valid_to": date(2027, 8, 31),
        "approval": Approval(content_id="X", approver="乙", approved_on=date(2026, 9, 1)),
        "questions": questions,
        "sections": (Section(title=questions[0], text=answer),),
    }
    return Document.model_validate(values | more)


PASSBOOK = qa("passbook", "存折还能用吗", "不想用卡")
CARD = qa("card", "银行卡丢了怎么挂失", "卡找不到了")
PRIVATE = qa("private", "老伴走了钱怎么取", audience=Audience.PRIVATE)
