"""What is told of one answer: its words, its evidence, what each check said, and the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.answering.guard import shared
from bot.answering.question import Question, Trace
from bot.domain.knowledge import Answer, AnswerKind, Citation, Document, Found, Hit
from bot.domain.suitability import Asker
from bot.knowledge.abstain import Weights
from bot.knowledge.index import KnowledgeIndex

_KINDS = {
    AnswerKind.APPROVED: "审批过的原文",
    AnswerKind.WRITTEN: "大模型按资料写的",
    AnswerKind.DECLINED: "没有答，如实说了",
    AnswerKind.RED_FLAG: "危险信号，马上找人",
    AnswerKind.HANDOVER: "转给真人",
    AnswerKind.COURTESY: "客气话",
    AnswerKind.IDENTITY: "说明自己是谁",
}
# What shares so many pairs of characters with the question might have been the answer.
_MIGHT_ANSWER = 0.6
_MOST_HIDDEN = 5
_MOST_HITS = 5


@dataclass(frozen=True)
class Asked:
    """A question with its answer and all that was noted on the way."""

    question: Question
    customer: str
    name: str
    answer: Answer
    trace: Trace
    index: KnowledgeIndex
    reranked: Mapping[str, float]
    today: date


def told(asked: Asked) -> dict[str, Any]:
    """Return all of it as plain values."""
    question, answer = asked.question, asked.answer
    threshold = Weights.of(asked.index.models).abstention.threshold
    return {
        "question": question.text,
        "channel": question.plane,
        "customer": _customer(asked),
        "kind": answer.kind.value,
        "kind_in_words": _KINDS[answer.kind],
        "reason": answer.reason,
        "text": answer.text,
        "probability": round(answer.confidence, 3),
        "threshold": round(threshold, 3),
        "models": asked.index.models,
        "model": answer.model,
        "sources": [_source(one) for one in answer.citations],
        "evidence": [_evidence(asked, text, found) for text, found in asked.trace.searched],
        "excluded": list(_excluded(asked))[:_MOST_HIDDEN],
        "verdicts": [{"check": check, "verdict": said} for check, said in asked.trace.verdicts],
        "timings_ms": _timings(asked.trace),
    }


def _timings(trace: Trace) -> dict[str, float]:
    """Return the stages, which add up to the total."""
    spent = {stage: round(ms, 1) for stage, ms in trace.ms.items()}
    return {"total": round(sum(trace.ms.values()), 1)} | spent


def _customer(asked: Asked) -> dict[str, Any] | None:
    """Return who asked, without what names them."""
    if not asked.customer:
        return None
    asker: Asker = asked.question.asker
    return {
        "id": asked.customer,
        "name": asked.name[:1] + "*" * len(asked.name[1:]),
        "grade": f"C{asker.grade}" if asker.grade else None,
        "assessed_on": asker.assessed_on.isoformat() if asker.assessed_on else None,
        "age": asker.age,
        "consents": asker.consents,
        "turns_remembered": len(asked.question.history),
    }


def _source(source: Citation) -> dict[str, str]:
    return {
        "document": source.document_id,
        "title": source.title,
        "section": source.section,
        "where": source.where,
        "version": source.version,
        "basis": source.basis,
    }


def _evidence(asked: Asked, text: str, found: Found) -> dict[str, Any]:
    return {
        "sought": text,
        "probability": round(found.probability, 3),
        "confident": found.confident,
        "hits": [_hit(asked, hit) for hit in found.hits[:_MOST_HITS]],
    }


def _hit(asked: Asked, hit: Hit) -> dict[str, Any]:
    said = asked.reranked.get(_unit_text(asked.index, hit))
    return {
        "document": hit.document.id,
        "title": hit.document.title,
        "section": hit.section.title,
        "score": round(hit.score, 4),
        "dense": round(hit.dense, 4),
        "lexical": round(hit.lexical, 4),
        "second": hit.scores.get("second"),
        "reranker": None if said is None else round(said, 4),
        "scores": hit.scores,
    }


def _unit_text(index: KnowledgeIndex, hit: Hit) -> str:
    """Return the text by which a reranker was asked for a hit."""
    shelf = index.shelf
    for unit in shelf.units:
        document = shelf.documents[unit.document]
        if document.id == hit.document.id and document.sections[unit.section] == hit.section:
            return unit.text
    return ""


def _excluded(asked: Asked) -> Iterator[dict[str, str]]:
    """Give what might have answered and was not shown, with the reason, the nearest first."""
    question = asked.question
    near = []
    for document in asked.index.shelf.documents:
        why = _why_hidden(document, asked)
        share = _likeness(question.text, document) if why else 0.0
        if share >= _MIGHT_ANSWER:
            near.append((share, document, why))
    for _, document, why in sorted(near, key=lambda one: -one[0]):
        yield {"document": document.id, "title": document.title, "why": why}


def _why_hidden(document: Document, asked: Asked) -> str:
    viewer = asked.question.viewer
    if not document.live_on(asked.today):
        return f"不在有效期内（{document.valid_from} 至 {document.valid_to}，审批也要有效）"
    if not document.audience.shown_on(viewer.plane):
        return document.audience.value
    if not document.shown_to(viewer):
        return f"只给这些地区看：{'、'.join(document.regions)}"
    return ""


def _likeness(question: str, document: Document) -> float:
    """Return which share of the question stands in the document's own wording or in a section."""
    texts = (*document.questions, *(f"{one.title}{one.text}" for one in document.sections))
    return max(shared(question, f"{document.title}{text}") for text in texts)
