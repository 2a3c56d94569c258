"""The last look at what a model wrote, before it may go to a customer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.compliance import Rules, personal_data_in, screen
from bot.domain.persona import Persona

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_LINK = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
_PERSON = re.compile(
    r"我(就)?是(本行的?)?(客户经理|理财经理|真人|人工|员工|柜员|银行(的)?(人|员工|工作人员)|工作人员)"
    r"|我不是(机器人|智能助手|AI)",
    re.IGNORECASE,
)
_HAN_PAIR = re.compile(r"(?=([\u4e00-\u9fff]{2}))")
# A paraphrase of a passage shares well over half of its pairs; free talk shares a tenth.
_LEAST_SHARED = 0.35


def objections(
    text: str, sources: Sequence[str], *, rules: Rules, persona: Persona, room: int
) -> tuple[str, ...]:
    """Name why a model's words may not be sent; an empty answer means that they may.

    They get no allowances of the wording rules, and may hold no figure, link or claim that the
    sources do not hold.
    """
    known = "\n".join(sources)
    found = [f"rule:{hit.rule}" for hit in screen(text, rules, approved=False) if hit.blocks]
    found += [f"personal:{hit.rule}" for hit in personal_data_in(text, rules)]
    checks = {
        "claims_to_be_a_person": bool(_PERSON.search(text)),
        "unknown_figure": not set(_NUMBER.findall(text)) <= set(_NUMBER.findall(known)),
        "unknown_link": any(link not in known for link in _LINK.findall(text)),
        "too_long": len(text) > room,
        "not_her_words": any(word in text for word in _never(persona)),
        "ungrounded": shared(text, known) < _LEAST_SHARED,
    }
    return (*found, *(name for name, wrong in checks.items() if wrong))


def shared(text: str, known: str) -> float:
    """Return which share of a text's pairs of Chinese characters the sources hold too."""
    pairs = set(_HAN_PAIR.findall(text))
    return len(pairs & set(_HAN_PAIR.findall(known))) / len(pairs) if pairs else 0.0


def _never(persona: Persona) -> list[str]:
    # One character, such as 亲, also stands inside ordinary words: the prompt sees to those.
    return [word for word in persona.speech.never if len(word) > 1]
