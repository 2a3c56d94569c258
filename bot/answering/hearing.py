"""What is told in words that no rule foresaw: weights of short pieces of text, which were learnt.

Every character, pair and triple of a message votes for what it may tell of. The weights stand by
the hash of each piece, in one byte each, so that the file holds no text.
"""

from __future__ import annotations

import base64
import json
import zlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

NOTHING = "无"
TROUBLE, OUTSIDE = "hearing.json", "outside.json"
"""Where the weights lie of what is trouble, and of what is not hers to answer."""
WEIGHTS = 1 << 14
_LONGEST_PIECE = 3
_STEPS = 127
# Chosen by cross-validation: about one ordinary question in a hundred is taken for trouble.
_SURE = 0.8
_LONG = 60
_LEAST = 5


class Ear(NamedTuple):
    """What a message may tell of, the weight of each piece for it, and how it leans by itself."""

    kinds: tuple[str, ...]
    weights: np.ndarray
    leaning: np.ndarray

    def chances(self, text: str) -> dict[str, float]:
        """Return how likely a message tells of each kind."""
        places = places_in(text)
        votes = self.weights[:, places].sum(axis=1) * len(places) ** -0.5 + self.leaning
        votes = np.exp(votes - votes.max())
        return dict(zip(self.kinds, (votes / votes.sum()).tolist(), strict=True))


def hears(text: str, file: str = TROUBLE, sure: float = _SURE) -> str:
    """Return what a message surely tells of, by its sentences and as a whole; empty for nothing.

    The text is without blanks and marks, a sentence a line.
    """
    whole = text.replace("\n", "")
    lines = [line for line in text.split("\n") if len(line) >= _LEAST]
    looked_at = dict.fromkeys([*lines, *([whole] if _LEAST <= len(whole) <= _LONG else [])])
    for one in looked_at:
        chances = _learnt(file).chances(one)
        if chances.pop(NOTHING) <= 1 - sure:
            return max(chances, key=lambda kind: chances[kind])
    return ""


def places_in(text: str) -> np.ndarray:
    """Return where the weights of a text's pieces stand, each once."""
    held = f"^{text}$"
    pieces = {
        held[start : start + length]
        for length in range(1, _LONGEST_PIECE + 1)
        for start in range(len(held) - length + 1)
    }
    return np.array(sorted({zlib.crc32(one.encode()) % WEIGHTS for one in pieces}))


def written(ear: Ear, file: str) -> None:
    """Write weights down beside this module, each as one of 255 steps."""
    scale = float(np.abs(ear.weights).max()) / _STEPS
    steps = np.round(ear.weights / scale).astype(np.int8)
    table = {
        "kinds": ear.kinds,
        "scale": scale,
        "leaning": [round(float(one), 4) for one in ear.leaning],
        "weights": base64.b64encode(zlib.compress(steps.tobytes(), 9)).decode(),
    }
    path = Path(__file__).with_name(file)
    path.write_text(json.dumps(table, ensure_ascii=False) + "\n", "utf-8")


@cache
def _learnt(file: str) -> Ear:
    table = json.loads((files("bot.answering") / file).read_text("utf-8"))
    raw = zlib.decompress(base64.b64decode(table["weights"]))
    steps = np.frombuffer(raw, dtype=np.int8).reshape(len(table["kinds"]), WEIGHTS)
    weights = steps.astype(np.float32) * table["scale"]
    return Ear(tuple(table["kinds"]), weights, np.array(table["leaning"]))
