"""What is wrong with what the knowledge files say: one list for all of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from bot.domain.actions import AnswerWith, PutTag
from bot.domain.compliance import Rules, personal_data_in, screen
from bot.domain.knowledge import Audience, Document, DocumentKind, Plane, Section
from bot.domain.persona import Persona
from bot.domain.render import variables_in
from bot.domain.value import Value
from bot.errors import Problem
from bot.knowledge.catalogue import Catalogue
from bot.knowledge.ease import check_ease
from bot.knowledge.lexical import plain
from bot.knowledge.reader import Knowledge, read_files
from bot.knowledge.twins import check_twins, may_meet
from bot.yamlfile import nearest

# So long before it ends people are told: an approval takes its time.
_SOON = timedelta(days=30)
_NO_VALUE = ("产品.", "时限")
_WIDEST: dict[Audience, Plane] = {
    Audience.GROUP: "group",
    Audience.PRIVATE: "kf",
    Audience.STAFF: "staff",
}
_DIGITS_OF_A_PERSON = 8
_ORDERS = re.compile(
    r"(?:忽略|无视|忘记)(?:掉)?(?:以上|上面|之前|前面|此前)[^。！!？?\n]{0,8}(?:指令|要求|规则|设定|内容|提示)"
    r"|ignore (?:all )?(?:the )?(?:previous|above)|system\s?prompt|系统提示词",
    re.IGNORECASE,
)


class Terms(Value):
    """What the rest of the workspace says that knowledge files may refer to."""

    rules: Rules
    variables: frozenset[str]
    tags: frozenset[str]
    regions: frozenset[str] = frozenset()
    sentence_chars: int = 27


def shortest_sentence(personas: Iterable[Persona]) -> int:
    """Return how long a sentence may be for every persona, for all of them give these answers."""
    return min((persona.speech.sentence_chars for persona in personas), default=27)


def read_knowledge(
    folder: Path, terms: Terms, today: date
) -> tuple[Knowledge, tuple[Problem, ...]]:
    """Read and check every file under ``knowledge/``; what has a problem is left out.

    Every problem of every file is in the list, with names relative to the workspace, and every
    note: a note leaves nothing out.
    """
    read, problems = read_files(folder)
    found = list(problems)
    bad: set[int] = set()
    for document, problem in check(read, terms, today):
        found.append(problem)
        if not problem.note:
            bad.add(id(document))
    sound = tuple(one for one in read.documents if id(one) not in bad)
    return Knowledge(documents=sound, products=read.products), tuple(sorted(set(found)))


def check(knowledge: Knowledge, terms: Terms, today: date) -> Iterator[tuple[Document, Problem]]:
    """Yield each problem and note with the document it is in."""
    documents = knowledge.documents
    yield from _repeated(documents)
    yield from check_twins([one for one in documents if one.valid_to >= today])
    ids = {document.id for document in documents}
    catalogue = Catalogue(knowledge.products, today)
    for document in documents:
        yield from ((document, problem) for problem in _dates(document, today))
        yield from ((document, problem) for problem in _wording(document, terms))
        yield from ((document, note) for note in _ease(document, terms))
        yield from ((document, problem) for problem in _references(document, ids, terms.tags))
        yield from ((document, problem) for problem in _regions(document, terms.regions))
        yield from ((document, problem) for problem in catalogue.check(document))


def _repeated(documents: Sequence[Document]) -> Iterator[tuple[Document, Problem]]:
    ids: dict[str, Document] = {}
    wordings: dict[str, list[Document]] = {}
    for document in documents:
        first = ids.setdefault(document.id, document)
        if first is not document:
            what = f"编号「{document.id}」在 {first.file}:{first.line} 已经用过"
            yield document, _at(document, "编号", what, "换一个没用过的编号")
        for question in document.questions:
            others = wordings.setdefault(plain(question), [])
            before = next((one for one in others if may_meet(one, document)), None)
            if before is not None and before is not document:
                what = f"「{question}」在 {before.file}:{before.line}({before.id})已经问过"
                yield document, _at(document, "问", what, "两条合成一条，或换一种问法")
            others.append(document)


def _dates(document: Document, today: date) -> Iterator[Problem]:
    approval = document.approval
    if document.valid_to < document.valid_from:
        yield _at(document, "失效", "「失效」早于「生效」", "把失效日改到生效日之后")
    # A notice that is over may keep the approval it had.
    over = document.valid_to < today
    if approval.expires_on is not None and approval.expires_on < today and not over:
        yield _at(
            document,
            "审批",
            f"审批 {approval.content_id} 已在 {approval.expires_on} 过期",
            "重新审批后改审批日和有效期至",
        )
    if approval.approved_on > today:
        yield _at(
            document,
            "审批日",
            f"审批日 {approval.approved_on} 还没到",
            "改成真实的审批日，审批前不能用",
        )
    yield from _ending(document, today)


def _ending(document: Document, today: date) -> Iterator[Problem]:
    """Tell of what ends soon or has ended; a notice is meant to end."""
    if document.kind is DocumentKind.NOTICE:
        return
    ended = document.valid_to < today
    for key, day in (("失效", document.valid_to), ("审批", document.approval.expires_on)):
        if day is not None and today <= day <= today + _SOON and not ended:
            left = "今天是最后一天" if day == today else f"还有 {(day - today).days} 天"
            what = f"{'这一条' if key == '失效' else '审批'} {day} 到期，{left}"
            mend = "还对的，重新审批后改日期；不用了，写 状态: 停用"
            yield _at(document, key, what, mend, note=True)
            return
    if ended:
        what = f"{document.valid_to} 已经失效，不再用来回答"
        mend = "还对的，重新审批后改日期；不用了，写 状态: 停用，或删掉"
        yield _at(document, "失效", what, mend, note=True)


def _wording(document: Document, terms: Terms) -> Iterator[Problem]:
    plane = _WIDEST[document.audience]
    for section in document.sections:
        for hit in screen(section.text, terms.rules, approved=True, plane=plane):
            if hit.blocks:
                what = f"「{hit.matched}」碰了词表 {hit.rule}({hit.name})"
                line = section.line + (hit.line if document.kind is not DocumentKind.QA else 0)
                yield _at(document, "答", what, "换个说法", line)
        for found in personal_data_in(section.text, terms.rules):
            yield _personal(document, section, found.name, found.matched)
        orders = _ORDERS.search(section.text)
        if orders is not None:
            what = f"「{orders[0]}」像是写给大模型的指令，不是给客户看的话"
            yield _at(document, "答", what, "删掉这一句", section.line)
        for name in variables_in(section.text):
            if name.startswith(_NO_VALUE):
                mend = "直接写上内容"
                yield _at(document, "答", f"知识里没有「{{{name}}}」的值", mend, section.line)
            elif name not in terms.variables:
                mend = "看看是不是写错了字，或在 sop/_workspace.yaml 的变量里登记"
                yield _at(document, "答", f"不认识变量「{{{name}}}」", mend, section.line)


def _ease(document: Document, terms: Terms) -> Iterator[Problem]:
    return check_ease(document, terms.rules, terms.sentence_chars)


def _personal(document: Document, section: Section, name: str, matched: str) -> Problem:
    """Refuse numbers that are somebody's; a mail box or an address may be the bank's own."""
    if sum(character.isdigit() for character in matched) >= _DIGITS_OF_A_PERSON:
        return _at(document, "答", f"写了{name}", "删掉个人信息", section.line)
    mend = "是本行对外公布的就不用管；是个人的就删掉"
    return _at(document, "答", f"写了{name}", mend, section.line, note=True)


def _references(
    document: Document, ids: Collection[str], tags: Collection[str]
) -> Iterator[Problem]:
    for action in document.actions:
        if isinstance(action, AnswerWith) and action.qa not in ids:
            what = f"没有编号「{action.qa}」的问答"
            yield _at(document, "动作", what, "改成已有的编号")
        if isinstance(action, PutTag) and action.tag not in tags:
            what = f"标签「{action.tag}」没有登记"
            yield _at(document, "动作", what, "在 sop/_workspace.yaml 的标签里登记它")


def _regions(document: Document, known: Collection[str]) -> Iterator[Problem]:
    for region in document.regions:
        if region not in known:
            mend = (
                nearest(region, sorted(known))
                if known
                else "先给 sop/_workspace.yaml 的网点写上地区"
            )
            yield _at(document, "地区", f"没有网点在「{region}」", mend)


def _at(
    document: Document, key: str, what: str, mend: str, line: int = 0, *, note: bool = False
) -> Problem:
    place = " ".join(filter(None, (document.place, key)))
    return Problem(document.file, line or document.line, place, what, mend, note)
