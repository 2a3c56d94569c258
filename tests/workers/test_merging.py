"""What a member would get beyond so many messages a minute comes as one; what is grave never."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.events import CardPressed
from bot.domain.ids import RmId
from bot.domain.merging import calm, cards_together, item_of, member_of, words_together
from bot.domain.messages import Button, Card, StaffCard
from bot.storage.db import Database
from bot.storage.tables import outbox
from bot.workers.content import Content
from bot.workers.merging import Digests
from bot.workers.outbox import OutboxWorker
from tests.make import NOON, OWNER, staff_terms, staff_text
from tests.postgres import empty
from tests.workers.line import Line, put, state, work

GRAVE = Terms(purpose="staff", subject=OWNER, urgent=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("migrated_postgres"))
    file = shutil.copyfile(request.getfixturevalue("migrated_sqlite"), tmp_path / "zhilin.db")
    return f"sqlite:///{file}"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = await Database.open(url, durable=False)
    if url.startswith("postgresql"):
        await empty(opened)
    yield opened
    await opened.close()


def card(number: int) -> StaffCard:
    """Return a lead's card of one customer."""
    shown = Card(
        title="客户想问理财",
        rows=(("客户", f"王{number}"), ("请在此前回", "今天 16:00")),
        buttons=(Button(text="接手", key=f"lead:{number}:take"),),
    )
    return StaffCard(to=OWNER, task=f"lead-{number}", card=shown)


async def run(worker: OutboxWorker, clock: FakeClock, seconds: int) -> None:
    for _ in range(seconds):
        while await work(worker):
            pass
        clock.advance(seconds=1)


async def bodies(database: Database, prefix: str) -> list[dict]:  # type: ignore[type-arg]
    async with database.read() as tx:
        rows = await tx.connection.execute(
            select(outbox.c.key, outbox.c.body).order_by(outbox.c.id)
        )
        return [row.body for row in rows if row.key.startswith(prefix)]


async def test_ten_words_at_once_are_six_and_one_that_holds_the_rest(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    for number in range(10):
        await put(database, f"k{number}", staff_text(f"第 {number} 件事"))
    await run(worker, clock, 60)
    alone = sorted(key for key, _ in line.sent if key.startswith("k"))
    assert alone == [f"k{number}" for number in range(6)]
    (digest,) = await bodies(database, "digest:")
    assert all(f"第 {number} 件事" in digest["text"] for number in range(6, 10))
    assert len(line.sent) == 7
    assert (await state(database, "k7"))[0] == "merged"


async def test_words_that_a_digest_would_cut_come_whole_and_by_themselves(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    for number in range(9):
        await put(database, f"k{number}", staff_text(f"第 {number} 件事"))
    brief = "\n".join(f"今天的第 {number} 件事，要好好说清楚" for number in range(20))
    await put(database, "brief", staff_text(brief))
    await run(worker, clock, 60)
    assert ("brief", False) in line.sent
    (digest,) = await bodies(database, "digest:")
    assert "第 8 件事" in digest["text"]
    assert "说清楚" not in digest["text"]


async def test_what_is_grave_passes_a_member_who_has_had_his_share(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    for number in range(20):
        await put(database, f"k{number}", staff_text(str(number)))
    await run(worker, clock, 1)
    await put(database, "grave", staff_text("紧急"), GRAVE)
    await work(worker)
    assert line.sent[-1] == ("grave", False)
    await run(worker, clock, 60)
    assert "紧急" not in json.dumps(await bodies(database, "digest:"), ensure_ascii=False)


async def test_one_that_waits_alone_goes_by_itself(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    for number in range(7):
        await put(database, f"k{number}", staff_text(str(number)))
    await run(worker, clock, 30)
    assert sorted(key for key, _ in line.sent) == [f"k{number}" for number in range(7)]


async def test_a_colleague_is_not_kept_waiting(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    for number in range(20):
        await put(database, f"k{number}", staff_text(str(number)))
    await put(database, "other", staff_text("您好").model_copy(update={"to": (RmId("a.b"),)}))
    await run(worker, clock, 1)
    assert ("other", False) in line.sent


async def test_cards_that_were_merged_are_opened_one_after_the_other(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock, content: Content
) -> None:
    for number in range(9):
        await put(database, f"card:{number}", card(number))
    await run(worker, clock, 30)
    (digest,) = await bodies(database, "digest:")
    options = digest["card"]["choice"]["options"]
    assert [name for _, name in options] == ["1 王6", "2 王7", "3 王8"]
    number = int(digest["task"].removeprefix("digest-"))
    digests = Digests(content)
    for place, left in ((1, 2), (0, 1)):
        pressed = CardPressed(
            by=OWNER,
            task=digest["task"],
            key=f"digest:{number}:open",
            response_code="c",
            selected={f"digest-{number}": options[place][0]},
            at=NOON,
        )
        async with database.begin() as tx:
            shown = await digests.pressed(tx, number, "open", pressed, clock.now())
        assert shown.card is not None
        assert shown.card.choice is not None
        assert len(shown.card.choice.options) == left
        await work(worker)
    assert [key for key, _ in line.sent][-2:] == ["card:7", "card:6"]


async def test_nobody_opens_what_is_a_colleagues(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock, content: Content
) -> None:
    for number in range(9):
        await put(database, f"card:{number}", card(number))
    await run(worker, clock, 30)
    (digest,) = await bodies(database, "digest:")
    number = int(digest["task"].removeprefix("digest-"))
    pressed = CardPressed(
        by=RmId("wang.haoran"),
        task=digest["task"],
        key=f"digest:{number}:open",
        response_code="c",
        selected={f"digest-{number}": digest["card"]["choice"]["options"][0][0]},
        at=NOON,
    )
    async with database.begin() as tx:
        shown = await Digests(content).pressed(tx, number, "open", pressed, clock.now())
    assert shown.words == "都打开了"
    assert (await state(database, "card:6"))[0] == "merged"


def test_only_what_can_wait_is_put_together() -> None:
    assert member_of(staff_text(), staff_terms()) == OWNER
    assert member_of(staff_text(), GRAVE) == ""
    both = staff_text().model_copy(update={"to": (OWNER, RmId("wang.haoran"))})
    assert member_of(both, staff_terms()) == ""
    of_a_step = staff_terms().model_copy(update={"run_step": 3})
    assert member_of(card(1), of_a_step) == ""
    assert calm("", 6) == {}


def test_a_digest_says_what_it_leaves_out() -> None:
    long = words_together(OWNER, ["很长的提醒" * 40] * 30)
    assert len(long.text.encode()) <= 2048
    assert "还有" in long.text
    items = [item for n in range(14) if (item := item_of(n, card(n))) is not None]
    made = cards_together(1, items)
    assert made.choice is not None
    assert len(made.choice.options) == 10
    assert "还有 4 条" in made.body
    assert "王3，今天 16:00前回" in made.body
