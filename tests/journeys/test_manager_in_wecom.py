"""Where a manager works in WeCom: one card from the first tap to the end, and what to say."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.domain.delivery import Terms
from bot.domain.ids import RmId
from bot.domain.messages import StaffText
from bot.emulator import aibot_people
from bot.emulator.app import InboxItem
from bot.emulator.contact import befriend
from bot.workers.lead_desk import desk_of
from bot.workspace import Workspace
from tests.journeys.staff import HEAD, RM, STRANGER, ask, last, restart, town_with_a_bot, until
from tests.journeys.town import Life, live


@pytest.fixture
async def life(workspace: Workspace) -> AsyncIterator[Life]:
    async with live(workspace, groups=1, members=10) as town:
        yield town


async def wealth(life: Life) -> InboxItem:
    """Let the visitor, whom the manager knows, ask to be called about wealth; return the card."""
    befriend(life.world, RM, life.visitor, quiet=True)
    await life.wait(1)
    await life.asks("我想问问理财，让客户经理给我打电话")
    (card,) = [one for one in life.cards(RM, "lead") if "理财" in one.text or "真人" in one.text]
    return card


def words(life: Life, userid: str) -> list[str]:
    return [item.text for item in life.world.app_messages.inbox(userid) if not item.card_type]


async def test_one_card_goes_from_the_first_tap_to_the_end(life: Life) -> None:
    card = await wealth(life)
    assert list(card.buttons.values()) == ["接手", "转派", "稍后", "无效"]
    before = len(life.world.app_messages.inbox(RM))
    await life.press(card, "take")
    item = life.world.app_messages.item(RM, card.msgid)
    assert item.text.startswith("您已接手")
    assert next(iter(item.buttons.values())) == "已联系"
    assert "稍后" in item.buttons.values()
    packet = words(life, RM)[-1]
    for part in ("客户说", "可以这样说", "不要说"):
        assert part in packet
    assert len(life.world.app_messages.inbox(RM)) == before + 1
    await life.press(item, "contacted")
    assert "已联系" not in item.buttons.values()
    (lead,) = await life.leads(life.visitor)
    assert lead.first_response_at == life.world.now()
    verb = next(iter(item.buttons)).rpartition(":")[2]
    await life.press(item, verb)
    (lead,) = await life.leads(life.visitor)
    assert lead.closed_at is not None
    assert life.world.app_messages.item(RM, card.msgid).replaced.startswith("已")


async def test_put_off_it_says_until_when_and_comes_back_then(life: Life) -> None:
    card = await wealth(life)
    await life.press(card, "later")
    item = life.world.app_messages.item(RM, card.msgid)
    assert list(item.buttons.values()) == ["1 小时后", "今天下午", "明天上午", "现在就办"]
    await life.press(item, "later-hour")
    (lead,) = await life.leads(life.visitor)
    assert lead.stage == "later"
    assert item.text.startswith("稍后跟进")
    await life.wait(61)
    (lead,) = await life.leads(life.visitor)
    assert lead.stage == "taken"
    assert any("到您约的时间了" in text for text in words(life, RM))


async def test_put_off_it_can_be_taken_up_before(life: Life) -> None:
    card = await wealth(life)
    await life.press(card, "later")
    await life.press(card, "later-morning")
    await life.press(card, "take")
    (lead,) = await life.leads(life.visitor)
    assert (lead.stage, lead.sleeps_until) == ("taken", None)
    assert life.world.app_messages.item(RM, card.msgid).text.startswith("您已接手")


async def test_passing_on_asks_whom_and_the_colleague_gets_the_card(life: Life) -> None:
    card = await wealth(life)
    await life.press(card, "reassign")
    item = life.world.app_messages.item(RM, card.msgid)
    assert "转派给谁" in item.text
    selection = item.content["button_selection"]
    to = selection["option_list"][0]["id"]
    await life.press(item, "reassign", {selection["question_key"]: [to]})
    (lead,) = await life.leads(life.visitor)
    assert lead.rm == to
    assert item.replaced.startswith("已转派给")
    assert len(life.cards(to, "lead")) == 1


async def test_what_came_to_nothing_is_asked_why(life: Life) -> None:
    card = await wealth(life)
    await life.press(card, "take")
    item = life.world.app_messages.item(RM, card.msgid)
    await life.press(item, "lost")
    (poll,) = life.cards(RM, "why")
    (lead,) = await life.leads(life.visitor)
    await life.press(poll, "send", {f"why-{lead.id}": ["thinking"]})
    (lead,) = await life.leads(life.visitor)
    assert (lead.stage, lead.outcome_reason) == ("lost", "thinking")


async def test_a_colleague_who_has_no_part_in_it_moves_nothing(workspace: Workspace) -> None:
    async with town_with_a_bot(workspace) as life:
        await wealth(life)
        (lead,) = await life.leads(life.visitor)
        hidden = await ask(life, f"线索 {lead.id}", STRANGER)
        assert "不归您管" in hidden
        assert "理财" not in hidden
        await ask(life, f"线索 {lead.id}", HEAD)
        assert "不要说" in life.world.aibots.seen_by(HEAD)[0].text
        await until(life, lambda: last(life, HEAD).kind == "template_card")
        card = last(life, HEAD)
        assert "接手" in card.buttons.values()
        take = next(key for key in card.buttons if key.endswith(":take"))
        aibot_people.presses(life.world, HEAD, card.msgid, take)
        await until(life, lambda: card.updated == 1)
        assert card.text.startswith("您已接手")
        (lead,) = await life.leads(life.visitor)
        assert (lead.rm, lead.stage) == (HEAD, "taken")


async def test_the_bot_tells_whats_mine_and_what_to_say(workspace: Workspace) -> None:
    async with town_with_a_bot(workspace) as life:
        await wealth(life)
        name = life.world.customers[life.visitor].nickname
        mine = await ask(life, "我的线索", RM)
        assert name in mine
        assert "待接手" in mine
        assert "没有未办结" in await ask(life, "我的线索", STRANGER)
        team = await ask(life, "团队的线索", HEAD)
        assert "李敏：待接手" in team
        assert name in team
        assert "待接手" in await ask(life, "我的待办", RM)
        said = await ask(life, f"{name}问大额存单提前支取怎么算，怎么回", RM)
        assert f"跟{name}可以这样说" in said
        assert "依据：" in said
        assert "不要说" in said
        assert f"跟{name}可以这样说" in await ask(life, f"怎么跟{name}说提前支取", RM)
        assert "待接手" in await ask(life, "我的任务", RM)
        hidden = await ask(life, f"客户{name}问提前支取怎么回", STRANGER)
        assert "可以这样说" not in hidden


async def test_what_nobody_has_is_before_the_head_and_free_for_whoever_is_there(
    workspace: Workspace,
) -> None:
    async with town_with_a_bot(workspace) as life:
        await wealth(life)
        (lead,) = await life.leads(life.visitor)
        desk = desk_of(life.demo.bot.content)
        async with life.demo.bot.database.begin() as tx:
            await desk.pool(tx, lead, life.world.now())
        await life.settle()
        (card,) = life.cards(HEAD, f"lead:{lead.id}:")
        assert "还没有人接手，请您转派或自己接" in card.text
        team = await ask(life, "团队的线索", HEAD)
        assert "待分派 1 条" in team
        assert f"线索 {lead.id} {lead.need.value}" in team
        assert "还没有人" in team
        assert "待分派：1 条" in await ask(life, "我的待办", HEAD)
        assert f"您也可以接的：线索 {lead.id}" in await ask(life, "我的线索", RM)


async def test_what_was_tapped_for_does_not_queue_behind_what_came_by_itself(life: Life) -> None:
    card = await wealth(life)
    async with life.demo.bot.database.begin() as tx:
        for number in range(12):
            note = StaffText(to=(RmId(RM),), text=f"第 {number} 件事")
            terms = Terms(purpose="staff", subject=RmId(RM))
            await tx.outbox.put(f"note:{number}", note, terms, life.world.now())
    await life.settle()
    await life.press(card, "take")
    packets = [text for text in words(life, RM) if text.startswith("【")]
    assert len(packets) == 1
    assert "不要说" in packets[0]


async def test_the_morning_brings_one_message_with_all_that_waits(life: Life) -> None:
    await life.go_to("08:50")
    await wealth(life)
    seen = {userid: len(words(life, userid)) for userid in (RM, HEAD, STRANGER)}
    await life.go_to("09:05")
    mine = words(life, RM)[seen[RM] :]
    brief = [text for text in mine if "早上好" in text]
    assert len(brief) == 1
    assert "线索：待接手 1 条" in brief[0]
    (heads,) = [text for text in words(life, HEAD)[seen[HEAD] :] if "早上好" in text]
    assert "李敏：待接手 1" in heads
    assert not [text for text in words(life, STRANGER)[seen[STRANGER] :] if "线索：" in text]
    await restart(life)
    await life.go_to("09:30")
    assert len([text for text in words(life, RM) if "早上好" in text]) == 1
