"""The page's stage: what the three phones show and what people do on them, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.clock import FakeClock
from bot.emulator.attachments import Body
from bot.emulator.broadcast import Broadcast
from bot.emulator.broadcast_book import Outcome, OwnerTask
from bot.emulator.friends import befriend
from bot.emulator.groups import create, join, says
from bot.emulator.kf_state import State
from bot.emulator.page import page_routes
from bot.emulator.page_words import deadline, split_basis
from bot.emulator.server import build_app, serve_emulator
from bot.emulator.world import Customer, World

from .conftest import AGENT, KF, LI, MANAGER, OTHER, START, WANG, Api, Receiver

CHAT = "wrGROUP"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


class Stage:
    """A browser without a face."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession, api: Api) -> None:
        self.base_url, self.session, self.api = base_url, session, api

    async def state(self, **query: str) -> dict[str, Any]:
        async with self.session.get(f"{self.base_url}/stage/state", params=query) as answer:
            assert answer.status == 200
            found: dict[str, Any] = await answer.json()
            return found

    async def do(self, path: str, **body: object) -> str:
        """Do something; return why it was refused, "" if it was not."""
        async with self.session.post(f"{self.base_url}/stage/{path}", json=body) as answer:
            found: dict[str, Any] = await answer.json()
            assert (answer.status == 200) == ("problem" not in found)
            return str(found.get("problem", ""))

    async def items(self, userid: str = MANAGER) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.state(staff=userid))["staff"]["items"]
        return found

    async def send_card(self, card: dict[str, object]) -> dict[str, Any]:
        body = {"touser": MANAGER, "msgtype": "template_card", "agentid": AGENT}
        answer = await self.api.post("message/send", {**body, "template_card": card})
        assert answer["errcode"] == 0, answer
        return answer


@pytest.fixture
async def stage(world: World) -> AsyncIterator[Stage]:
    create(world, MANAGER, "银龄安心群·梧桐街", [LI, WANG], chat_id=CHAT, quiet=True)
    app = build_app(world)
    app.router.add_routes(page_routes(world, desk=False))
    async with (
        serve_emulator(world, live=False, app=app) as server,
        aiohttp.ClientSession() as session,
    ):
        api = Api(server.base_url, session)
        await api.gettoken()
        yield Stage(server.base_url, session, api)


def card(
    key: str, title: str, *buttons: tuple[str, str], quote: str = "", **rows: str
) -> dict[str, object]:
    return {
        "card_type": "button_interaction",
        "main_title": {"title": title},
        "quote_area": {"quote_text": quote},
        "horizontal_content_list": [{"keyname": n, "value": v} for n, v in rows.items()],
        "task_id": key.replace(":", "-"),
        "button_list": [
            {"type": 0, "text": text, "style": 1, "key": f"{key}:{verb}"} for text, verb in buttons
        ],
    }


def draft_card(
    group: str = "银龄安心群·梧桐街", words: str = "国债看财政部公告。"
) -> dict[str, object]:
    buttons = (("已发到群里", "sent"), ("不用这条", "drop"))
    return card("draft:7", "群里有人问，回话拟好了", *buttons, quote="国债看财政部公告。", 群=group)


def lead_card() -> dict[str, object]:
    buttons = (("接手", "take"), ("转派", "reassign"), ("无效", "invalid"))
    found = card(
        "lead:3", "紧急：客户可能正在被骗或遇险", *buttons, 客户="李女士", 请在此前回="今天 09:05"
    )
    options = [{"id": OTHER, "text": "李四"}]
    found["button_selection"] = {"question_key": "to-3", "title": "转派给", "option_list": options}
    return found


def broadcast(world: World, text: str = "今天讲防骗", *chats: str) -> Broadcast:
    task = OwnerTask(MANAGER, {chat: Outcome(chat) for chat in chats or (CHAT,)})
    made = Broadcast(world.new_id("msg"), "group", Body(text), world.now(), {MANAGER: task})
    world.broadcasts.put(made)
    return made


async def test_the_page_is_chinese_and_takes_nothing_from_elsewhere(stage: Stage) -> None:
    async with stage.session.get(stage.base_url) as answer:
        page = await answer.text()
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert '<html lang="zh-CN">' in page
    assert "导演台" not in page
    assert "http://" not in page
    assert "https://" not in page


async def test_every_file_the_page_names_is_there(stage: Stage) -> None:
    async with stage.session.get(stage.base_url) as answer:
        page = await answer.text()
    names = {part.split('"')[0] for part in page.split('"/static/')[1:]}
    assert {"stage.js", "tokens.css"} <= names
    for name in names:
        async with stage.session.get(f"{stage.base_url}/static/{name}") as answer:
            assert answer.status == 200, name


@pytest.mark.parametrize("name", ["nothing.js", "..%2fpage.py", "%2e%2e%2fpage.py", "page.py"])
async def test_no_other_file_is_served(stage: Stage, name: str) -> None:
    async with stage.session.get(f"{stage.base_url}/static/{name}") as answer:
        assert answer.status == 404


async def test_the_page_has_one_address_so_that_a_sign_in_holds(stage: Stage) -> None:
    port = stage.base_url.rpartition(":")[2]
    head = {"Host": f"localhost:{port}"}
    async with stage.session.get(stage.base_url, headers=head, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, f"{stage.base_url}/")


async def test_the_desk_is_there_only_if_asked_for(world: World) -> None:
    app = build_app(world)
    app.router.add_routes(page_routes(world, desk=True))
    async with (
        serve_emulator(world, live=False, app=app) as server,
        aiohttp.ClientSession() as session,
        session.get(server.base_url) as answer,
    ):
        assert "导演台" in await answer.text()


async def test_an_empty_world_has_an_empty_stage(clock: FakeClock) -> None:
    world = World(clock)
    app = build_app(world)
    app.router.add_routes(page_routes(world, desk=False))
    async with (
        serve_emulator(world, live=False, app=app) as server,
        aiohttp.ClientSession() as session,
        session.get(f"{server.base_url}/stage/state") as answer,
    ):
        state = await answer.json()
    assert state["kf"] is None
    assert state["groups"] == {"open": "", "list": [], "members": [], "lines": []}
    assert state["staff"] == {"open": "", "list": [], "items": []}


async def test_what_a_customer_types_is_on_the_phone_and_rings_the_bot(
    stage: Stage, world: World, receiver: Receiver
) -> None:
    assert await stage.do("kf/say", customer=LI, text="存款到期了怎么办") == ""
    kf = (await stage.state(customer=LI))["kf"]
    assert [(line["who"], line["text"]) for line in kf["lines"]] == [
        ("customer", "存款到期了怎么办")
    ]
    assert kf["typing"]
    await world.callbacks.flush()
    assert [item["Event"] for item in receiver.take()] == ["kf_msg_or_event"]


async def test_the_answer_ends_the_dots_and_its_source_stands_apart(stage: Stage) -> None:
    await stage.do("kf/say", customer=LI, text="存款到期了怎么办")
    answer = "带存单来网点。\n依据：储蓄管理条例"
    sent = {"touser": LI, "open_kfid": KF, "msgtype": "text", "text": {"content": answer}}
    assert await stage.api.code("kf/send_msg", sent) == 0
    kf = (await stage.state(customer=LI))["kf"]
    line = kf["lines"][-1]
    assert (line["who"], line["text"], line["basis"]) == ("bot", "带存单来网点。", ["储蓄管理条例"])
    assert not kf["typing"]


async def test_the_dots_end_when_nobody_answers(stage: Stage, clock: FakeClock) -> None:
    await stage.do("kf/say", customer=LI, text="在吗")
    clock.advance(minutes=2)
    assert not (await stage.state(customer=LI))["kf"]["typing"]


async def test_with_a_person_there_are_no_dots_and_the_phone_says_who(
    stage: Stage, world: World
) -> None:
    await stage.do("kf/say", customer=LI, text="我要找真人")
    conversation = world.kf.conversation(KF, LI)
    conversation.stored_state, conversation.servicer = State.HUMAN, MANAGER
    kf = (await stage.state(customer=LI))["kf"]
    assert (kf["with"], kf["state"], kf["typing"]) == ("person", "真人在接：张三", False)
    talk = next(item for item in await stage.items() if item["kind"] == "talk")
    assert (talk["name"], talk["open"]) == ("李女士", True)
    assert await stage.do("staff/reply", userid=MANAGER, customer=LI, text="我是张三，您说") == ""
    line = (await stage.state(customer=LI))["kf"]["lines"][-1]
    assert (line["who"], line["name"], line["text"]) == ("person", "张三", "我是张三，您说")
    assert await stage.do("staff/end", userid=MANAGER, customer=LI) == ""
    assert (await stage.state(customer=LI))["kf"]["with"] == "nobody"


async def test_a_waiting_customer_can_be_taken(stage: Stage, world: World) -> None:
    await stage.do("kf/say", customer=LI, text="我要找真人")
    world.kf.conversation(KF, LI).stored_state = State.POOL
    assert [item["queued"] for item in await stage.items(OTHER)] == [True]
    assert await stage.do("staff/take", userid=OTHER, customer=LI) == ""
    assert await stage.items() == []
    assert "会话" in await stage.do("staff/take", userid=MANAGER, customer=LI)


async def test_opening_the_chat_enters_it_once(stage: Stage, world: World) -> None:
    await stage.do("kf/enter", customer=LI)
    await stage.do("kf/enter", customer=LI)
    assert len(world.kf.account(KF).log.entries) == 1


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("kf/say", {"customer": LI, "text": "  "}, "请先写一句话"),
        ("kf/say", {"customer": LI, "text": "长" * 601}, "600 个字以内"),
        ("kf/say", {"customer": "wmNOBODY", "text": "在吗"}, "没有这位客户"),
        ("group/say", {"chat": CHAT, "member": MANAGER, "text": "在吗"}, "只替客户说话"),
        ("group/say", {"chat": CHAT, "member": "wmX", "text": "在吗"}, "已经不在群里"),
        ("group/say", {"chat": "wrX", "member": LI, "text": "在吗"}, "群已经不在了"),
        ("staff/press", {"userid": MANAGER, "msgid": "none", "key": "k"}, "请刷新页面"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_chinese(
    stage: Stage, path: str, body: dict[str, object], words: str
) -> None:
    assert words in await stage.do(path, **body)


async def test_another_sites_form_moves_nothing(stage: Stage, world: World) -> None:
    url, form = f"{stage.base_url}/stage/kf/say", '{"customer": "wmLI", "text": "在吗"}'
    async with stage.session.post(url, data=form, headers={"Content-Type": "text/plain"}) as answer:
        assert answer.status == 415
    headers = {"Content-Type": "application/json"}
    async with stage.session.post(url, data="[broken", headers=headers) as answer:
        assert answer.status == 400
    assert world.kf.account(KF).log.entries == []


async def test_members_and_the_owner_speak_in_the_group(stage: Stage, world: World) -> None:
    assert await stage.do("group/say", chat=CHAT, member=LI, text="报名") == ""
    assert await stage.do("group/owner_says", chat=CHAT, text="收到") == ""
    groups = (await stage.state())["groups"]
    assert [(line["who"], line["name"], line["text"]) for line in groups["lines"]] == [
        ("member", "李女士", "报名"),
        ("owner", "张三", "收到"),
    ]
    assert {item["name"]: item["role"] for item in groups["members"]} == {
        "张三": "owner",
        "李女士": "customer",
        "王先生": "customer",
    }
    assert (groups["list"][0]["count"], groups["list"][0]["people"]) == (2, 3)
    assert [item.source for item in world.deliveries.select("group")] == ["person"]


async def test_a_task_reaches_the_group_only_by_the_owners_hand(stage: Stage, world: World) -> None:
    task = broadcast(world)
    (item,) = await stage.items()
    assert (item["kind"], item["open"], item["to"]) == ("task", True, ["银龄安心群·梧桐街"])
    assert (await stage.state())["groups"]["lines"] == []
    assert await stage.do("staff/confirm", userid=MANAGER, msgid=task.msgid) == ""
    (line,) = (await stage.state())["groups"]["lines"]
    assert (line["who"], line["text"], line["via"]) == ("owner", "今天讲防骗", "群主点了发送")
    (item,) = await stage.items()
    assert (item["open"], item["result"], item["tone"]) == (False, "已送达", "done")
    assert "已经发过" in await stage.do("staff/confirm", userid=MANAGER, msgid=task.msgid)


async def test_what_the_quota_kept_back_is_told(stage: Stage, world: World) -> None:
    for task in (broadcast(world), broadcast(world, "第二条")):
        await stage.do("staff/confirm", userid=MANAGER, msgid=task.msgid)
    item = (await stage.items())[-1]
    assert "次数用完" in item["result"]
    assert item["tone"] == "wait"


async def test_pictures_of_a_task_are_shown(stage: Stage, world: World) -> None:
    media = world.media.put("image", "steps.png", PNG, "image/png")
    task = broadcast(world)
    picture: dict[str, object] = {"msgtype": "image", "image": {"media_id": media.media_id}}
    task.body = Body("看图", (picture,))
    says(world, CHAT, LI, "先说一句")
    await stage.do("staff/confirm", userid=MANAGER, msgid=task.msgid)
    lines = (await stage.state())["groups"]["lines"]
    assert [line["text"] for line in lines] == ["先说一句", "看图", "[图片]"]
    async with stage.session.get(stage.base_url + lines[-1]["image"]["src"]) as answer:
        assert (answer.status, await answer.read()) == (200, PNG)


async def test_a_draft_is_posted_as_edited_and_its_button_pressed(
    stage: Stage, world: World, receiver: Receiver
) -> None:
    await stage.send_card(draft_card())
    (item,) = await stage.items()
    assert (item["kind"], item["quote"]) == ("draft", "国债看财政部公告。")
    tap = {"userid": MANAGER, "msgid": item["id"], "key": "draft:7:sent"}
    assert await stage.do("staff/send_draft", **tap, text="国债看公告，来网点也行。") == ""
    assert "处理过" in await stage.do("staff/send_draft", **tap, text="再来一次")
    (line,) = (await stage.state())["groups"]["lines"]
    assert (line["text"], line["via"]) == ("国债看公告，来网点也行。", "群主从侧边栏发送")
    (item,) = await stage.items()
    assert item["pressed"]
    await world.callbacks.flush()
    assert [event["EventKey"] for event in receiver.take()] == ["draft:7:sent"]


async def test_a_cut_group_name_still_finds_the_group(stage: Stage) -> None:
    await stage.send_card(draft_card(group="银龄安心群…"))
    (item,) = await stage.items()
    tap = {"userid": MANAGER, "msgid": item["id"], "key": "draft:7:sent", "text": "好"}
    assert await stage.do("staff/send_draft", **tap) == ""
    assert len((await stage.state())["groups"]["lines"]) == 1


async def test_a_draft_for_another_persons_group_stays_unsent(stage: Stage, world: World) -> None:
    create(world, OTHER, "别人的群", [WANG], quiet=True)
    await stage.send_card(draft_card(group="别人的群"))
    (item,) = await stage.items()
    tap = {"userid": MANAGER, "msgid": item["id"], "key": "draft:7:sent", "text": "好"}
    assert "找不到要发的聊天" in await stage.do("staff/send_draft", **tap)
    assert not (await stage.items())[0]["pressed"]
    assert world.deliveries.select("group") == []


async def test_a_draft_for_one_customer_goes_to_him_and_never_into_the_group(
    stage: Stage, world: World
) -> None:
    befriend(world, MANAGER, LI, quiet=True)
    words = (("直接发送", "sent"), ("不用这条", "drop"))
    await stage.send_card(
        card("draft:8", "客户找您，回话拟好了", *words, quote="好", 客户="李女士")
    )
    (item,) = await stage.items()
    assert item["chat"] == {"kind": "friend", "id": LI}
    tap = {"userid": MANAGER, "msgid": item["id"], "key": "draft:8:sent"}
    assert await stage.do("staff/send_draft", **tap, text="好，我跟您说。") == ""
    assert [line.text for line in world.contacts.talk(MANAGER, LI)] == ["好，我跟您说。"]
    assert world.deliveries.select("group") == []
    world.customers[WANG].nickname = "李女士"
    befriend(world, MANAGER, WANG, quiet=True)
    await stage.send_card(
        card("draft:9", "客户找您，回话拟好了", *words, quote="好", 客户="李女士")
    )
    namesake = (await stage.items())[-1]
    assert "chat" not in namesake
    tap = {"userid": MANAGER, "msgid": namesake["id"], "key": "draft:9:sent", "text": "好"}
    assert "找不到要发的聊天" in await stage.do("staff/send_draft", **tap)


async def test_a_lead_has_its_clock_and_its_buttons(
    stage: Stage, world: World, receiver: Receiver
) -> None:
    answer = await stage.send_card(lead_card())
    (item,) = await stage.items()
    assert (item["kind"], item["urgent"], item["due"][:16]) == ("lead", True, "2026-10-12T09:05")
    press = {"userid": MANAGER, "msgid": item["id"], "key": "lead:3:reassign"}
    assert "先选一位同事" in await stage.do("staff/press", **press)
    assert await stage.do("staff/press", **press, selected={"to-3": [OTHER]}) == ""
    await world.callbacks.flush()
    (event,) = receiver.take()
    chosen = event["SelectedItems"]["SelectedItem"]  # type: ignore[index]
    assert (event["EventKey"], chosen["OptionIds"]["OptionId"]) == ("lead:3:reassign", OTHER)
    update = {
        "userids": [MANAGER],
        "agentid": AGENT,
        "response_code": event["ResponseCode"],
        "button": {"replace_name": "已转派给李四"},
    }
    assert await stage.api.code("message/update_template_card", update) == 0
    assert answer["response_code"]
    (item,) = await stage.items()
    assert (item["open"], item["replaced"]) == (False, "已转派给李四")
    assert "处理过" in await stage.do("staff/press", **press, selected={"to-3": [OTHER]})


async def test_a_card_names_the_page_it_opens_where_that_is_the_sidebars(
    stage: Stage, world: World
) -> None:
    page = "http://127.0.0.1:1/sidebar"
    links = (f"{page}?lead=3", "https://oa.example/lead/3")
    for number, url in enumerate(links):
        content = lead_card() | {"card_action": {"type": 1, "url": url}, "task_id": f"t{number}"}
        await stage.send_card(content)
    assert [item["page"] for item in await stage.items()] == ["", ""], "no app is in the sidebar"
    world.client.sidebars[AGENT] = page
    assert [item["page"] for item in await stage.items()] == [links[0], ""]


async def test_attaching_the_welcome_lets_it_greet_who_joins(stage: Stage, world: World) -> None:
    body = {"text": {"content": "欢迎%NICKNAME%"}}
    added = await stage.api.post("externalcontact/group_welcome_template/add", body)
    words = (("已挂上", "sent"), ("先不挂", "skip"))
    await stage.send_card(card("step:9", "请把入群欢迎语挂到群上", *words, 群="银龄安心群·梧桐街"))
    (item,) = await stage.items()
    assert item["kind"] == "welcome"
    press = {"userid": MANAGER, "msgid": item["id"], "key": "step:9:sent"}
    assert await stage.do("staff/press", **press) == ""
    assert world.groups.need(CHAT).welcome_template == added["template_id"]
    world.add_customer(Customer("wmNEW", "桂花飘香"))
    join(world, CHAT, ["wmNEW"])
    (line,) = (await stage.state())["groups"]["lines"]
    assert (line["text"], line["via"]) == ("欢迎桂花飘香", "入群欢迎语，群主事先挂好")


async def test_the_staff_list_counts_what_waits(stage: Stage, world: World) -> None:
    await stage.send_card(lead_card())
    broadcast(world)
    me, other = (await stage.state())["staff"]["list"]
    assert (me["name"], me["open"], me["leads"]) == ("张三", 2, 1)
    assert (other["name"], other["open"]) == ("李四", 0)


async def test_the_version_stands_while_nothing_happens_and_news_comes_at_once(
    stage: Stage,
) -> None:
    version = str((await stage.state())["version"])
    waiting = asyncio.create_task(stage.state(version=version))
    done, _ = await asyncio.wait([waiting], timeout=0.3)
    assert not done
    loop = asyncio.get_running_loop()
    began = loop.time()
    await stage.do("group/say", chat=CHAT, member=LI, text="报名")
    state = await waiting
    assert loop.time() - began < 0.5
    assert state["version"] > int(version)
    assert state["groups"]["lines"][-1]["text"] == "报名"


@pytest.mark.parametrize("change", ["clock", "state", "greyed", "reminded"])
async def test_whatever_is_shown_moves_the_version(
    stage: Stage, world: World, clock: FakeClock, change: str
) -> None:
    task = broadcast(world)
    answer = await stage.send_card(lead_card())
    await stage.do("kf/say", customer=LI, text="在吗")
    before = (await stage.state())["version"]
    if change == "clock":
        clock.advance(minutes=1)
    elif change == "state":
        world.kf.conversation(KF, LI).stored_state = State.POOL
    elif change == "greyed":
        world.app_messages.item(MANAGER, answer["msgid"]).replaced = "已接手"
    else:
        task.reminded_at.append(world.now())
    assert (await stage.state(version=str(before)))["version"] == before + 1


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        ("今天 14:05", 5 + 5 / 60),
        ("18:00", 9),
        ("明天 09:00", 24),
        ("周三 09:30", 48.5),
        ("10月20日 09:00", 8 * 24),
    ],
)
def test_a_cards_deadline_is_read(words: str, hours: float) -> None:
    found = deadline(words, START)
    assert found is not None
    assert abs(found - START - timedelta(hours=hours)) < timedelta(seconds=1)


@pytest.mark.parametrize("words", ["", "尽快", "25:00", "2月30日 09:00"])
def test_what_is_no_deadline_is_none(words: str) -> None:
    assert deadline(words, START) is None


def test_a_day_of_next_year_is_read_in_december() -> None:
    found = deadline("1月2日 09:00", START.replace(month=12, day=30))
    assert found is not None
    assert (found.year, found.month) == (2027, 1)


def test_basis_lines_are_parted_from_the_words() -> None:
    assert split_basis("头一句\n第二句\n依据：甲\n依据：乙") == ("头一句\n第二句", ["甲", "乙"])


async def test_a_customer_takes_an_invitation_on_the_left_phone(world: World, stage: Stage) -> None:
    world.kf.upgrade_members, world.kf.upgrade_groups = {MANAGER}, {CHAT}
    world.add_customer(Customer("wmNEW", "新客户"))
    await stage.do("kf/say", customer="wmNEW", text="您好")
    whom = {"open_kfid": KF, "external_userid": "wmNEW"}
    member, group = {"userid": MANAGER, "wording": "加我"}, {"chat_id": CHAT, "wording": "进群"}
    for body in ({"type": 1, "member": member}, {"type": 2, "groupchat": group}):
        answer = await stage.api.post("kf/customer/upgrade_service", {**whom, **body})
        assert answer["errcode"] == 0, answer
        line = (await stage.state(customer="wmNEW"))["kf"]["lines"][-1]
        (press,) = line["menu"]
        assert await stage.do("kf/click", customer="wmNEW", item=press["id"]) == ""
    assert [one.userid for one in world.contacts.of_customer("wmNEW")] == [MANAGER]
    assert "wmNEW" in world.groups.need(CHAT).members
