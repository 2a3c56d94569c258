"""Answers one question from the workspace's knowledge, as the bot would, and says why."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

from bot.answering.answer import Question
from bot.answering.duty import duty_of
from bot.answering.question import Trace
from bot.asking.report import Asked, told
from bot.asking.stopwatch import WatchedIndex, WatchedReranker
from bot.config import Settings
from bot.domain.bank import Bank
from bot.domain.ids import CustomerId, RmId
from bot.domain.knowledge import Plane
from bot.domain.needs import Needs
from bot.domain.persona import Memory
from bot.domain.suitability import NOBODY, Asker, asker_of
from bot.domain.variables import variables_for
from bot.errors import ConfigError
from bot.index_parts import open_index, open_rerank
from bot.knowledge.search import KnowledgeSearch
from bot.parts import Progress, answerer_for, open_database, open_model
from bot.workers.content import Snapshot, read_snapshot, tables_for
from bot.workers.kf_scene import remembered
from bot.workspace import Workspace

_ANYTHING = "您好"


class _Customer(NamedTuple):
    """Who asks, as the workspace's database knows them."""

    name: str = ""
    manager: RmId | None = None
    asker: Asker = NOBODY
    history: tuple[str, ...] = ()


async def ask_once(
    settings: Settings,
    workspace: Workspace,
    question: str,
    channel: str,
    progress: Progress,
    customer: str = "",
    now: datetime | None = None,
) -> dict[str, Any]:
    """Return the answer with its evidence, verdicts and timings.

    ``now`` is the moment to ask at, this one where it is left out. Raise ``ConfigError`` where
    ``customer`` is named and not known, ``Retryable`` where a model or the index is out of reach.
    """
    now = datetime.now(UTC) if now is None else now
    snapshot, day = files_at(workspace, now)
    bank, trace = snapshot.bank, Trace()
    memory = next(iter(snapshot.personas.values())).memory
    who = await _read(settings, workspace, customer, bank, memory, now)
    asked = _question(question, cast("Plane", channel), bank, who, day)
    async with AsyncExitStack() as stack:
        opened = await open_index(stack, settings, workspace, tidies=False)
        await opened.publish(snapshot.documents(), progress)
        chat = await open_model(stack, settings)
        second = await open_rerank(stack, settings)
        reranker = WatchedReranker(second, trace) if second is not None else None
        index = WatchedIndex(opened, trace)
        careful = settings.knowledge.caution == "careful"
        search = KnowledgeSearch(index, bank.zone, reranker, careful=careful)
        within, duty = settings.llm.timeout_seconds, duty_of(bank, tables_for(day))
        answerer = answerer_for(snapshot, search, chat, within, index, duty)
        # Models and weights are loaded by their first question: what is timed is the second.
        await answerer.trouble(_ANYTHING)
        await search.find(_ANYTHING, asked.viewer, now)
        trace.ms.clear()
        with trace.timing("rest"):
            answer = await answerer.answer(asked, now, trace=trace)
    said = reranker.said if reranker is not None else {}
    return told(Asked(asked, customer, who.name, answer, trace, opened, said, day))


def files_at(workspace: Workspace, now: datetime) -> tuple[Snapshot, date]:
    """Read the files by the day it is in the bank's own zone, which stands in them."""
    by_utc = read_snapshot(workspace, now.astimezone(UTC).date())
    day = now.astimezone(by_utc.bank.zone).date()
    if day == now.astimezone(UTC).date():
        return by_utc, day
    return read_snapshot(workspace, day), day


def _question(text: str, plane: Plane, bank: Bank, who: _Customer, today: date) -> Question:
    placed = (person.userid for person in bank.staff if person.branch is not None)
    member = next(placed, None)
    return Question(
        text=text,
        plane=plane,
        variables=variables_for(bank, today=today, manager=who.manager or member),
        history=who.history,
        asker=who.asker,
    )


def _missing_file(settings: Settings, workspace: Workspace) -> Path | None:
    """Return the SQLite file that the settings name, where it is not there yet."""
    scheme, _, path = settings.database.url.partition(":///")
    file = workspace.resolve(path or "data/zhilin.db")
    return file if scheme.startswith("sqlite") and not file.exists() else None


async def _read(
    settings: Settings,
    workspace: Workspace,
    customer: str,
    bank: Bank,
    memory: Memory,
    now: datetime,
) -> _Customer:
    """Read a customer from the workspace's database, which is never made for that."""
    if not customer:
        return _Customer()
    file = _missing_file(settings, workspace)
    if file is not None:
        raise ConfigError(f"还没有数据库（{file}），认不出客户。不带 --customer 就是按陌生客户问。")
    database = await open_database(settings, workspace)
    try:
        if not await database.ready():
            raise ConfigError("数据库里没有这一版的表。请先运行 zhilin db upgrade。")
        async with database.read() as tx:
            known = await tx.people.customer(CustomerId(customer))
            if known is None:
                raise ConfigError(f"没有客户「{customer}」。请核对 external_userid。")
            facts = await tx.subjects.load([customer], "customer", bank, Needs(), now)
            turns = await tx.conversations.last_turns(customer)
    finally:
        await database.close()
    serving = (one for one in known.managers if bank.member(one) is not None)
    return _Customer(
        name=known.name,
        manager=next(serving, None),
        asker=asker_of(facts[customer]),
        history=remembered(turns, now, memory),
    )
