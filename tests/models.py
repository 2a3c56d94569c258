"""The bundled model, read once in a test process: reading it takes longer than many a story."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from bot.ai.embed import UseEmbedder


class _InTurn:
    """The model for several bots at once; each of them has a lock for itself alone."""

    def __init__(self, model: object, lock: threading.Lock) -> None:
        self._model = model
        self._lock = lock

    def passage(self, texts: list[str]) -> np.ndarray:
        with self._lock:
            return self._model.passage(texts)  # type: ignore[attr-defined,no-any-return]

    def query(self, text: str) -> np.ndarray:
        with self._lock:
            return self._model.query(text)  # type: ignore[attr-defined,no-any-return]


@pytest.fixture(scope="session")
def one_model() -> Iterator[None]:
    """Let every bot of this process use the same model, read when the first one asks."""
    read = UseEmbedder._load
    lock = threading.Lock()
    held: list[object] = []

    def load(embedder: UseEmbedder) -> _InTurn:
        if not held:
            held.append(read(embedder))
        return _InTurn(held[0], lock)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UseEmbedder, "_load", load)
        yield
