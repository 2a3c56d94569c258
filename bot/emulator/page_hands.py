"""What the bank's people do with their hands on the page: press, send, attach, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.emulator.app import InboxItem
from bot.emulator.attachments import Part
from bot.emulator.broadcast_owner import confirm as send_task
from bot.emulator.client_talk import Talk, post, talk_named
from bot.emulator.group_actions import attach_welcome
from bot.emulator.group_book import Group
from bot.emulator.page_customer import account_of, words
from bot.emulator.page_staff import kind_of, row_of
from bot.emulator.page_words import Refused
from bot.emulator.wire import ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

_LONGEST_TEXT = 1000
_CUT = "…"
_GREYED = 42017
_REASSIGN = ":reassign"


def press(world: World, call: Call) -> None:
    """Press a button of a card; 已挂上 attaches the newest welcome material as the owner would."""
    item, key = _pressable(world, call)
    chosen = call.inside("selected", required=False)
    selected = {question: chosen.strings(question) for question in chosen.body}
    if key.endswith(_REASSIGN) and not any(selected.values()):
        raise Refused("请先选一位同事，再点转派")
    if kind_of(item) == "welcome" and key.endswith(":sent"):
        _attach(world, item)
    world.app_messages.press(item.userid, item.msgid, key, selected)


def confirm(world: World, call: Call) -> None:
    """Press 发送 on a mass-send task; where the owner may choose, all his groups are meant."""
    userid, msgid = call.text("userid"), call.text("msgid")
    broadcast = world.broadcasts.need(msgid)
    if not broadcast.is_open_for(userid):
        raise Refused("这条群发已经发过或撤回了")
    chosen = None
    if broadcast.chat_type == "group" and not broadcast.tasks[userid].outcomes:
        chosen = [group.chat_id for group in world.groups.owned_by(userid)]
    send_task(world, msgid, userid, chosen=chosen)


def send_draft(world: World, call: Call) -> None:
    """Post a card's words into its chat as the member, then press the button that says so.

    In WeCom this is one tap in the chat's sidebar: the words leave by the person's hand.
    """
    item, key = _pressable(world, call)
    text = words(call, _LONGEST_TEXT)
    talk = _chat(world, item, call.text("chat", required=False))
    if talk is None:
        raise Refused("找不到要发的聊天，请自己到聊天里发，再点卡片上的按钮")
    post(world, item.userid, talk, Part("text", {"content": text}), sidebar=True)
    world.app_messages.press(item.userid, item.msgid, key)


def reply(world: World, call: Call) -> None:
    """Answer a customer in 微信客服 as a person."""
    account = account_of(world)
    if account is None:
        raise Refused("还没有开通微信客服")
    text = words(call, _LONGEST_TEXT)
    world.kf.servicer_says(account.open_kfid, call.text("customer"), call.text("userid"), text)


def _pressable(world: World, call: Call) -> tuple[InboxItem, str]:
    item = world.app_messages.item(call.text("userid"), call.text("msgid"))
    key = call.text("key")
    # A second tap before the card is greyed would post or count twice.
    if key not in item.buttons or key in item.pressed:
        raise ApiError(_GREYED)
    return item, key


def _attach(world: World, item: InboxItem) -> None:
    group = _group(world, item, "")
    newest = next(reversed(world.groups.templates.items), "")
    if group is not None and newest:
        attach_welcome(world, group.chat_id, newest)


def _chat(world: World, item: InboxItem, chat_id: str) -> Talk | None:
    """Return the chat that a card's words are for: a customer's own, or a group of the owner's."""
    customer = row_of(item, "客户")
    if customer and not chat_id:
        return talk_named(world, item.userid, "", customer)
    group = _group(world, item, chat_id)
    return Talk("group", group.chat_id) if group is not None else None


def _group(world: World, item: InboxItem, chat_id: str) -> Group | None:
    """Return the owner's group that a card means, by id or by the name in its row 群."""
    owned = world.groups.owned_by(item.userid)
    if chat_id:
        return next((group for group in owned if group.chat_id == chat_id), None)
    name = row_of(item, "群")
    exact = next((group for group in owned if group.name == name), None)
    if exact is not None:
        return exact
    if name.endswith(_CUT):
        start = name.removesuffix(_CUT)
        return next((g for g in owned if " ".join(g.name.split()).startswith(start)), None)
    return owned[0] if len(owned) == 1 and not name else None
