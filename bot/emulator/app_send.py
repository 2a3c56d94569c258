"""The APIs of a self-built app: message/send, update_template_card, recall."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.emulator import cards
from bot.emulator.app import EVERYBODY, InboxItem, Receivers
from bot.emulator.app_types import render
from bot.emulator.limits import DAY
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

_MAX_USERS, _MAX_PARTIES = 1000, 100


async def _send(world: World, call: Call) -> Answer:
    agent_id = _own_agent(call)
    receivers = _receivers(world, call, agent_id)
    msgtype, content, text = render(world, call)
    request = json.dumps(call.body, sort_keys=True)
    span = timedelta(seconds=call.integer("duplicate_check_interval", 1800, low=1, high=14400))
    if call.flag("enable_duplicate_check"):
        answer = world.app_messages.repeated(agent_id, request, span)
        if answer is not None:
            return answer
    share = world.limits.app_messages_per_member_day * len(world.members)
    count = len(receivers.userids)
    world.limits.spend(f"app:{agent_id}", world.now(), (DAY, share), count=count)
    msgid = world.new_id("")
    item = InboxItem(msgid, agent_id, "", msgtype, content.body, text, world.now())
    answer = {
        "invaliduser": "|".join(receivers.invalid_users),
        "invalidparty": "|".join(receivers.invalid_parties),
        "invalidtag": "|".join(receivers.invalid_tags),
        "unlicenseduser": "",
        "msgid": msgid,
    }
    if msgtype == "template_card":
        item = _as_card(item, content)
        if item.task_id:
            world.app_messages.claim_task_id(agent_id, item.task_id)
        if cards.has_response_code(content):
            answer["response_code"] = world.app_messages.new_code(agent_id, msgid)
    for userid in receivers.userids:
        world.app_messages.deliver(replace(item, userid=userid, pressed=[]))
    if call.flag("enable_duplicate_check"):
        world.app_messages.remember(agent_id, request, answer)
    return answer


async def _update_card(world: World, call: Call) -> Answer:
    agent_id = _own_agent(call)
    everybody = call.flag("atall")
    users = call.strings("userids", _MAX_USERS, code=40032)
    parties = _numbers(call, "partyids")
    tags = _numbers(call, "tagids")
    if not (everybody or users or parties or tags):
        raise ApiError(82001)
    card = call.inside("template_card", required=False)
    button = call.inside("button", required=False)
    if card.body:
        cards.check_card(card)
    else:
        button.text("replace_name")
    msgid = world.app_messages.use_code(agent_id, call.text("response_code", code=60140))
    address = EVERYBODY if everybody else "|".join(users)
    receivers = world.app_messages.resolve(agent_id, address, "|".join(parties), "|".join(tags))
    copies = world.app_messages.copies(msgid, receivers.userids)
    for copy in copies:
        if card.body:
            replace_card(copy, card)
        else:
            copy.replaced, copy.buttons, copy.menu = button.text("replace_name"), {}, {}
    held = {copy.userid for copy in copies}
    without = [] if everybody else [user for user in users if user not in held]
    return {"invaliduser": without}


async def _recall(world: World, call: Call) -> Answer:
    world.app_messages.recall(call.agent_id, call.text("msgid"))
    return {}


def _own_agent(call: Call) -> int:
    agent_id = call.integer("agentid", code=41011)
    if agent_id != call.agent_id:
        raise ApiError(40056)
    return agent_id


def _receivers(world: World, call: Call, agent_id: int) -> Receivers:
    users = call.text("touser", required=False)
    parties = call.text("toparty", required=False)
    tags = call.text("totag", required=False)
    if not (users or parties or tags):
        raise ApiError(82001)
    if users.count("|") >= _MAX_USERS:
        raise ApiError(40032)
    if parties.count("|") >= _MAX_PARTIES:
        raise ApiError(82002)
    if tags.count("|") >= _MAX_PARTIES:
        raise ApiError(82003)
    receivers = world.app_messages.resolve(agent_id, users, parties, tags)
    if not receivers.userids:
        raise ApiError(81013)
    return receivers


def _numbers(call: Call, key: str) -> list[str]:
    items = call.body.get(key, [])
    if not isinstance(items, list) or len(items) > _MAX_PARTIES:
        raise ApiError(82002 if key == "partyids" else 82003)
    return [str(item) for item in items]


def _as_card(item: InboxItem, card: Call) -> InboxItem:
    return replace(
        item,
        task_id=card.text("task_id", required=False),
        card_type=card.text("card_type"),
        buttons=cards.buttons(card),
        menu=cards.menu_actions(card),
    )


def replace_card(copy: InboxItem, card: Call) -> None:
    """Put another card in this one's place; with ``replace_text`` it can no more be pressed."""
    copy.content, copy.text = card.body, cards.card_text(card)
    copy.card_type = card.text("card_type")
    copy.replaced = card.text("replace_text", required=False)
    copy.task_id = card.text("task_id", required=False) or copy.task_id
    copy.buttons = {} if copy.replaced else cards.buttons(card)
    copy.menu = cards.menu_actions(card)


APIS: tuple[Api, ...] = (
    Api("POST", "message/send", _send),
    Api("POST", "message/update_template_card", _update_card),
    Api("POST", "message/recall", _recall),
)
