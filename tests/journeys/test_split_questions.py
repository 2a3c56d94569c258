"""What people split over several messages is one question; newer words overtake an answer."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from bot.answering.answer import Answerer, Question
from bot.answering.meaning import Trouble
from bot.domain.knowledge import Answer
from bot.storage.tables import turns
from bot.workers.events import EventWorker
from bot.workers.inbox import InboxWorker
from bot.workers.loop import Draining
from tests.journeys.town import Life

KNOWN = "存单快到期了,怎么办呀"
OTHER = "取五万块钱要提前预约吗"
UNKNOWN = "古钱币能不能拿来鉴定"
DANGER = "我刚给他转了三万,他说是我儿子换了手机,我是不是被骗了"


class Listening:
    """The answerer, noting what it is asked; at each question something may happen first."""

    def __init__(self, life: Life) -> None:
        self.asked: list[Question] = []
        self.happenings: list[object] = []
        self._answerer: Answerer = life.demo.bot.content.answerer
        life.demo.bot.content.answerer = self  # type: ignore[assignment]

    async def trouble(self, text: str) -> Trouble | None:
        return await self._answerer.trouble(text)

    async def answer(self, question: Question, now: object) -> Answer:
        self.asked.append(question)
        if self.happenings:
            await self.happenings.pop(0)  # type: ignore[misc]
        return await self._answerer.answer(question, now)  # type: ignore[arg-type]


def says(life: Life, *texts: str, apart: float = 0.1) -> list[str]:
    """Let the visitor write several messages; return their ids."""
    msgids = []
    for number, text in enumerate(texts):
        if number:
            life.demo.clock.advance(seconds=apart)
        msgids.append(life.world.kf.customer_says(life.account, life.visitor, text))
    return msgids


async def step(life: Life, *kinds: type) -> None:
    """Let only these workers do what is due."""
    await life.world.callbacks.flush()
    for worker in life.demo.bot.workers:
        if isinstance(worker, kinds):
            while await worker.step():
                if isinstance(worker, Draining):
                    await worker.drain()


async def answer_without_sending(life: Life) -> None:
    """Let what was written be heard and thought about; the answer stays in the outbox."""
    await step(life, InboxWorker)
    life.demo.clock.advance(seconds=4)
    await step(life, EventWorker)


async def test_five_messages_in_a_moment_are_one_question_with_one_answer(life: Life) -> None:
    listening = Listening(life)
    life.new()
    parts = ("您好", "我有张存单", "是三年的", "快到期了", "怎么办呀")
    for part in parts:
        says(life, part)
        life.demo.clock.advance(seconds=0.1)
        await step(life, InboxWorker, EventWorker)
    await life.settle()
    asked = [question.text for question in listening.asked if question.plane == "kf"]
    assert asked == ["\n".join(parts[1:])]
    assert len(life.answers()) == 1
    assert await life.ledger("message_in") == 5
    async with life.demo.bot.database.read() as tx:
        (entry,) = [one for one in await tx.ledger.newest(50) if one.kind.startswith("answer_")]
    assert entry.facts["messages"] == 5


async def test_the_answers_time_counts_from_the_end_of_the_wait(life: Life) -> None:
    began = life.world.now()
    says(life, KNOWN)
    await life.settle()
    async with life.demo.bot.database.read() as tx:
        (entry,) = await tx.ledger.of_kinds(["answer_approved"])
    complete_at = datetime.fromisoformat(entry.facts["complete_at"])
    assert complete_at == entry.at == began + timedelta(seconds=1.2)


async def test_who_never_stops_writing_is_answered_all_the_same(life: Life) -> None:
    listening = Listening(life)
    for number in range(7):
        says(life, f"第{number}句,存单到期")
        await step(life, InboxWorker, EventWorker)
        life.demo.clock.advance(seconds=1)
    first = listening.asked[0].text
    assert first.splitlines() == [f"第{n}句,存单到期" for n in range(5)]


async def test_danger_and_the_wish_for_a_person_do_not_wait(life: Life) -> None:
    for number, words in enumerate((DANGER, "转人工")):
        customer = life.demo.town.visitors[number]
        life.world.kf.customer_says(life.account, customer, "您好")
        await step(life, InboxWorker, EventWorker)
        life.world.kf.customer_says(life.account, customer, words)
        await step(life, InboxWorker, EventWorker)
        async with life.demo.bot.database.read() as tx:
            assert any(lead.customer == customer for lead in await tx.leads.all())


async def test_words_that_come_while_it_is_thought_about_join_the_question(life: Life) -> None:
    listening = Listening(life)

    async def more() -> None:
        says(life, "是三年的")
        await step(life, InboxWorker)

    listening.happenings = [more()]
    (answer,) = await life.asks(KNOWN)
    assert "到期" in answer
    assert [one.text for one in listening.asked] == [KNOWN, f"{KNOWN}\n是三年的"]
    assert await life.ledger("message_in") == 2


async def test_danger_cuts_a_slow_model_short(life: Life) -> None:
    listening, cut = Listening(life), asyncio.Event()

    async def hangs() -> None:
        says(life, DANGER)
        await step(life, InboxWorker)
        try:
            await asyncio.Event().wait()  # a model that never answers
        finally:
            cut.set()

    listening.happenings = [hangs()]
    (answer,) = await life.asks(KNOWN)
    assert cut.is_set()
    assert "110" in answer
    assert [lead.need.value for lead in await life.leads(life.visitor)] == ["红线"]


async def test_it_is_thought_about_twice_at_most(life: Life) -> None:
    listening = Listening(life)

    async def more(text: str) -> None:
        says(life, text)
        await step(life, InboxWorker)

    listening.happenings = [more("一"), more(OTHER)]
    first, second = await life.asks(KNOWN)
    assert [one.text for one in listening.asked] == [KNOWN, f"{KNOWN}\n一", OTHER]
    assert "到期" in first
    assert "预约" in second


async def test_an_answer_that_has_not_left_is_taken_back_for_newer_words(life: Life) -> None:
    listening = Listening(life)
    life.new()
    says(life, KNOWN)
    await answer_without_sending(life)
    says(life, "是三年的")
    await life.settle()
    (answer,) = life.answers()
    assert "智能助手" in answer  # the first, who said so, never left
    assert listening.asked[-1].text == f"{KNOWN}\n是三年的"
    assert await life.ledger("answer_superseded") == 1
    states = [state for key, state in (await life.outbox_states()).items() if ":answer:" in key]
    assert sorted(states) == ["sent", "void"]


async def test_what_an_overtaken_answer_brought_about_is_not_done_again(life: Life) -> None:
    life.new()
    says(life, KNOWN)  # its Q&A opens a lead besides
    await answer_without_sending(life)
    assert len(await life.leads(life.visitor)) == 1
    says(life, "谢谢")
    await life.settle()
    assert len(life.answers()) == 1
    assert await life.ledger("answer_superseded") == 1
    assert len(await life.leads(life.visitor)) == 1
    assert await life.ledger("lead_signal_added") == 0


async def test_a_hand_over_is_never_overtaken(life: Life) -> None:
    life.new()
    says(life, DANGER)
    await answer_without_sending(life)
    says(life, "怎么办")
    await life.settle()
    assert "110" in life.answers()[0]
    (lead,) = await life.leads(life.visitor)
    assert lead.need.value == "红线"
    assert await life.ledger("answer_superseded") == 0


async def test_what_was_taken_back_is_not_answered_wherever_it_is(life: Life) -> None:
    life.new()
    (waiting,) = says(life, KNOWN)
    await step(life, InboxWorker)
    life.world.kf.customer_recalls(life.account, life.visitor, waiting)
    await life.settle()
    (unsent,) = says(life, KNOWN)
    await answer_without_sending(life)
    life.world.kf.customer_recalls(life.account, life.visitor, unsent)
    await life.settle()
    listening = Listening(life)

    async def taken_back() -> None:
        life.world.kf.customer_recalls(life.account, life.visitor, life.last_msgid())
        await step(life, InboxWorker)

    listening.happenings = [taken_back()]
    says(life, KNOWN)
    await life.settle()
    assert life.answers() == []
    assert await life.ledger("message_recalled") == 3
    async with life.demo.bot.database.read() as tx:
        kept = (await tx.connection.execute(turns.select())).all()
    assert [row.text for row in kept].count("[已撤回]") == 2


async def test_of_several_messages_only_the_rest_is_answered(life: Life) -> None:
    listening = Listening(life)
    life.new()
    first, _ = says(life, OTHER, KNOWN)
    await step(life, InboxWorker)
    life.world.kf.customer_recalls(life.account, life.visitor, first)
    await life.settle()
    assert [one.text for one in listening.asked] == [KNOWN]
    assert len(life.answers()) == 1
