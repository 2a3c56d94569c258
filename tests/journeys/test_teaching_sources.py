"""What the bot should have known is collected from every place, and becomes proposals."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.adoption import adoption_of
from bot.domain.draft import Draft
from bot.domain.teaching import Asked, Reason
from bot.emulator import groups
from bot.emulator.app import InboxItem
from bot.storage.db import Database
from tests.journeys.test_teaching import room_of
from tests.journeys.town import Life

BOXES = ("你们网点有没有保管箱可以租呀", "保管箱怎么租，租一年多少钱")
LUGGAGE = "你们网点能寄存行李吗？"
CASH, BOOK, LIMIT = "取五万块钱要提前预约吗？", "存折丢了怎么补？", "转账限额怎么改？"
AGAIN = ("存折还能用吗", "存折到底还能不能用")
WEATHER = "今天天气怎么样，会下雨吗"


async def collected(database: Database) -> dict[str, Asked]:
    async with database.read() as tx:
        rows = [*await tx.questions.in_state("new"), *await tx.questions.in_state("known")]
    return {one.text: one for one in rows}


async def proposed(database: Database) -> dict[tuple[str, str], set[str]]:
    """Return what is asked in each proposal, by its kind and the entry it is about."""
    async with database.read() as tx:
        proposals = await tx.proposals.in_states(["open"])
        asked = await tx.questions.of_proposals([one.id for one in proposals])
    return {(one.kind, one.target): {each.text for each in asked[one.id]} for one in proposals}


async def drafted(life: Life, text: str, number: int) -> tuple[Draft, InboxItem]:
    """Let a member of the group ask; return the draft for its owner, and the card."""
    await life.says(life.chat, life.member(life.chat, number), text)
    async with life.demo.bot.database.read() as tx:
        draft = (await tx.drafts.since(life.chat, life.world.now() - timedelta(days=1)))[0]
    return draft, life.cards(life.owner(life.chat), f"draft:{draft.id}:")[0]


async def owner_says(life: Life, text: str) -> None:
    groups.owner_says(life.world, life.chat, text)
    await life.settle()


async def talks(life: Life) -> None:
    """Let customers ask what is not known, what is, twice, and what is no bank's business."""
    visitors = life.demo.town.visitors
    for customer, text in zip(visitors, BOXES, strict=False):
        await life.asks(text, customer)
    for text in AGAIN:
        await life.wait(1)
        (answer,) = await life.asks(text, visitors[2])
        assert "依据：" in answer
    await life.asks(WEATHER, visitors[3])


async def group(life: Life) -> None:
    """Let the group ask; its owner sends one draft as it is, changes one, and drops one."""
    await life.says(life.chat, life.member(life.chat), LUGGAGE)
    sent, card = await drafted(life, CASH, 1)
    await owner_says(life, sent.text.partition("\n依据")[0])
    assert card.replaced == "已发出"
    edited, card = await drafted(life, BOOK, 2)
    await owner_says(life, f"{edited.text[: len(edited.text) * 2 // 3]}，来了找我就行")
    assert card.replaced == "改过发出"
    dropped, card = await drafted(life, LIMIT, 3)
    await life.press(card, "drop", {f"why-draft-{dropped.id}": ["wrong"]})
    assert card.replaced == "已放弃"


async def test_every_place_and_kind_is_collected_once_and_what_is_missing_is_proposed(
    life: Life,
) -> None:
    await life.go_to("10:00")
    await talks(life)
    await group(life)
    await life.wait(5)
    database = life.demo.bot.database
    async with room_of(life) as room:
        await room.collector.collect()
        found = await collected(database)
        await room.placer.place()
    reasons = {text: (one.plane, one.reason) for text, one in found.items()}
    assert {text: reasons.get(text) for text in BOXES} == dict.fromkeys(
        BOXES, ("kf", Reason.DECLINED)
    )
    assert reasons[AGAIN[1]] == ("kf", Reason.ASKED_AGAIN)
    assert AGAIN[0] not in reasons
    assert reasons[LUGGAGE] == ("group", Reason.DECLINED)
    assert reasons[BOOK] == ("group", Reason.DRAFT_EDITED)
    assert reasons[LIMIT] == ("group", Reason.DRAFT_DROPPED)
    assert CASH not in reasons  # was sent as it stood
    assert found[WEATHER].state == "known"  # nothing to be taught, but a negative for the trial
    assert await proposed(database) == {
        ("new", ""): set(BOXES),
        ("review", "qa-12"): {AGAIN[1]},  # it was answered, and did not help
        ("wording", "qa-601"): {BOOK},
        ("wording", "qa-106"): {LIMIT},
    }
    async with database.read() as tx:
        assert adoption_of(await tx.drafts.counts()).share == "2/3（67%）"
