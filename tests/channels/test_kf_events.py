"""What sync_msg tells, item by item: nothing of it is left out."""

from __future__ import annotations

import pytest

from bot.channels.kf_events import read_message
from bot.domain.events import Event, KfNoted, MessageReceived, RejectionSwitched
from tests.make import ACCOUNT, CUSTOMER, NOON, OWNER, SECOND


def item(**fields: object) -> dict[str, object]:
    """Return a customer's text as sync_msg gives it, with other fields at will."""
    usual: dict[str, object] = {
        "msgid": "m",
        "open_kfid": ACCOUNT,
        "external_userid": CUSTOMER,
        "send_time": int(NOON.timestamp()),
        "origin": 3,
        "msgtype": "text",
        "text": {"content": "您好"},
    }
    return usual | fields


def event_of(**fields: object) -> Event:
    arrival = read_message(item(**fields), NOON)
    assert arrival is not None
    return arrival.event


def test_what_was_sent_long_ago_is_not_news() -> None:
    on_time, late = (read_message(item(), since) for since in (NOON, NOON + SECOND))
    assert on_time is not None
    assert late is not None
    assert (on_time.past, late.past) == (False, True)
    assert on_time.key == late.key


def test_what_has_no_id_is_no_message() -> None:
    assert read_message(item(msgid=""), NOON) is None


@pytest.mark.parametrize(
    ("form", "payload", "text"),
    [
        ("location", {"name": "梧桐街网点", "address": "梧桐街1号"}, "梧桐街网点 梧桐街1号"),
        ("link", {"title": "领补贴", "url": "http://a.b/c"}, "领补贴 http://a.b/c"),
        ("business_card", {"userid": "li.min"}, "li.min"),
        ("miniprogram", {"title": "抽奖", "appid": "wx1"}, "抽奖 wx1"),
        ("msgmenu", {"head_content": "请选", "list": []}, "请选"),
        ("channels_shop_product", {"title": "锅", "sales_price": "9"}, "锅 9"),
        ("channels_shop_order", {"product_titles": "锅", "state": "已付"}, "锅 已付"),
        ("channels", {"sub_type": 2, "nickname": "某号", "title": "直播"}, "某号 直播"),
        ("merged_msg", {"title": "聊天", "item": [{"sender_name": "张三"}]}, "聊天 张三"),
        ("image", {"media_id": "m"}, ""),
        ("meeting", {"anything": 1}, ""),
        ("of_next_year", "not even an object", ""),
    ],
)
def test_every_form_is_kept_with_what_it_says_of_itself(
    form: str, payload: object, text: str
) -> None:
    event = event_of(msgtype=form, **{form: payload})
    assert isinstance(event, MessageReceived)
    assert (event.form, event.text) == (form, text)


def test_what_no_database_keeps_is_left_out_of_the_words() -> None:
    event = event_of(text={"content": "您\0好\ud83d"})
    assert isinstance(event, MessageReceived)
    assert event.text == "您好?"


def test_a_press_on_a_menu_is_a_text_that_names_its_item() -> None:
    event = event_of(text={"content": "满意", "menu_id": "rate:1"})
    assert isinstance(event, MessageReceived)
    assert (event.text, event.menu) == ("满意", "rate:1")


@pytest.mark.parametrize(
    "fields",
    [
        {"event_type": "servicer_status_change", "servicer_userid": OWNER, "status": 2},
        {"event_type": "servicer_recall_msg", "recall_msgid": "m9"},
        {"event_type": "of_next_year", "anything": "x"},
        {"event_type": "session_status_change", "change_type": 99},
    ],
)
def test_what_is_not_acted_on_is_kept_as_it_came(fields: dict[str, object]) -> None:
    event = event_of(origin=4, msgtype="event", event={"open_kfid": ACCOUNT, **fields})
    assert isinstance(event, KfNoted)
    kept = {name: str(value) for name, value in fields.items() if name != "event_type"}
    assert (event.what, event.facts) == (fields["event_type"], kept)


def test_an_event_of_an_account_and_an_unknown_origin_are_kept_too() -> None:
    status = {"event_type": "servicer_status_change", "open_kfid": ACCOUNT, "status": 1}
    bare = {"msgid": "m", "origin": 4, "msgtype": "event", "event": status, "send_time": 0}
    arrival = read_message(bare, NOON)
    assert arrival is not None
    assert arrival.lane == f"kf:account:{ACCOUNT}"
    strange = event_of(origin=99)
    assert isinstance(strange, KfNoted)
    assert strange.what == "99:text"


@pytest.mark.parametrize(("switch", "on"), [(1, True), (0, False)])
def test_a_servicer_may_reject_a_customers_messages(switch: int, on: bool) -> None:
    rejected = {"event_type": "reject_customer_msg_switch_change", "reject_switch": switch}
    event = event_of(origin=4, msgtype="event", event=rejected | {"servicer_userid": OWNER})
    assert isinstance(event, RejectionSwitched)
    assert (event.on, event.servicer) == (on, OWNER)
