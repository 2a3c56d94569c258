"""One run of ``zhilin bench knowledge``, in a process whose memory is its own."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.ai.cache import VectorCache
from bot.answering.answer import Answerer, Question
from bot.answering.red_flags import red_flag
from bot.bench.figures import spread
from bot.bench.knowledge_made import hide, made_documents, make_vectors
from bot.bench.questions import various
from bot.config import Settings, load_settings
from bot.domain.knowledge import Document, DocumentKind
from bot.domain.variables import variables_for
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.reader import Knowledge
from bot.knowledge.search import KnowledgeSearch
from bot.log import set_up_logs
from bot.memory import settled
from bot.parts import answerer_for, open_index, open_model
from bot.workers.content import Snapshot, read_snapshot
from bot.workspace import Workspace

_QUESTIONS = 100
_REAL_DOCUMENTS = 25  # twenty seconds' work of the bundled model
_LOOP_MS = 5.0


async def run(workspace: Workspace, passages: int) -> dict[str, Any]:
    """Build an index of so many passages and ask it, with more and more of it hidden."""
    snapshot = read_snapshot(workspace, datetime.now(UTC).date())
    real = _answering(snapshot)[:_REAL_DOCUMENTS]
    made = await asyncio.to_thread(lambda: list(made_documents(passages)))
    with tempfile.TemporaryDirectory(prefix="zhilin-bench-") as folder:
        cache = Path(folder) / "vectors.sqlite"
        settings = load_settings(
            workspace.config,
            knowledge={"folder": str(Path(folder) / "index"), "cache": str(cache)},
        )
        async with AsyncExitStack() as stack:
            index = await open_index(stack, settings, workspace)
            models = [(model.name, model.dimensions) for model in index.embedders]
            await index.publish(real)
            await asyncio.to_thread(make_vectors, VectorCache(cache), models, made, real)
            began = time.monotonic()
            done = await index.publish([*real, *made])
            figures: dict[str, Any] = {
                "passages": done.passages,
                "published_s": round(time.monotonic() - began, 1),
            }
            with settled():
                figures |= await _asked(stack, settings, snapshot, index, real, made)
    return figures | {"peak_mb": peak_mb()}


async def _asked(
    stack: AsyncExitStack,
    settings: Settings,
    snapshot: Snapshot,
    index: KnowledgeIndex,
    real: Sequence[Document],
    made: Sequence[Document],
) -> dict[str, Any]:
    snapshot = replace(snapshot, knowledge=Knowledge(documents=(*real, *made)))
    chat = await open_model(stack, settings)
    search = KnowledgeSearch(index, snapshot.bank.zone)
    answerer = answerer_for(snapshot, search, chat, settings.llm.timeout_seconds, index)
    wordings = [wording for document in real for wording in document.questions]
    figures: dict[str, Any] = {}
    for start, (name, every) in enumerate(
        (("all_shown", 1), ("half_hidden", 2), ("few_shown", 50))
    ):
        await index.publish([*real, *hide(made, every)])
        asked = various(wordings, _QUESTIONS + 5, start=start * (_QUESTIONS + 5))
        await _ask_all(answerer, snapshot, asked[:5])
        figures[name] = await _ask_all(answerer, snapshot, asked[5:])
    figures["while_publishing"] = await _while_publishing(answerer, snapshot, index, real, made)
    return figures


async def _ask_all(
    answerer: Answerer, snapshot: Snapshot, questions: Sequence[str]
) -> dict[str, Any]:
    bank = snapshot.bank
    variables = variables_for(
        bank,
        today=datetime.now(bank.zone).date(),
        manager=next(person.userid for person in bank.staff if person.branch is not None),
    )
    waited, answered = [], 0
    for words in questions:
        began = time.perf_counter()
        asked = Question(text=words, plane="kf", variables=variables)
        answer = await answerer.answer(asked, datetime.now(UTC))
        waited.append((time.perf_counter() - began) * 1000)
        answered += answer.answered
    return spread(waited) | {"answered": answered}


async def _while_publishing(
    answerer: Answerer,
    snapshot: Snapshot,
    index: KnowledgeIndex,
    real: Sequence[Document],
    made: Sequence[Document],
) -> dict[str, Any]:
    """Ask while a saved file is published, and look how long the loop is held up."""
    held: list[float] = []
    publishing = asyncio.create_task(index.publish([*real, *made[:-1]]))
    watching = asyncio.create_task(_watch(publishing, held))
    wordings = [wording for document in real for wording in document.questions]
    waited: list[float] = []
    while not publishing.done():
        began = time.perf_counter()
        await _ask_all(answerer, snapshot, [f"{wordings[len(waited) % len(wordings)]}吗"])
        waited.append((time.perf_counter() - began) * 1000)
    await watching
    published = await publishing
    return spread(waited) | {
        "loop_held_ms": round(max(held, default=0.0), 1),
        "published_s": round(published.seconds, 1),
    }


async def _watch(task: asyncio.Task[Any], held: list[float]) -> None:
    while not task.done():
        began = time.perf_counter()
        await asyncio.sleep(_LOOP_MS / 1000)
        held.append((time.perf_counter() - began) * 1000 - _LOOP_MS)


def _answering(snapshot: Snapshot) -> list[Document]:
    """Return the Q&As that are looked for: of trouble nobody asks the index."""
    return [
        one
        for one in snapshot.documents()
        if one.kind is DocumentKind.QA and one.questions and not any(map(red_flag, one.questions))
    ]


def peak_mb() -> int:
    """Return the most memory this process ever held."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024)
    raise RuntimeError("no VmHWM here: this is measured on Linux")


def main() -> None:
    """Run with the arguments WORKSPACE PASSAGES; print the figures as JSON."""
    set_up_logs("ERROR", as_json=False)
    figures = asyncio.run(run(Workspace(Path(sys.argv[1])), int(sys.argv[2])))
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main()
