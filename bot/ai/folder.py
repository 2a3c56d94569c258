"""An index's folder belongs to one process: Chroma's files do not stand two that write."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import ConfigError

_MOST = 64  # processes on one machine that each have an index


@contextmanager
def own_folder(folder: Path) -> Iterator[Path]:
    """Give the folder, or ``FOLDER-2``, ``FOLDER-3`` … where other processes have those before.

    Each fills by itself from the vectors that were made once. Raise ``ConfigError`` in a sentence
    where the folder cannot be written.
    """
    for number in range(1, _MOST + 1):
        mine = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        handle = _taken(mine)
        if handle is not None:
            try:
                yield mine
            finally:
                os.close(handle)  # the system gives the lock back
            return
    raise ConfigError(f"已有 {_MOST} 个进程在用索引 {folder}。请先停掉不用的。")


def in_use(folder: Path) -> bool:
    """Tell whether a process has the folder now."""
    if not folder.with_name(f"{folder.name}.lock").exists():
        return False
    handle = _taken(folder)
    if handle is not None:
        os.close(handle)
    return handle is None


def _taken(folder: Path) -> int | None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder.with_name(f"{folder.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise ConfigError(
            f"索引目录 {folder} 不能写入。请换一个目录([knowledge] folder)，或改好它的权限。"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
