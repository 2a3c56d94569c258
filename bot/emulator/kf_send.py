"""The kf APIs that send: the 48 hours, the five, the states, and the one-time codes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.emulator.kf_content import check_content
from bot.emulator.kf_state import (
    CODE_STATE,
    CODE_TYPES,
    Code,
    Conversation,
    KfAccount,
    Line,
)
from bot.emulator.kf_text import plain_text
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

_MSGID = re.compile(r"[0-9a-zA-Z_-]{1,32}")
_CUSTOMER_REFUSES = 10


async def _send_msg(world: World, call: Call) -> Answer:
    external_userid = call.text("touser", code=40096)
    account = world.kf.account(call.text("open_kfid", max_bytes=64, code=60251))
    conversation = world.kf.conversation(account.open_kfid, external_userid)
    msgtype, payload = check_content(world, call)
    msgid = _claim_msgid(world, account, call)
    conversation.check_may_send(world.now())
    conversation.sent_since += 1
    _deliver(world, account, conversation, msgid, msgtype, payload, "kf_send_msg")
    return {"msgid": msgid}


async def _send_msg_on_event(world: World, call: Call) -> Answer:
    code = _open_code(world, call.text("code", code=world.assumed.bad_event_code))
    msgtype, payload = check_content(world, call)
    if msgtype not in CODE_TYPES[code.kind]:
        raise ApiError(40008)
    account = world.kf.account(code.open_kfid)
    conversation = world.kf.conversation(code.open_kfid, code.external_userid)
    wanted = CODE_STATE[code.kind]
    if wanted is not None and conversation.state(world.now()) is not wanted:
        raise ApiError(95018)
    msgid = _claim_msgid(world, account, call)
    code.used = True
    if code.kind == "welcome":
        conversation.welcomed_at = world.now()
    _deliver(world, account, conversation, msgid, msgtype, payload, "kf_send_msg_on_event")
    return {"msgid": msgid}


def _open_code(world: World, value: str) -> Code:
    code = world.kf.codes.get(value)
    if code is None or code.used or code.expires_at < world.now():
        raise ApiError(world.assumed.bad_event_code)
    return code


def _claim_msgid(world: World, account: KfAccount, call: Call) -> str:
    """Return the caller's msgid or a new one; refuse one this account has seen."""
    msgid = call.text("msgid", required=False) or world.new_id("")
    if not _MSGID.fullmatch(msgid):
        raise ApiError(40058, "msgid must be 1 to 32 of 0-9 a-z A-Z _ -")
    if msgid in account.used_msgids:
        raise ApiError(world.assumed.repeated_kf_msgid, "msgid was used before")
    return msgid


def _deliver(
    world: World,
    account: KfAccount,
    conversation: Conversation,
    msgid: str,
    msgtype: str,
    payload: dict[str, object],
    source: str,
) -> None:
    """Let the customer have the message, or report later that he has not."""
    account.used_msgids.add(msgid)
    fault = world.faults.take("kf/send_msg", "send_fail") if source == "kf_send_msg" else None
    if fault is not None or conversation.refuses:
        fail_type = fault.fail_type if fault is not None else _CUSTOMER_REFUSES
        world.kf.emit(
            account.open_kfid,
            "msg_send_fail",
            conversation.external_userid,
            fail_msgid=msgid,
            fail_type=fail_type,
        )
        return
    text, now = plain_text(msgtype, payload), world.now()
    line = Line(msgid, "bot", account.open_kfid, msgtype, payload, text, now)
    conversation.lines.append(line)
    world.deliveries.add(
        "kf",
        to=conversation.external_userid,
        sender=account.open_kfid,
        text=text,
        at=now,
        source=source,
        meta={"open_kfid": account.open_kfid, "msgid": msgid, "msgtype": msgtype},
    )


APIS: tuple[Api, ...] = (
    Api("POST", "kf/send_msg", _send_msg),
    Api("POST", "kf/send_msg_on_event", _send_msg_on_event),
)
