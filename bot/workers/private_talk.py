"""What customers write to their manager alone, as the archive has it.

The manager answers himself. Scripts hear what they listen for, and danger, complaints and
refusals count wherever they are said; words that are to be said back are drafted for the manager.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.answering.answer import Question
from bot.answering.persona import with_defaults
from bot.answering.red_flags import FRAUD, RedFlag
from bot.domain.actions import PlainAction
from bot.domain.compliance import mask
from bot.domain.events import PrivateMessageReceived
from bot.domain.happening import EventKind, Happened
from bot.domain.lead import Lead
from bot.domain.steps import Intent
from bot.domain.variables import variables_for
from bot.ports import Clock
from bot.sop.listen import says_yes, wants_news_again
from bot.sop.listening import Heard, Listening, Refusal
from bot.storage.db import Database, Tx
from bot.storage.inbox import ClaimedEvent
from bot.workers.adoption import note_use
from bot.workers.content import Content
from bot.workers.drafting import Place, put_draft
from bot.workers.effects import Effects, Occasion
from bot.workers.happenings import Happenings
from bot.workers.kf_words import REFUSED, RESTORED
from bot.workers.listening import Speaker, count_reply, is_first, note_heard, read_listening
from bot.workers.noticing import Noticing

_RECORDED = (PlainAction.RECORD_REFUSAL, PlainAction.WITHDRAW_CONSENT)


@dataclass(frozen=True)
class _Scene:
    """What was read; ``asking`` are the leads whose question the manager has sent."""

    name: str
    text: str  # masked
    listening: Listening
    asking: tuple[Lead, ...]


class PrivateTalk:
    """Hears for scripts what is said between a customer and a manager."""

    def __init__(
        self, database: Database, content: Content, effects: Effects, clock: Clock
    ) -> None:
        self._database = database
        self._content = content
        self._effects = effects
        self._noticing = Noticing(content, effects)
        self._happenings = Happenings(content.script)
        self._clock = clock

    async def message(self, claimed: ClaimedEvent, event: PrivateMessageReceived) -> None:
        """Work on one message of a customer's, or look what the manager made of a draft."""
        trouble = None if event.staff else await self._content.answerer.trouble(event.text)
        now = self._clock.now()
        async with self._database.begin() as tx:
            if not await tx.inbox.finish_event(claimed):
                return
            if event.staff:
                rules, by, at = self._content.snapshot.rules, event.manager, event.sent_at
                await note_use(tx, event.customer, by, event.text, at, now, rules=rules, names={})
                await self._effects.desk.spoke(tx, event.customer, by, at)
                return
            await self._effects.desk.waits(tx, event.customer, event.msgid, event.sent_at)
            await tx.ledger.add("message_in", event.customer, event.sent_at, plane="private")
            await self._happenings.tell(tx, [_replied(event)], now)
            scene = await self._read(tx, event)
            if trouble is not None:
                await self._alarmed(tx, event, scene, trouble.flag, now)
            elif not await self._consented(tx, event, scene, now):
                await self._listened(tx, event, scene, now)

    async def _read(self, tx: Tx, event: PrivateMessageReceived) -> _Scene:
        known = await tx.people.customer(event.customer)
        asking = [
            lead
            for lead in await tx.leads.asking(event.customer, "")
            if await tx.drafts.was_sent(event.customer, event.customer, lead.opened_at)
        ]
        return _Scene(
            name=(known.name if known else "") or "客户",
            text=mask(event.text, self._content.snapshot.rules) or f"[{event.form}]",
            listening=await read_listening(tx, self._content, event.customer),
            asking=tuple(asking),
        )

    async def _alarmed(
        self,
        tx: Tx,
        event: PrivateMessageReceived,
        scene: _Scene,
        flag: RedFlag,
        now: datetime,
    ) -> None:
        """Call a person, and draft what is to be said at once."""
        own = scene.listening.intends(Intent.BEING_DEFRAUDED) if flag is FRAUD else None
        if own is not None:
            await self._follow(tx, event, scene, own, now)
            return
        await self._effects.carry_out(tx, flag.actions, _occasion(event, scene), now)
        await self._draft(tx, event, scene, flag.words, (), now)

    async def _consented(
        self, tx: Tx, event: PrivateMessageReceived, scene: _Scene, now: datetime
    ) -> bool:
        """Carry out a refusal, its end, or the reply to a question for consent."""
        scripts = self._content.snapshot.scripts.values()
        refusal = scene.listening.refuses(event.text, scripts) if event.text else None
        if refusal is not None:
            occasion = _occasion(event, scene, refusal=refusal)
            await self._effects.refuse(tx, occasion, now)
            own = refusal.run is not None
            rest = [one for one in refusal.actions if own and one not in _RECORDED]
            await self._effects.carry_out(tx, rest, occasion, now)
            words = refusal.reply if own else ""
            await self._draft(tx, event, scene, words or REFUSED, (), now)
            return True
        occasion = _occasion(event, scene)
        if wants_news_again(event.text):
            await self._effects.restore(tx, occasion, now)
            await self._draft(tx, event, scene, RESTORED, (), now)
            return True
        agreed = says_yes(event.text) if scene.asking else None
        if agreed is None:
            return False
        await self._effects.consent(tx, scene.asking, occasion, agreed=agreed, now=now)
        return True

    async def _listened(
        self, tx: Tx, event: PrivateMessageReceived, scene: _Scene, now: datetime
    ) -> None:
        """Do what a script asks for at these words, or at any words."""
        heard = scene.listening.hears(event.text) if event.text else None
        if heard is not None:
            await self._follow(tx, event, scene, heard, now)
            return
        hoped = scene.listening.hopes(event.text, event.form, event.sent_at)
        if hoped is not None:
            await count_reply(tx, hoped, _speaker(event))
        else:
            await self._noticing.in_private(tx, _occasion(event, scene), now)
        heard, who = scene.listening.hears_anything(event.sent_at), _speaker(event)
        if heard is None or not await is_first(tx, heard, who, scene.listening.had[0].opened_at):
            return
        await note_heard(tx, heard, who, anything=True)
        await self._follow(tx, event, scene, heard, now)

    async def _follow(
        self, tx: Tx, event: PrivateMessageReceived, scene: _Scene, heard: Heard, now: datetime
    ) -> None:
        listen = heard.listen
        occasion = _occasion(event, scene, heard=heard)
        done = await self._effects.carry_out(tx, listen.actions, occasion, now)
        await note_heard(tx, heard, _speaker(event))
        words: list[str] = []
        sources: list[str] = []
        for qa in done.recite:
            question = Question(
                text=event.text, plane="private", variables=self._variables(event, scene, now)
            )
            recited = self._content.answerer.recite(qa, question, now)
            words.append(recited.text)
            sources += [citation.plain for citation in recited.citations]
        asks = any(lead.stage == "asking" for lead in done.leads)
        words.append((listen.ask_first if asks else listen.reply) or "")
        said = "\n".join(filter(None, words))
        if said:
            await self._draft(tx, event, scene, said, tuple(sources), now)

    async def _draft(
        self,
        tx: Tx,
        event: PrivateMessageReceived,
        scene: _Scene,
        words: str,
        sources: tuple[str, ...],
        now: datetime,
    ) -> None:
        await put_draft(
            tx,
            Place(event.customer, event.manager, event.customer, scene.name),
            key=f"draft:{event.msgid}",
            question=scene.text,
            words=words,
            sources=sources,
            variables=self._variables(event, scene, now),
            rules=self._content.snapshot.rules,
            now=now,
        )

    def _variables(
        self, event: PrivateMessageReceived, scene: _Scene, now: datetime
    ) -> dict[str, str]:
        bank = self._content.bank
        values = variables_for(
            bank,
            today=now.astimezone(bank.zone).date(),
            manager=event.manager,
            kf_link=self._content.kf_link,
            customer_name=scene.name,
        )
        return with_defaults(values)


def _occasion(
    event: PrivateMessageReceived,
    scene: _Scene,
    *,
    heard: Heard | None = None,
    refusal: Refusal | None = None,
) -> Occasion:
    occasion = Occasion(
        key=event.msgid,
        customer=event.customer,
        quote=scene.text,
        at=event.sent_at,
        source="单独聊天",
        owner=event.manager,
    )
    return occasion.of_script(heard, refusal)


def _speaker(event: PrivateMessageReceived) -> Speaker:
    return Speaker(event.customer, event.customer, event.text, event.sent_at)


def _replied(event: PrivateMessageReceived) -> Happened:
    return Happened(
        key=f"replied:{event.msgid}",
        kind=EventKind.REPLIED,
        subject=event.customer,
        at=event.sent_at,
        manager=event.manager,
        facts={"form": event.form},
    )
