"""Identifiers that cannot be mixed up."""

from __future__ import annotations

import hashlib
from typing import NewType

CustomerId = NewType("CustomerId", str)
RmId = NewType("RmId", str)
GroupChatId = NewType("GroupChatId", str)
BranchId = NewType("BranchId", str)
KfAccountId = NewType("KfAccountId", str)
ScriptId = NewType("ScriptId", str)


def digest(*parts: str, size: int = 16) -> str:
    """Return a hex digest of ``size`` bytes over the parts, each kept apart from the next."""
    joined = "\x1f".join(parts).encode()
    return hashlib.blake2b(joined, digest_size=size).hexdigest()
