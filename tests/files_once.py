"""What a bot reads of its files as it starts, read once for all stories whose files are alike."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bot.workers.files import Snapshot
    from bot.workspace import Workspace


@pytest.fixture(scope="session")
def files_read_once() -> Iterator[None]:
    """Let a bot that starts on files just like an earlier one's have what that one read.

    What it sees of them later, it reads itself.
    """
    from bot.workers.files import read_snapshot  # which most tests do without

    read: dict[tuple[str, date], Snapshot] = {}

    def once(workspace: Workspace, today: date) -> Snapshot:
        asked = (_content(workspace), today)
        if asked not in read:
            read[asked] = read_snapshot(workspace, today)
        return read[asked]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.app.read_snapshot", once)
        yield


def _content(workspace: Workspace) -> str:
    """Return a hash of every file's name and content."""
    content = hashlib.sha256()
    for folder in (workspace.sop, workspace.knowledge):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder).as_posix().encode()
            body = path.read_bytes()
            content.update(b"%s %d %s %d " % (folder.name.encode(), len(name), name, len(body)))
            content.update(body)
    return content.hexdigest()
