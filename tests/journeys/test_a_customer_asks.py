"""A customer asks 小安 one to one: an answer, an honest no, a person, silence, and 小安 again."""

from __future__ import annotations

from sqlalchemy import select

from bot.storage.tables import drafts, events, leads, ledger, notices, turns
from tests.journeys.town import Life

KNOWN = "存单快到期了,怎么办呀"
UNKNOWN = "古钱币能不能拿来鉴定"


async def test_the_approved_text_comes_with_its_source_and_says_who_speaks(life: Life) -> None:
    (answer,) = await life.asks(KNOWN)
    assert "到期" in answer
    assert "依据：本行《" in answer
    assert "智能助手" in answer
    (second,) = await life.asks("取五万块钱要提前预约吗")
    assert "预约" in second
    assert "智能助手" not in second  # said once, not with every answer
    assert await life.ledger("answer_approved") == 2
    assert life.state() in (0, 1)


async def test_entering_is_greeted_by_a_program_that_says_so(life: Life) -> None:
    life.world.kf.enter(life.account, life.visitor)
    await life.settle()
    (welcome,) = life.new("kf", life.visitor)
    assert welcome.source == "kf_send_msg_on_event"
    assert "智能助手" in welcome.text


async def test_what_nobody_wrote_down_is_declined_and_brings_a_person(life: Life) -> None:
    await life.go_to("10:00")
    (answer,) = await life.asks(UNKNOWN)
    assert "依据" not in answer
    (lead,) = await life.leads()
    assert (lead.customer, lead.need.value) == (life.visitor, "答不上")
    assert lead.evidence[0].quote == UNKNOWN
    own = life.world.contacts.of_customer(life.visitor)[0].userid
    assert lead.rm == own
    (card,) = life.cards(own, "lead")
    assert UNKNOWN in card.text
    talk = life.world.kf.conversation(life.account, life.visitor)
    assert (life.state(), talk.servicer) == (3, own)
    assert await life.ledger("handed_over") == 1


async def test_the_bot_is_silent_while_a_person_has_the_word_and_back_afterwards(
    life: Life,
) -> None:
    await life.go_to("10:00")
    await life.asks(UNKNOWN)
    talk = life.world.kf.conversation(life.account, life.visitor)
    life.world.kf.servicer_says(life.account, life.visitor, talk.servicer, "我来帮您看。")
    assert await life.asks(KNOWN) == []
    assert await life.asks("还在吗") == []
    assert await life.ledger("left_to_person") == 2
    life.world.kf.servicer_ends(life.account, life.visitor)
    await life.settle()
    (answer,) = await life.asks(KNOWN)
    assert "依据" in answer
    assert await life.ledger("message_in") == 4


async def test_silence_ends_even_if_the_end_of_the_session_was_missed(life: Life) -> None:
    await life.go_to("10:00")
    await life.asks(UNKNOWN)
    talk = life.world.kf.conversation(life.account, life.visitor)
    talk.stored_state = type(talk.stored_state)(4)  # ended, and no event tells
    (answer,) = await life.asks(KNOWN)
    assert "依据" in answer


async def test_with_nobody_receiving_the_customer_waits_in_the_pool(life: Life) -> None:
    await life.go_to("10:00")
    for userid in list(life.world.kf.account(life.account).servicers):
        life.world.kf.servicer_status(life.account, userid, receiving=False)
    await life.asks(UNKNOWN)
    assert life.state() == 2
    assert await life.asks("有人吗") == []


async def test_somebody_in_danger_has_a_person_within_minutes(life: Life) -> None:
    words = "我刚给他转了三万,他说是我儿子换了手机,我是不是被骗了"
    (answer,) = await life.asks(words)
    assert "110" in answer
    (lead,) = await life.leads()
    assert lead.need.value == "红线"
    assert (lead.respond_by - lead.opened_at).total_seconds() <= 300
    (card,) = life.cards(lead.rm, "lead")
    assert "紧急" in card.text
    assert life.state() == 3
    await life.wait(6)  # nobody took it: the head of the branch hears of it
    assert await life.ledger("lead_escalated") == 1
    head = life.demo.bot.content.bank.branches[0].head
    assert any("超过时限" in item.text for item in life.world.app_messages.inbox(head))


async def test_a_picture_is_not_guessed_at(life: Life) -> None:
    await life.go_to("10:00")
    (answer,) = await life.sends("image", {"media_id": "m"})
    assert "看不了" in answer
    assert life.state() == 3


async def test_refusing_and_coming_back_is_written_down(life: Life) -> None:
    (words,) = await life.asks("退订")
    assert "不再" in words
    async with life.demo.bot.database.read() as tx:
        customer = await tx.people.customer(life.visitor)
        assert customer is not None
        assert customer.refuses_marketing(life.world.now())
    await life.asks("恢复")
    async with life.demo.bot.database.read() as tx:
        customer = await tx.people.customer(life.visitor)
        assert customer is not None
        assert not customer.refuses_marketing(life.world.now())


async def test_numbers_of_cards_and_phones_are_kept_nowhere(life: Life) -> None:
    await life.asks("我要投诉,我的卡号是6222021234567890123,电话13800138000")
    async with life.demo.bot.database.read() as tx:
        turns = await tx.conversations.last_turns(life.visitor)
    (lead,) = await life.leads()
    stored = " ".join([*(turn.text for turn in turns), lead.evidence[0].quote])
    assert "1234567890" not in stored
    assert "13800138000" not in stored
    assert "1234567890" not in " ".join(card.text for card in life.all_cards("lead"))


async def test_being_robbed_is_heard_before_a_refusal(life: Life) -> None:
    (words,) = await life.asks("别发了我被骗转账了")
    assert "110" in words
    (lead,) = await life.leads(life.visitor)
    assert lead.need.value == "红线"


async def test_a_word_with_td_in_it_is_no_refusal(life: Life) -> None:
    await life.asks("ATD存款怎么办")
    assert await life.ledger("opted_out") == 0


async def test_a_number_that_a_customer_types_is_kept_nowhere(life: Life) -> None:
    await life.asks("我的卡号是 6222020200112233445，怎么查余额")
    async with life.demo.bot.database.read() as tx:
        tables = (events, notices, turns, leads, ledger, drafts)
        kept = [str((await tx.connection.execute(select(table))).all()) for table in tables]
    assert not any("6222020200112233445" in text for text in kept)
