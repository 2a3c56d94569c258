"""The bot's own client against the local WeCom: the two were written apart from each other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.clock import FakeClock
from bot.emulator.server import EmulatorServer
from bot.emulator.world import World
from bot.errors import Retryable, WeComError
from bot.wecom.app import AppApi, Button, Row, button_card, text_notice
from bot.wecom.client import MemoryTokens, WeComClient
from bot.wecom.kf import KfApi

from .conftest import AGENT, CORP, KF, LI, MANAGER, OTHER, SECRET, Receiver

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


@pytest.fixture
async def client(server: EmulatorServer, clock: FakeClock) -> AsyncIterator[WeComClient]:
    client = WeComClient(server.base_url, CORP, SECRET, MemoryTokens(), clock)
    yield client
    await client.close()


async def test_a_question_is_pulled_and_answered(
    client: WeComClient, world: World, receiver: Receiver
) -> None:
    kf = KfApi(client)
    world.kf.customer_says(KF, LI, "存单利率？")
    await world.callbacks.flush()
    page = await kf.sync_msg(KF, "", str(receiver.take()[0]["Token"]))
    assert [item["text"] for item in page.msg_list] == [{"content": "存单利率？"}]
    body = {"touser": LI, "open_kfid": KF, "msgid": "a1", "msgtype": "text"}
    assert await kf.send_msg({**body, "text": {"content": "您好"}}) == "a1"
    with pytest.raises(WeComError, match="40058"):
        await kf.send_msg({**body, "text": {"content": "您好"}})
    assert (await kf.service_state(KF, LI)).service_state == 0
    assert await kf.trans(KF, LI, 3, MANAGER)
    assert (await kf.service_state(KF, LI)).service_state == 3
    assert [one.userid for one in await kf.servicers(KF)] == [MANAGER, OTHER]
    assert (await kf.customer_batchget([LI, "wmX"]))[0].external_userid == LI
    assert [account.open_kfid for account in await kf.list_accounts()] == [KF]
    assert (await kf.add_contact_way(KF, "lobby")).startswith("https://")


async def test_a_lead_card_is_sent_pressed_and_greyed(client: WeComClient, world: World) -> None:
    app = AppApi(client, AGENT)
    card = button_card(
        task_id="lead-9",
        title="新线索",
        rows=[Row("客户", "李女士")],
        buttons=[Button("接手", "take"), Button("无效", "invalid")],
        quote="想问大额存单",
    )
    sent = await app.send_card([MANAGER], card)
    code = world.app_messages.press(MANAGER, sent.msgid, "take")
    await app.update_card(code, [MANAGER], replace_name="已接手")
    item = world.app_messages.inbox(MANAGER)[0]
    assert (item.replaced, item.text) == ("已接手", "新线索\n想问大额存单\n客户：李女士")
    await app.send_card([MANAGER], text_notice(title="日报", url="https://a.example/"))
    await app.send_text([MANAGER], "您有 1 条线索")
    await app.send_text([MANAGER], "您有 1 条线索")
    assert len(world.app_messages.inbox(MANAGER)) == 3


async def test_tokens_faults_and_files(client: WeComClient, world: World, clock: FakeClock) -> None:
    media_id = await client.upload("image", "图.png", PNG)
    assert await client.download(media_id) == PNG
    world.tokens.withdraw_all()
    assert await client.download(media_id) == PNG
    clock.advance(hours=3)
    assert await client.download(media_id) == PNG
    world.faults.plan("kf/account/list", "errcode", errcode=45009)
    with pytest.raises((WeComError, Retryable)):
        await KfApi(client).list_accounts()
