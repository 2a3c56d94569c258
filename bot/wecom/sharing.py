"""What all processes of one corp share: the access token, and how often an API may be called."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class TokenStore(Protocol):
    """Where access tokens are shared, so that all processes use the same one."""

    async def read(self, key: str) -> tuple[str, datetime] | None:
        """Return the token and when it expires; None if there is none."""

    async def write(self, key: str, token: str, expires_at: datetime) -> None:
        """Keep a token, replacing the one before."""

    async def claim(self, key: str) -> bool:
        """Become the one who asks WeCom for this token; False while another does."""

    async def release(self, key: str) -> None:
        """Let another ask."""


class MemoryTokens:
    """Keeps tokens for one process."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._asking: set[str] = set()

    async def read(self, key: str) -> tuple[str, datetime] | None:
        """Return the token and when it expires; None if there is none."""
        return self._tokens.get(key)

    async def write(self, key: str, token: str, expires_at: datetime) -> None:
        """Keep a token, replacing the one before."""
        self._tokens[key] = (token, expires_at)

    async def claim(self, key: str) -> bool:
        """Become the one who asks WeCom for this token; False while another does."""
        if key in self._asking:
            return False
        self._asking.add(key)
        return True

    async def release(self, key: str) -> None:
        """Let another ask."""
        self._asking.discard(key)


class Rates(Protocol):
    """How often an API may be called, by all processes together."""

    async def take(self, api: str) -> None:
        """Count a call; raise ``Retryable`` where there is no room for it, or the API rests."""

    async def refused(self, api: str) -> None:
        """Rest an API that WeCom refused for being called too often (45009)."""


class Unmetered:
    """Counts nothing: for tools that make a few calls."""

    async def take(self, api: str) -> None:
        """Allow every call."""

    async def refused(self, api: str) -> None:
        """Leave it to the caller."""
