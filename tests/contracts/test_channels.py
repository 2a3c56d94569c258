"""Every channel that is spoken to keeps the contract, over the local WeCom."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.channels.aibot import AibotChannel
from bot.domain.events import Notice
from bot.domain.ids import GroupChatId
from bot.domain.messages import Broadcast, Outbound, Text
from bot.emulator import groups
from bot.ports import Channel
from bot.storage.db import Database
from bot.wecom.transport import Transport
from bot.wecom.webhook import WebhookApi
from tests.channels.bank import Bank, doorbell, told
from tests.contracts.channel import ChannelContract
from tests.make import ACCOUNT, CUSTOMER, OWNER, broadcast, reply, staff_card


@pytest.fixture
def others() -> dict[str, Outbound]:
    every: tuple[Outbound, ...] = (reply(), staff_card(), broadcast())
    return {message.kind: message for message in every}


class TestKf(ChannelContract):
    name, api = "kf", "kf/send_msg"

    @pytest.fixture
    def news(self, bank: Bank) -> Notice:
        bank.world.kf.enter(ACCOUNT, CUSTOMER)
        bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "您好")
        return doorbell(bank.world)

    @pytest.fixture
    def message(self, bank: Bank) -> Outbound:
        bank.world.kf.customer_says(ACCOUNT, CUSTOMER, "您好")
        return reply()


class TestApp(ChannelContract):
    name, api = "app", "message/send"

    @pytest.fixture
    def news(self) -> Notice:
        fields = {"Event": "template_card_event", "FromUserName": OWNER, "TaskId": "lead-1"}
        return told("app", EventKey="lead:1:take", ResponseCode="c", **fields)

    @pytest.fixture
    def message(self) -> Outbound:
        return staff_card()


class TestContact(ChannelContract):
    name, api = "contact", "externalcontact/add_msg_template"

    @pytest.fixture
    def news(self) -> Notice:
        return told("contact", Event="change_external_chat", ChangeType="update", ChatId="wrA")

    @pytest.fixture
    def message(self, bank: Bank) -> Outbound:
        chats = (GroupChatId(bank.chat),)
        return Broadcast(owner=OWNER, chats=chats, contents=(Text(text="您好"),))


class TestArchive(ChannelContract):
    name, api = "archive", ""

    @pytest.fixture
    def news(self, bank: Bank) -> Notice:
        groups.says(bank.world, bank.chat, CUSTOMER, "您好")
        return told("archive", Event="msgaudit_notify")

    @pytest.fixture
    def message(self) -> None:
        return None


class TestAibot(ChannelContract):
    name, api = "aibot", ""

    @pytest.fixture
    async def channel(self, bank: Bank, tmp_path: Path) -> AsyncIterator[Channel]:
        database = await Database.open(f"sqlite:///{tmp_path / 'zhilin.db'}", durable=False)
        yield AibotChannel(None, WebhookApi(Transport(None, 5)), database, bank.clock)
        await database.close()

    @pytest.fixture
    def news(self) -> Notice:
        told = {"msgid": "m1", "msgtype": "text", "text": {"content": "在吗"}}
        told |= {"from": {"userid": OWNER}, "chattype": "single", "create_time": 1}
        return Notice(key="k", channel="aibot", body=json.dumps(told))

    @pytest.fixture
    def message(self) -> None:
        return None
