"""What somebody is told who holds a card of a step that is over; pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.hold import TERMINATED
from bot.domain.withdrawal import WITHDRAWN

DONE_BY_COLLEAGUE = "done_by_colleague"
_MOST_NAMES = 20
_WHY = {
    DONE_BY_COLLEAGUE: "同事已经办好了",
    TERMINATED: "这一步已经终止",
    WITHDRAWN: "这一步的文字已下架",
    "asked_to_leave": "对方请我们别再发了",
    "customer_erased": "对方要求删除自己的资料",
    "complaint": "有客户投诉，先停下来",
    "customer_lost": "已经不是好友了",
    "customer_refused": "客户表示不想再收到了",
    "friend_lost": "已经不是好友了",
    "group_dismissed": "群已经解散",
    "large_deposit": "客户已经办好了",
    "lead_won": "客户已经办好了",
    "marketing_refused": "客户表示不想再收到营销内容，或者有人投诉",
    "owner_changed": "群已经换了群主，会请新的群主来办",
    "product_stopped": "客户表示不想再收到产品内容，或者有人投诉",
    "superseded": "有更要紧的内容要先发给对方",
}
_OTHERWISE = "这一步已经用不着了"


def call_back_words(names: Sequence[str], reason: str, *, task: bool) -> str:
    """Return kind words to one member of staff: whom it is about, what not to do, and why.

    The card keeps its buttons: who has sent it already can still say so, and it is counted.
    """
    said = "、".join(f"「{name}」" for name in names[:_MOST_NAMES])
    more = "" if len(names) <= _MOST_NAMES else f"等 {len(names)} 个"
    why = _WHY.get(reason, _OTHERWISE)
    if task:
        asked, left, done = "请您办的那件事，现在不用办了", "还没办的请不要再办", "已经办完的"
    else:
        asked, left, done = "请您发的那一条，现在不用发了", "还没发的请不要再发", "已经发了的"
    return (
        f"之前卡片上{asked}：{said}{more}。因为{why}。"
        f"{left}；{done}，照常在卡片上点一下，我会记下。谢谢您。"
    )
