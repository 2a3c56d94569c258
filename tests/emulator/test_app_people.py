"""What members do with an app: messages, menus, places; and what a callback's answer does."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest
from aiohttp import web

from bot.clock import FakeClock
from bot.emulator.world import World

from .conftest import AGENT, MANAGER, OTHER, Api, Receiver
from .test_app_types import BUTTONS, message

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
WHO = {"userid": MANAGER, "agent_id": AGENT}


async def told(world: World, receiver: Receiver) -> list[dict[str, Any]]:
    await world.callbacks.flush()
    return receiver.take()


def reply(msgtype: str, inner: str) -> str:
    return f"<xml><MsgType>{msgtype}</MsgType>{inner}</xml>"


@pytest.mark.parametrize(
    ("msgtype", "fields"),
    [
        ("text", {"Content": "在吗"}),
        ("image", {"MediaId": "m", "PicUrl": "https://b.example/"}),
        ("voice", {"MediaId": "m", "Recognition": "查利率"}),
        ("video", {"MediaId": "m", "ThumbMediaId": "t"}),
        ("location", {"Location_X": "30.2", "Location_Y": "120.1", "Scale": 15}),
        ("link", {"Title": "表", "Description": "利率", "Url": "https://b.example/"}),
        ("file", {"MediaId": "m", "FileName": "表.xlsx"}),
    ],
)
async def test_every_type_of_message_reaches_the_app(
    api: Api, world: World, receiver: Receiver, msgtype: str, fields: dict[str, Any]
) -> None:
    sent = await api.steer("app/send", {**WHO, "msgtype": msgtype, "fields": fields})
    got = (await told(world, receiver))[0]
    assert (got["MsgType"], got["MsgId"], got["FromUserName"]) == (msgtype, sent["msgid"], MANAGER)
    assert {key: got[key] for key in fields} == {key: str(fields[key]) for key in fields}


async def test_range_menu_place_and_entry_are_events(
    api: Api, world: World, receiver: Receiver
) -> None:
    buttons = [
        {"type": "click", "name": "今日线索", "key": "leads"},
        {"name": "更多", "sub_button": [{"type": "view", "name": "官网", "url": "https://b/"}]},
    ]
    agent = {"agentid": str(AGENT)}
    assert (await api.get("menu/get", **agent))["errcode"] == 46003
    made = await api.post("menu/create", {"button": buttons}, **agent)
    assert made["errcode"] == 0
    nameless = {"button": [{"type": "click", "key": "k"}]}
    assert (await api.post("menu/create", nameless, **agent))["errcode"] == 41102
    assert (await api.get("menu/get", **agent))["button"] == buttons
    await api.steer("app/menu", {**WHO, "name": "今日线索"})
    await api.steer("app/menu", {**WHO, "name": "官网"})
    await api.steer("app/enter", WHO)
    await api.steer("app/location", {**WHO, "latitude": 30.2, "longitude": 120.1})
    await api.steer("app/range", {"agent_id": AGENT, "userids": [MANAGER]})
    await api.steer("app/range", {"agent_id": AGENT})
    job = {"BatchJob": {"JobId": "j", "JobType": "sync_user", "ErrCode": 0, "ErrMsg": "ok"}}
    await api.steer("app/event", {"agent_id": AGENT, "event": "batch_job_result", "fields": job})
    events = await told(world, receiver)
    assert [(item["Event"], item.get("EventKey", "")) for item in events] == [
        ("click", "leads"),
        ("view", "https://b/"),
        ("enter_agent", ""),
        ("LOCATION", ""),
        ("unsubscribe", ""),
        ("subscribe", ""),
        ("batch_job_result", ""),
    ]
    assert (events[3]["Latitude"], events[4]["FromUserName"]) == ("30.2", OTHER)
    assert (await api.get("menu/delete", **agent))["errcode"] == 0
    assert (await api.control("app/menu", {**WHO, "name": "官网"}))["errcode"] == 40058


async def test_an_answer_to_a_callback_is_said_to_the_member(
    world: World, receiver: Receiver
) -> None:
    media = world.media.put("image", "图.png", PNG).media_id
    items = "<item><Title>利率表</Title><Url>https://b.example/</Url></item>" * 2
    for answer in (
        reply("text", "<Content>收到</Content>"),
        reply("image", f"<Image><MediaId>{media}</MediaId></Image>"),
        reply("news", f"<ArticleCount>2</ArticleCount><Articles>{items}</Articles>"),
    ):
        receiver.reply = answer
        world.app_messages.member_says(MANAGER, AGENT, "在吗")
        await world.callbacks.flush()
    inbox = world.app_messages.inbox(MANAGER)
    assert [item.text for item in inbox] == ["收到", "[image] 图.png", "利率表\n利率表"]
    sources = [item.source for item in world.deliveries.select("member", MANAGER)]
    assert sources == ["passive_reply"] * 3


async def test_an_answer_that_cannot_be_taken_is_listed(
    api: Api, world: World, receiver: Receiver
) -> None:
    for answer in (
        reply("shout", "<Content>好</Content>"),
        reply("text", ""),
        reply("voice", "<Voice><MediaId>none</MediaId></Voice>"),
    ):
        receiver.reply = answer
        world.app_messages.member_says(MANAGER, AGENT, "在吗")
        await world.callbacks.flush()
    found = (await api.control("callbacks/lost"))["bad_replies"]
    assert [line.split(": ")[1] for line in found] == ["40008", "44004", "40007"]
    assert world.app_messages.inbox(MANAGER) == []


async def test_an_answer_to_a_press_changes_the_card(
    api: Api, world: World, receiver: Receiver
) -> None:
    for number, answer in enumerate(
        (
            reply("update_button", "<Button><ReplaceName>已接手</ReplaceName></Button>"),
            reply(
                "update_template_card",
                "<TemplateCard><CardType>button_interaction</CardType>"
                "<MainTitle><Title>已接手</Title></MainTitle><TaskId>t</TaskId>"
                "<HorizontalContentList><KeyName>经理</KeyName><Value>张三</Value>"
                "</HorizontalContentList><ButtonList><Text>完成</Text><Style>1</Style>"
                "<Key>done</Key></ButtonList></TemplateCard>",
            ),
        )
    ):
        card = {**BUTTONS, "task_id": f"t{number}"}
        sent = await api.post("message/send", message("template_card", card))
        receiver.reply = answer
        world.app_messages.press(MANAGER, sent["msgid"], "take")
        await world.callbacks.flush()
    greyed, changed = world.app_messages.inbox(MANAGER)
    assert (greyed.replaced, greyed.buttons) == ("已接手", {})
    assert (changed.text, changed.buttons) == ("已接手\n经理：张三", {"done": "完成"})
    assert world.callbacks.bad_replies == []


async def test_wecom_fetches_a_file_itself(api: Api, world: World, receiver: Receiver) -> None:
    data = b"\0\0\0\x18ftypmp42" + b"0" * 99

    async def video(request: web.Request) -> web.Response:
        return web.Response(body=data)

    app = web.Application()
    app.router.add_get("/video.mp4", video)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    job = {"scene": 1, "type": "video", "filename": "欢迎.mp4"}
    found = []
    for url, md5 in (
        (f"{base}/video.mp4", hashlib.md5(data).hexdigest()),
        (f"{base}/video.mp4", "0" * 32),
        (f"{base}/none.mp4", "0" * 32),
    ):
        made = await api.post("media/upload_by_url", {**job, "url": url, "md5": md5})
        for task in tuple(world.fetches.running):
            await task
        assert (await told(world, receiver))[0]["JobId"] == made["jobid"]
        found.append(await api.post("media/get_upload_by_url_result", {"jobid": made["jobid"]}))
    await runner.cleanup()
    assert [(item["status"], item["detail"]["errcode"]) for item in found] == [
        (2, 0),
        (3, 301019),
        (3, 830001),
    ]
    assert world.media.get(found[0]["detail"]["media_id"]).data == data


async def test_big_files_come_in_pieces_and_pictures_are_counted(
    api: Api, world: World, clock: FakeClock
) -> None:
    data = bytes(range(256)) * 90_000
    media = world.media.keep("file", "大.bin", data).media_id
    url, query = f"{api.base_url}/cgi-bin/media/get", {"access_token": api.token, "media_id": media}
    async with api.session.get(url, params=query) as answer:
        assert (await answer.json())["errcode"] == 830002
    headers = {"Range": "bytes=1000-1999"}
    async with api.session.get(url, params=query, headers=headers) as answer:
        assert (answer.status, await answer.read()) == (206, data[1000:2000])
        assert answer.headers["Content-Range"] == f"bytes 1000-1999/{len(data)}"
    frame = b"\x3c" + b"0" * 31
    for frames, code in ((3000, 0), (3001, 45007)):
        voice = b"#!AMR\n" + frame * frames
        upload, kind = f"{api.base_url}/cgi-bin/media/upload", {**query, "type": "voice"}
        async with api.session.post(upload, params=kind, data={"media": io.BytesIO(voice)}) as sent:
            assert (await sent.json())["errcode"] == code
    world.limits.pictures_per_day = 1
    upload = f"{api.base_url}/cgi-bin/media/uploadimg"
    codes = []
    for _ in range(2):
        async with api.session.post(
            upload, params=query, data={"media": io.BytesIO(PNG)}
        ) as answer:
            codes.append((await answer.json())["errcode"])
    assert codes == [0, 45009]
