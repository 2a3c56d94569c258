"""How a process that runs for months looks after its memory."""

from __future__ import annotations

import gc
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_YOUNG = 20_000  # with Python's 700, a batch of 500 runs is searched two dozen times
_OLDER = 10
_KILOBYTE = 1024
_STATUS = Path("/proc/self/status")


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


def peak_mb() -> float:
    """Return the most memory that this program has held, in megabytes.

    Linux counts what started a program as its own in ``ru_maxrss``, but not in ``VmHWM``.
    """
    if _STATUS.is_file():
        for line in _STATUS.read_text("ascii", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / _KILOBYTE
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KILOBYTE
    return held / _KILOBYTE if sys.platform == "darwin" else held
