"""With the shipped knowledge at hand: what is drafted, what is refused, what a trial finds out."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.clock import FakeClock
from bot.config import load_settings
from bot.domain.knowledge import Audience
from bot.domain.teaching import Asked, Proposal, Reason
from bot.errors import ConfigError
from bot.storage.db import Database
from bot.teaching_room import Room, open_room
from bot.workers.teaching_book import TeachingBook
from bot.workers.teaching_desk import Wish
from bot.workspace import Workspace, copy_workspace, starter_root
from tests.ai.openai_server import OpenAiServer, openai_server
from tests.make import NOON
from tests.teaching.make import asked

BOXES = (
    "你们那儿有保管箱出租吗",
    "租个保险箱多少钱一年",
    "保管箱怎么租",
    "贵重东西想租个保管箱放",
    "家里的金器想租你们的保险箱放",
)
ANSWER = "有的，小号保管箱一年三百元。您带身份证来网点签合同，当天就能用。"
BY = "运营-周岚"


@dataclass
class Bench:
    workspace: Workspace
    database: Database
    room: Room
    book: TeachingBook
    clock: FakeClock

    async def hears(self, questions: Sequence[Asked]) -> None:
        async with self.database.begin() as tx:
            await tx.questions.add(questions)
        await self.room.placer.place()

    async def proposal(self, kind: str, texts: Sequence[str], target: str = "") -> int:
        """Make a proposal of questions, without looking for their like."""
        async with self.database.begin() as tx:
            made = Proposal(kind=kind, target=target, title=texts[0], made_at=NOON)  # type: ignore[arg-type]
            number = await tx.proposals.add(made)
            rows = [asked(f"{number}:{n}", text, f"p{n}") for n, text in enumerate(texts)]
            await tx.questions.add(rows)
            new = await tx.questions.in_state("new")
            changes = {"state": "placed", "proposal": number}
            await tx.questions.place([one.model_copy(update=changes) for one in new])
        return number

    async def allow(self, number: int) -> None:
        await self.book.approve(number, "业务", "业务-李敏")
        await self.book.approve(number, "合规", "消保-何静")


@pytest.fixture
async def model(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenAiServer]:
    """Name a language model in the settings; a test that wants it asks for it before the bench."""
    async with openai_server() as server:
        monkeypatch.setenv("BOT_LLM__MODEL", "m")
        monkeypatch.setenv("BOT_LLM__BASE_URL", server.url)
        yield server


@pytest.fixture
async def bench(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    migrated_sqlite: Path,
    one_model: None,
) -> AsyncIterator[Bench]:
    workspace = copy_workspace(Workspace(starter_root()), tmp_path / "bank")
    cache = tmp_path_factory.getbasetemp() / "teaching-vectors.sqlite"
    text = workspace.config.read_text("utf-8")
    text = text.replace("[knowledge]\n", f'[knowledge]\nstore = "memory"\ncache = "{cache}"\n')
    workspace.config.write_text(f'{text}\n[embedding]\nmodel = "use-m3"\n', "utf-8")
    file = tmp_path / "zhilin.db"
    shutil.copyfile(migrated_sqlite, file)
    database = await Database.open(f"sqlite:///{file}", durable=False)
    clock = FakeClock(NOON)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        room = await open_room(stack, load_settings(workspace.config), workspace, database, clock)
        yield Bench(workspace, database, room, TeachingBook(database, clock), clock)


async def test_what_means_one_thing_becomes_one_proposal_and_new_ones_join_it(
    bench: Bench,
) -> None:
    odd = ["我家的猫把存折咬了个角", "你们行徽为什么是棵树"]
    texts = [*BOXES[:4], *odd]
    await bench.hears([asked(str(n), text, f"p{n}") for n, text in enumerate(texts)])
    (page,) = await bench.book.pages()
    assert {one.text for one in page.asked} == set(BOXES[:4])
    await bench.hears([asked("x", BOXES[4], "p9")])
    (page,) = await bench.book.pages()
    assert len(page.asked) == 5
    await bench.book.reject(page.proposal.id, BY, "不教")
    await bench.hears([asked("y", "保管箱怎么租呀", "p10")])
    assert await bench.book.pages() == []  # what was put aside is not proposed again


async def test_the_very_same_words_of_several_people_are_a_proposal(bench: Bench) -> None:
    await bench.hears([asked("a", "ETC怎么办理", "p1"), asked("b", "ETC怎么办理", "p2")])
    (page,) = await bench.book.pages()
    assert page.volume.people == 2


async def test_what_a_person_answered_in_an_entrys_words_lacks_a_wording(bench: Bench) -> None:
    reply = "可以，带身份证来网点换。换得多、要新钱的，先打电话问有没有，省得白跑。"
    one = asked("a", "换零钱要新的", reason=Reason.PERSON)
    await bench.hears([one.model_copy(update={"reply": reply})])
    (page,) = await bench.book.pages()
    assert (page.proposal.kind, page.proposal.target) == ("wording", "qa-707")
    draft = await bench.room.desk.draft(page.proposal.id, Wish(by=BY))
    assert (draft.entry, draft.questions, draft.answer) == ("qa-707", ("换零钱要新的",), "")
    await bench.allow(page.proposal.id)
    done = await bench.room.desk.publish(page.proposal.id, BY)
    assert done.trial.passed, done.trial.objections()
    text = (bench.workspace.root / "knowledge/faq/branch.qa.yaml").read_text("utf-8")
    assert "问: [想换点零钱, 过年换新钱, 换零钱要新的]" in text


async def test_nothing_is_published_that_was_changed_after_it_was_allowed(bench: Bench) -> None:
    number = await bench.proposal("new", BOXES)
    with pytest.raises(ConfigError, match="来写"):
        await bench.room.desk.draft(number, Wish(by=BY))
    await bench.room.desk.draft(number, Wish(by=BY, answer=ANSWER))
    await bench.allow(number)
    await bench.room.desk.draft(number, Wish(by=BY, answer=f"{ANSWER}不收押金。"))
    with pytest.raises(ConfigError, match="还差业务、合规批"):
        await bench.room.desk.publish(number, BY)
    await bench.allow(number)
    bench.clock.advance(hours=1)
    done = await bench.room.desk.publish(number, BY)
    assert done.trial.held_out.total == 1
    assert done.file
    with pytest.raises(ConfigError, match="已经发布"):
        await bench.room.desk.publish(number, BY)
    bench.clock.advance(days=8)
    (week, month) = await bench.book.effects()
    assert (week.before.questions, week.after.questions, week.complete) == (5, 0, True)
    assert not month.complete
    assert (await bench.book.half_life())[1:] == (1, 1)


async def test_an_entry_that_takes_others_questions_is_refused_and_nothing_written(
    bench: Bench,
) -> None:
    file = bench.workspace.root / "knowledge/faq/branch.qa.yaml"
    before = file.read_text("utf-8")
    number = await bench.proposal("new", ["保管箱怎么租"])
    greedy = ("你们网点在哪里", "银行怎么走呀", "网点地址在哪", "网点有老花镜")
    wish = Wish(by=BY, answer=ANSWER, asks=greedy, file="knowledge/faq/branch.qa.yaml")
    await bench.room.desk.draft(number, wish)
    async with bench.database.begin() as tx:
        negative = asked("n", "网点地址", reason=Reason.OUTSIDE)
        await tx.questions.add([negative.model_copy(update={"state": "known"})])
    await bench.allow(number)
    done = await bench.room.desk.publish(number, BY)
    assert not done.trial.passed
    assert done.file == ""
    assert file.read_text("utf-8") == before
    assert (await bench.book.page(number)).proposal.state == "drafted"


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (Wish(by=BY, answer="这款保本保息，稳赚不赔。"), "不能说的话"),
        (Wish(by=BY, answer="打 13812345678 找小王。"), "不能说的话"),
        (Wish(by=BY, use_reply=True), "没有同事答过"),
    ],
)
async def test_what_may_not_be_said_does_not_become_a_draft(
    wish: Wish, says: str, bench: Bench
) -> None:
    number = await bench.proposal("new", BOXES)
    with pytest.raises(ConfigError, match=says):
        await bench.room.desk.draft(number, wish)
    assert (await bench.book.page(number)).proposal.state == "open"


async def test_an_answer_is_taken_word_for_word_from_what_is_approved(bench: Bench) -> None:
    number = await bench.proposal("new", ["存款保险最多赔多少", "银行倒闭了存款赔多少"])
    draft = await bench.room.desk.draft(number, Wish(by=BY, audience=Audience.GROUP))
    assert draft.sources
    assert draft.basis
    documents = [
        path.read_text("utf-8")
        for path in (bench.workspace.root / "knowledge").rglob("*")
        if path.is_file()
    ]
    for sentence in filter(None, draft.answer.split("。")):
        assert any(sentence.strip() in text for text in documents), sentence


async def test_with_a_model_its_words_are_drafted_where_they_hold_and_else_the_approved_ones(
    model: OpenAiServer, bench: Bench
) -> None:
    number = await bench.proposal("new", ["存款保险最多赔多少", "银行倒闭了存款赔多少"])
    model.fault = 500
    approved = await bench.room.desk.draft(number, Wish(by=BY))
    first = f"{approved.answer.partition('。')[0]}。"
    assert first in model.asked[0]["messages"][1]["content"]
    model.fault = ""
    model.says = f"{first}[1]"
    written = await bench.room.desk.draft(number, Wish(by=BY))
    assert (written.answer, written.sources) == (first, approved.sources)
    assert first != approved.answer
    model.says = f"{first}这款保本保息，稳赚不赔[1]。"
    held_back = await bench.room.desk.draft(number, Wish(by=BY))
    assert held_back.answer == approved.answer


async def test_answers_that_did_not_help_call_for_a_look_and_no_wording(bench: Bench) -> None:
    again = asked("a", "想换点零钱", reason=Reason.ASKED_AGAIN)
    await bench.hears([again])
    (page,) = await bench.book.pages()
    assert page.proposal.kind == "review"
    with pytest.raises(ConfigError, match="答案没说清"):
        await bench.room.desk.draft(page.proposal.id, Wish(by=BY))
