"""Questions are kept once and found again; proposals, their drafts, and who allowed what."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.teaching import NewEntry, Proposal, Reason, Signature
from bot.storage.db import Database
from bot.storage.retention import Retention
from tests.make import CHAT, MINUTE, NOON
from tests.runs import a_run
from tests.teaching.make import asked

DAY = timedelta(days=1)
DRAFT = NewEntry(entry="teach-1", file="knowledge/faq/x.qa.yaml", questions=("问",), answer="答")


async def test_a_question_is_kept_once_and_gets_the_persons_answer_later(
    database: Database,
) -> None:
    async with database.begin() as tx:
        assert await tx.questions.add([asked("a"), asked("b", reason=Reason.PERSON)]) == 2
        assert await tx.questions.add([asked("a", "别的"), asked("c")]) == 1
        await tx.questions.reply({"a": "一年三百。", "unknown": "没有这句"})
    async with database.read() as tx:
        found = {one.key: one for one in await tx.questions.in_state("new")}
        counts = await tx.questions.counts(NOON - DAY, NOON + DAY)
    assert {key: one.reply for key, one in found.items()} == {"a": "一年三百。", "b": "", "c": ""}
    assert found["a"].text == "保管箱怎么租"
    assert counts == {"没答上": 2, "人答的": 1, "people": 1}


async def test_questions_are_put_into_a_proposal_and_counted_there(database: Database) -> None:
    async with database.begin() as tx:
        number = await tx.proposals.add(Proposal(kind="new", title="保管箱", made_at=NOON))
        await tx.questions.add([asked("a"), asked("b", at=NOON - 40 * DAY)])
        rows = await tx.questions.in_state("new")
        changes = {"state": "placed", "proposal": number, "found": "qa-1", "probability": 0.25}
        await tx.questions.place([one.model_copy(update=changes) for one in rows])
    async with database.read() as tx:
        every = await tx.questions.of_proposals([number])
        recent = await tx.questions.of_proposals([number], NOON - 30 * DAY)
        assert not await tx.questions.in_state("new")
    assert [one.key for one in every[number]] == ["a", "b"]
    assert [(one.found, one.probability) for one in recent[number]] == [("qa-1", 0.25)]


async def test_a_draft_is_allowed_once_in_each_role_and_a_new_draft_anew(
    database: Database,
) -> None:
    async with database.begin() as tx:
        number = await tx.proposals.add(Proposal(kind="new", title="保管箱", made_at=NOON))
        await tx.proposals.draft(number, DRAFT)
        first = Signature("业务", "李敏", DRAFT.content, NOON)
        assert await tx.proposals.sign(number, first)
        assert not await tx.proposals.sign(number, first._replace(by="王芳"))
        assert await tx.proposals.sign(number, first._replace(role="合规", by="何静"))
        assert await tx.proposals.sign(number, first._replace(content="other"))
    async with database.begin() as tx:
        found = await tx.proposals.get(number, hold=True)
        assert found is not None
        assert (found.state, found.draft) == ("drafted", DRAFT)
        assert [one.by for one in await tx.proposals.signatures(number)] == ["李敏", "何静", "李敏"]
        await tx.proposals.close(number, "published", "", NOON + DAY)
    async with database.read() as tx:
        (closed,) = await tx.proposals.in_states(["published"])
        assert await tx.proposals.in_states(["open", "drafted"]) == []
        assert await tx.proposals.get(number + 1) is None
    assert closed.closed_at == NOON + DAY


async def test_a_step_that_arrived_is_found_for_a_question_after_it(database: Database) -> None:
    async with database.begin() as tx:
        await a_run(tx, "confirmed")
        await tx.questions.add([asked("a", at=NOON + MINUTE, step="d02")])
    async with database.read() as tx:
        steps = await tx.questions.steps_of([CHAT], NOON - DAY, NOON + DAY)
        assert [(one.script, one.step) for one in steps[CHAT]] == [("senior-21d", "d02")]
        assert await tx.questions.delivered("", NOON - DAY) == {("senior-21d", "d02"): 1}
        assert await tx.questions.delivered("other", NOON - DAY) == {}
        assert [one.step for one in await tx.questions.after_steps("s", NOON)] == ["d02"]


async def test_old_questions_go_as_what_was_said_goes(database: Database) -> None:
    async with database.begin() as tx:
        await tx.questions.add([asked("old", at=NOON - 40 * DAY), asked("new")])
    async with database.begin() as tx:
        swept = await Retention(tx.connection).sweep("questions", NOON - 30 * DAY, 0)
    async with database.read() as tx:
        left = await tx.questions.in_state("new")
    assert swept.removed == 1
    assert [one.key for one in left] == ["new"]
