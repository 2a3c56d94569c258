"""What a process had in hand when it ended is taken over; on SQLite only one works at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Table, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import ConfigError

# Their locks and their shared memory do not hold between machines, and SQLite needs both.
_NETWORK = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afs", "ceph", "glusterfs"),
        *("lustre", "gpfs", "beegfs", "ocfs2", "gfs2", "fuse.sshfs", "fuse.glusterfs"),
        *("fuse.s3fs", "fuse.rclone", "fuse.juicefs"),
    }
)
_MOUNTS = Path("/proc/self/mounts")


class Ownership:
    """The right to work on an SQLite file; the system takes it back when the process ends."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._handle = -1

    def take(self) -> None:
        """Become the owner; raise ``ConfigError`` where another process is."""
        if self._handle >= 0:
            return
        handle = os.open(f"{self._database}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise ConfigError(
                f"另一个知邻正在用数据库 {self._database}。"
                "请先停掉它；要开几个进程，请把 [database] url 换成 PostgreSQL。"
            ) from error
        self._handle = handle

    def give_up(self) -> None:
        """Let another process become the owner."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


async def release(
    connection: AsyncConnection, tables: Iterable[Table], now: datetime, holder: str = ""
) -> int:
    """Make due what a process has in hand; return how many rows that were.

    Without a ``holder``, what any process has: on SQLite whoever held it is dead. A message that
    was about to leave stays marked so: whether it arrived is for the sender to find out.
    """
    released = 0
    for table in tables:
        if "holder" not in table.c:
            continue
        whose = table.c.holder == holder if holder else table.c.holder != ""
        statement = update(table).where(whose, table.c.due_at > now)
        result = await connection.execute(statement.values(due_at=now, holder=""))
        released += result.rowcount
    return released


def network_file_system(path: Path, mounts: Path = _MOUNTS) -> str:
    """Name the network file system that a path lies on, "" where it lies on none we know of."""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
        whole = path.resolve()
    except OSError:
        return ""
    found: tuple[int, str] = (-1, "")
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        place = Path(fields[1].replace("\\040", " "))  # the kernel writes a space as \040
        if whole.is_relative_to(place):
            found = max(found, (len(place.parts), fields[2]))
    return found[1] if found[1] in _NETWORK else ""
