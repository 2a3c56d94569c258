"""How a process that runs for months looks after its memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 20_000  # with Python's 700, a batch of 500 runs is searched two dozen times
_OLDER = 10


@contextmanager
def settled() -> Iterator[None]:
    """Leave what stands already out of the search for rings, and search seldom, within a block.

    Files, index and model stay as long as the process: to look through them again slows every
    worker. What the workers make has hardly any rings, and is freed as soon as it is let go.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
