"""Everything that reached a person, in order: the evidence that rules were kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Kind = Literal[
    "kf", "group", "single", "member", "welcome", "moment", "appchat", "aibot", "webhook"
]


@dataclass(frozen=True)
class Delivery:
    """One message that a customer, a group or a member received."""

    seq: int
    kind: Kind
    to: str
    sender: str
    text: str
    at: datetime
    source: str
    """``kf_send_msg``, ``broadcast:{msgid}``, ``person`` …: what caused it."""
    meta: Mapping[str, object]

    def as_json(self) -> dict[str, object]:
        """Return this delivery as JSON fields, the moment in ISO form."""
        return {
            "seq": self.seq,
            "kind": self.kind,
            "to": self.to,
            "sender": self.sender,
            "text": self.text,
            "at": self.at.isoformat(),
            "source": self.source,
            "meta": dict(self.meta),
        }


@dataclass
class Deliveries:
    """An append-only list; sequence numbers start at 1."""

    _items: list[Delivery] = field(default_factory=list)

    def add(
        self,
        kind: Kind,
        *,
        to: str,
        sender: str,
        text: str,
        at: datetime,
        source: str,
        meta: Mapping[str, object] | None = None,
    ) -> Delivery:
        """Note down that a message reached ``to``."""
        item = Delivery(len(self._items) + 1, kind, to, sender, text, at, source, meta or {})
        self._items.append(item)
        return item

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def since(self, seq: int) -> list[Delivery]:
        """Return what came after the delivery numbered ``seq`` (0: everything)."""
        return self._items[max(0, seq) :]

    def select(
        self, kind: Kind | None = None, to: str | None = None, source: str | None = None
    ) -> list[Delivery]:
        """Return the deliveries of a kind, to somebody, whose source begins with ``source``."""
        return [
            item
            for item in self._items
            if (kind is None or item.kind == kind)
            and (to is None or item.to == to)
            and (source is None or item.source.startswith(source))
        ]
