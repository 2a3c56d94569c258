"""The left phone: a customer's WeChat with the bank's 微信客服."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.emulator.kf_hands import accepts_upgrade
from bot.emulator.kf_state import Conversation, KfAccount, Line, State
from bot.emulator.page_words import Refused, local, name_of, split_basis
from bot.emulator.wire import Call

if TYPE_CHECKING:
    from bot.emulator.world import World

SHOWN_LINES = 80
MOST_CUSTOMERS = 40
_FEW_CUSTOMERS = 5
_LONGEST_TEXT = 600
_THINKING_FOR = timedelta(seconds=90)
"""A bot that has not answered by then is not coming: the dots would be a lie."""
_WITH = {
    State.NEW: "bot",
    State.ROBOT: "bot",
    State.POOL: "queue",
    State.HUMAN: "person",
    State.ENDED: "nobody",
}
_TO_A_MEMBER = 1
_ACCEPT = "upgrade:accept"
_WHO = {"customer": "customer", "bot": "bot", "servicer": "person"}


def account_of(world: World) -> KfAccount | None:
    """Return the kf account that the page shows: the first one."""
    return next(iter(world.kf.accounts.values()), None)


def customers_shown(world: World, account: KfAccount) -> list[str]:
    """Return who stands in the phone's list.

    First those who have a conversation, then who is in no group, then, where these are few,
    members of groups.
    """
    shown = dict.fromkeys(account.conversations)
    grouped = {person for group in world.groups.living() for person in group.members}
    for person in world.customers:
        if person not in grouped:
            shown[person] = None
    for person in world.customers:
        if len(shown) >= _FEW_CUSTOMERS:
            break
        shown[person] = None
    return list(shown)[:MOST_CUSTOMERS]


def view(world: World, wanted: str) -> dict[str, object] | None:
    """Return what the left phone shows, with the conversation of the customer ``wanted``."""
    account = account_of(world)
    if account is None:
        return None
    people = customers_shown(world, account)
    opened = wanted if wanted in people else next(iter(people), "")
    shown: dict[str, object] = {
        "name": account.name,
        "open": opened,
        "customers": [_customer(world, account, person) for person in people],
    }
    conversation = account.conversations.get(opened) or Conversation(opened)
    lines = conversation.lines
    return shown | {
        "with": _WITH[conversation.state(world.now())],
        "state": _state_words(world, account, conversation),
        "typing": _is_thinking(world, conversation),
        "lines": [_line(world, account, line) for line in lines[-SHOWN_LINES:]],
    }


def _customer(world: World, account: KfAccount, person: str) -> dict[str, object]:
    customer, conversation = world.customers[person], account.conversations.get(person)
    lines = conversation.lines if conversation is not None else []
    return {"id": person, "name": customer.nickname, "age": customer.age, "count": len(lines)}


def _state_words(world: World, account: KfAccount, conversation: Conversation) -> str:
    match conversation.state(world.now()):
        case State.POOL:
            return "在排队等真人，没有真人接之前小安不插话"
        case State.HUMAN:
            return f"真人在接：{name_of(world, conversation.servicer)}"
        case State.ENDED if conversation.lines:
            return "这次会话结束了，再说一句就重新开始"
        case _:
            return f"{account.name}是智能助手，不是真人"


def _is_thinking(world: World, conversation: Conversation) -> bool:
    """Tell whether the last word is the customer's and the bot may still answer it."""
    now = world.now()
    if not conversation.lines or conversation.state(now) not in (State.NEW, State.ROBOT):
        return False
    last = conversation.lines[-1]
    return last.side == "customer" and not last.recalled and now - last.at < _THINKING_FOR


def _line(world: World, account: KfAccount, line: Line) -> dict[str, object]:
    shown: dict[str, object] = {"id": line.msgid, "at": local(line.at)}
    if line.recalled:
        return shown | {"who": "system", "text": "撤回了一条消息"}
    text, basis = split_basis(line.text) if line.side == "bot" else (line.text, [])
    name = account.name if line.side == "bot" else name_of(world, line.sender)
    shown |= {"who": _WHO[line.side], "name": name, "text": text, "basis": basis}
    if line.msgtype == "msgmenu":
        shown |= {"text": str(line.content.get("head_content", "")), "menu": _menu(line.content)}
    if line.msgtype == "upgrade_service":
        shown["menu"] = _invitation(world, line)
    if line.msgtype in ("image", "link"):
        shown[line.msgtype] = picture_or_link(line.msgtype, line.content)
    return shown


def picture_or_link(msgtype: str, payload: Mapping[str, object]) -> dict[str, str]:
    """Return what the page needs to show a picture or a link card."""
    if msgtype == "image":
        media_id = str(payload.get("media_id") or "")
        return {"src": f"/stage/media/{media_id}" if media_id else ""}
    title, words = str(payload.get("title") or ""), str(payload.get("desc") or "")
    return {"title": title, "text": words, "url": str(payload.get("url") or "")}


def _menu(content: Mapping[str, object]) -> list[dict[str, str]]:
    items = content.get("list", [])
    found = []
    for item in items if isinstance(items, list) else []:
        click = item.get("click") if item.get("type") == "click" else None
        if isinstance(click, Mapping):
            found.append({"id": str(click.get("id", "")), "text": str(click.get("content", ""))})
    return found


def _invitation(world: World, line: Line) -> list[dict[str, str]]:
    """Return the one thing to press on an invitation of 升级服务."""
    target = str(line.content.get("target", ""))
    if line.content.get("type") == _TO_A_MEMBER:
        return [{"id": _ACCEPT, "text": f"加{name_of(world, target)}为好友"}]
    group = world.groups.groups.get(target)
    return [{"id": _ACCEPT, "text": f"进群{f'「{group.name}」' if group is not None else ''}"}]


def say(world: World, call: Call) -> None:
    """Let a customer write to the bank."""
    world.kf.customer_says(_account_id(world), call.text("customer"), words(call, _LONGEST_TEXT))


def enter(world: World, call: Call) -> None:
    """Let a customer open the chat, unless he was in it within two days."""
    open_kfid, person = _account_id(world), call.text("customer")
    conversation, now = world.kf.conversation(open_kfid, person), world.now()
    entered = conversation.entered_at
    if conversation.lines or (entered is not None and now < entered + timedelta(days=2)):
        return
    world.kf.enter(open_kfid, person)


def click(world: World, call: Call) -> None:
    """Let a customer press an item of a menu message, or take an invitation."""
    account, person, item = _account_id(world), call.text("customer"), call.text("item")
    if item == _ACCEPT:
        accepts_upgrade(world, account, person)
    else:
        world.kf.customer_clicks(account, person, item)


def words(call: Call, longest: int) -> str:
    """Return the text of a call without blanks around it; refuse none and too many."""
    text = call.text("text", required=False).strip()
    if not text:
        raise Refused("请先写一句话")
    if len(text) > longest:
        raise Refused(f"太长了，请控制在 {longest} 个字以内")
    return text


def _account_id(world: World) -> str:
    account = account_of(world)
    if account is None:
        raise Refused("还没有开通微信客服")
    return account.open_kfid
