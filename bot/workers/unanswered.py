"""A reply that could not be delivered: its question goes to a person."""

from __future__ import annotations

from datetime import datetime

from bot.domain.actions import OpenLead
from bot.domain.delivery import Terms
from bot.domain.ids import CustomerId
from bot.domain.lead import Lead, Need
from bot.domain.waiting import answer_keys
from bot.storage.db import Tx
from bot.workers.effects import Effects, Occasion

_WHY = {
    "fail_type_4": "会话已过 48 小时，小安发不出去",
    "fail_type_5": "会话已结束，小安发不出去",
    "fail_type_6": "一问五条已发满",
    "fail_type_10": "客户拒收客服消息",
    "fail_type_11": "没有同事登录企业微信",
    "fail_type_12": "微信不让发这种消息",
    "fail_type_13": "被微信安全限制拦下",
    "wecom_95001": "一问五条已发满",
    "wecom_95002": "已过 48 小时，小安发不出去",
    "five_messages_used": "一问五条已发满",
    "reply_window_closed": "已过 48 小时，小安发不出去",
}
_NOT_DELIVERED = "小安的回复没送到"


class Unanswered:
    """Brings a person where the bot's own answer did not arrive."""

    def __init__(self, effects: Effects) -> None:
        self.effects = effects

    async def see_to(
        self, tx: Tx, key: str, terms: Terms, reason: str, now: datetime
    ) -> Lead | None:
        """Open a lead for the question of an answer that did not arrive, once; return it.

        An answer without a question of its own brought a person already, or needs none.
        """
        if terms.purpose != "answer" or not terms.asked:
            return None
        parts = [part for msgid in terms.answers[-1:] for part in answer_keys(msgid) if part != key]
        await tx.unsent.take_back(parts, "part_failed", now)
        occasion = Occasion(
            key=key,
            customer=CustomerId(terms.subject),
            quote=terms.asked,
            at=now,
            source="微信客服",
            cautions=(_WHY.get(reason, _NOT_DELIVERED),),
        )
        action = OpenLead(need=Need.UNANSWERED)
        done = await self.effects.carry_out(tx, [action], occasion, now)
        return done.leads[-1] if done.leads else None
