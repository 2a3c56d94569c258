"""What moves a customer's 微信客服 session, or leads the customer on from it."""

from __future__ import annotations

from typing import Literal

from bot.domain.ids import CustomerId, GroupChatId, KfAccountId, RmId
from bot.domain.value import Value

NOT_IN_RANGE = "not_in_upgrade_range"
"""Why nobody was invited: the console does not offer this person or group (升级服务)."""


class KfHandover(Value):
    """Give a customer's session to a person, or to the waiting pool where ``to`` is empty.

    ``pool`` gives it to the pool although ``to`` is wanted: that person did not come before.
    """

    kind: Literal["kf_handover"] = "kf_handover"
    account: KfAccountId
    customer: CustomerId
    to: RmId | None = None
    pool: bool = False


class KfRelease(Value):
    """End a person's session, so that the customer's next word is the bot's again (§4.7)."""

    kind: Literal["kf_release"] = "kf_release"
    account: KfAccountId
    customer: CustomerId
    ticket: int
    how: Literal["given_back", "waited", "idle"]


class KfInvite(Value):
    """Invite a customer to a manager or into a group (升级服务, §4.9); who pressed is ``by``."""

    kind: Literal["kf_invite"] = "kf_invite"
    account: KfAccountId
    customer: CustomerId
    ticket: int
    to: RmId
    chat: GroupChatId | Literal[""] = ""
    words: str
    by: RmId | Literal[""] = ""
