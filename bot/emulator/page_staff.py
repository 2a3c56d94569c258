"""The right phone: what a member of the bank has in WeCom, from lead cards to mass-send tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.emulator.app import InboxItem
from bot.emulator.broadcast_book import Broadcast, OwnerTask, Status
from bot.emulator.client_talk import talk_named
from bot.emulator.kf_state import Conversation, Line, State
from bot.emulator.page_customer import account_of
from bot.emulator.page_words import deadline, local, name_of
from bot.emulator.wire import Call

if TYPE_CHECKING:
    from bot.emulator.world import World

SHOWN_ITEMS = 80
_KINDS = {"lead": "lead", "draft": "draft", "step": "step"}
_URGENT = "紧急"
_DEADLINES = ("请在此前回", "最晚")
_OUTCOMES = {
    Status.UNSENT: "还没发",
    Status.SENT: "已送达",
    Status.NOT_A_FRIEND: "没送到：不再是好友或群主",
    Status.OVER_QUOTA: "没送到：这个群今天的群发次数用完了",
}


def view(world: World, wanted: str) -> dict[str, object]:
    """Return what the right phone shows, with everything the member ``wanted`` has."""
    people = [member for member in world.members.values() if member.active]
    opened = next((member for member in people if member.userid == wanted), None)
    opened = opened or next(iter(people), None)
    listed = []
    items: list[dict[str, object]] = []
    for member in people:
        mine = items_of(world, member.userid)
        waiting = [item for item in mine if item["open"]]
        listed.append(
            {
                "id": member.userid,
                "name": member.name,
                "role": member.role,
                "branch": member.branch,
                "open": len(waiting),
                "leads": sum(item["kind"] in ("lead", "talk") for item in waiting),
            }
        )
        if member is opened:
            items = mine
    return {"open": opened.userid if opened is not None else "", "list": listed, "items": items}


def items_of(world: World, userid: str) -> list[dict[str, object]]:
    """Return a member's cards, words, tasks and customers to talk to, oldest first."""
    inbox = world.app_messages.inbox(userid)[-SHOWN_ITEMS:]
    items = [_message(world, item) | _beside(world, item) for item in inbox]
    tasks = world.broadcasts.tasks_of(userid)[-SHOWN_ITEMS:]
    items += [_task(world, task, userid) for task in tasks if not task.personal]
    items += _talks(world, userid)
    return sorted(items, key=lambda item: str(item["at"]))


def kind_of(item: InboxItem) -> str:
    """Tell what a message is: a lead, a draft, a step, a welcome to attach, a card, words."""
    if item.msgtype != "template_card":
        return "text"
    keys = _keys(item)
    kind = next((_KINDS[head] for key in keys if (head := key.partition(":")[0]) in _KINDS), "card")
    # Only the words tell a step to be posted from welcome material to be attached.
    return "welcome" if kind == "step" and any("挂" in words for words in keys.values()) else kind


def row_of(item: InboxItem, name: str) -> str:
    """Return the value of a card's row, "" where there is none of that name."""
    return next((row["value"] for row in _rows(item) if row["name"] == name), "")


def _keys(item: InboxItem) -> dict[str, str]:
    """Return a card's buttons even after they were greyed."""
    listed = item.content.get("button_list", [])
    buttons = listed if isinstance(listed, list) else []
    return {str(b.get("key", "")): str(b.get("text", "")) for b in buttons if isinstance(b, dict)}


def _rows(item: InboxItem) -> list[dict[str, str]]:
    listed = item.content.get("horizontal_content_list", [])
    return [
        {"name": str(row.get("keyname", "")), "value": str(row.get("value", ""))}
        for row in (listed if isinstance(listed, list) else [])
        if isinstance(row, dict)
    ]


def _message(world: World, item: InboxItem) -> dict[str, object]:
    kind = kind_of(item)
    shown: dict[str, object] = {"id": item.msgid, "kind": kind, "at": local(item.at)}
    if kind == "text":
        return shown | {"open": False, "text": item.text}
    title, quote = _inner(item, "main_title"), _inner(item, "quote_area")
    words = str(title.get("title", ""))
    due = next((row["value"] for row in _rows(item) if row["name"] in _DEADLINES), "")
    ends_at = deadline(due, item.at)
    return shown | {
        "open": not item.replaced and bool(item.buttons),
        "pressed": bool(item.pressed) and not item.replaced,
        "replaced": item.replaced,
        "urgent": words.startswith(_URGENT),
        "title": words,
        "desc": str(title.get("desc", "")),
        "quote": str(quote.get("quote_text") or item.content.get("sub_title_text") or ""),
        "rows": _rows(item),
        "due": local(ends_at) if ends_at is not None else "",
        "buttons": [{"key": key, "text": text} for key, text in _keys(item).items()],
        "choice": _choice(item),
        "page": _page(world, item),
    }


def _page(world: World, item: InboxItem) -> str:
    """Return the page that a tap on a card opens in the member's client; "" for none of the app."""
    url = str(_inner(item, "card_action").get("url", ""))
    return url if world.client.is_of_an_app(url) else ""


def _beside(world: World, item: InboxItem) -> dict[str, object]:
    """Return the chat that an open card is about, in whose sidebar it can be worked on."""
    if item.msgtype != "template_card" or item.replaced:
        return {}
    talk = talk_named(world, item.userid, row_of(item, "群"), row_of(item, "客户"))
    return {"chat": {"kind": talk.kind, "id": talk.id}} if talk is not None else {}


def _inner(item: InboxItem, key: str) -> Mapping[str, object]:
    found = item.content.get(key)
    return found if isinstance(found, Mapping) else {}


def _choice(item: InboxItem) -> dict[str, object] | None:
    selection = _inner(item, "button_selection")
    options = selection.get("option_list")
    if not isinstance(options, list):
        return None
    return {
        "key": str(selection.get("question_key", "")),
        "title": str(selection.get("title") or "请选择"),
        "options": [{"id": str(o["id"]), "text": str(o["text"])} for o in options],
    }


def _task(world: World, broadcast: Broadcast, userid: str) -> dict[str, object]:
    task = broadcast.tasks[userid]
    is_group = broadcast.chat_type == "group"
    return {
        "id": broadcast.msgid,
        "kind": "task",
        "at": local(broadcast.created_at),
        "open": broadcast.is_open_for(userid),
        "text": broadcast.body.text,
        "extras": [part.shown() for part in broadcast.body.parts() if part.msgtype != "text"],
        "unit": "个群" if is_group else "位客户",
        "to": [_recipient(world, name, is_group) for name in task.outcomes],
        "reminders": len(broadcast.reminded_at),
        "result": _result_words(broadcast, task),
        "tone": _result_tone(task),
        "sent_at": local(task.confirmed_at) if task.confirmed_at is not None else "",
    }


def _recipient(world: World, recipient: str, is_group: bool) -> str:
    if not is_group:
        return name_of(world, recipient)
    group = world.groups.groups.get(recipient)
    return group.name if group is not None else "已解散的群"


def _result_words(broadcast: Broadcast, task: OwnerTask) -> str:
    if task.confirmed_at is None:
        if broadcast.expired:
            return "太久没发，已经关闭"
        return "已撤回，不用再发" if broadcast.cancelled_at is not None else ""
    outcomes = list(task.outcomes.values())
    if len(outcomes) == 1:
        return _OUTCOMES[outcomes[0].status]
    sent = sum(outcome.status is Status.SENT for outcome in outcomes)
    missed = {_OUTCOMES[item.status] for item in outcomes if item.status is not Status.SENT}
    unit = "个群" if broadcast.chat_type == "group" else "位客户"
    return "；".join([f"{sent} / {len(outcomes)} {unit}已送达", *sorted(missed)])


def _result_tone(task: OwnerTask) -> str:
    if task.confirmed_at is None:
        return "idle"
    arrived = all(outcome.status is Status.SENT for outcome in task.outcomes.values())
    return "done" if arrived else "wait"


def _talks(world: World, userid: str) -> list[dict[str, object]]:
    """Return the customers who wait for this person or are with him in 微信客服."""
    account = account_of(world)
    if account is None or userid not in account.servicers:
        return []
    now = world.now()
    found = []
    for conversation in account.conversations.values():
        state = conversation.state(now)
        if state is State.POOL or (state is State.HUMAN and conversation.servicer == userid):
            found.append(_talk(world, conversation, queued=state is State.POOL))
    return found


def _talk(world: World, conversation: Conversation, *, queued: bool) -> dict[str, object]:
    lines = [line for line in conversation.lines if not line.recalled]
    return {
        "id": f"talk:{conversation.external_userid}",
        "kind": "talk",
        "at": local(lines[-1].at if lines else world.now()),
        "open": queued or _is_unanswered(lines),
        "queued": queued,
        "customer": conversation.external_userid,
        "chat": None if queued else {"kind": "kf", "id": conversation.external_userid},
        "name": name_of(world, conversation.external_userid),
        "last": [
            {
                "mine": line.side != "customer",
                "text": line.text.splitlines()[0] if line.text else "",
            }
            for line in lines[-3:]
        ],
    }


def _is_unanswered(lines: list[Line]) -> bool:
    """Tell whether the customer waits for a person's word; what a program said does not count."""
    spoken = [line for line in lines if line.side != "bot"]
    return bool(spoken) and spoken[-1].side == "customer"


def take(world: World, call: Call) -> None:
    """Let a person take a customer who waits."""
    world.kf.servicer_takes(*_whom(world, call), call.text("userid"))


def end(world: World, call: Call) -> None:
    """Let a person end a customer's session."""
    world.kf.servicer_ends(*_whom(world, call))


def _whom(world: World, call: Call) -> tuple[str, str]:
    account = account_of(world)
    return (account.open_kfid if account is not None else ""), call.text("customer")
