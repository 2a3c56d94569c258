"""Trouble that rules did not foresee, told by the meaning of a message.

Words come first and need no model. Where they tell of nothing, the probe of the index's models is
asked; models without one, or one that fails, leave the judgement to the words alone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from bot.answering.probe import Probe, unit
from bot.answering.red_flags import FLAGS, RedFlag, bare, red_flag, unruled
from bot.errors import Retryable
from bot.hanzi import simplified
from bot.log import logger
from bot.ports import Embedder

Ground = Literal["words", "meaning"]
_SENTENCE = re.compile(r"[^。!?！？;；\n]+")
_SHORTEST = 4  # characters of which something can be said
# Who writes more is looked at in these; each costs about ten milliseconds.
_MOST_PIECES = 8
_LONGEST_WHOLE = 200
# A model of this process fails in its own ways; trouble is told by the rest all the same.
_FAILURES = (Retryable, OSError, RuntimeError, ValueError, MemoryError)
log = logger(__name__)


class Trouble(NamedTuple):
    """A red flag, and what told of it: its words, or only the meaning."""

    flag: RedFlag
    ground: Ground

    @property
    def reason(self) -> str:
        """Return what the ledger says of it: the kind, and that only the meaning told."""
        return f"{self.flag.name}:meaning" if self.ground == "meaning" else self.flag.name


class Meaning:
    """Judges messages by words first, then by the vectors that the index's models give them.

    ``embedders`` returns the models that answer now: they may change while the bot runs.
    """

    def __init__(self, embedders: Callable[[], Sequence[Embedder]] = tuple) -> None:
        self._embedders = embedders

    async def trouble(self, text: str) -> Trouble | None:
        """Return the gravest trouble a message tells of, None in the ordinary case; never raise."""
        flag = red_flag(text)
        if flag is not None:
            return Trouble(flag, "words")
        kinds = await self._said(_pieces(text))
        flag = next((FLAGS[kind] for kind in FLAGS if kind in kinds), None)
        return Trouble(flag, "meaning") if flag is not None else None

    async def _said(self, texts: Sequence[str]) -> frozenset[str]:
        """Return the kinds of trouble that the probe hears; none where there is no probe."""
        embedders = self._embedders()
        probe = Probe.of("+".join(one.name for one in embedders))
        if probe is None or not texts:
            return frozenset()
        try:
            vectors = await asyncio.gather(*(_vector(embedders, text) for text in texts))
        except _FAILURES as error:
            log.warning("probe_failed", error=type(error).__name__)
            return frozenset()
        said = [probe.says(*pair) for pair in zip(texts, vectors, strict=True)]
        return frozenset(filter(None, said))


async def _vector(embedders: Sequence[Embedder], text: str) -> np.ndarray:
    """Return the directions that all models give a text, one after the other."""
    vectors = await asyncio.gather(*(one.query(text) for one in embedders))
    return np.concatenate([unit(vector) for vector in vectors])


def _pieces(text: str) -> list[str]:
    """Return a message as it is searched for, and its sentences where it has several."""
    whole = simplified(text).strip()
    sentences = [one.strip() for one in _SENTENCE.findall(whole)]
    sentences = [one for one in sentences if len(one) >= _SHORTEST]
    wholes = [whole] if 0 < len(whole) <= _LONGEST_WHOLE else []
    several = sentences if len(sentences) > 1 or not wholes else []
    looked_at = dict.fromkeys([*wholes, *several])
    return list(dict.fromkeys(filter(None, map(_meant, looked_at))))[:_MOST_PIECES]


def _meant(piece: str) -> str:
    """Return a piece without mere sayings and mere wishes for a person; as it is without them."""
    left = unruled(piece)
    return piece if left == bare(piece) else left
