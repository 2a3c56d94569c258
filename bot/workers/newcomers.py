"""Who came into a group and who left: told to scripts, and caught up with what they missed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from bot.domain.delivery import Terms
from bot.domain.happening import EventKind, Happened
from bot.domain.ids import CustomerId, RmId, digest
from bot.domain.people import GroupChat
from bot.domain.script import SopScript
from bot.domain.steps import Step
from bot.domain.variables import variables_for
from bot.leads.cards import newcomers_card
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.gate import hours_of
from bot.workers.happenings import Happenings
from bot.workers.listening import worded

ALONE = "单独私聊"
_MISSED = "confirmed"


class Newcomers:
    """Works on members who came and went, inside the caller's transaction."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._happenings = Happenings(content.script)

    async def changed(
        self,
        tx: Tx,
        group: GroupChat,
        came: Collection[str],
        went: Collection[str],
        now: datetime,
    ) -> None:
        """Record the customers who came into a group and who left it."""
        for member in sorted(went):
            await tx.ledger.add("member_left", group.id, now, member=member)
        for member in sorted(came):
            await tx.ledger.add("member_joined", group.id, now, member=member)
        left = [_happened(EventKind.LEFT_GROUP, group, member, now) for member in sorted(went)]
        joined = [_happened(EventKind.JOINED_GROUP, group, member, now) for member in sorted(came)]
        await self._happenings.tell(tx, [*left, *joined], now)
        if came:
            await self._catch_up(tx, group, sorted(came), now)

    async def _catch_up(self, tx: Tx, group: GroupChat, came: Sequence[str], now: datetime) -> None:
        """Give the owner what the newcomers missed, to send to whoever wants it (迟到成员).

        Nothing goes to them by itself: nobody has asked them yet.
        """
        for run in await tx.runs.of_subject(group.id):
            script = await self._content.script(tx, run.script, run.version)
            late = script.late_joiners if script is not None else None
            if script is None or late is None or late.way != ALONE:
                continue
            had = {row.step for row in await tx.runs.steps(run.id) if row.state == _MISSED}
            missed = [step for step in script.steps if step.id in late.steps and step.id in had]
            refuse = [member for member in came if await _refuses(tx, member, now)]
            if missed and len(refuse) == len(came):
                missed = [step for step in missed if not step.marketing]
            if missed:
                await self._put_card(tx, group, script, run.id, missed, came, refuse, now)

    async def _put_card(
        self,
        tx: Tx,
        group: GroupChat,
        script: SopScript,
        run: int,
        missed: Sequence[Step],
        came: Sequence[str],
        refuse: Sequence[str],
        now: datetime,
    ) -> None:
        bank, owner = self._content.bank, RmId(group.owner)
        variables = variables_for(
            bank,
            today=now.astimezone(bank.zone).date(),
            manager=owner,
            branch=group.branch,
            kf_link=self._content.kf_link,
        )
        texts = [words for step in missed if (words := worded(step.body, variables))]
        if not texts:
            return
        names = {member.id: member.name or "新成员" for member in group.members}
        card = newcomers_card(
            owner,
            run,
            now,
            group=self._content.group_name(group),
            names=[names.get(member, "新成员") for member in came],
            refusing=[names.get(member, "新成员") for member in refuse],
            texts=texts,
        )
        # People in the bank are not called at an hour at which they may not write to customers.
        at = hours_of(script, self._content).next_open(now) or now
        terms = Terms(purpose="staff", subject=owner)
        await tx.outbox.put(f"card:{card.task}", card, terms, now, due_at=at)
        steps = [step.id for step in missed]
        facts = {"script": script.id, "run": run, "members": list(came), "steps": steps}
        await tx.ledger.add("late_joiners_told", group.id, now, **facts)


def _happened(kind: EventKind, group: GroupChat, member: str, now: datetime) -> Happened:
    which = digest(group.id, member, group.version or now.isoformat(), size=12)
    return Happened(
        key=f"{kind.name.lower()}:{which}",
        kind=kind,
        subject=member,
        at=now,
        chat=group.id,
    )


async def _refuses(tx: Tx, member: str, now: datetime) -> bool:
    known = await tx.people.customer(CustomerId(member))
    return known is not None and known.refuses_marketing(now)
