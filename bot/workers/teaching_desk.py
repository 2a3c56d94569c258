"""Drafts an entry from approved documents, tries it, and writes it into the file it belongs to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.domain.compliance import personal_data_in, screen
from bot.domain.knowledge import Audience, Document, DocumentKind, Plane, Viewer
from bot.domain.teaching import Asked, NewEntry, Proposal, Reason
from bot.errors import ConfigError
from bot.knowledge.index import KnowledgeIndex
from bot.ports import ChatModel, Clock
from bot.storage.db import Database
from bot.teaching.cleaning import same_words
from bot.teaching.drafting import LEAST, Source, extract, sources_of
from bot.teaching.grouping import middle_first
from bot.teaching.qa_text import wordings_apart
from bot.teaching.trial import Trial
from bot.workers.drafting_model import written_by_model
from bot.workers.files import Snapshot
from bot.workers.placing import Find, Placer
from bot.workers.teaching_book import Page, TeachingBook
from bot.workers.teaching_files import change, checked, write
from bot.workers.teaching_trial import Tryout
from bot.workspace import Workspace

NEW_FILE = "knowledge/faq/taught.qa.yaml"
_SUFFIX = ".qa.yaml"
_LOOKED_UP = 12


@dataclass(frozen=True)
class Wish:
    """What the author says of a draft himself; what is empty is found out."""

    by: str
    answer: str = ""
    use_reply: bool = False
    asks: tuple[str, ...] = ()
    basis: str = ""
    audience: Audience | None = None
    topic: str = ""
    file: str = ""
    as_new: bool = False


@dataclass(frozen=True)
class Published:
    """What came of publishing: the trial, and the file where it was written."""

    trial: Trial
    file: str = ""


class TeachingDesk:
    """Works on proposals with the knowledge at hand; ``index`` has the files' documents."""

    def __init__(
        self,
        database: Database,
        workspace: Workspace,
        snapshot: Snapshot,
        index: KnowledgeIndex,
        find: Find,
        clock: Clock,
        chat: ChatModel | None = None,
    ) -> None:
        self._database = database
        self._workspace = workspace
        self._snapshot = snapshot
        self._index = index
        self._find = find
        self._clock = clock
        self._chat = chat
        self._book = TeachingBook(database, clock)
        self._placer = Placer(database, index, find, clock)

    async def draft(self, number: int, wish: Wish) -> NewEntry:
        """Write what is proposed; raise ``ConfigError`` where nobody has written the answer."""
        page = await self._book.page(number)
        _must_be_open(page.proposal)
        wordings = await self._in_order(page.asked)
        adds = page.proposal.kind != "new" and not wish.as_new
        draft = (
            self._wording(page, wordings, wish) if adds else await self._entry(page, wordings, wish)
        )
        self._check_words(draft)
        async with self._database.begin() as tx:
            await tx.proposals.draft(number, draft)
            facts = {"by": wish.by, "content": draft.content, "sources": list(draft.sources)}
            await tx.ledger.add("teaching_drafted", str(number), self._clock.now(), **facts)
        return draft

    async def _in_order(self, asked: Sequence[Asked]) -> list[str]:
        """Return the distinct wordings, the most telling first."""
        by_words = {same_words(one.text): one.text for one in asked}
        texts = list(by_words.values())
        measure = await self._placer.measure()
        if measure is None or len(texts) < 3:
            return texts
        vectors = await self._placer.vectors(texts)
        alike = await asyncio.to_thread(measure.between, vectors, vectors)
        return [texts[at] for at in middle_first(np.asarray(alike))]

    def _wording(self, page: Page, wordings: Sequence[str], wish: Wish) -> NewEntry:
        document = self._index.document(page.proposal.target)
        if document is None or not document.file.endswith(_SUFFIX):
            where = document.file if document else page.proposal.target
            raise ConfigError(
                f"「{page.proposal.target}」在 {where} 里：这种文件请手工加问法，"
                f"或加 --as-new 另写一条。"
            )
        if not wish.asks and all(one.reason is Reason.ASKED_AGAIN for one in page.asked):
            raise ConfigError(
                f"这些是答了又问的：不缺问法，是答案没说清。请改 {document.file}:{document.line}，"
                f"或加 --as-new 另写一条。"
            )
        known = {same_words(one) for one in document.questions}
        fresh = [one for one in (*wish.asks, *wordings) if same_words(one) not in known]
        questions, held_out = wordings_apart(fresh)
        if not questions:
            raise ConfigError(f"这些说法「{document.id}」里都有了，不用再加。")
        return NewEntry(
            entry=document.id,
            file=document.file,
            topic=document.topic,
            questions=questions,
            held_out=held_out,
            author=wish.by,
        )

    async def _entry(self, page: Page, wordings: Sequence[str], wish: Wish) -> NewEntry:
        plane, now = _plane(page.asked), self._clock.now()
        viewer = Viewer("group" if plane == "group" else "kf")
        found = [await self._find(text, viewer, now) for text in wordings[:_LOOKED_UP]]
        sources = sources_of(found)
        answer, used = await self._answer(page, wordings, wish, sources, viewer.plane)
        questions, held_out = wordings_apart([*wish.asks, *wordings])
        near = self._nearest_qa(sources)
        audience = Audience.GROUP if plane == "group" else Audience.PRIVATE
        return NewEntry(
            entry=f"teach-{page.proposal.id}",
            file=wish.file or (near.file if near else NEW_FILE),
            topic=wish.topic or (near.topic if near else "") or "其他",
            questions=questions,
            held_out=held_out,
            answer=answer,
            basis=wish.basis or (used[0].citation.plain if used else ""),
            sources=tuple(f"《{one.document.title}》({one.citation.where})" for one in used),
            audience=wish.audience or audience,
            author=wish.by,
        )

    async def _answer(
        self,
        page: Page,
        wordings: Sequence[str],
        wish: Wish,
        sources: Sequence[Source],
        plane: Plane,
    ) -> tuple[str, Sequence[Source]]:
        """Return an answer with what it was taken from: the author's own, or from documents."""
        if wish.answer:
            return wish.answer, ()
        if wish.use_reply:
            replies = [one.reply for one in page.asked if one.reply]
            if not replies:
                raise ConfigError("这些问题没有同事答过的话：请用 --answer 写上答案。")
            return max(Counter(replies).items(), key=lambda pair: (pair[1], len(pair[0])))[0], ()
        likely = [one for one in sources if one.probability >= LEAST]
        if not likely:
            owner = sources[0].document.owner if sources else ""
            who = f"离得最近的资料归「{owner}」，请 TA 来写" if owner else "请管这一块的部门来写"
            raise ConfigError(f"已批的资料里没有答案：{who}，再用 --answer 或 --use-reply 交上来。")
        if self._chat is not None:
            drafted = await written_by_model(
                self._chat, self._snapshot, page.proposal.title, likely, plane
            )
            if drafted is not None:
                return drafted
        return extract(likely[0], wordings), likely[:1]

    def _nearest_qa(self, sources: Sequence[Source]) -> Document | None:
        near = [
            one.document
            for one in sources
            if one.document.kind is DocumentKind.QA and one.probability >= LEAST
        ]
        return next((one for one in near if one.file.endswith(_SUFFIX)), None)

    def _check_words(self, draft: NewEntry) -> None:
        """Refuse what may not be said at all; people approve only what the rules let pass."""
        rules = self._snapshot.rules
        plane = "group" if draft.audience is Audience.GROUP else "kf"
        hits = screen(draft.answer, rules, approved=True, plane=plane) if draft.answer else []
        wrong = [f"{hit.name}「{hit.matched}」" for hit in hits if hit.blocks]
        said = "\n".join((*draft.questions, draft.answer))
        wrong += [f"{one.name}「{one.matched}」" for one in personal_data_in(said, rules)]
        if wrong:
            raise ConfigError(f"这一稿有不能说的话：{'、'.join(wrong)}。请改了再来。")

    async def publish(self, number: int, by: str) -> Published:
        """Write an allowed entry once it has proved itself; raise ``ConfigError`` otherwise."""
        page = await self._book.page(number)
        _must_be_open(page.proposal)
        today = self._clock.now().astimezone(self._snapshot.bank.zone).date()
        before, after = change(page, self._workspace, today, signed=True)
        draft = page.proposal.draft
        if draft is None or page.lacking:
            wanted = "、".join(page.lacking)
            raise ConfigError(f"还差{wanted}批：zhilin teach approve {number} --as {wanted[:2]}。")
        edited = checked(self._workspace, draft.file, after, today)
        tryout = Tryout(self._database, self._index, self._find, self._clock)
        trial = await tryout.trial(page, edited.documents(), self._snapshot.documents())
        if not trial.passed:
            return Published(trial)
        await asyncio.to_thread(write, self._workspace.root / draft.file, before, after)
        now = self._clock.now()
        async with self._database.begin() as tx:
            await tx.proposals.close(number, "published", "", now)
            facts = {"by": by, "content": draft.content, "file": draft.file, "entry": draft.entry}
            figures = {name: [one.right, one.total] for name, one in trial.figures().items()}
            await tx.ledger.add("teaching_published", str(number), now, **facts, figures=figures)
        return Published(trial, draft.file)


def _must_be_open(proposal: Proposal) -> None:
    if proposal.state not in ("open", "drafted"):
        done = "发布" if proposal.state == "published" else "退回"
        raise ConfigError(f"第 {proposal.id} 号已经{done}了。")


def _plane(asked: Sequence[Asked]) -> str:
    """Return where it is mostly asked."""
    counts = Counter("group" if one.plane == "group" else "kf" for one in asked)
    return counts.most_common(1)[0][0] if counts else "kf"
