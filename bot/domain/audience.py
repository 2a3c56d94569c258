"""Who is held out: a hash decides, the same way for ever and on every machine."""

from __future__ import annotations

from bot.domain.script import SopScript

_FNV_BASIS = 0x811C9DC5
_FNV_PRIME = 0x01000193


def hash32(text: str) -> int:
    """Return a text's FNV-1a hash of 32 bits."""
    value = _FNV_BASIS
    for byte in text.encode():
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return value


def bucket(seed: str, unit: str) -> float:
    """Place a unit in [0, 1), in steps of 1/10000 (the GrowthBook specification's hash, v2)."""
    return hash32(str(hash32(seed + unit))) % 10000 / 10000


def held_out(script: SopScript, unit: str) -> bool:
    """Tell whether this subject does not run the script, so that the effect can be measured."""
    holdout = script.measures.holdout if script.measures else None
    return holdout is not None and bucket(holdout.seed, unit) < script.holdout_share
