"""What people write in a customer group: no program may answer there, so the owner gets a draft."""

from __future__ import annotations

from datetime import datetime

from bot.answering.answer import Question
from bot.answering.red_flags import FRAUD
from bot.domain.actions import HandOver, OpenLead
from bot.domain.compliance import mask
from bot.domain.events import GroupMessageReceived
from bot.domain.ids import CustomerId, RmId
from bot.domain.knowledge import Answer, AnswerKind
from bot.domain.people import Customer
from bot.domain.steps import Intent
from bot.ports import Clock
from bot.sop.listen import says_yes, wants_news_again
from bot.sop.listening import Heard, Refusal
from bot.storage.db import Database, Tx
from bot.storage.inbox import ClaimedEvent
from bot.workers.adoption import note_use
from bot.workers.content import Content
from bot.workers.effects import Effects
from bot.workers.group_answers import GroupAnswers
from bot.workers.group_scene import Scene, occasion_of, read_scene, replied, speaker_of
from bot.workers.happenings import Happenings
from bot.workers.kf_words import RESTORED
from bot.workers.listening import count_reply, is_first, note_heard
from bot.workers.noticing import Noticing
from bot.workers.wished import wished, wishes


class GroupTalk:
    """Hears what a step listens for, and drafts answers to questions."""

    def __init__(
        self,
        database: Database,
        content: Content,
        effects: Effects,
        clock: Clock,
    ) -> None:
        self._database = database
        self._content = content
        self._effects = effects
        self._answers = GroupAnswers(content)
        self._noticing = Noticing(content, effects)
        self._happenings = Happenings(content.script)
        self._clock = clock

    async def message(self, claimed: ClaimedEvent, event: GroupMessageReceived) -> None:
        """Work on one group message."""
        scene = None if event.staff else await read_scene(self._database, self._content, event)
        answer = None
        if scene is not None and await self._asks(event, scene):
            answer = await self._answers.think(event, scene, self._clock.now())
        now = self._clock.now()
        async with self._database.begin() as tx:
            if not await tx.inbox.finish_event(claimed):
                return
            if answer is not None or event.staff:  # before all rows of runs, as everywhere
                await tx.drafts.hold_chat(event.chat)
            text = mask(event.text, self._content.snapshot.rules) or f"[{event.form}]"
            await tx.conversations.add_turn(event.chat, event.sender, text, event.sent_at)
            if scene is None:
                kind = "staff_in_group" if event.staff else "message_outside"
                await tx.ledger.add(kind, event.chat, event.sent_at)
                if event.staff:
                    await tx.runs.wake_tasks(event.chat, now)
                    await self._used(tx, event, now)
                return
            await tx.ledger.add("message_in", event.chat, event.sent_at, plane="group")
            await self._know(tx, event, scene, now)
            await self._happenings.tell(tx, [replied(event)], now)
            await self._write(tx, event, scene, answer, text, now)

    async def _asks(self, event: GroupMessageReceived, scene: Scene) -> bool:
        """Tell whether words are a question that nothing in the script has an answer for."""
        if event.form != "text":
            return False
        if await self._content.answerer.trouble(event.text) is not None:
            return True  # before all else: somebody may be losing money
        if self._refused(event.text, scene) is not None:
            return False
        if scene.asking and says_yes(event.text) is not None:
            return False
        listening = scene.listening
        if listening.hears(event.text) is not None or listening.names(event.text):
            return False
        return self._answers.asks(event, scene)

    async def _used(self, tx: Tx, event: GroupMessageReceived, now: datetime) -> None:
        """Look what became of the drafts for this group."""
        if event.form != "text":
            return
        group = await tx.people.group(event.chat)
        names = {member.id: member.name for member in group.customers} if group else {}
        rules, by, at = self._content.snapshot.rules, event.sender, event.sent_at
        used = await note_use(tx, event.chat, by, event.text, at, now, rules=rules, names=names)
        for asker in used.askers if used is not None else ():
            await self._effects.desk.spoke(tx, CustomerId(asker.id), RmId(by), at)

    async def _know(self, tx: Tx, event: GroupMessageReceived, scene: Scene, now: datetime) -> None:
        """Give somebody whom WeCom's contact list does not name the name they have in the group."""
        customer = CustomerId(event.sender)
        known = await tx.people.customer(customer) or Customer(id=customer)
        if not known.name and scene.asker:
            named = known.model_copy(update={"name": scene.asker})
            await tx.people.put_customer(named, now)

    async def _write(
        self,
        tx: Tx,
        event: GroupMessageReceived,
        scene: Scene,
        answer: Answer | None,
        text: str,
        now: datetime,
    ) -> None:
        """Do what the words ask for: consent, refusal, what a step listens for, then a draft."""
        if answer is not None:
            if wishes(answer, text):  # who is told of it need not be told that it has no answer
                answer = wished(answer, "")
            await self._answered(tx, event, scene, answer, text, now)
            if answer.kind is not AnswerKind.RED_FLAG:
                await self._heard_anything(tx, event, scene, text, now, silent=True)
            # What the answer itself makes a lead of is not heard a second time.
            if not any(isinstance(one, HandOver | OpenLead) for one in answer.actions):
                await self._noticing.in_group(tx, event, scene, text, now)
            return
        if await self._consented(tx, event, scene, text, now):
            return
        heard = scene.listening.hears(event.text)
        if heard is not None:
            await self._listened(tx, event, scene, heard, text, now)
            return
        hoped = scene.listening.hopes(event.text, event.form, event.sent_at)
        if hoped is not None:
            await count_reply(tx, hoped, speaker_of(event))
        else:
            await self._noticing.in_group(tx, event, scene, text, now)
        await self._heard_anything(tx, event, scene, text, now)

    async def _consented(
        self, tx: Tx, event: GroupMessageReceived, scene: Scene, text: str, now: datetime
    ) -> bool:
        """Carry out a refusal, its end, or the reply to a question for consent."""
        refused = self._refused(event.text, scene)
        if refused is not None:
            occasion = occasion_of(event, scene, text, refused=refused)
            await self._effects.carry_out(tx, refused.actions, occasion, now)
            await self._answers.draft(tx, event, scene, refused.reply, (), now)
            return True
        occasion = occasion_of(event, scene, text)
        if wants_news_again(event.text):
            await self._effects.restore(tx, occasion, now)
            await self._answers.draft(tx, event, scene, RESTORED, (), now)
            return True
        agreed = says_yes(event.text) if scene.asking else None
        if agreed is None:
            return False
        await self._effects.consent(tx, scene.asking, occasion, agreed=agreed, now=now)
        return True

    async def _heard_anything(
        self,
        tx: Tx,
        event: GroupMessageReceived,
        scene: Scene,
        text: str,
        now: datetime,
        *,
        silent: bool = False,
    ) -> None:
        """Do what the newest step does at any reply, once for each member; ``silent``: no draft."""
        heard, who = scene.listening.hears_anything(event.sent_at), speaker_of(event)
        if heard is None or (silent and heard.listen.ask_first):
            return  # who is to be asked first is asked at the next line that is no question
        if not await is_first(tx, heard, who, scene.listening.had[0].opened_at):
            return
        await note_heard(tx, heard, who, anything=True)
        await self._listened(tx, event, scene, heard, text, now, silent=silent)

    def _refused(self, text: str, scene: Scene) -> Refusal | None:
        """Return what a refusal brings about; it counts where no script runs, too."""
        return scene.listening.refuses(text, self._content.snapshot.scripts.values())

    async def _listened(
        self,
        tx: Tx,
        event: GroupMessageReceived,
        scene: Scene,
        heard: Heard,
        text: str,
        now: datetime,
        *,
        silent: bool = False,
    ) -> None:
        listen = heard.listen
        occasion = occasion_of(event, scene, text, heard)
        done = await self._effects.carry_out(tx, listen.actions, occasion, now)
        await note_heard(tx, heard, speaker_of(event))
        words: list[str] = []
        sources: list[str] = []
        for qa in done.recite:
            variables = self._answers.variables(scene, now)
            question = Question(text=event.text, plane="group", variables=variables)
            recited = self._content.answerer.recite(qa, question, now)
            words.append(recited.text)
            sources += [citation.plain for citation in recited.citations]
        asking = any(one.stage == "asking" for one in done.leads)
        words.append((listen.ask_first if asking else listen.reply) or "")
        said = "\n".join(filter(None, words))
        if said and not silent:
            await self._answers.draft(tx, event, scene, said, tuple(sources), now)

    async def _answered(
        self,
        tx: Tx,
        event: GroupMessageReceived,
        scene: Scene,
        answer: Answer,
        text: str,
        now: datetime,
    ) -> None:
        defrauded = answer.reason.startswith(FRAUD.name)
        meant = scene.listening.intends(Intent.BEING_DEFRAUDED) if defrauded else None
        if meant is None and not await self._needs_nobody(tx, event, scene, answer):
            occasion = occasion_of(event, scene, text)
            await self._effects.carry_out(tx, answer.actions, occasion, now)
        await tx.ledger.add(
            f"answer_{answer.kind.value}",
            event.chat,
            now,
            plane="group",
            sources=[citation.document_id for citation in answer.citations],
            confidence=round(answer.confidence, 3),
            reason=answer.reason,
            asker=event.sender,
            asked_at=event.sent_at.isoformat(),
        )
        if meant is not None:  # the script has its own words and limits for this
            await self._listened(tx, event, scene, meant, text, now)
        elif answer.kind is AnswerKind.RED_FLAG:
            await self._answers.draft(tx, event, scene, answer.text, (), now)
        elif answer.answered:
            await self._answers.put(tx, event, scene, answer, now)

    async def _needs_nobody(
        self, tx: Tx, event: GroupMessageReceived, scene: Scene, answer: Answer
    ) -> bool:
        """Tell whether what the bot cannot answer was answered by a person meanwhile."""
        if answer.kind is not AnswerKind.DECLINED:
            return False
        return await self._answers.answered_by_person(tx, event, scene)
