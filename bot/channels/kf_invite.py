"""升级服务: a customer of 微信客服 is invited to a manager or into a group (§4.9)."""

from __future__ import annotations

from bot.domain.messages import KfInvite, Receipt
from bot.domain.session_moves import NOT_IN_RANGE
from bot.errors import Undeliverable, WeComError
from bot.wecom.kf import KfApi

_REFUSED = frozenset({60021, 40050})  # a member, a group that the console does not name


async def invite(api: KfApi, message: KfInvite) -> Receipt:
    """Send the invitation; skipped where the console does not offer this person or group."""
    found = await api.upgrade_range()
    named = (
        message.chat in found.chat_ids
        if message.chat
        else message.to in found.userids or found.departments
    )
    if not named:
        return Receipt(skipped=NOT_IN_RANGE)
    target = {"chat_id": message.chat} if message.chat else {"userid": message.to}
    try:
        await api.upgrade_service(
            message.account, message.customer, wording=message.words, **target
        )
    except WeComError as error:
        if error.errcode in _REFUSED:
            raise Undeliverable(NOT_IN_RANGE) from error
        raise
    return Receipt(ref=message.chat or message.to)
