"""What customers ask: the workspace's own wordings, and the same in other words around them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.domain.bank import Bank
from bot.domain.knowledge import Audience, Document, DocumentKind
from bot.workers.content import read_snapshot
from bot.workspace import Workspace

_FRAMES = ("{}", "请问{}", "您好，{}", "小安，{}呀", "我想问一下，{}")


def read_bank(workspace: Workspace) -> tuple[Bank, list[str]]:
    """Return the bank, and every wording of the questions that customers may ask."""
    snapshot = read_snapshot(workspace, datetime.now(UTC).date())
    wordings = [
        wording
        for document in snapshot.documents()
        if _for_customers(document)
        for wording in document.questions
    ]
    return snapshot.bank, list(dict.fromkeys(wordings))


def read_window(workspace: Workspace) -> timedelta:
    """Return how long 小安 waits for the rest of a question before she thinks."""
    snapshot = read_snapshot(workspace, datetime.now(UTC).date())
    return next(iter(snapshot.personas.values())).patience.quiet


def various(wordings: list[str], count: int, start: int = 0) -> list[str]:
    """Return so many different questions: each wording plain, then in frames around it."""
    total = len(wordings) * len(_FRAMES)
    picked = [(start + number) % total for number in range(count)]
    return [_FRAMES[n // len(wordings)].format(wordings[n % len(wordings)]) for n in picked]


def _for_customers(document: Document) -> bool:
    return document.kind == DocumentKind.QA and document.audience != Audience.STAFF
