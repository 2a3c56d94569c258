"""Chroma's files in a folder of ours: opened, looked into, and begun anew where they are broken."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bot.ai.chroma import Chroma, imprint_of
from bot.errors import ConfigError
from bot.log import logger

log = logger(__name__)


@asynccontextmanager
async def open_folder(folder: Path) -> AsyncIterator[Chroma]:
    """Open Chroma's files, in a folder of their own within this one.

    Files that Chroma cannot read are left behind for new ones: whatever stood in them was made
    from texts and can be made again. Raise ``ConfigError`` where nothing can be written.
    """
    chroma = await asyncio.to_thread(_open_files, folder)
    try:
        yield chroma
    finally:
        await asyncio.to_thread(chroma.close)


def _open_files(folder: Path) -> Chroma:
    numbers = sorted(_number(path) for path in folder.glob("chroma-*") if _number(path))
    newest = numbers[-1] if numbers else 1
    # A client that could not read its files cannot be had again for the same path.
    for number in (newest, newest + 1):
        chroma = _tried(folder / f"chroma-{number}")
        if chroma is None:
            log.warning("index_unreadable", folder=str(folder), number=number)
            continue
        for old in {*numbers, newest} - {number}:
            shutil.rmtree(folder / f"chroma-{old}", ignore_errors=True)
            _mark_of(folder / f"chroma-{old}").unlink(missing_ok=True)
        return chroma
    raise ConfigError(
        f"索引目录 {folder} 用不了。请看看磁盘满没满、有没有写的权限，"
        "或换一个目录([knowledge] folder)。"
    )


def _tried(folder: Path) -> Chroma | None:
    """Open files; None where they cannot be read, or where the last who tried died of it.

    Chroma's native code does not survive every file that is cut off or overwritten.
    """
    mark = _mark_of(folder)
    try:
        if mark.exists():
            return None
        folder.mkdir(parents=True, exist_ok=True)
        mark.touch()
        chroma = _probed(folder)
    except Exception as error:  # Chroma's own errors, the system's, and plain ones
        log.warning("chroma_failed", folder=str(folder), reason=type(error).__name__)
        chroma = None
    with suppress(OSError):
        mark.unlink(missing_ok=True)
    return chroma


def _mark_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.opening")


def _probed(folder: Path) -> Chroma:
    """Open files and look into every collection: broken ones show at the first question only."""
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(
        path=str(folder), settings=Settings(anonymized_telemetry=False)
    )
    for collection in client.list_collections():
        imprint = imprint_of(collection.metadata or {})
        if imprint is not None and collection.count():
            probe: list[Sequence[float] | Sequence[int]] = [[1.0] * imprint.dimensions]
            collection.query(query_embeddings=probe, n_results=1, include=["distances"])
    return Chroma(client)


def _number(path: Path) -> int:
    number = path.name.removeprefix("chroma-")
    return int(number) if number.isdecimal() else 0
