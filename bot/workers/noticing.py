"""Hears what may become business in customers' words, and asks before a manager is told (S21).

Who wishes for something outright has a manager at once. Who is only interested is asked: at the
end of the answer on 微信客服, elsewhere by his own manager, who gets the question as a draft. In a
group nobody is asked before the others.
"""

from __future__ import annotations

from datetime import datetime

from bot.answering.persona import with_defaults
from bot.domain.events import GroupMessageReceived
from bot.domain.ids import RmId
from bot.domain.knowledge import AnswerKind
from bot.domain.lead import Lead
from bot.domain.variables import variables_for
from bot.leads.draft_use import ask_key
from bot.leads.intents import intent_of
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.drafting import Place, put_draft
from bot.workers.effects import Effects, Occasion
from bot.workers.group_scene import Scene as GroupScene
from bot.workers.group_scene import occasion_of as group_occasion
from bot.workers.kf_scene import Reading
from bot.workers.thinking import Thought
from bot.workers.wished import TOLD, WISHED

ASKS = "要是方便，我请{经理.称呼}跟您细说，回「好」就行，不用也没关系。"
ASKS_OF_A_GROUP = (
    "您好，看到您在群里问起{事由}。要不要我单独跟您细说？回「好」就行，不方便也不要紧。"
)
_ANSWERS = frozenset(
    {AnswerKind.APPROVED, AnswerKind.WRITTEN, AnswerKind.DECLINED, AnswerKind.COURTESY}
)


class Noticing:
    """Opens leads for needs that are heard; the caller's transaction has everything."""

    def __init__(self, content: Content, effects: Effects) -> None:
        self._content = content
        self._effects = effects

    async def in_kf(
        self, tx: Tx, read: Reading, thought: Thought, occasion: Occasion, now: datetime
    ) -> str:
        """Hear a customer of 微信客服; return what is said of it after the answer, if anything."""
        if thought.answer.kind not in _ANSWERS or thought.meant.follows or thought.ratings:
            return ""
        lead = await self._heard(tx, occasion, now, can_ask=True)
        if lead is None or not _is_new(lead, now) or thought.answer.reason == WISHED:
            return ""
        return read.scene.words(ASKS if lead.stage == "asking" else TOLD)

    async def in_group(
        self, tx: Tx, event: GroupMessageReceived, scene: GroupScene, text: str, now: datetime
    ) -> None:
        """Hear a member of a group; his own manager gets the question, if it is the owner."""
        occasion = group_occasion(event, scene, text)
        known = await tx.people.customer(occasion.customer)
        owner = RmId(scene.group.owner)
        friend = known is not None and owner in known.managers
        lead = await self._heard(tx, occasion, now, can_ask=friend)
        if lead is None or lead.stage != "asking" or not _is_new(lead, now):
            return
        name = (known.name if known else "") or scene.asker or "客户"
        await self.ask(tx, lead, owner, name, ASKS_OF_A_GROUP, now)

    async def in_private(self, tx: Tx, occasion: Occasion, now: datetime) -> None:
        """Hear what a customer writes to the manager alone, who needs nobody's leave to know it."""
        await self._heard(tx, occasion, now, can_ask=False, is_told=True)

    async def ask(
        self, tx: Tx, lead: Lead, manager: RmId, name: str, words: str, now: datetime
    ) -> None:
        """Give a manager the question whether he may speak of it, to be sent with one tap."""
        bank = self._content.bank
        variables = variables_for(
            bank,
            today=now.astimezone(bank.zone).date(),
            manager=manager,
            kf_link=self._content.kf_link,
            customer_name=name,
        )
        quote = lead.evidence[-1].quote if lead.evidence else ""
        await put_draft(
            tx,
            Place(lead.customer, manager, lead.customer, name),
            key=ask_key(lead.id),
            question=quote or lead.need.value,
            words=words.replace("{事由}", lead.product or lead.need.value),
            sources=(),
            variables=with_defaults(variables),
            rules=self._content.snapshot.rules,
            now=now,
        )

    async def _heard(
        self,
        tx: Tx,
        occasion: Occasion,
        now: datetime,
        *,
        can_ask: bool,
        is_told: bool = False,
    ) -> Lead | None:
        intent = intent_of(occasion.quote)
        if intent is None:
            return None
        return await self._effects.notice(
            tx, intent, occasion, now, can_ask=can_ask, is_told=is_told
        )


def _is_new(lead: Lead, now: datetime) -> bool:
    """Tell whether a lead has just been opened: of one that stands nobody is told again."""
    return lead.opened_at == now and len(lead.evidence) == 1
