"""What an error of a database means for whoever asked: try again, or somebody must do something."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.errors import DatabaseFailed

_LANE_TAKEN = "lane_running"  # the unique indexes that let nobody take two rows of a lane
_BY_STATE = {
    "40001": "conflict",  # serialization failure
    "40P01": "conflict",  # deadlock
    "55P03": "conflict",  # a lock was not to be had in time
    "57014": "timeout",  # a statement took too long
    "25P03": "timeout",  # a transaction lay idle too long
    "25006": "read_only",  # the server has become a standby
    "53100": "full",
    "53200": "full",
}
_UNREACHABLE = ("08", "57P", "53300")  # connection lost, shutting down or starting, no room
_BY_SQLITE = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR: "full",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_CANTOPEN: "unreachable",
    sqlite3.SQLITE_BUSY: "conflict",
    sqlite3.SQLITE_LOCKED: "conflict",
}
_PRIMARY = 0xFF  # SQLite's extended codes keep the plain one in the lowest byte


def failure_of(error: BaseException) -> DatabaseFailed | None:
    """Return what a statement's error means; None where our own statement is at fault."""
    if not isinstance(error, DBAPIError):
        return None
    if error.connection_invalidated:
        return DatabaseFailed("unreachable")
    if isinstance(error, IntegrityError):
        return DatabaseFailed("conflict") if _LANE_TAKEN in str(error.orig) else None
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if state:
        lost = "unreachable" if state.startswith(_UNREACHABLE) else ""
        reason = _BY_STATE.get(state, lost)
        return DatabaseFailed(reason) if reason else None
    return failure_of_sqlite(error.orig)


def failure_of_sqlite(error: BaseException | None) -> DatabaseFailed | None:
    """Return what an error of SQLite itself means; None where our own statement is at fault."""
    code = getattr(error, "sqlite_errorcode", None)
    reason = "" if code is None else _BY_SQLITE.get(code & _PRIMARY, "")
    return DatabaseFailed(reason) if reason else None
