"""Every error the bot raises on purpose, on one page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a file that people edit, in words for those people (Chinese).

    A ``note`` is worth a look and stops nothing.
    """

    file: str
    line: int
    key: str
    what: str
    mend: str
    note: bool = False

    def __str__(self) -> str:
        """Return ``file:line: key: what · mend``, leaving out what is empty."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        mend = f" · {self.mend}" if self.mend else ""
        return f"{place}:{key} {self.what}{mend}"


class BotError(Exception):
    """The root of all errors below."""


class ConfigError(BotError):
    """A setting is missing or wrong; the text is one sentence that says what to do."""


class ContentError(BotError):
    """Files that people edit are wrong; carries every problem found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DatabaseFailed(BotError):
    """The database could not do it now; what was not committed is not done, and can be tried again.

    ``reason`` is unreachable, full, read_only, conflict or timeout.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"database_{reason}")


class CallbackRejected(BotError):
    """A callback is not WeCom's or cannot be read; nothing of it is stored."""

    def __init__(self, reason: str, status: int = 403) -> None:
        self.reason = reason
        self.status = status
        super().__init__(reason)


class WeComError(BotError):
    """WeCom answered with an error code; the hint says what to do about it."""

    def __init__(self, errcode: int, errmsg: str = "", hint: str = "") -> None:
        self.errcode = errcode
        self.errmsg = errmsg
        self.hint = hint
        super().__init__(f"errcode {errcode}: {errmsg}" + (f" ({hint})" if hint else ""))


class ChannelError(BotError):
    """A message could not be delivered now."""


class Retryable(ChannelError):
    """Try again after so many seconds."""

    may_have_arrived = False  # True in a subclass for a call that was sent and not answered

    def __init__(self, reason: str, after: float = 5.0) -> None:
        self.reason = reason
        self.after = after
        super().__init__(reason)


class IndexNotReady(Retryable):
    """Nothing can be searched yet: the first index is still being made."""

    def __init__(self) -> None:
        super().__init__("index_not_ready")


class Undeliverable(ChannelError):
    """Trying again is of no use; the reason is a word for the ledger."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class SessionMoved(Undeliverable):
    """A 微信客服 session is not where we thought; carries what WeCom says of it now."""

    def __init__(self, reason: str, state: int, servicer: str) -> None:
        self.state = state
        self.servicer = servicer
        super().__init__(reason)
