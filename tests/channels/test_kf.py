"""微信客服: pages and cursors in, replies and hand-overs out."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.events import (
    Arrival,
    MessageRecalled,
    MessageReceived,
    Notice,
    SendFailed,
    SessionChanged,
    SessionEntered,
    StaffSpoke,
)
from bot.domain.messages import Image, KfEventReply, KfHandover, KfReply, Menu, MenuItem, Text
from bot.emulator.callbacks import render_xml
from bot.errors import SessionMoved, Undeliverable
from tests.channels.bank import Bank, doorbell
from tests.make import ACCOUNT, CUSTOMER, NOON, OWNER, reply


async def read(bank: Bank, cursor: str = "") -> tuple[list[Arrival], str]:
    """Pull page after page as the worker does."""
    arrivals: list[Arrival] = []
    more = True
    while more:
        received = await bank.kf.receive(doorbell(bank.world), cursor)
        arrivals += received.arrivals
        cursor, more = received.cursor or cursor, received.more
    return arrivals, cursor


async def test_each_origin_and_event_becomes_its_own_kind_in_the_customers_lane(
    bank: Bank,
) -> None:
    kf = bank.world.kf
    kf.enter(ACCOUNT, CUSTOMER, scene="poster")
    asked = kf.customer_says(ACCOUNT, CUSTOMER, "几点开门")
    kf.customer_sends(ACCOUNT, CUSTOMER, "image", {"media_id": "m"})
    await bank.kf.send("k", KfHandover(account=ACCOUNT, customer=CUSTOMER), repeated=False)
    kf.servicer_takes(ACCOUNT, CUSTOMER, OWNER)
    kf.servicer_says(ACCOUNT, CUSTOMER, OWNER, "我来")
    kf.servicer_ends(ACCOUNT, CUSTOMER)
    kf.customer_recalls(ACCOUNT, CUSTOMER, asked)
    arrivals, _ = await read(bank)
    events = [arrival.event for arrival in arrivals]
    kinds = [type(event) for event in events]
    assert kinds == [
        SessionEntered,
        MessageReceived,
        MessageReceived,
        SessionChanged,
        StaffSpoke,
        SessionChanged,
        MessageRecalled,
    ]
    first, *others = [arrival.lane for arrival in arrivals]
    assert first == f"kf:welcome:{CUSTOMER}"  # its code lives 20 s: it waits for nobody
    assert set(others) == {f"kf:{CUSTOMER}"}
    entered, text, picture, taken, spoke, ended, recalled = events
    assert entered.welcome_code
    assert (text.text, text.msgid, text.form) == ("几点开门", asked, "text")
    assert (picture.text, picture.form, picture.media) == ("", "image", "m")
    assert (taken.change, taken.servicer) == ("taken", OWNER)
    assert (spoke.servicer, spoke.text) == (OWNER, "我来")
    assert ended.change == "ended"
    assert recalled.msgid == asked


async def test_a_first_start_answers_only_what_is_new(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "昨天问的")
    bank.clock.advance(hours=20)
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "刚才问的")
    bank.clock.advance(minutes=1)
    arrivals, cursor = await read(bank)
    assert [(arrival.event.text, arrival.past) for arrival in arrivals] == [
        ("昨天问的", True),
        ("刚才问的", False),
    ]
    bank.clock.advance(days=1)  # the bot was down: from now on nothing is too old
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "停机时问的")
    bank.clock.advance(days=1)
    (arrival,), _ = await read(bank, cursor)
    assert (arrival.event.text, arrival.past) == ("停机时问的", False)


async def test_a_first_start_over_several_pages_stays_a_first_start(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "昨天问的")
    bank.clock.advance(hours=20)
    bank.world.faults.plan("kf/sync_msg", "empty_page", times=2)
    received = await bank.kf.receive(doorbell(bank.world), "")
    assert (received.more, received.arrivals) == (True, ())
    assert received.cursor
    (arrival,), cursor = await read(bank, received.cursor)
    assert arrival.past
    assert not cursor.startswith("first:")


async def test_a_burst_over_pages_is_read_once_each(bank: Bank) -> None:
    for number in range(1100):  # a page holds a thousand
        bank.world.kf.customer_says(ACCOUNT, CUSTOMER, str(number))
    bank.world.faults.plan("kf/sync_msg", "empty_page", times=3)
    arrivals, cursor = await read(bank)
    assert [arrival.event.text for arrival in arrivals] == [str(n) for n in range(1100)]
    assert (await read(bank, cursor))[0] == []


async def test_an_old_doorbell_is_read_without_its_token(bank: Bank) -> None:
    bell = doorbell(bank.world)
    bank.clock.advance(minutes=11)
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "您好")
    assert len((await bank.kf.receive(bell, "")).arrivals) == 1


async def test_the_cursor_is_the_accounts_own(bank: Bank) -> None:
    assert bank.kf.cursor_of(doorbell(bank.world)) == f"kf:{ACCOUNT}"


async def test_a_repeated_reply_is_folded_and_counts_as_sent(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "您好")
    first = await bank.kf.send("kf:m1:answer:1", reply(), repeated=False)
    again = await bank.kf.send("kf:m1:answer:1", reply(), repeated=True)
    assert first.ref == again.ref
    assert len(bank.world.deliveries.select("kf")) == 1
    await bank.kf.send("kf:m2:answer:1", reply(), repeated=False)
    assert len(bank.world.deliveries.select("kf")) == 2


async def test_a_refused_id_on_a_row_never_sent_is_an_error(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "您好")
    await bank.kf.send("k", reply(), repeated=False)
    with pytest.raises(Undeliverable, match="wecom_40058"):
        await bank.kf.send("k", reply(), repeated=False)


async def test_wecoms_own_limits_come_back_as_reasons(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "您好")
    for number in range(5):
        await bank.kf.send(f"k{number}", reply(), repeated=False)
    with pytest.raises(Undeliverable, match="wecom_95001"):
        await bank.kf.send("k6", reply(), repeated=False)
    bank.clock.advance(hours=49)
    with pytest.raises(Undeliverable, match="wecom_95002"):
        await bank.kf.send("k7", reply(), repeated=False)


async def test_a_reply_that_is_accepted_and_does_not_arrive_is_told_by_its_ref(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "您好")
    bank.world.faults.plan("kf/send_msg", "send_fail", fail_type=10)
    receipt = await bank.kf.send("k", reply(), repeated=False)
    arrivals, _ = await read(bank)
    (failed,) = [a.event for a in arrivals if isinstance(a.event, SendFailed)]
    assert (failed.msgid, failed.fail_type) == (receipt.ref, 10)


async def test_a_picture_is_said_on_kf_where_it_is_there(bank: Bank, tmp_path: Path) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "在吗")
    message = KfReply(account=ACCOUNT, customer=CUSTOMER, content=Image(file="a.png"))
    with pytest.raises(Undeliverable, match="picture_missing"):
        await bank.kf.send("k", message, repeated=False)
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
    await bank.kf.send("k", message, repeated=False)
    (said,) = bank.world.deliveries.select("kf", CUSTOMER)
    assert said.meta["msgtype"] == "image"


async def test_a_welcome_is_said_once_and_within_twenty_seconds(bank: Bank) -> None:
    def welcome(code: str) -> KfEventReply:
        return KfEventReply(
            account=ACCOUNT, customer=CUSTOMER, code=code, content=Text(text="欢迎")
        )

    code = bank.world.kf.enter(ACCOUNT, CUSTOMER)
    await bank.kf.send("k", welcome(code), repeated=False)
    assert bank.world.deliveries.select("kf")[0].source == "kf_send_msg_on_event"
    late = bank.world.kf.enter(ACCOUNT, CUSTOMER)
    bank.clock.advance(seconds=21)
    with pytest.raises(Undeliverable):
        await bank.kf.send("k2", welcome(late or "none"), repeated=False)


class TestHandOver:
    def hand(self, to: str | None = OWNER) -> KfHandover:
        return KfHandover.model_validate({"account": ACCOUNT, "customer": CUSTOMER, "to": to})

    def talk(self, bank: Bank) -> tuple[int, str]:
        talk = bank.world.kf.conversation(ACCOUNT, CUSTOMER)
        return int(talk.state(bank.world.now())), talk.servicer

    @pytest.fixture(autouse=True)
    def wrote(self, bank: Bank) -> None:
        bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "找人工")

    async def test_it_goes_to_the_person_named(self, bank: Bank) -> None:
        receipt = await bank.kf.send("k", self.hand(), repeated=False)
        assert receipt.ref == OWNER
        assert self.talk(bank) == (3, OWNER)

    async def test_without_a_person_it_goes_to_the_pool(self, bank: Bank) -> None:
        receipt = await bank.kf.send("k", self.hand(None), repeated=False)
        assert receipt.ref == ""
        assert self.talk(bank)[0] == 2

    @pytest.mark.parametrize("why", ["stopped", "no servicer"])
    async def test_a_person_who_does_not_receive_is_replaced_by_the_pool(
        self, bank: Bank, why: str
    ) -> None:
        if why == "stopped":
            bank.world.kf.servicer_status(ACCOUNT, OWNER, receiving=False)
        receipt = await bank.kf.send(
            "k", self.hand(OWNER if why == "stopped" else "wang.haoran"), repeated=False
        )
        assert receipt.ref == ""
        assert self.talk(bank)[0] == 2

    async def test_doing_it_again_changes_nothing(self, bank: Bank) -> None:
        await bank.kf.send("k", self.hand(), repeated=False)
        await bank.kf.send("k", self.hand(), repeated=True)
        assert self.talk(bank) == (3, OWNER)

    async def test_doing_it_again_takes_nobody_away_from_a_colleague(self, bank: Bank) -> None:
        bank.world.kf.add_servicer(ACCOUNT, "wang.haoran")
        await bank.kf.send("k", self.hand("wang.haoran"), repeated=False)
        receipt = await bank.kf.send("k2", self.hand(), repeated=True)
        assert receipt.ref == "wang.haoran"
        assert self.talk(bank) == (3, "wang.haoran")

    async def test_an_ended_session_cannot_be_handed_over(self, bank: Bank) -> None:
        await bank.kf.send("k", self.hand(), repeated=False)
        bank.world.kf.servicer_ends(ACCOUNT, CUSTOMER)
        with pytest.raises(Undeliverable):
            await bank.kf.send("k2", self.hand(), repeated=False)


async def test_a_lost_cursor_is_read_again_from_the_beginning(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "昨天问的")
    before, cursor = await read(bank)
    bank.clock.advance(days=1)
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "刚才问的")
    bank.world.faults.plan("kf/sync_msg", "cursor_loss")
    arrivals, after = await read(bank, cursor)
    assert [arrival.event.text for arrival in arrivals] == ["昨天问的", "刚才问的"]
    assert arrivals[0].key == before[0].key  # by which the inbox knows it
    assert not any(arrival.past for arrival in arrivals)
    assert after not in ("", cursor)


async def test_a_doorbell_of_a_granted_account_is_news_itself(bank: Bank) -> None:
    told_of = {"Event": "kf_account_auth_change", "CreateTime": int(NOON.timestamp())}
    notice = Notice(
        key="n",
        channel="kf",
        body=render_xml({**told_of, "AuthAddOpenKfId": "wkB", "AuthDelOpenKfId": "wkC"}),
    )
    assert bank.kf.cursor_of(notice) is None
    arrivals = (await bank.kf.receive(notice, "")).arrivals
    assert [(one.event.account, one.event.what) for one in arrivals] == [
        ("wkB", "account_granted"),
        ("wkC", "account_withdrawn"),
    ]


async def test_a_refusal_for_the_sessions_state_tells_where_the_session_is(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "您好")
    hand_over = KfHandover(account=ACCOUNT, customer=CUSTOMER, to=OWNER)
    await bank.kf.send("h", hand_over, repeated=False)
    with pytest.raises(SessionMoved, match="wecom_95018") as caught:
        await bank.kf.send("k", reply(), repeated=False)
    assert (caught.value.state, caught.value.servicer) == (3, OWNER)
    bank.world.kf.servicer_ends(ACCOUNT, CUSTOMER)
    with pytest.raises(SessionMoved, match="wecom_95018") as caught:
        await bank.kf.send("k", reply(), repeated=False)
    assert caught.value.state == 4


async def test_a_goodbye_has_a_menu_to_press(bank: Bank) -> None:
    bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "您好")
    hand_over = KfHandover(account=ACCOUNT, customer=CUSTOMER, to=OWNER)
    await bank.kf.send("h", hand_over, repeated=False)
    code = bank.world.kf.servicer_ends(ACCOUNT, CUSTOMER)
    menu = Menu(head="怎么样", items=(MenuItem(id="rate:1", text="满意"),))
    goodbye = KfEventReply(account=ACCOUNT, customer=CUSTOMER, code=code, content=menu)
    await bank.kf.send("g", goodbye, repeated=False)
    bank.world.kf.customer_clicks(ACCOUNT, CUSTOMER, "rate:1")
    arrivals, _ = await read(bank)
    assert [a.event.menu for a in arrivals if isinstance(a.event, MessageReceived)] == [
        "",
        "rate:1",
    ]
