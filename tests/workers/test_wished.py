"""Who says outright what is to be done has a manager at once, whatever the text that was found."""

from __future__ import annotations

import pytest

from bot.domain.actions import Action, HandOver, OpenLead
from bot.domain.knowledge import Answer, AnswerKind
from bot.domain.lead import Need
from bot.workers.wished import wishes

NO_EVIDENCE = HandOver.model_validate({"转人工": Need.UNANSWERED})
ASKS = OpenLead.model_validate({"建线索": Need.WEALTH, "先问同意": True})


@pytest.mark.parametrize(
    ("text", "action", "kind", "wished"),
    [
        ("我想买基金", NO_EVIDENCE, AnswerKind.HANDOVER, True),
        ("基金怎么买", NO_EVIDENCE, AnswerKind.HANDOVER, False),
        ("帮我办个房贷", ASKS, AnswerKind.DECLINED, True),
        ("我要办张信用卡", ASKS, AnswerKind.DECLINED, True),
        ("我想买理财，帮我推荐", ASKS, AnswerKind.DECLINED, False),  # told why not, and asked
        ("今天天气怎么样", ASKS, AnswerKind.DECLINED, False),
        ("帮我办个房贷", ASKS, AnswerKind.APPROVED, False),
    ],
)
def test_a_wish_is_heard(text: str, action: Action, kind: AnswerKind, wished: bool) -> None:
    assert wishes(Answer(kind=kind, text="……", actions=(action,)), text) is wished
