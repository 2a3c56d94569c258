"""What people write in a customer group: no program may answer there, so the owner gets a draft."""

from __future__ import annotations

from datetime import datetime

from bot.answering.answer import Question
from bot.answering.red_flags import FRAUD, red_flag
from bot.domain.compliance import mask
from bot.domain.delivery import Terms
from bot.domain.events import GroupMessageReceived
from bot.domain.ids import CustomerId, RmId
from bot.domain.knowledge import Answer, AnswerKind
from bot.domain.people import Customer, GroupChat
from bot.domain.render import UnknownVariable, render
from bot.domain.runs import RunStep
from bot.domain.script_parts import OptOut
from bot.domain.steps import Intent, Listen, Step
from bot.domain.variables import variables_for
from bot.leads.cards import draft_card
from bot.leads.desk import LeadDesk
from bot.ports import Clock
from bot.sop.listen import (
    is_refusal,
    plain,
    says_yes,
    sounds_like_question,
    wants_news_again,
)
from bot.storage.db import Database, Tx
from bot.storage.inbox import ClaimedEvent
from bot.workers.content import Content
from bot.workers.effects import Effects, Occasion
from bot.workers.group_scene import Scene, heard_by, hoped_for, intended, is_hoped_for, read_scene
from bot.workers.thinking import RESTORED


class GroupTalk:
    """Hears what a step listens for, and drafts answers to questions."""

    def __init__(
        self,
        database: Database,
        content: Content,
        desk: LeadDesk,
        effects: Effects,
        clock: Clock,
    ) -> None:
        self._database = database
        self._content = content
        self._desk = desk
        self._effects = effects
        self._clock = clock

    async def message(self, claimed: ClaimedEvent, event: GroupMessageReceived) -> None:
        """Work on one group message."""
        scene = None if event.staff else await read_scene(self._database, self._content, event)
        answer = None
        if scene is not None and self._asks(event, scene):
            answer = await self._think(event, scene)
        now = self._clock.now()
        async with self._database.begin() as tx:
            if not await tx.inbox.finish_event(claimed):
                return
            text = mask(event.text, self._content.snapshot.rules) or f"[{event.form}]"
            await tx.conversations.add_turn(event.chat, event.sender, text, event.sent_at)
            if scene is None:
                kind = "staff_in_group" if event.staff else "message_outside"
                await tx.ledger.add(kind, event.chat, event.sent_at)
                if event.staff:
                    await tx.runs.wake_tasks(event.chat, now)
                return
            await tx.ledger.add("message_in", event.chat, event.sent_at, plane="group")
            await self._know(tx, event, scene, now)
            await self._write(tx, event, scene, answer, text, now)

    def _asks(self, event: GroupMessageReceived, scene: Scene) -> bool:
        """Tell whether words are a question that nothing in the script has an answer for."""
        if event.form != "text":
            return False
        if red_flag(event.text) is not None:  # before all else: somebody may be losing money
            return True
        if self._refused(event.text, scene) is not None:
            return False
        if scene.asking and says_yes(event.text) is not None:
            return False
        if heard_by(scene, event.text) is not None or is_hoped_for(scene, event.text):
            return False
        return sounds_like_question(event.text)

    async def _think(self, event: GroupMessageReceived, scene: Scene) -> Answer:
        now = self._clock.now()
        question = Question(
            text=event.text, plane="group", variables=self._variables(scene.group, now)
        )
        return await self._content.answerer.answer(question, now)

    def _variables(self, group: GroupChat, now: datetime) -> dict[str, str]:
        bank = self._content.bank
        return variables_for(
            bank,
            today=now.astimezone(bank.zone).date(),
            manager=RmId(group.owner),
            branch=group.branch,
            kf_link=self._content.kf_link,
        )

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
            await self._answered(tx, event, scene, answer, text, now)
            return
        refused = self._refused(event.text, scene)
        if refused is not None:
            occasion = self._occasion(event, scene, text)
            await self._effects.carry_out(tx, refused.actions, occasion, now)
            await self._draft(tx, event, scene, refused.reply, (), text, now)
            return
        if wants_news_again(event.text):
            await tx.people.opt_out(CustomerId(event.sender), None)
            await tx.ledger.add("opted_in", event.sender, now, chat=event.chat)
            await self._draft(tx, event, scene, RESTORED, (), text, now)
            return
        if scene.asking and (agreed := says_yes(event.text)) is not None:
            for lead in scene.asking:
                await self._desk.consent(tx, lead, agreed=agreed, group=scene.group.name, now=now)
            return
        heard = heard_by(scene, event.text)
        if heard is not None:
            await self._listened(tx, event, scene, heard, text, now)
            return
        hoped = hoped_for(scene, event.text, event.form)
        if hoped is not None:
            row, step = hoped
            await self._count(tx, event, row, step)

    async def _count(self, tx: Tx, event: GroupMessageReceived, row: RunStep, step: Step) -> None:
        """Count a reply that the step hoped for, and whether a quiz was answered right."""
        interaction = step.interaction
        if interaction is None:
            return
        facts: dict[str, object] = {"step": row.step, "metric": interaction.metric}
        if interaction.correct is not None:
            facts["correct"] = plain(event.text) == plain(interaction.correct)
        await tx.ledger.add("interaction", event.chat, event.sent_at, by=event.sender, **facts)

    def _refused(self, text: str, scene: Scene) -> OptOut | None:
        """Return the words by which a refusal is known; it counts where no script runs, too."""
        scripts = [scene.script] if scene.script else self._content.snapshot.scripts.values()
        for script in scripts:
            if script.opt_out is not None and is_refusal(text, script.opt_out.keywords):
                return script.opt_out
        return None

    async def _listened(
        self,
        tx: Tx,
        event: GroupMessageReceived,
        scene: Scene,
        heard: tuple[RunStep | None, Listen],
        text: str,
        now: datetime,
    ) -> None:
        row, listen = heard
        step = row.step if row else ""
        cautions = tuple(check.value for check in listen.checks)
        occasion = self._occasion(
            event, scene, text, step=step, cautions=cautions, ask=bool(listen.ask_first)
        )
        done = await self._effects.carry_out(tx, listen.actions, occasion, now)
        await tx.ledger.add("heard", event.chat, event.sent_at, step=step)
        words: list[str] = []
        sources: list[str] = []
        for qa in done.recite:
            question = Question(
                text=event.text, plane="group", variables=self._variables(scene.group, now)
            )
            recited = self._content.answerer.recite(qa, question, now)
            words.append(recited.text)
            sources += [citation.plain for citation in recited.citations]
        asking = any(one.stage == "asking" for one in done.leads)
        words.append((listen.ask_first if asking else listen.reply) or "")
        said = "\n".join(filter(None, words))
        if said:
            await self._draft(tx, event, scene, said, tuple(sources), text, now)

    async def _answered(
        self,
        tx: Tx,
        event: GroupMessageReceived,
        scene: Scene,
        answer: Answer,
        text: str,
        now: datetime,
    ) -> None:
        meant = intended(scene, Intent.BEING_DEFRAUDED) if answer.reason == FRAUD.name else None
        if meant is None:
            occasion = self._occasion(event, scene, text)
            await self._effects.carry_out(tx, answer.actions, occasion, now)
        await tx.ledger.add(
            f"answer_{answer.kind.value}",
            event.chat,
            now,
            plane="group",
            sources=[citation.document_id for citation in answer.citations],
            confidence=round(answer.confidence, 3),
            reason=answer.reason,
        )
        if meant is not None:  # the script has its own words and limits for this
            await self._listened(tx, event, scene, meant, text, now)
        elif answer.answered or answer.kind is AnswerKind.RED_FLAG:
            sources = tuple(citation.plain for citation in answer.citations)
            await self._draft(tx, event, scene, answer.text, sources, text, now)

    async def _draft(
        self,
        tx: Tx,
        event: GroupMessageReceived,
        scene: Scene,
        words: str,
        sources: tuple[str, ...],
        question: str,
        now: datetime,
    ) -> None:
        """Put a reply before the owner, who sends it with one tap or not at all."""
        try:
            words = render(words, self._variables(scene.group, now))
        except UnknownVariable:
            return
        draft = await tx.drafts.add(
            key=f"draft:{event.msgid}",
            chat=event.chat,
            owner=scene.group.owner,
            asker=event.sender,
            question=question,
            text=words,
            citations=sources,
            now=now,
        )
        if draft is None:
            return
        card = draft_card(draft, scene.group.name, scene.asker or "群成员")
        terms = Terms(purpose="staff", subject=scene.group.owner)
        await tx.outbox.put(f"draft:{draft.id}", card, terms, now)
        await tx.ledger.add("draft_made", event.chat, now, draft=draft.id)

    def _occasion(
        self,
        event: GroupMessageReceived,
        scene: Scene,
        text: str,
        *,
        step: str = "",
        cautions: tuple[str, ...] = (),
        ask: bool = False,
    ) -> Occasion:
        return Occasion(
            key=event.msgid,
            customer=CustomerId(event.sender),
            quote=text,
            at=event.sent_at,
            source="客户群",
            owner=RmId(scene.group.owner),
            chat=event.chat,
            group=scene.group.name,
            script=scene.script.id if scene.script else "",
            step=step,
            cautions=cautions,
            ask_first=ask,
        )
