"""What scripts teach can be asked for; what is meant for one customer, or for staff, cannot."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from bot.domain.knowledge import Audience, Document
from bot.domain.withdrawal import Withdrawn, body_hash
from bot.workers.files import read_snapshot
from bot.workers.taught import sop_documents
from bot.workspace import Workspace
from tests.domain.builders import script, step

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 10, 12)


@cache
def starter() -> list[Document]:
    snapshot = read_snapshot(Workspace(ROOT), TODAY)
    return [one for one in snapshot.documents() if one.kind == "sop"]


def test_bodies_that_teach_are_documents_with_their_script_s_approval() -> None:
    (big_font,) = [one for one in starter() if one.id == "senior-21d/d04-bigfont"]
    assert "长辈版" in big_font.sections[0].text
    assert big_font.audience is Audience.GROUP
    assert big_font.file == "sop/senior-21d.sop.yaml"
    assert big_font.valid_to == big_font.approval.expires_on
    assert big_font.basis == "本行发过的提醒"


def test_what_is_said_to_single_customers_is_shown_to_no_group() -> None:
    audiences = {one.id: one.audience for one in starter()}
    assert audiences["payroll-care/p2-fraud"] is Audience.PRIVATE
    assert audiences["senior-21d/d03-fraud-child"] is Audience.GROUP


def test_tasks_for_staff_and_one_customer_s_own_affairs_answer_nobody() -> None:
    texts = {one.id: one.sections[0].text for one in starter()}
    assert not any("这位客户" in text or "{客户." in text for text in texts.values())
    assert not any(key.startswith(("deposit-maturity/", "complaint-cooling/")) for key in texts)
    assert not any("今天是国债发行的日子" in text for text in texts.values())


LISTENS = (
    "听到就办: ["
    "{关键词: [年检, 年审], 动作: [{打标签: 国债提醒}], "
    '回话: "账户不用年审，一直能用。收到要您年审的短信，都是骗子。"}, '
    '{关键词: [报名], 动作: [通知群主], 回话: "收到，给您留着位子，晚些给您打电话。"}, '
    '{关键词: [想买], 动作: [通知群主], 先问同意: "可以请{群主.称呼}给您打电话吗？"}, '
    '{意图: 疑似正在被骗, 动作: [{转人工: 红线, 时限分钟: 5}], 回话: "您先别再操作，请打 110。"}]'
)


def test_a_reply_that_answers_is_a_document_with_what_is_done_besides() -> None:
    trial = script(step("a", 1, more=LISTENS))
    replies = [one for one in sop_documents(trial) if "/" in one.id.removeprefix("trial/")]
    (reply,) = replies
    assert reply.sections[0].title == "年检、年审"
    assert reply.sections[0].text.startswith("账户不用年审")
    assert len(reply.actions) == 1


def test_what_was_withdrawn_is_taught_no_more() -> None:
    trial = script(step("a", 1, more=LISTENS))
    assert trial.steps[0].body is not None
    before = sop_documents(trial)
    gone = Withdrawn([("trial", "a", body_hash(trial.steps[0].body))])
    assert len(before) > len(sop_documents(trial, gone))
    assert sop_documents(trial, gone) == []


def test_a_draft_teaches_nothing() -> None:
    assert sop_documents(script(step("a", 1, more=LISTENS), status="草稿")) == []
