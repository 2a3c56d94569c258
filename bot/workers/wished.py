"""What is answered to who wants something done that no text answers: a wish is not a question."""

from __future__ import annotations

from bot.domain.actions import HandOver, OpenLead
from bot.domain.knowledge import Answer, AnswerKind
from bot.domain.lead import Need
from bot.leads.intents import intent_of

TOLD = "您想办的事，已经告诉{经理.称呼}了，会跟您联系。"
WISHED = "wished"
"""The reason of an answer that is nothing but the word that a manager comes."""


def wishes(answer: Answer, text: str) -> bool:
    """Tell whether words that found no answer say outright what somebody wants to have done.

    Advice on what to buy is no answer, either, to who wants a loan or a card.
    """
    unanswered = any(
        isinstance(action, HandOver) and action.need is Need.UNANSWERED for action in answer.actions
    )
    declined = [
        action.need
        for action in answer.actions
        if isinstance(action, OpenLead) and action.ask_first and answer.kind is AnswerKind.DECLINED
    ]
    intent = intent_of(text) if unanswered or declined else None
    return intent is not None and intent.explicit and intent.need not in declined


def wished(answer: Answer, words: str) -> Answer:
    """Return the answer with the word that a manager comes, instead of a call for help."""
    told = {"kind": AnswerKind.COURTESY, "text": words, "actions": (), "reason": WISHED}
    return answer.model_copy(update=told)
