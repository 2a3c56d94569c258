"""What changes of customers, groups and tags are read as, and what makes two of them one."""

from __future__ import annotations

import pytest

from bot.domain.events import Arrival, CustomerChanged, GroupChanged, TagsChanged
from tests.channels.bank import Bank, told
from tests.make import CUSTOMER, OWNER

CONTACT, CHAT, TAG = "change_external_contact", "change_external_chat", "change_external_tag"


async def read(bank: Bank, **fields: object) -> Arrival:
    (arrival,) = (await bank.contact.receive(told("contact", **fields), "")).arrivals
    return arrival


def of_customer(change: str, **more: object) -> dict[str, object]:
    whom = {"UserID": OWNER, "ExternalUserID": CUSTOMER}
    return {"Event": CONTACT, "ChangeType": change, **whom, **more}


@pytest.mark.parametrize(
    ("change", "more", "expected"),
    [
        ("add_external_contact", {}, {"change": "added"}),
        ("add_half_external_contact", {}, {"change": "added", "half": True}),
        ("edit_external_contact", {}, {"change": "edited"}),
        ("del_external_contact", {}, {"change": "lost", "by": "manager"}),
        ("del_external_contact", {"Source": "DELETE_BY_TRANSFER"}, {"change": "handed_on"}),
        ("del_follow_user", {}, {"change": "lost", "by": "customer"}),
        (
            "transfer_fail",
            {"FailReason": "customer_refused"},
            {"change": "transfer_failed", "reason": "customer_refused"},
        ),
        ("msg_audit_approved", {}, {"change": "agreed"}),
    ],
)
async def test_a_customer_who_comes_changes_and_goes(
    bank: Bank, change: str, more: dict[str, object], expected: dict[str, object]
) -> None:
    fields = of_customer(change, State="way-1", WelcomeCode="code", **more)
    event = (await read(bank, **fields)).event
    assert isinstance(event, CustomerChanged)
    assert (event.customer, event.manager) == (CUSTOMER, OWNER)
    assert (event.state, event.welcome_code) == ("way-1", "code")
    assert {key: getattr(event, key) for key in expected} == expected


@pytest.mark.parametrize(
    "listed", [{"Item": ["wm1", "wm2"]}, "wm1,wm2", "wm1, wm2"], ids=["items", "commas", "spaces"]
)
async def test_members_who_left_a_group_are_read_in_both_forms(bank: Bank, listed: object) -> None:
    event = (
        await read(
            bank,
            Event=CHAT,
            ChangeType="update",
            ChatId="wrA",
            UpdateDetail="del_member",
            MemChangeCnt=2,
            MemChangeList=listed,
            LastMemVer="v1",
            CurMemVer="v2",
        )
    ).event
    assert isinstance(event, GroupChanged)
    assert (event.change, event.detail, event.members) == ("updated", "del_member", ("wm1", "wm2"))
    assert (event.last_version, event.version) == ("v1", "v2")


async def test_one_member_alone_is_a_list_of_one(bank: Bank) -> None:
    fields = {"Event": CHAT, "ChangeType": "update", "ChatId": "wrA"}
    event = (await read(bank, **fields, MemChangeList={"Item": ["wm1"]})).event
    assert isinstance(event, GroupChanged)
    assert event.members == ("wm1",)


@pytest.mark.parametrize(
    ("change", "expected"),
    [("create", "created"), ("update", "updated"), ("dismiss", "dismissed")],
)
async def test_a_group_that_changes(bank: Bank, change: str, expected: str) -> None:
    event = (await read(bank, Event=CHAT, ChangeType=change, ChatId="wrA")).event
    assert isinstance(event, GroupChanged)
    assert (event.change, event.chat, event.members) == (expected, "wrA", ())


@pytest.mark.parametrize("change", ["create", "update", "delete", "shuffle"])
async def test_a_tag_that_changes(bank: Bank, change: str) -> None:
    event = (await read(bank, Event=TAG, ChangeType=change, Id="et1", TagType="tag_group")).event
    assert isinstance(event, TagsChanged)
    assert (event.change, event.id, event.of) == (change, "et1", "tag_group")


@pytest.mark.parametrize(
    "fields",
    [
        {"Event": CONTACT, "ChangeType": "of_next_year", "ExternalUserID": CUSTOMER},
        {"Event": CONTACT, "ChangeType": "add_external_contact"},
        {"Event": CHAT, "ChangeType": "create"},
        {"Event": TAG, "ChangeType": "painted"},
        {},
    ],
)
async def test_what_we_do_not_know_changes_nothing(bank: Bank, fields: dict[str, object]) -> None:
    assert (await bank.contact.receive(told("contact", **fields), "")).arrivals == ()


async def test_two_of_one_second_are_two_and_one_posted_again_is_one(bank: Bank) -> None:
    first = await read(bank, **of_customer("add_external_contact"))
    again = await read(bank, **of_customer("add_external_contact"))
    other = await read(bank, **of_customer("add_external_contact", ExternalUserID="wmZhao"))
    left = await read(bank, **of_customer("del_follow_user"))
    assert first.key == again.key
    assert len({first.key, other.key, left.key}) == 3
    assert (first.lane, other.lane) == (f"customer:{CUSTOMER}", "customer:wmZhao")


async def test_the_same_change_by_another_of_our_addresses_is_one(bank: Bank) -> None:
    plain = {"Event": CHAT, "ChangeType": "update", "ChatId": "wrA", "CurMemVer": "v2"}
    one = await read(bank, ToUserName="ww1", AgentID="1000002", **plain)
    other = await read(bank, AgentID="", ToUserName="ww1", **plain)
    assert one.key == other.key
    assert (await read(bank, **plain | {"CurMemVer": "v3"})).key != one.key
