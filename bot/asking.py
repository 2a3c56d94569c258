"""One question asked by hand: what would be said, and on what grounds."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, cast

from bot.answering.answer import Question
from bot.config import Settings
from bot.domain.knowledge import Answer, AnswerKind, Plane
from bot.domain.variables import variables_for
from bot.knowledge.search import KnowledgeSearch
from bot.parts import Progress, answerer_for, open_index, open_model
from bot.workers.content import read_snapshot
from bot.workspace import Workspace

_KINDS = {
    AnswerKind.APPROVED: "审批过的原文",
    AnswerKind.WRITTEN: "大模型按资料写的",
    AnswerKind.DECLINED: "没有把握，请人来答",
    AnswerKind.RED_FLAG: "危险信号，马上找人",
    AnswerKind.HANDOVER: "转给真人",
    AnswerKind.COURTESY: "客气话",
    AnswerKind.IDENTITY: "说明自己是谁",
}


async def ask_once(
    settings: Settings, workspace: Workspace, question: str, plane: str, progress: Progress
) -> dict[str, Any]:
    """Answer one question from the workspace's knowledge, as the bot would."""
    now = datetime.now(UTC)
    snapshot = read_snapshot(workspace, now.date())
    bank = snapshot.bank
    async with AsyncExitStack() as stack:
        index = await open_index(stack, settings, workspace)
        await index.publish(snapshot.documents(), progress)
        chat = await open_model(stack, settings)
        search = KnowledgeSearch(index, bank.zone)
        answerer = answerer_for(snapshot, search, chat, settings.llm.timeout_seconds)
        member = next(person for person in bank.staff if person.branch is not None)
        asked = Question(
            text=question,
            plane=cast("Plane", plane),
            variables=variables_for(
                bank, today=now.astimezone(bank.zone).date(), manager=member.userid
            ),
        )
        answer = await answerer.answer(asked, now)
    return _in_words(question, plane, answer)


def _in_words(question: str, plane: str, answer: Answer) -> dict[str, Any]:
    return {
        "question": question,
        "plane": plane,
        "kind": answer.kind.value,
        "kind_in_words": _KINDS[answer.kind],
        "text": answer.text,
        "confidence": round(answer.confidence, 3),
        "reason": answer.reason,
        "sources": [
            f"{citation.title} {citation.section}({citation.file}:{citation.line})"
            for citation in answer.citations
        ],
    }
