"""The last look at what a model wrote, before it may go to a customer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.answering.prompt import INSTRUCTIONS
from bot.domain.compliance import Rules, personal_data_in, screen
from bot.domain.persona import Persona
from bot.domain.style import Limits, slips
from bot.hanzi import simplified

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_LINK = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
_HAN_PAIR = re.compile(r"(?=([\u4e00-\u9fff]{2}))")
# A paraphrase of a passage shares well over half of its pairs; free talk shares a tenth.
_LEAST_SHARED = 0.35
# A piece of her instructions, word for word, is no accident at this length.
_PIECE = 10
_NO_WORD = re.compile(r"[\W_]+")
_TOLD = tuple(_NO_WORD.sub("", line) for line in INSTRUCTIONS)
_SPEAKS_OF_THEM = re.compile(
    r"系统(?:提示|指令|设定|prompt)|提示词|我(?:被|收到)[^，。]{0,6}(?:要求|指令|设定)|我的(?:设定|指令|规则)"
    r"|</?(?:资料|资料区|前文|问题)|(?:system|developer)\s*(?:prompt|message)|作为(?:一个)?(?:AI|语言)模型",
    re.IGNORECASE,
)


def objections(
    text: str,
    sources: Sequence[str],
    *,
    rules: Rules,
    persona: Persona,
    room: int,
    plane: str = "kf",
) -> tuple[str, ...]:
    """Name why a model's words may not be sent; an empty answer means that they may.

    They get no allowances of the wording rules, may hold no figure, link, personal data or claim
    that the sources do not hold, nothing of what the model was told, and read as easily as hers.
    """
    text, known = simplified(text), simplified("\n".join(sources))
    hits = screen(text, rules, approved=False, plane=plane)
    found = [f"rule:{hit.rule}" for hit in hits if hit.blocks]
    found += [
        f"personal:{data.rule}"
        for data in personal_data_in(text, rules)
        if data.matched not in known
    ]
    checks = {
        "unknown_figure": not set(_NUMBER.findall(text)) <= set(_NUMBER.findall(known)),
        "unknown_link": any(link not in known for link in _LINK.findall(text)),
        "too_long": len(text) > room,
        "not_her_words": any(word in text for word in _never(persona)),
        "ungrounded": shared(text, known) < _LEAST_SHARED,
        "tells_its_instructions": _tells_instructions(text, known),
    }
    found += [name for name, wrong in checks.items() if wrong]
    return (*found, *_hard_to_read(text, known, rules, persona))


def _hard_to_read(text: str, known: str, rules: Rules, persona: Persona) -> Iterator[str]:
    """Name what is hard to read, but for what the sources say in these very words."""
    limits = Limits(sentence=persona.speech.sentence_chars, emoji=persona.speech.emoji)
    for slip in slips(text, limits, rules.jargon):
        if slip.kind == "emoji" or slip.words not in known:
            yield f"style:{slip.kind}"


def _tells_instructions(text: str, known: str) -> bool:
    """Tell whether a text holds a piece of what the model was told, or speaks of it."""
    if _SPEAKS_OF_THEM.search(text) and not _SPEAKS_OF_THEM.search(known):
        return True
    bare = _NO_WORD.sub("", text)
    pieces = {bare[at : at + _PIECE] for at in range(len(bare) - _PIECE + 1)}
    return any(piece in told for piece in pieces for told in _TOLD)


def shared(text: str, known: str) -> float:
    """Return which share of a text's pairs of Chinese characters the sources hold too."""
    pairs = set(_HAN_PAIR.findall(text))
    return len(pairs & set(_HAN_PAIR.findall(known))) / len(pairs) if pairs else 0.0


def _never(persona: Persona) -> list[str]:
    # One character, such as 亲, also stands inside ordinary words: the prompt sees to those.
    return [word for word in persona.speech.never if len(word) > 1]
